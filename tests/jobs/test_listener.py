"""From a submit through the channel to the worker: the whole way of a nudge, and what it survives."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from channels.layers import get_channel_layer

from jobs.listener import NudgeListener, start_listening
from jobs.wake import JOBS_CHANNEL

from .conftest import asubmit, ended

if TYPE_CHECKING:
    from jobs import worker as worker_module

pytestmark = pytest.mark.django_db(transaction=True)


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_nudge_wakes_the_worker_at_once(worker: worker_module.Worker, house: Any) -> None:
    house.JOBS_POLL_SECONDS = 60.0
    found, listening = await start_listening()
    assert found is worker
    await ended(await asubmit())  # so that the worker waits by the new clock
    for _ in range(3):
        await asyncio.sleep(0.1)
        began = time.monotonic()
        assert (await ended(await asubmit(), 10)).state == "succeeded"
        assert time.monotonic() - began < 5
    await stop(listening)


async def test_the_listener_outlives_its_layer(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    layer: Any = get_channel_layer("jobs")
    real, failures, woken = layer.receive, iter(range(2)), asyncio.Event()

    async def receive(channel: str) -> Any:
        if next(failures, None) is not None:
            raise ConnectionError("the server was restarted")
        return await real(channel)

    monkeypatch.setattr("jobs.listener.AGAIN_SECONDS", (0.01,))
    monkeypatch.setattr(layer, "receive", receive)
    monkeypatch.setattr(worker, "wake", woken.set)
    listening = asyncio.create_task(NudgeListener().arun())
    for message in ({"no": "type"}, {"type": "no.such.thing"}, {"type": "job.nudge"}):
        await layer.send(JOBS_CHANNEL, message)
    await asyncio.wait_for(woken.wait(), 10)
    assert not listening.done()
    assert sum("no nudges for now" in record.getMessage() for record in caplog.records) == 2
    await stop(listening)
