"""Reaching the database from the event loop, and getting over its passing troubles."""

from __future__ import annotations

import functools
import random
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from channels.db import DatabaseSyncToAsync
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 6


def retrying(function: Callable[P, T]) -> Callable[P, T]:
    """Run a whole transaction again after "database is locked", a deadlock or a dropped connection.

    Only for functions that open their own transaction. Inside somebody else's there is nothing to run again, so the
    error passes through.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(TRIES):
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError):
                if attempt == TRIES - 1:
                    raise
                close_old_connections()
                time.sleep(0.05 * 2**attempt * (1 + random.random()))  # noqa: S311  (spreads the retries, no secret)
        raise AssertionError("unreachable")

    return run


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short database function in a thread.

    Not thread-sensitive: the one shared thread of `database_sync_to_async` would make every socket of the process wait
    for the slowest query of any of them.
    """
    call = DatabaseSyncToAsync(function, thread_sensitive=False)
    return cast("T", await call(*args, **kwargs))


def serialise(name: str) -> None:
    """Let one transaction at a time past this point, until it ends.

    PostgreSQL: an advisory lock. SQLite: nothing to do, since transactions begin IMMEDIATE and so already are alone.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("serialise() needs a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"unmask.{name}"])
