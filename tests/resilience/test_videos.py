"""Hostile videos, a child killed in the middle of one, and a cancel: each job ends once, and nothing stays behind."""

from __future__ import annotations

import contextlib
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests import clips
from tests.live_site import LiveSite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live_site import Visitor

# Files whose structure is sound, so that only the decoder finds them out.
LATE = ("changing its size", "10,000 frames a second", "no frames", "another codec")
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "tests.resilience.quick_settings",
    "JOBS_POLL_SECONDS": "0.2",
    "JOBS_WATCH_SECONDS": "0.2",
    "JOBS_RETRY_DELAY_SECONDS": "0.1",
    "JOBS_VIDEO_FRAMES": "500",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    site = LiveSite(tmp_path_factory.mktemp("videos") / "var", ENVIRONMENT)
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.fixture
def visitor(site: LiveSite) -> Iterator[Visitor]:
    with site.visitor() as visitor:
        yield visitor


def child(site: LiveSite) -> psutil.Process:
    (found,) = (
        process
        for process in psutil.Process(site.pid).children(recursive=True)
        if any("jobs.inference_child" in part for part in process.cmdline())
    )
    return found


def sent(visitor: Visitor, data: bytes) -> str:
    answer = visitor.upload(data, "clip", "video/mp4")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["checks"][0]["job"]["id"])


def until_at(visitor: Visitor, job: str, stage: str) -> None:
    deadline = time.monotonic() + 60
    while visitor.job(job)["stage"] != stage:
        assert time.monotonic() < deadline, visitor.job(job)
        time.sleep(0.05)


def left_in_work(site: LiveSite) -> list[Path]:
    work = site.data_dir / "work"
    return list(work.iterdir()) if work.exists() else []


def test_hostile_videos_cost_their_own_job_and_nothing_else(site: LiveSite, visitor: Visitor) -> None:
    corpus = clips.hostile()
    before: Any = None
    for name in LATE:
        make, code, words = corpus[name]
        ended = visitor.wait(sent(visitor, make()))
        assert (ended["state"], ended["attempt"]) == ("failed", 1), (name, ended)
        assert ended["error"]["code"] == code, (name, ended)
        assert words in ended["error"]["message"]
        before = before or child(site).pid
    assert child(site).pid == before, "no child was lost over any of them"
    assert left_in_work(site) == []
    good = visitor.wait(sent(visitor, clips.encoded(clips.faceless_frames(6, 64, 48))))
    assert good["state"] == "succeeded"


def test_a_child_killed_in_the_middle_of_a_video_costs_one_attempt(site: LiveSite, visitor: Visitor) -> None:
    job = sent(visitor, clips.encoded(clips.faceless_frames(6, 64, 48)))
    until_at(visitor, job, "detectors")
    child(site).kill()
    ended = visitor.wait(job)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2)
    assert left_in_work(site) == []


def test_a_video_is_cancelled_in_the_middle(site: LiveSite, visitor: Visitor) -> None:
    job = sent(visitor, clips.encoded(clips.faceless_frames(6, 64, 48)))
    until_at(visitor, job, "detectors")
    with contextlib.closing(visitor.post(f"/jobs/{job}/cancel")) as answer:
        assert answer.status_code == 200
    assert visitor.wait(job)["state"] == "cancelled"
    assert left_in_work(site) == []


def test_a_large_video_is_in_the_server_once_at_most(site: LiveSite, visitor: Visitor) -> None:
    small = clips.encoded(clips.faceless_frames(6, 64, 48))
    filling = 90 * 1024 * 1024
    before = psutil.Process(site.pid).memory_info().rss
    job = sent(visitor, small + struct.pack(">I4s", 8 + filling, b"free") + bytes(filling))
    peak = max(
        int(line.split()[1]) * 1024
        for line in Path(f"/proc/{site.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    assert peak - before < 2 * filling
    assert visitor.wait(job)["state"] == "succeeded"
