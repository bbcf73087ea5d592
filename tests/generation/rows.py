"""Many pieces of work at once, as rows: for lists, whose speed and queries are what is tested."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from generation.consents import Consent, TermsAcceptance
from generation.models import Generation
from jobs.models import Artifact, Job
from tests.detection import factories

from .mirror import NAME

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def finished(user: User, count: int = 1, *, posters: bool = True, **fields: Any) -> list[Generation]:
    """`count` finished pieces, a minute apart, the last one the newest. They share one picture and one poster."""
    now = timezone.now()
    jobs = [
        Job(
            kind=NAME,
            state="succeeded",
            owner=user,
            owner_key=f"user:{user.pk}",
            created=now - timedelta(minutes=count - number),
            finished=now,
            purge_after=now + timedelta(days=30),
        )
        for number in range(count)
    ]
    Job.objects.bulk_create(jobs)
    return _generations(user, jobs, result=True, posters=posters, **fields)


def unfinished(user: User, state: str) -> Generation:
    times = {"lease_expires": timezone.now() + timedelta(minutes=1), "worker": "tests"} if state == "running" else {}
    if state in ("failed", "cancelled"):
        times = {"finished": timezone.now(), "error_code": "no_face", "error_message": "There is no face in it."}
    job = Job.objects.create(kind=NAME, state=state, owner=user, owner_key=f"user:{user.pk}", **times)
    return _generations(user, [job], result=False, posters=False)[0]


def _generations(user: User, jobs: list[Job], *, result: bool, posters: bool, **fields: Any) -> list[Generation]:
    terms = TermsAcceptance.of(user)
    assert terms is not None
    consent = Consent.objects.create(owner=user, relation="myself", version="1", text="I do", sha256="0" * 64)
    picture = _stored(jobs[-1], "result", "seagreen") if result else None
    poster = _stored(jobs[-1], "poster", "peru") if posters else None
    rows = [
        Generation(
            **{
                "job": job,
                "kind": NAME,
                "owner": user,
                "terms": terms,
                "consent": consent,
                "affirmed": True,
                "title": f"Piece {number:05d}",
                "created": job.created,
                "result": picture,
                "poster": poster,
                **fields,
            }
        )
        for number, job in enumerate(jobs)
    ]
    return Generation.objects.bulk_create(rows)


def _stored(job: Job, role: str, colour: str) -> Artifact:
    data = factories.jpeg(colour, (240, 160))
    return Artifact.store(
        role=role, data=data, content_type="image/jpeg", suffix=".jpg", job=job, width=240, height=160
    )


def public(user: User, by: User, count: int = 1, **fields: Any) -> list[Generation]:
    now = timezone.now()
    agreed = {"public_wanted": True, "public_asked": now, "public_approved": True, "public_decided": now}
    return finished(user, count, **{**agreed, "public_decided_by": by, **fields})
