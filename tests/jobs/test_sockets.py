"""What a browser hears of its job over a websocket, through the whole ASGI application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from deepfake_site.asgi import application
from jobs import consumers, lifecycle
from jobs.database import in_database
from jobs.models import Job
from jobs.wake import group_of

from .conftest import asubmit, ended, running, submit

if TYPE_CHECKING:
    from jobs import worker as worker_module

pytestmark = pytest.mark.django_db(transaction=True)


def session() -> str:
    store = SessionStore()
    store.create()
    return str(store.session_key)


def socket(job: Job | str, key: str, origin: str = "http://testserver") -> WebsocketCommunicator:
    job_id = job if isinstance(job, str) else str(job.pk)
    headers = [(b"cookie", f"sessionid={key}".encode()), (b"host", b"testserver"), (b"origin", origin.encode())]
    return WebsocketCommunicator(application, f"/ws/jobs/{job_id}/", headers=headers)


async def opened(job: Job, key: str) -> WebsocketCommunicator:
    communicator = socket(job, key)
    connected, _ = await communicator.connect()
    assert connected
    return communicator


async def test_the_snapshot_comes_first_and_is_the_row() -> None:
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    message = await communicator.receive_json_from()
    assert message["type"] == "snapshot"
    assert set(message) == {
        "type", "id", "kind", "state", "seq", "stage", "stage_label", "done", "total", "fraction", "eta_seconds",
        "queue_place", "device", "attempt", "cancel_requested", "error", "result_url", "created", "started", "finished",
        "stages", "preview", "facts", "may_finish", "finishing",
    }  # fmt: skip
    assert (message["id"], message["state"], message["queue_place"]) == (str(job.pk), "queued", 1)
    assert message["stages"] == [{"code": "first", "label": "First stage"}, {"code": "second", "label": "Second stage"}]
    await communicator.disconnect()


async def test_a_whole_job_in_order_with_growing_numbers(worker: worker_module.Worker) -> None:
    key = await in_database(session)
    blocker = await asubmit(key, seconds=0.5)
    job = await asubmit(key, seconds=1.2, steps=24)
    communicator = await opened(job, key)
    messages = [await communicator.receive_json_from(timeout=10)]
    while messages[-1]["type"] != "finished":
        messages.append(await communicator.receive_json_from(timeout=10))
    assert messages[0]["type"] == "snapshot"
    assert {message["type"] for message in messages[1:-1]} == {"progress"}
    numbers = [message["seq"] for message in messages]
    assert numbers == sorted(set(numbers))
    fractions = [message["fraction"] for message in messages]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert any(0.1 < fraction < 0.9 for fraction in fractions)
    assert messages[-1]["state"] == "succeeded" and messages[-1]["device"] == "test device"
    told = [message for message in messages if message["stage"]]
    assert len(told) <= 1.2 * 4 + 4, "four a second at most"
    assert (await ended(blocker)).state == "succeeded"
    await communicator.disconnect()


async def test_a_socket_that_opens_after_the_end_gets_the_end(worker: worker_module.Worker) -> None:
    key = await in_database(session)
    job = await ended(await asubmit(key, do="refuse"))
    communicator = await opened(job, key)
    message = await communicator.receive_json_from()
    assert (message["type"], message["state"]) == ("snapshot", "failed")
    assert message["error"] == {"code": "no_face", "message": "No face was found in this picture.", "id": ""}
    assert await communicator.receive_nothing(0.3)
    await communicator.disconnect()


@pytest.mark.parametrize("whose", ["another's", "nobody's", "unknown"])
async def test_a_foreign_job_is_as_good_as_none(whose: str) -> None:
    key, other = await in_database(session), await in_database(session)
    job = await asubmit(other)
    job_id = "00000000-0000-4000-8000-000000000000" if whose == "unknown" else str(job.pk)
    communicator = socket(job_id, "" if whose == "nobody's" else key)
    await communicator.connect()
    closed = await communicator.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)
    layer: Any = get_channel_layer()
    assert group_of(job_id) not in layer.groups


async def test_a_socket_from_a_foreign_page_is_refused() -> None:
    key = await in_database(session)
    job = await asubmit(key)
    for origin in ("https://evil.example", "http://testserver.evil.example", "http://testserver:81", "null"):
        connected, _ = await socket(job, key, origin).connect()
        assert not connected, origin


async def test_a_member_sees_their_own_job_and_staff_with_the_word_all(django_user_model: Any, settings: Any) -> None:
    def sign_in(name: str, staff: bool) -> str:
        fields = {"email": f"{name}@example.org", "is_staff": staff}
        user, _made = django_user_model.objects.get_or_create(username=name, defaults=fields)
        if name == "reviewer":
            user.user_permissions.add(Permission.objects.get(codename="view_job"))
        client = Client()
        client.force_login(user)
        return str(client.cookies["sessionid"].value)

    job = await asubmit("somebody")
    for name, staff, code in (("member", False, 4404), ("staff", True, 4404), ("reviewer", True, None)):
        communicator = socket(job, await in_database(sign_in, name, staff))
        await communicator.connect()
        output = await communicator.receive_output()
        assert output.get("code") == code
        await communicator.disconnect()
    # Pages send staff to set up a second factor first; a socket, which no page's guard sees, tells them nothing.
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    communicator = socket(job, await in_database(sign_in, "reviewer", True))
    await communicator.connect()
    assert (await communicator.receive_output()).get("code") == 4404


async def test_a_browser_that_was_signed_out_is_told_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    key = await in_database(session)
    communicator = await opened(await asubmit(key), key)
    await communicator.receive_json_from()
    await in_database(SessionStore(key).delete)
    closed = await communicator.receive_output(timeout=5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)


async def test_waiting_tells_the_place_in_the_queue_as_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    key = await in_database(session)
    first = await asubmit("visitor-a")
    job = await asubmit(key)
    communicator = await opened(job, key)
    message = await communicator.receive_json_from()
    assert message["queue_place"] == 2
    await in_database(lifecycle.cancel, first.pk)
    moved = await communicator.receive_json_from(timeout=5)
    assert moved["queue_place"] == 1 and moved["seq"] > message["seq"]
    await communicator.disconnect()


async def test_a_lost_group_event_is_made_good_by_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    monkeypatch.setattr("jobs.moves.announce", lambda job_id: None)
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    await communicator.receive_json_from()
    await in_database(lifecycle.cancel, job.pk)
    message = await communicator.receive_json_from(timeout=5)
    assert (message["type"], message["state"]) == ("finished", "cancelled")
    await communicator.disconnect()


async def test_a_wiped_layer_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    first = await communicator.receive_json_from()
    layer: Any = get_channel_layer()
    layer.groups.clear()
    await asyncio.sleep(0.3)
    event = {**{k: v for k, v in first.items() if k != "type"}, "seq": first["seq"] + 5, "stage": "heard"}
    await layer.group_send(group_of(job.pk), {"type": "job.progress", "snapshot": event})
    assert (await communicator.receive_json_from(timeout=5))["stage"] == "heard"
    await communicator.disconnect()


async def test_a_layer_that_is_away_costs_neither_the_socket_nor_the_submit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> None:
        raise ConnectionError("no layer")

    async def silent(*_: Any) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr("jobs.wake.LAYER_SECONDS", 0.05)
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    key = await in_database(session)
    layers: list[Any] = [get_channel_layer(), get_channel_layer("jobs")]
    for method, trouble in (("group_add", away), ("group_send", silent), ("send", silent)):
        for layer in layers:
            monkeypatch.setattr(layer, method, trouble)
    job = await asubmit(key)
    communicator = await opened(job, key)
    assert (await communicator.receive_json_from())["state"] == "queued"
    await in_database(lifecycle.cancel, job.pk)
    assert (await communicator.receive_json_from(timeout=5))["state"] == "cancelled"
    await communicator.disconnect()


async def test_an_old_event_that_comes_late_is_not_told() -> None:
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    first = await communicator.receive_json_from()
    layer: Any = get_channel_layer()
    late = {**{k: v for k, v in first.items() if k != "type"}, "seq": first["seq"] - 5, "stage": "late"}
    await layer.group_send(group_of(job.pk), {"type": "job.progress", "snapshot": late})
    assert await communicator.receive_nothing(0.3)
    await communicator.disconnect()


async def test_what_a_client_sends_is_ignored() -> None:
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    await communicator.receive_json_from()
    await communicator.send_to(text_data="{not json")
    await communicator.send_to(bytes_data=b"\x80\x04\x95")
    assert await communicator.receive_nothing(0.2)
    await communicator.disconnect()


async def test_a_deleted_job_closes_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "REFRESH_SECONDS", {"queued": 0.05, "running": 0.05})
    key = await in_database(session)
    job = await asubmit(key)
    communicator = await opened(job, key)
    await communicator.receive_json_from()
    await in_database(lambda: Job.objects.filter(pk=job.pk).delete())
    closed = await communicator.receive_output(5)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)
    await communicator.disconnect()


async def test_sockets_of_many_jobs_hear_only_their_own() -> None:
    keys = [await in_database(session) for _ in range(3)]
    jobs = [await asubmit(key) for key in keys]
    sockets = [await opened(job, key) for job, key in zip(jobs, keys, strict=True)]
    for communicator in sockets:
        await communicator.receive_json_from()
    await in_database(lifecycle.cancel, jobs[1].pk)
    message = await sockets[1].receive_json_from(timeout=5)
    assert (message["id"], message["type"]) == (str(jobs[1].pk), "finished")
    for quiet in (sockets[0], sockets[2]):
        assert await quiet.receive_nothing(0.1)
    for communicator in sockets:
        await communicator.disconnect()


async def test_nothing_escapes_the_consumer_of_nudges(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    calls = []

    def wake() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")

    monkeypatch.setattr(worker, "wake", wake)
    for message in ({"type": "job.nudge"}, {"type": "no.such.thing"}, {"type": "job.nudge"}):
        queue.put_nowait(message)

    async def send(message: Any) -> None:
        raise AssertionError("a consumer of a channel answers nobody")

    consumer = asyncio.create_task(
        application({"type": "channel", "channel": "jobs"}, queue.get, send)  # type: ignore[arg-type]
    )
    while len(calls) < 2:
        await asyncio.sleep(0.01)
    assert not consumer.done()
    consumer.cancel()
    await asyncio.gather(consumer, return_exceptions=True)
    assert sum("nudge" in record.getMessage() for record in caplog.records) >= 2


def test_submit_without_a_loop_does_not_fail() -> None:
    assert submit().state == "queued"


async def test_progress_reaches_the_row_at_most_once_a_second(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    real = lifecycle.progress

    def progress(*args: Any, **kwargs: Any) -> bool:
        written.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(lifecycle, "progress", progress)
    job = await running(await asubmit(do="chatter"))
    before = len(written)
    await asyncio.sleep(2.0)
    assert 1 <= len(written) - before <= 3
    await in_database(lifecycle.cancel, job.pk)
    await ended(job)
