"""`kill -9` of the child, of a worker, of the whole server, in mid-job: every job ends once, with one result."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from .conftest import House


def gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def test_kill_9_of_the_child_and_then_of_the_whole_server(house: House) -> None:
    house.site.start()
    jobs = house.submit(6, seconds=0.4, steps=8)
    house.until_running()
    (child,) = house.children(house.site.pid)
    child.kill()
    house.until(lambda: sum(house.job(job)[0] == "succeeded" for job in jobs) >= 3)
    house.until_running()
    helpers = [process.pid for process in house.children(house.site.pid)]
    house.site.kill(group=False)  # of the server alone: its child must not outlive it
    house.until(lambda: gone(helpers), 10)
    assert any(house.job(job)[0] == "running" for job in jobs), "killed in mid-job"

    house.site.start()
    begun = house.assert_each_ended_once(jobs)
    assert sum(begun.values()) <= len(jobs) + 2, "only what ran at a kill was begun again"
    assert max(begun.values()) <= 2


def test_kill_9_of_one_of_two_workers(house: House) -> None:
    jobs = house.submit(8, seconds=0.5, steps=10)
    house.work()
    house.work()
    running = house.until_running()
    victim = next(worker for worker in house.workers if f"~{worker.pid}~" in running)
    other = next(worker for worker in house.workers if worker is not victim)
    victim.kill(group=False)
    begun = house.assert_each_ended_once(jobs)
    assert sum(begun.values()) <= len(jobs) + 1
    assert "ready on test device" in other.output()
    assert other.stop() == 0


def test_sigterm_drains_and_costs_no_attempt(house: House) -> None:
    house.site.start()
    (job,) = house.submit(1, seconds=2.0, steps=40)
    house.until_running()
    helpers = [process.pid for process in house.children(house.site.pid)]
    began = time.monotonic()
    assert house.site.stop() == 0
    assert time.monotonic() - began < 8
    assert gone(helpers)
    assert house.job(job) == ("queued", 1, 4, "")
    assert f"Unmask is at {house.site.url}" in house.site.output()

    worker = house.work()
    begun = house.assert_each_ended_once([job])
    assert begun[job] == 2
    os.kill(worker.pid, signal.SIGINT)  # Ctrl-C drains as well
    assert worker.popen.wait(15) == 0
