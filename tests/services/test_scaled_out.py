"""Two web processes, two workers, PostgreSQL and Redis: whatever is killed or wiped, every job ends once."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.live_site import Process, Visitor
    from tests.services.scaled_out_site import ScaledOutSite

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

VISITORS = 6
PICTURES_EACH = 2
CROWD = 9  # faces in one picture: work enough that a worker can be killed in the middle of it


@pytest.fixture(scope="module")
def crowd_jpeg(astronaut: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(astronaut, (3, 3, 1))).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def submit(visitor: Visitor, picture: bytes) -> dict[str, Any]:
    response = visitor.upload(picture)
    assert response.status_code == 202, response.text
    answer = response.json()
    assert answer["errors"] == []
    accepted: dict[str, Any] = answer["checks"][0]
    return accepted


def running(site: ScaledOutSite) -> list[dict[str, Any]]:
    return site.database.rows("SELECT id, worker, stage FROM jobs_job WHERE state = 'running' AND kind = 'check'")


def wait_until_running(site: ScaledOutSite, timeout: float = 180) -> dict[str, Any]:
    """A job in the middle of its work: claimed by a worker, and past its first stage."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for job in running(site):
            if job["stage"]:
                return job
        time.sleep(0.01)
    raise AssertionError("no job began")


def stop_a_worker_in_mid_job(site: ScaledOutSite) -> tuple[dict[str, Any], Process]:
    """A worker that stands still while a job of its own runs. One that had just ended its job goes on, and the next
    is tried: on a quick machine a job may end between the look at its row and the signal."""
    while True:
        job = wait_until_running(site)
        worker = site.worker_named(job["worker"])
        os.kill(worker.pid, signal.SIGSTOP)
        time.sleep(0.2)  # what it had sent to the database by then is written by now
        if job["id"] in {row["id"] for row in running(site)}:
            return job, worker
        os.kill(worker.pid, signal.SIGCONT)


def test_a_killed_worker_and_a_wiped_redis_lose_and_double_nothing(
    scaled_out: ScaledOutSite, crowd_jpeg: bytes
) -> None:
    addresses = [scaled_out.start_web(), scaled_out.start_web()]
    for _ in range(2):
        scaled_out.start_worker()
    visitors = [scaled_out.visitor(addresses[number % 2]) for number in range(VISITORS)]
    submitted: dict[str, Visitor] = {}
    for _ in range(PICTURES_EACH):
        for visitor in visitors:
            submitted[submit(visitor, crowd_jpeg)["job"]["id"]] = visitor

    victim, worker = stop_a_worker_in_mid_job(scaled_out)
    worker.kill(group=False)
    scaled_out.wipe_redis()

    ended = {job_id: visitor.wait(job_id, timeout=300) for job_id, visitor in submitted.items()}
    assert Counter(job["state"] for job in ended.values()) == {"succeeded": VISITORS * PICTURES_EACH}
    attempts = {job_id: job["attempt"] for job_id, job in ended.items()}
    assert attempts[str(victim["id"])] == 2, "the killed worker's job was done by another attempt"
    assert max(attempts.values()) <= 2

    results = scaled_out.database.rows(
        """
        SELECT job.id, job.worker, check_.level, check_.device,
               (SELECT count(*) FROM detection_check c WHERE c.job_id = job.id) AS checks,
               (SELECT count(*) FROM detection_facefinding f WHERE f.subject_id = check_.id) AS faces,
               (SELECT count(*) FROM jobs_artifact a WHERE a.job_id = job.id AND a.role = 'display') AS displays
          FROM jobs_job job JOIN detection_check check_ ON check_.job_id = job.id
         WHERE job.kind = 'check'
        """
    )
    assert {str(row["id"]) for row in results} == set(submitted)
    for row in results:
        assert (row["checks"], row["displays"]) == (1, 1), "one job, one result"
        assert row["level"], "every check has a verdict"
        assert row["device"], "every check names the device that ran it"
    verdicts = {(row["level"], row["faces"]) for row in results}
    assert len(verdicts) == 1, "the same picture, the same verdict, whichever worker judged it"
    assert verdicts.pop()[1] >= CROWD, "every face once"
    # Nobody's session opens another's job, on either web process.
    stranger = scaled_out.visitor(addresses[1])
    stranger.token()
    assert stranger.http.get(f"{addresses[1]}/jobs/{next(iter(submitted))}.json", timeout=30).status_code == 404


def test_one_web_process_tells_what_a_worker_elsewhere_does(scaled_out: ScaledOutSite, astronaut_jpeg: bytes) -> None:
    """Submitted to one web process, watched through the other's websocket, run by a worker."""
    submitting, watching = scaled_out.start_web(), scaled_out.start_web()
    visitor = scaled_out.visitor(submitting)
    accepted = submit(visitor, astronaut_jpeg)
    messages: list[dict[str, Any]] = []
    with connect(
        watching.replace("http:", "ws:") + accepted["socket"],
        origin=watching,
        additional_headers={"Cookie": visitor.cookie_header},
        proxy=None,
    ) as socket:
        messages.append(json.loads(socket.recv(timeout=20)))
        scaled_out.start_worker()  # only now, so that no progress can come before the socket listens
        deadline = time.monotonic() + 240
        while messages[-1]["type"] != "finished":
            messages.append(json.loads(socket.recv(timeout=max(1, deadline - time.monotonic()))))

    assert messages[0]["type"] == "snapshot"
    assert messages[0]["state"] == "queued"
    numbers = [message["seq"] for message in messages]
    assert numbers == sorted(numbers), "messages come in order"
    stages = [message["stage"] for message in messages if message["type"] == "progress" and message["stage"]]
    assert stages, "progress crossed from the worker to the other web process"
    assert messages[-1]["state"] == "succeeded"
    assert messages[-1]["result_url"] == accepted["url"]


def test_a_stranger_and_a_foreign_page_get_no_socket(scaled_out: ScaledOutSite, astronaut_jpeg: bytes) -> None:
    url = scaled_out.start_web()
    owner, stranger = scaled_out.visitor(url), scaled_out.visitor(url)
    accepted = submit(owner, astronaut_jpeg)
    stranger.token()
    address = url.replace("http:", "ws:") + accepted["socket"]
    # Somebody else's job looks like none at all.
    with connect(address, origin=url, additional_headers={"Cookie": stranger.cookie_header}, proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4404
    # Browsers send cookies along with a foreign page's socket, so the owner's cookie must not be enough.
    for origin in ("https://elsewhere.example", url.replace("127.0.0.1", "localhost"), url.replace("http:", "https:")):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, origin=origin, additional_headers={"Cookie": owner.cookie_header}, proxy=None)
        assert refused.value.response.status_code == 403


def test_attempts_to_sign_in_are_counted_for_all_web_processes_together(scaled_out: ScaledOutSite) -> None:
    """allauth stops after five wrong passwords for one account; who changes the web process gets no five more."""
    visitors = [scaled_out.visitor(scaled_out.start_web()) for _ in range(2)]
    for visitor in visitors:
        visitor.http.headers["Host"] = "localhost"  # one site by its name, as behind a proxy
    refusals = []
    for attempt in range(6):
        response = visitors[attempt % 2].post(
            "/accounts/login/", data={"login": "somebody@unmask.example", "password": f"guess number {attempt}"}
        )
        refusals.append(response.status_code == 429 or "Too many" in response.text)
    assert refusals == [False] * 5 + [True]
