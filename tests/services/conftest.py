"""Sites on the real servers that CI starts. Without their addresses these tests are skipped, and say so."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.live_site import REPOSITORY, manage_command, site_environment
from tests.services.scaled_out_site import Database, ScaledOutSite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _address(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"{name} is not set: this test needs a server of its own")
    return value


@pytest.fixture(scope="package")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with all tables and no rows, which the others are copies of: to migrate takes many seconds."""
    made = Database(_address("UNMASK_TEST_DATABASE_URL"))
    try:
        subprocess.run(
            manage_command("migrate", "--noinput", "--verbosity", "0"),
            env=site_environment(
                tmp_path_factory.mktemp("migrated"),
                {"DATABASE_URL": made.url, "DJANGO_SETTINGS_MODULE": "deepfake_site.settings"},
            ),
            cwd=REPOSITORY,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )
        yield made
    finally:
        made.drop()


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    made = Database(migrated.server_url, migrated)
    try:
        yield made
    finally:
        made.drop()


@pytest.fixture
def redis_url(worker_id: str) -> str:
    """A database of this process's own on the server: tests wipe it. (Redis has sixteen.)"""
    number = int(worker_id.removeprefix("gw")) % 16 if worker_id != "master" else 0
    return urlsplit(_address("UNMASK_TEST_REDIS_URL"))._replace(path=f"/{number}").geturl()


@pytest.fixture
def scaled_out(redis_url: str, database: Database, tmp_path: Path) -> Iterator[ScaledOutSite]:
    site = ScaledOutSite(tmp_path / "data", database, redis_url)
    try:
        yield site
    finally:
        site.stop()
