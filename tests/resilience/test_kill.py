"""`kill -9` of the child, of a worker, of the whole server, in mid-job: every job ends once, with one result."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from .conftest import House


def gone(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def test_kill_9_of_the_child_and_then_of_the_whole_server(house: House) -> None:
    house.site.start()
    jobs = house.submit(6)
    house.until_running()
    (child,) = house.children(house.site.pid)
    child.kill()
    house.until(lambda: len(house.begun()) == 2)
    helpers = [process.pid for process in house.children(house.site.pid)]
    house.site.kill(group=False)  # of the server alone: its child must not outlive it
    house.until(lambda: gone(helpers))
    assert [house.job(job)[0] for job in jobs].count("running") == 1

    house.let_end()
    house.site.start()
    begun = house.assert_each_ended_once(jobs)
    assert sum(begun.values()) == len(jobs) + 2, "only what ran at a kill was begun again"


def test_kill_9_of_one_of_two_workers(house: House) -> None:
    jobs = house.submit(8)
    house.work()
    house.work()
    house.until(lambda: len(house.begun()) == 2)
    running = house.until_running()
    victim = next(worker for worker in house.workers if f"~{worker.pid}~" in running)
    other = next(worker for worker in house.workers if worker is not victim)
    victim.kill(group=False)
    house.let_end()
    begun = house.assert_each_ended_once(jobs)
    assert sum(begun.values()) == len(jobs) + 1
    assert "ready on test device" in other.output()
    assert other.stop() == 0


def test_sigterm_drains_and_costs_no_attempt(house: House) -> None:
    house.site.start()
    (job,) = house.submit(1)
    house.until_running()
    helpers = [process.pid for process in house.children(house.site.pid)]
    assert house.site.stop() == 0
    assert gone(helpers)
    assert house.job(job) == ("queued", 1, 4, "")
    assert f"Unmask is at {house.site.url}" in house.site.output()

    house.let_end()
    worker = house.work()
    begun = house.assert_each_ended_once([job])
    assert begun[job] == 2
    os.kill(worker.pid, signal.SIGINT)  # Ctrl-C drains as well
    assert worker.popen.wait(30) == 0
