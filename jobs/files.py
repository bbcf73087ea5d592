"""Files follow their rows: written before the row is there, removed after it is gone."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files.storage import Storage

_written: ContextVar[list[tuple[Storage, str]] | None] = ContextVar("written", default=None)


def written(storage: Storage, name: str) -> None:
    files = _written.get()
    if files is not None:
        files.append((storage, name))


@contextmanager
def removed_on_failure() -> Iterator[None]:
    """Files written inside are removed again when the block raises: its rows were rolled back, nothing names them."""
    files: list[tuple[Storage, str]] = []
    token = _written.set(files)
    try:
        yield
    except BaseException:
        for storage, name in files:
            storage.delete(name)
        raise
    finally:
        _written.reset(token)


def remove_on_commit(storage: Storage, name: str) -> None:
    """Remove a file once its row is gone for good. A crash in between leaves an orphan for the scan, never a row that
    promises a file which is not there."""
    transaction.on_commit(lambda: storage.delete(name), robust=True)
