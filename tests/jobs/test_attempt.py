"""One attempt with a runner that runs nothing: what is asked of it, and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from jobs import lifecycle
from jobs.attempt import Attempt
from jobs.database import in_database
from jobs.outcomes import Finished, Outcome
from jobs.states import JobState

from .conftest import asubmit, reread

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


class Remembering:
    """A runner that is done at once, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ready(self) -> str:
        return ""

    async def run(self, *arguments: Any) -> Outcome:
        self.asked.append("run")
        return Finished(None)

    def ask_to_stop(self) -> None:
        self.asked.append("stop")

    def ask_to_finish(self) -> None:
        self.asked.append("finish")

    def kill(self, why: str) -> None:
        self.asked.append(why)

    def memory_mb(self) -> float:
        return 0.0

    async def close(self) -> None:
        self.asked.append("close")


async def test_a_job_that_is_cancelled_while_it_is_prepared_is_never_begun(test_kind: Callable[..., None]) -> None:
    """Its runner would not know, go on, and be killed with all the models that it has warm."""

    def prepare(job: Job, workdir: Any) -> None:
        lifecycle.cancel(job.pk)
        time.sleep(0.4)

    test_kind(prepare=prepare)
    await asubmit()
    job = await in_database(lifecycle.claim, "tests", ["test"])
    assert job is not None
    runner = Remembering()
    await Attempt(job, runner).run()
    assert runner.asked == []
    assert (await reread(job)).state == JobState.CANCELLED
