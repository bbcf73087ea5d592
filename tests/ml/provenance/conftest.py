from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.provenance.reading import read_provenance
from tests.ml.provenance.signed_files import Studio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.provenance.reading import Provenance

    Read = Callable[..., Provenance]


@pytest.fixture(scope="session")
def studio() -> Studio:
    return Studio.open()


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads bytes as a check does, from a file; `anchors` are the authorities that are trusted meanwhile."""
    from ml.provenance import trust

    monkeypatch.delenv("UNMASK_TRUST_LIST", raising=False)
    trust.installed_trust_list.cache_clear()

    def reading(data: bytes, anchors: str = "") -> Provenance:
        path = tmp_path / "file"
        path.write_bytes(data)
        return read_provenance(path, anchors=anchors)

    return reading
