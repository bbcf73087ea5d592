"""A lesson that is killed, drained and killed again goes on from its last step, and what it makes is published once."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests import clips
from tests.live_site import LiveSite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # three starts of a child that loads TensorFlow

SUBMIT = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from generation import services, swaps, texts
from jobs.requester import Requester
user = get_user_model().objects.create_user("ada", "ada@example.org", "correct horse battery")
user.groups.add(Group.objects.get(name="member"))
services.accept_terms(user, texts.terms().version)
who = Requester(user=user, session_key=None)
from pathlib import Path
data = Path({path!r}).read_bytes()
files = dict()
for role in ("source", "target"):
    files[role] = services.accept_file(who, SimpleUploadedFile("clip.mp4", data), "swap_own", clips=True)
version = texts.consent("myself").version
consents = dict()
for role in files:
    consents[role] = services.state_consent(who, "myself", version=version, artifact=files[role])
cast = swaps.Cast(files["target"], source=files["source"])
made = swaps.submit(who, cast, consents, affirmed=True, options=swaps.learning())
print("job", made.job_id)
"""
ROWS = """
import json
from generation.ledger import LedgerEntry
from jobs.models import Artifact, Job, MadeOutput
from generation.models import Generation
job = Job.objects.get(pk={job!r})
print("row", json.dumps(dict(
    state=job.state, attempt=job.attempt, stage=job.stage, done=job.done, error=job.error_code,
    roles=sorted(Artifact.objects.filter(job=job).values_list("role", flat=True)),
    made=LedgerEntry.objects.filter(event="made").count(),
    outputs=MadeOutput.objects.count(), facts=Generation.objects.get().facts,
)))
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LiveSite]:
    site = LiveSite(
        tmp_path / "var",
        {
            "JOBS_WORKER_KINDS": "swap_own,purge",
            "JOBS_POLL_SECONDS": "0.2",
            "JOBS_SWEEP_SECONDS": "0.5",
            "JOBS_RETRY_DELAY_SECONDS": "0.1",
            "JOBS_DRAIN_SECONDS": "0.2",
            "JOBS_CHILD_START_SECONDS": "600",
            "UNMASK_LEARN_STEPS": "8",
        },
    )
    yield site
    site.kill()


def told(printed: str, word: str) -> str:
    return next(line.partition(" ")[2] for line in printed.splitlines() if line.startswith(f"{word} "))


def row(site: LiveSite, job: str) -> Any:
    import json

    return json.loads(told(site.manage("shell", "--verbosity", "0", "-c", ROWS.format(job=job)), "row"))


def child(site: LiveSite) -> psutil.Process | None:
    """The child for long work: the younger of the two."""
    found = [
        process
        for process in psutil.Process(site.pid).children(recursive=True)
        if any("jobs.inference_child" in part for part in process.cmdline())
    ]
    return max(found, key=lambda process: process.create_time()) if len(found) > 1 else None


def until_learning(site: LiveSite, folder: Path, seconds: float = 300) -> None:
    """Until the faces are gathered and the first checkpoint can be written."""
    deadline = time.monotonic() + seconds
    while not list(folder.rglob("target.npz")):
        assert time.monotonic() < deadline, site.output()
        time.sleep(0.1)


def test_killed_at_any_second_it_goes_on_and_publishes_once(site: LiveSite, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clips.encoded(clips.astronaut_frames(26, height=300, width=320, side=300, drift=16)))
    site.start()
    job = told(site.manage("shell", "--verbosity", "0", "-c", SUBMIT.format(path=str(clip))), "job")
    folder = site.data_dir / "work"
    until_learning(site, folder)
    lasting = next(path for path in folder.iterdir() if path.name.startswith("job+"))
    victim = child(site)
    assert victim is not None
    victim.kill()  # in the middle of learning
    deadline = time.monotonic() + 300
    while not list(lasting.rglob("step-*.npz")):
        assert time.monotonic() < deadline, site.output()
        time.sleep(0.05)
    site.kill()  # the whole house, at the first checkpoint
    assert row(site, job)["made"] == 0
    site.start()
    state = "SELECT state FROM jobs_job WHERE id = ?"
    while site.rows(state, uuid.UUID(job).hex)[0][0] in ("queued", "running"):
        assert time.monotonic() < deadline + 300, site.output()
        time.sleep(0.2)
    now = row(site, job)
    assert (now["state"], now["attempt"]) == ("succeeded", 3), (now, site.output()[-3000:])
    assert now["made"] == 1
    assert now["roles"].count("result") == 1
    assert now["facts"]["steps"] == 8
    deadline = time.monotonic() + 10
    while lasting.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
