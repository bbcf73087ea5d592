"""The review desk on PostgreSQL: of all who want one item at the same moment, one gets it."""

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
ITEMS = 40


@pytest.fixture
def raced(database: Database, tmp_path: Path) -> dict[str, Any]:
    environment = site_environment(
        tmp_path,
        {
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": "deepfake_site.settings",
            "PYTHONPATH": str(REPOSITORY),
        },
    )
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("desk_race.py"), str(ITEMS)],
        env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["vendor"] == "postgresql"
    return answer


def test_reviewers_who_want_the_same_items(raced: dict[str, Any]) -> None:
    assert raced["alone"] == [1] * 20, "one item, eight people, one claim"
    assert raced["judged"] == raced["laid"]
    assert raced["by"] == [1] * ITEMS, "each was judged once"
    assert raced["settled"] == ITEMS
    assert raced["held_twice"] == []
    assert raced["people"] > 1, "the threads did not compete"
