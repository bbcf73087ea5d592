"""The site beside its inference: how quick pages stay, how soon progress shows, what the web process weighs."""

from __future__ import annotations

import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
from PIL import Image
from websockets.sync.client import connect

from benchmarks.measuring import Table
from tests.live_site import LiveSite

if TYPE_CHECKING:
    from tests.live_site import Visitor

ROUNDS = 5
PAGES = 150  # GETs in each half of a round
PAUSE = 0.02  # between two of them, as of people and not of a load generator
SUBMISSIONS = 30
SIDE = 640
WANTED_RATIO = 3.0
WANTED_FIRST_EVENT = 0.150  # seconds
WANTED_MEMORY = 250  # MB, of 10^6 bytes
# The shares of the queue stand aside: one client plays everybody.
OPEN_QUEUE = dict.fromkeys(("JOBS_WAITING_VISITOR", "JOBS_PER_ADDRESS", "JOBS_GLOBAL_CAP"), "1000")


def measure() -> list[Table]:
    """Start `manage.py serve` on a data directory of its own, and measure it from outside, over HTTP and websockets."""
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder) / "data", OPEN_QUEUE)
        try:
            site.start()
            visitor = site.visitor()
            visitor.wait(_submit(visitor, photo())["job"]["id"])  # the models are warm
            memory_at_rest = _memory(site)
            return [_first_events(site), _pages(visitor), _web_process(site, memory_at_rest)]
        finally:
            site.stop()


def photo(repeat: int = 1) -> bytes:
    """A library's photo with one face, or a wall of it, as JPEG."""
    from skimage import data

    image = Image.fromarray(np.tile(data.astronaut(), (repeat, repeat, 1)))
    buffer = io.BytesIO()
    image.resize((SIDE * repeat, SIDE * repeat), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def _submit(visitor: Visitor, picture: bytes) -> dict[str, dict[str, str]]:
    response = visitor.upload(picture)
    response.raise_for_status()
    check: dict[str, dict[str, str]] = response.json()["checks"][0]
    return check


def _first_events(site: LiveSite) -> Table:
    """From sending a photo to the first message that says its job runs, on a site with nothing else to do."""
    picture = photo()
    events, answers, ends = [], [], []
    for _ in range(SUBMISSIONS):
        with site.visitor() as visitor:
            visitor.token()
            start = time.perf_counter()
            check = _submit(visitor, picture)
            answers.append(time.perf_counter() - start)
            with connect(
                f"{site.websocket_url}{check['socket']}",
                origin=site.url,  # type: ignore[arg-type]
                additional_headers={"Cookie": visitor.cookie_header},
                proxy=None,
            ) as socket:
                message = {"state": "queued"}
                while message["state"] == "queued":
                    message = json.loads(socket.recv(timeout=60))
                events.append(time.perf_counter() - start)
                while message["state"] == "running":
                    message = json.loads(socket.recv(timeout=60))
                ends.append(time.perf_counter() - start)
    middle = statistics.median(events)
    table = Table(
        "From a photo to its progress",
        ("from sending the photo to", "p50", "p95"),
        about=f"{SUBMISSIONS} photos of {SIDE} px, one after another, each watched through its websocket.",
        held=[(f"first progress after less than {WANTED_FIRST_EVENT * 1e3:.0f} ms (p50)", middle < WANTED_FIRST_EVENT)],
    )
    for words, seconds in (("the answer", answers), ("the first progress", events), ("the verdict", ends)):
        table.rows.append((words, _milliseconds(statistics.median(seconds)), _milliseconds(_p95(seconds))))
    return table


def _pages(visitor: Visitor) -> Table:
    """The upload page with inference running without pause, beside the same page with nothing running, by turns."""
    crowd = photo(repeat=3)
    _get(visitor, PAGES)  # templates are compiled
    idle, busy = [], []
    for _ in range(ROUNDS):
        idle.append(_get(visitor, PAGES))
        waiting = [_submit(visitor, crowd)["job"]["id"]]
        while visitor.job(waiting[0])["state"] == "queued":
            time.sleep(0.02)
        found: list[float] = []
        while len(found) < PAGES:
            # One waits behind the one that runs, so that the child never rests.
            while sum(visitor.job(job)["state"] in {"queued", "running"} for job in waiting[-2:]) < 2:
                waiting.append(_submit(visitor, crowd)["job"]["id"])
            found += _get(visitor, 10)
        busy.append(found)
        for job in waiting[-2:]:
            visitor.post(f"/jobs/{job}/cancel")
            visitor.wait(job)
    ratio = statistics.median(_p95(b) / _p95(i) for b, i in zip(busy, idle, strict=True))
    table = Table(
        "Pages beside inference",
        ("GET /", "p50", "p95"),
        about=f"{ROUNDS} rounds of {PAGES} requests, idle and while photos of nine faces are checked without pause.",
        held=[(f"p95 at most {WANTED_RATIO:g} times idle: {ratio:.2f} times", ratio <= WANTED_RATIO)],
    )
    for words, rounds in (("idle", idle), ("while inference runs", busy)):
        p50 = statistics.median(statistics.median(seconds) for seconds in rounds)
        p95 = statistics.median(_p95(seconds) for seconds in rounds)
        table.rows.append((words, _milliseconds(p50), _milliseconds(p95)))
    return table


def _get(visitor: Visitor, times: int) -> list[float]:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        visitor.http.get(f"{visitor.url}/", headers={"Accept": "text/html"}, timeout=60).raise_for_status()
        found.append(time.perf_counter() - start)
        time.sleep(PAUSE)
    return found


def _web_process(site: LiveSite, memory_at_rest: float) -> Table:
    process = psutil.Process(site.pid)
    memory = _memory(site)
    loaded = {Path(mapped.path).name for mapped in process.memory_maps()}
    light = not any(name.startswith(("libtensorflow", "cv2", "_framework_bindings")) for name in loaded)
    children = sum(child.memory_info().rss for child in process.children(recursive=True)) / 1e6
    table = Table(
        "The web process",
        ("process", "resident memory"),
        about="`manage.py serve`: pages, sockets and the worker; TensorFlow lives in its child.",
        held=[
            (f"less than {WANTED_MEMORY} MB", memory < WANTED_MEMORY),
            ("neither TensorFlow nor OpenCV nor mediapipe in it", light),
        ],
    )
    table.rows.append(("web and worker, after the first check", f"{memory_at_rest:.0f} MB"))
    table.rows.append(("web and worker, after all of these", f"{memory:.0f} MB"))
    table.rows.append(("its inference child", f"{children:.0f} MB"))
    return table


def _memory(site: LiveSite) -> float:
    return psutil.Process(site.pid).memory_info().rss / 1e6


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.1f} ms"
