"""Sites on the real servers that CI starts. Without their addresses these tests are skipped, and say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.services.scaled_out_site import Database, ScaledOutSite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _address(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"{name} is not set: this test needs a server of its own")
    return value


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database(_address("UNMASK_TEST_DATABASE_URL"))
    try:
        yield made
    finally:
        made.drop()


@pytest.fixture
def redis_url() -> str:
    return _address("UNMASK_TEST_REDIS_URL")


@pytest.fixture
def scaled_out(redis_url: str, database: Database, tmp_path: Path) -> Iterator[ScaledOutSite]:
    site = ScaledOutSite(tmp_path / "data", database, redis_url)
    try:
        yield site
    finally:
        site.stop()
