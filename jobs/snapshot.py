"""What the browser is told of a job: one shape for the socket, the polled address and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates, kinds
from .states import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from .models import Job


def snapshot(job: Job) -> dict[str, Any]:
    """The job as it stands in `job`, ready for JSON. Asks the database only for the queue place and for medians."""
    kind = kinds.find(job.kind)
    if job.state == JobState.SUCCEEDED:
        fraction = 1.0
    else:
        fraction = kind.fraction(job.stage, job.done, job.total) if kind and job.stage else 0.0
    place = estimates.queue_place(job)
    eta = estimates.queued_eta_seconds(job, place) if job.state == JobState.QUEUED else job.eta_seconds
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": str(job.state),
        "seq": job.seq,
        "stage": job.stage,
        "stage_label": kind.stage_label(job.stage) if kind else "",
        "done": job.done,
        "total": job.total,
        "fraction": round(fraction, 4),
        "eta_seconds": eta,
        "queue_place": place,
        "device": job.device,
        "attempt": job.attempt,
        "cancel_requested": job.cancel_requested,
        "preview": job.shown.get("preview"),
        "facts": job.shown.get("facts") or {},
        "may_finish": bool(kind and kind.may_finish_early and job.state == JobState.RUNNING),
        "finishing": job.enough_requested,
        "error": ({"code": job.error_code, "message": job.error_text, "id": job.error_id} if job.error_code else None),
        "result_url": kind.result_url(job) if kind and job.state != JobState.PURGED else "",
        "created": _iso(job.created),
        "started": _iso(job.started),
        "finished": _iso(job.finished),
        "stages": [{"code": code, "label": str(label)} for code, label, _ in kind.stages] if kind else [],
    }


def relabelled(shown: dict[str, Any]) -> dict[str, Any]:
    """A snapshot that a worker made, with the stages named in the language of whoever is told."""
    kind = kinds.find(shown["kind"])
    if kind is None:
        return shown
    stages = [{"code": code, "label": str(label)} for code, label, _ in kind.stages]
    return {**shown, "stage_label": kind.stage_label(shown["stage"]), "stages": stages}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
