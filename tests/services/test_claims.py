"""Claiming on PostgreSQL: no two workers get the same row, and none waits for a row that another transaction holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live_site import REPOSITORY, site_environment

if TYPE_CHECKING:
    from tests.services.scaled_out_site import Database

pytestmark = pytest.mark.services

JOBS = 60


@pytest.fixture
def raced(database: Database, tmp_path: Path) -> dict[str, Any]:
    environment = site_environment(
        tmp_path,
        {
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": "deepfake_site.settings",
            "PYTHONPATH": str(REPOSITORY),
            "JOBS_GLOBAL_CAP": "1000",
        },
    )
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("claim_race.py"), str(JOBS)],
        env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["vendor"] == "postgresql"
    return answer


def test_claims_from_several_connections(raced: dict[str, Any]) -> None:
    race = raced["race"]
    assert len(race["submitted"]) == JOBS
    assert race["claimed"] == race["submitted"], "each job was claimed by exactly one worker"
    assert race["attempts"] == [1] * JOBS
    assert race["workers"] > 1, "the threads did not compete"

    skipped = raced["skip_locked"]
    assert skipped["claimed"] == skipped["second"], "the row that another transaction holds is passed over"
    assert skipped["first_state"], "and is left as it was"
    assert skipped["seconds"] < 2
