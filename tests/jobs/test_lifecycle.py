"""Every move of a job, legal and illegal, on the real table; who may write and who came too late."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import kinds, lifecycle, moves, workplace
from jobs.errors import IllegalMove, PersonError
from jobs.kinds import JobKind
from jobs.models import Artifact, Job
from jobs.requester import NOBODY, Requester
from jobs.states import MOVES, JobState

from .conftest import results, submit, visitor
from .handlers_for_tests import Answer

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

STATES = list(JobState)
TABLE = {
    # from: to
    JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED},
    JobState.RUNNING: {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED},
    JobState.SUCCEEDED: {JobState.PURGED},
    JobState.FAILED: {JobState.PURGED},
    JobState.CANCELLED: {JobState.PURGED},
    JobState.PURGED: set(),
}


def job_in(state: JobState, **changes: Any) -> Job:
    now = timezone.now()
    fields: dict[str, Any] = {
        "kind": "test",
        "owner_key": "session:v",
        "session_key": "v",
        "state": state,
        "attempt": 1,
    }
    if state is JobState.RUNNING:
        fields |= {"lease_expires": now + timedelta(seconds=60), "worker": "w", "started": now}
    elif state is not JobState.QUEUED:
        fields |= {"finished": now, "error_code": "x" if state is JobState.FAILED else ""}
    job: Job = Job.objects.create(**(fields | changes))
    return job


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATES, STATES)))
def test_the_table_of_moves(old: JobState, new: JobState) -> None:
    job = job_in(old)
    changes: dict[str, Any] = {"error_code": "x"} if new is JobState.FAILED else {}
    if new is JobState.RUNNING:
        changes |= {"worker": "w", "lease_expires": timezone.now()}
    held = job.attempt if old is JobState.RUNNING else None
    if new in TABLE[old]:
        assert moves.move(job.pk, old, new, held=held, **changes)
        job.refresh_from_db()
        assert job.state == new
        assert (job.lease_expires is not None) is (new is JobState.RUNNING)
        assert (job.finished is not None) is (new not in (JobState.QUEUED, JobState.RUNNING))
    else:
        with pytest.raises(IllegalMove):
            moves.move(job.pk, old, new, held=held, **changes)
        job.refresh_from_db()
        assert job.state == old


def test_the_table_is_the_one_that_the_code_keeps() -> None:
    assert {(old, new) for old, news in TABLE.items() for new in news} == MOVES


@pytest.mark.parametrize(
    ("old", "actual"), [(o, a) for o, a in itertools.product(TABLE, STATES) if TABLE[o] and o != a]
)
def test_a_legal_move_of_a_row_that_is_elsewhere_does_nothing(old: JobState, actual: JobState) -> None:
    job = job_in(actual)
    new = sorted(TABLE[old])[0]
    changes: dict[str, Any] = {"error_code": "x"} if new is JobState.FAILED else {}
    assert not moves.move(job.pk, old, new, held=1 if old is JobState.RUNNING else None, **changes)
    job.refresh_from_db()
    assert job.state == actual


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "asleep"},
        {"state": "running"},  # without a lease
        {"state": "queued", "lease_expires": timezone.now()},
        {"state": "succeeded"},  # without an end
        {"state": "queued", "finished": timezone.now()},
        {"state": "failed", "finished": timezone.now()},  # without a reason
    ],
)
def test_the_database_refuses_rows_that_contradict_themselves(broken: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.create(kind="test", owner_key="session:v", **broken)


def claimed(key: str = "visitor-a", **params: Any) -> Job:
    submit(key, **params)
    job = lifecycle.claim("worker-1", ["test"], "a device")
    assert job is not None
    return job


def test_submit_claim_succeed() -> None:
    job = submit()
    assert (job.state, job.attempt, job.max_attempts) == ("queued", 0, 3)
    running = lifecycle.claim("worker-1", ["test"], "a device")
    assert running is not None and running.pk == job.pk
    assert (running.state, running.attempt, running.worker, running.device) == ("running", 1, "worker-1", "a device")
    assert running.seq > job.seq
    assert lifecycle.claim("worker-2", ["test"]) is None
    assert lifecycle.succeed(job.pk, 1, Answer("done", 1)) == "succeeded"
    job.refresh_from_db()
    assert job.finished is not None and job.seq > running.seq
    assert results(job) == ["done"]


def test_submit_nudges_only_when_the_row_is_there_to_be_seen(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudges: list[int] = []
    monkeypatch.setattr(lifecycle, "nudge_workers", lambda: nudges.append(1))
    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        submit()
        assert nudges == []
    for callback in callbacks:
        callback()
    assert nudges == [1]


def test_submit_takes_the_artifacts_over() -> None:
    artifact = Artifact(role="original", sha256="0" * 64, content_type="image/png", size=3, session_key="visitor-a")
    artifact.file.save("original.png", ContentFile(b"abc"), save=False)
    artifact.save()
    job = lifecycle.submit("test", visitor(), [artifact], {"a": 1})
    artifact.refresh_from_db()
    assert (artifact.job_id, artifact.purge_after) == (job.pk, job.purge_after)


def test_submit_by_nobody_or_of_an_unknown_kind_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="owner"):
        lifecycle.submit("test", NOBODY)
    with pytest.raises(kinds.UnknownKind):
        lifecycle.submit("no such kind", visitor())


@pytest.mark.parametrize("who", ["earlier attempt", "later attempt", "after the end"])
def test_fencing_a_stale_attempt_can_write_nothing(who: str) -> None:
    job = claimed()
    attempt = {"earlier attempt": 0, "later attempt": 2, "after the end": 1}[who]
    if who == "after the end":
        lifecycle.succeed(job.pk, 1, Answer("first", 1))
    before = Job.objects.values().get(pk=job.pk)
    assert not lifecycle.renew(job.pk, attempt)
    assert not lifecycle.progress(job.pk, attempt, stage="second", done=1, total=2, eta=None, seq=10**15)
    assert not lifecycle.fail(job.pk, attempt, "x", "y")
    assert not lifecycle.requeue(job.pk, attempt)
    assert not lifecycle.cancelled(job.pk, attempt)
    assert lifecycle.standing(job.pk, attempt) is lifecycle.Standing.LOST
    with pytest.raises(lifecycle.LeaseLost):
        lifecycle.succeed(job.pk, attempt, Answer("stale", 1))
    assert Job.objects.values().get(pk=job.pk) == before
    assert results(job) == (["first"] if who == "after the end" else [])


def test_a_drain_gives_the_attempt_back_and_never_reuses_its_number() -> None:
    job = claimed()
    for drained in range(1, 6):
        assert lifecycle.requeue(job.pk, drained, give_back=True)
        again = lifecycle.claim("worker-2", ["test"])
        assert again is not None and again.attempt == drained + 1
        assert again.max_attempts - again.attempt == 2
    with pytest.raises(lifecycle.LeaseLost):
        lifecycle.succeed(job.pk, 1, Answer("stale", 1))


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))


def test_the_sweep_takes_back_what_dead_workers_left_and_gives_up_after_three() -> None:
    job = claimed()
    assert lifecycle.sweep() == 0
    for attempt in (1, 2):
        expire(job)
        assert lifecycle.sweep() == 1
        job.refresh_from_db()
        assert (job.state, job.attempt, job.worker) == ("queued", attempt, "")
        assert lifecycle.claim("worker-1", ["test"]) is not None
    expire(job)
    assert lifecycle.sweep() == 1
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == ("failed", "worker_lost", 3)
    assert job.error_message


def test_the_sweep_leaves_a_lease_that_was_renewed_while_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    job = claimed()
    expire(job)

    def renew_now(name: str) -> bool:
        lifecycle.renew(job.pk, 1)
        return True  # the sweep holds the old row in its hand, and finds this worker gone

    monkeypatch.setattr(lifecycle, "is_gone", renew_now)
    Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() + timedelta(seconds=5))
    assert lifecycle.sweep() == 0
    job.refresh_from_db()
    assert job.state == "running"


def test_the_sweep_ends_a_lost_job_whose_cancel_was_asked_for() -> None:
    job = claimed()
    lifecycle.cancel(job.pk)
    expire(job)
    assert lifecycle.sweep() == 1
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_worker_on_this_machine_whose_process_is_gone_is_not_waited_for() -> None:
    job = claimed()
    mine = workplace.worker_name()
    host, place, pid, since, token = mine.split("~")
    Job.objects.filter(pk=job.pk).update(worker=mine)
    assert lifecycle.sweep() == 0
    Job.objects.filter(pk=job.pk).update(worker=f"{host}~{place}~{pid}~{int(since) - 100}~{token}")  # its number reused
    assert lifecycle.sweep() == 1
    elsewhere = "0" * 12
    assert not workplace.is_gone(f"{host}~{elsewhere}~999999999~{since}~{token}")
    assert workplace.is_gone(f"{host}~{place}~999999999~{since}~{token}")
    assert not workplace.is_gone("worker-1")


def test_cancel_waiting_running_and_ended() -> None:
    waiting = submit("visitor-b")
    assert lifecycle.cancel(waiting.pk) == "cancelled"
    job = claimed()
    assert lifecycle.standing(job.pk, 1) is lifecycle.Standing.OURS
    assert lifecycle.cancel(job.pk) == "running"
    assert lifecycle.standing(job.pk, 1) is lifecycle.Standing.CANCEL
    assert lifecycle.succeed(job.pk, 1, Answer("too late", 1)) == "cancelled"
    assert not Artifact.objects.filter(job=job).exists()
    assert lifecycle.cancel(job.pk) == "cancelled"


def test_a_job_whose_cancel_was_asked_for_is_not_put_back() -> None:
    job = claimed()
    lifecycle.cancel(job.pk)
    assert lifecycle.requeue(job.pk, 1, give_back=True)
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_retry_waits_and_ends_after_the_last_attempt() -> None:
    job = claimed()
    assert lifecycle.retry(job, "crashed", "It broke.", delay=60)
    assert lifecycle.claim("worker-1", ["test"]) is None
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now(), max_attempts=2)
    again = lifecycle.claim("worker-1", ["test"])
    assert again is not None
    assert lifecycle.retry(again, "crashed", "It broke.", "abcd")
    again.refresh_from_db()
    assert (again.state, again.error_code, again.error_message, again.error_id) == (
        "failed", "crashed", "It broke.", "abcd",
    )  # fmt: skip


def test_publish_that_refuses_writes_nothing(test_kind: Callable[..., None]) -> None:
    def publish(job: Job, result: Any) -> None:
        Artifact.store(role="result", data=b"x", content_type="text/plain", suffix=".txt", job=job)
        raise PersonError("deleted", "It was deleted meanwhile.")

    job = claimed()
    test_kind(publish=publish)
    with pytest.raises(PersonError):
        lifecycle.succeed(job.pk, 1, None)
    job.refresh_from_db()
    assert job.state == "running"
    assert not Artifact.objects.filter(job=job).exists()


def test_owners_take_turns() -> None:
    first = [submit("visitor-a") for _ in range(3)]
    second = [submit("visitor-b") for _ in range(2)]
    order = []
    for _ in range(5):
        job = lifecycle.claim("worker-1", ["test"])
        assert job is not None
        order.append(job.pk)
        lifecycle.succeed(job.pk, job.attempt, Answer("", 1))
    assert order == [first[0].pk, second[0].pk, first[1].pk, second[1].pk, first[2].pk]


def test_a_visitor_has_one_running_and_a_member_three(django_user_model: type[User]) -> None:
    member = Requester(user=django_user_model.objects.create_user("m", "m@example.org", "pw"), session_key=None)
    for _ in range(3):
        submit("visitor-a")
    for _ in range(5):
        lifecycle.submit("test", member)
    running = []
    while (job := lifecycle.claim("worker-1", ["test"])) is not None:
        running.append(job.owner_key)
    assert sorted(running) == sorted(["session:visitor-a", *[member.owner_key] * 3])


def test_claim_takes_only_the_kinds_it_is_asked_for() -> None:
    submit()
    assert lifecycle.claim("worker-1", ["purge"]) is None
    assert lifecycle.claim("worker-1", []) is None
    assert lifecycle.claim("worker-1", ["test"]) is not None


def test_one_system_job_of_a_kind_at_a_time() -> None:
    assert lifecycle.submit_system("purge") is not None
    assert lifecycle.submit_system("purge") is None
    job = lifecycle.claim("worker-1", ["purge"])
    assert job is not None
    assert lifecycle.submit_system("purge") is None
    lifecycle.succeed(job.pk, 1, None)
    assert lifecycle.submit_system("purge") is not None


def test_visible_to_is_the_owner_and_nobody_else(django_user_model: type[User]) -> None:
    user = django_user_model.objects.create_user("m", "m@example.org", "pw")
    other = django_user_model.objects.create_user("o", "o@example.org", "pw")
    mine = lifecycle.submit("test", Requester(user=user, session_key=None))
    anonymous = submit("visitor-a")

    def seen(requester: Requester) -> set[uuid.UUID]:
        return set(Job.objects.visible_to(requester).values_list("pk", flat=True))

    assert seen(Requester(user=user, session_key="visitor-a")) == {mine.pk}
    assert seen(Requester(user=other, session_key=None)) == set()
    assert seen(visitor("visitor-a")) == {anonymous.pk}
    assert seen(visitor("visitor-b")) == set()
    assert seen(visitor("")) == set()
    assert seen(NOBODY) == set()


def test_a_kind_is_registered_once() -> None:
    kind = JobKind(name="twice", label="x", handler="a.b", stages=(), deadline_seconds=1)
    other = JobKind(name="twice", label="y", handler="a.b", stages=(), deadline_seconds=1)
    try:
        assert kinds.register(kind) is kinds.register(kind)
        with pytest.raises(ValueError, match="twice"):
            kinds.register(other)
    finally:
        kinds.unregister("twice")
