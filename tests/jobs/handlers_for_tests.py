"""Job kinds for tests, and what runs of them in the inference child. Imports nothing heavy: children start fast."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import PersonError, TransientError
from jobs.kinds import JobKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.models import Job

    Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    do: str
    seconds: float
    steps: int
    log: str
    gate: str
    job: str
    original: str
    attempt: int
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    pid: int


def warm() -> str:
    return "test device"


def handle(task: Task, report: Report) -> Any:
    if task.log:
        with Path(task.log).open("a", encoding="utf-8") as log:  # O_APPEND: lines of several processes stay whole
            log.write(f"{task.job} {task.attempt} {os.getpid()}\n")
    while task.gate and not Path(task.gate).exists():  # at work until the test lets it end
        report("first", 0, task.steps)
        time.sleep(0.02)
    for step in range(task.steps):
        report("first", step, task.steps)
        time.sleep(task.seconds / task.steps)
    report("second", 1, 1)
    return getattr(Tricks, task.do)(task, report)


class Tricks:
    """What can go wrong, one trick a method."""

    @staticmethod
    def echo(task: Task, report: Report) -> Answer:
        size = Path(task.original).stat().st_size if task.original else 0
        return Answer(f"{size} bytes", os.getpid())

    @staticmethod
    def refuse(task: Task, report: Report) -> Answer:
        raise PersonError("no_face", "No face was found in this picture.")

    @staticmethod
    def refuse_too_large(task: Task, report: Report) -> Answer:
        from ml.media import picture

        error = picture._too_large()
        raise PersonError(error.code, error.message)

    @staticmethod
    def bug(task: Task, report: Report) -> Answer:
        raise RuntimeError("secret detail")

    @staticmethod
    def leave(task: Task, report: Report) -> Answer:
        raise SystemExit(0)

    @staticmethod
    def transient(task: Task, report: Report) -> Answer:
        if task.attempt == 1:
            raise TransientError("the disk was full for a moment")
        return Answer("second time lucky", os.getpid())

    @staticmethod
    def segfault(task: Task, report: Report) -> Answer:
        ctypes.string_at(0)
        raise AssertionError("unreachable")

    @staticmethod
    def segfault_once(task: Task, report: Report) -> Answer:
        if task.attempt == 1:
            ctypes.string_at(0)
        return Answer("second time lucky", os.getpid())

    @staticmethod
    def hang(task: Task, report: Report) -> Answer:
        while True:
            time.sleep(0.1)

    @staticmethod
    def hang_once(task: Task, report: Report) -> Answer:
        return Tricks.hang(task, report) if task.attempt == 1 else Answer("second time lucky", os.getpid())

    @staticmethod
    def chatter(task: Task, report: Report) -> Answer:
        """Never ends, but reports: a deadline or a cancel must end it."""
        step = 0
        while True:
            step += 1
            report("second", step % 1000, 1000)
            time.sleep(0.005)

    @staticmethod
    def devour(task: Task, report: Report) -> Answer:
        eaten = []
        while True:
            eaten.append(bytearray(os.urandom(1024) * 1024 * 16))
            time.sleep(0.02)
            report("second", 0, 1)

    @staticmethod
    def show(task: Task, report: Any) -> Answer:
        """Shows something until it is told that this is enough."""
        number = 0
        while not report.enough:
            number += 1
            report("second", number % 10, 10)
            report.show(b"picture %d" % number, "image/jpeg", (4, 3))
            report.show(facts={"number": number})
            time.sleep(0.1)
        return Answer(f"enough at {number}", os.getpid())

    @staticmethod
    def show_and_fail(task: Task, report: Any) -> Answer:
        report.show(b"picture", "image/jpeg", (4, 3), {"number": 1})
        raise PersonError("no_face", "No face was found in this picture.")

    @staticmethod
    def show_what_is_not_shown(task: Task, report: Any) -> Answer:
        report.show(b"<script>", "text/html", (4, 3))
        time.sleep(0.6)
        return Answer("done", os.getpid())

    @staticmethod
    def go_on(task: Task, report: Report) -> Answer:
        """Does half at the first attempt, dies, and goes on from there."""
        half = Path(task.folder) / "half"
        if not half.exists():
            half.write_text("half", encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)
        return Answer(f"{half.read_text(encoding='utf-8')} and half", os.getpid())

    @staticmethod
    def no_room(task: Task, report: Report) -> Answer:
        raise OSError(errno.ENOSPC, "No space left on device")

    @staticmethod
    def memory_error(task: Task, report: Report) -> Answer:
        raise MemoryError

    @staticmethod
    def unpicklable(task: Task, report: Report) -> Any:
        return lambda: None

    @staticmethod
    def hostile(task: Task, report: Report) -> Any:
        return Hostile()

    @staticmethod
    def foreign(task: Task, report: Report) -> Any:
        import collections

        return collections.Counter("a class of no app")


class Hostile:
    """What a child that a picture took over might send."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/unmask-test-taken-over",)


def prepare(job: Job, workdir: Path) -> Task:
    from jobs import workdirs

    original = job.artifacts.filter(role="original").first()
    if job.params.get("do") == "prepare_fails":
        raise RuntimeError("secret detail")
    return Task(
        do=job.params.get("do", "echo"),
        seconds=job.params.get("seconds", 0.0),
        steps=job.params.get("steps", 3),
        log=job.params.get("log", "") or os.environ.get("UNMASK_TEST_JOB_LOG", ""),
        gate=job.params.get("gate", ""),
        job=str(job.pk),
        original=str(original.copy_to(workdir)) if original else "",
        attempt=job.attempt,
        folder=str(workdirs.lasting(job)) if job.params.get("lasting") else "",
    )


def publish(job: Job, result: Answer) -> None:
    """Each result is one more artifact: two of them would show a job that was done twice."""
    from jobs.models import Artifact

    Artifact.store(role="result", data=result.text.encode(), content_type="text/plain", suffix=".txt", job=job)
    if job.params.get("no_room_to_publish"):
        raise OSError(errno.ENOSPC, "No space left on device")
    if job.params.get("do_not_publish"):
        raise RuntimeError("publishing failed after the file was written")


STAGES = (("first", "First stage", 3.0), ("second", "Second stage", 1.0))

TEST_KIND = JobKind(
    name="test",
    label="Test",
    handler="tests.jobs.handlers_for_tests.handle",
    warm="tests.jobs.handlers_for_tests.warm",
    prepare=prepare,
    publish=publish,
    stages=STAGES,
    deadline_seconds=30.0,
)
