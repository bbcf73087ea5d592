"""What a job can be: each app registers its kinds from `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from .models import Job
    from .outcomes import Shown

Prepare = Callable[["Job", Path], Any]
Publish = Callable[["Job", Any], None]
Admit = Callable[["Job"], None]
Vet = Callable[["Job", "Shown"], None]


def _no_request(job: Job, workdir: Path) -> None:
    return None


def _nothing_to_publish(job: Job, result: Any) -> None:
    return None


def _no_page(job: Job) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of work.

    `handler` is a dotted name, imported only in the inference child; it is called as `handler(request, report)`, where
    `report(stage, done, total)` tells progress and raises to stop. It returns a picklable result made of plain values
    and of classes of the app that owns the handler: the worker refuses to unpickle anything else.
    `prepare` runs in the worker and returns the frozen request; `publish` runs in the worker, inside the fenced
    transaction that ends the job; `forget` runs inside the transaction that purges it.
    `admit` runs inside the transaction that queues the job, row and artifacts there; what it raises undoes both.
    `vet` runs inside the transaction that keeps what a handler shows of unfinished work; what it raises keeps it out.
    `long` work runs in a child of its own, so that nobody's short work waits behind it.
    `may_finish_early`: the handler heeds `report.enough`, and its owner may say so.
    `warm` is a dotted name called once in each new child; it may return the name of the device.
    `in_worker` runs the handler in a thread of the worker instead of the child: for housekeeping that needs the
    database and no model.
    `due` is asked of a kind of the site's own jobs by every worker, about once a minute; true queues one, unless one is
    unfinished.
    """

    name: str
    label: StrOrPromise
    handler: str
    stages: tuple[tuple[str, StrOrPromise, float], ...]  # (code, label, share of the time)
    deadline_seconds: float
    prepare: Prepare = _no_request
    publish: Publish = _nothing_to_publish
    result_url: Callable[[Job], str] = _no_page
    forget: Callable[[Job], None] | None = None
    admit: Admit | None = None
    warm: str | None = None
    max_attempts: int = 3
    stall_seconds: float | None = None  # no progress for so long means hung; None: JOBS_STALL_SECONDS
    in_worker: bool = False
    vet: Vet | None = None
    long: bool = False
    may_finish_early: bool = False
    due: Callable[[], bool] | None = None

    def stage_label(self, code: str) -> str:
        return next((str(label) for name, label, _ in self.stages if name == code), "")

    def fraction(self, stage: str, done: int, total: int) -> float:
        """How much of the whole is done, 0..1, when `done` of `total` of `stage` are."""
        whole = sum(weight for _, _, weight in self.stages) or 1.0
        before = 0.0
        for code, _, weight in self.stages:
            if code == stage:
                inside = min(1.0, done / total) if total > 0 else 0.0
                return min(1.0, (before + weight * inside) / whole)
            before += weight
        return 0.0


_kinds: dict[str, JobKind] = {}


class UnknownKind(LookupError):
    """A job names a kind that no installed app registers."""


def register(kind: JobKind) -> JobKind:
    if kind.name in _kinds and _kinds[kind.name] is not kind:
        raise ValueError(f"job kind {kind.name!r} is registered twice")
    _kinds[kind.name] = kind
    return kind


def unregister(name: str) -> None:
    _kinds.pop(name, None)


def get(name: str) -> JobKind:
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(name) from None


def find(name: str) -> JobKind | None:
    return _kinds.get(name)


def registered() -> tuple[JobKind, ...]:
    return tuple(_kinds[name] for name in sorted(_kinds))


def served() -> tuple[JobKind, ...]:
    """The kinds that workers of this process take: all of them, or those that `JOBS_WORKER_KINDS` names."""
    wanted = settings.JOBS_WORKER_KINDS
    return tuple(kind for kind in registered() if not wanted or kind.name in wanted)
