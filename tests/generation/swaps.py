"""Submitting and running swaps by the calls that the site makes, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generation import services
from generation.handlers import swapping
from generation.services import Part, Wish
from jobs import kinds, lifecycle
from tests.generation import making as do
from tests.generation.people import SLUG

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from generation.models import Consent, Generation
    from jobs.models import Artifact, Job


def uploaded(user: User, data: bytes, name: str = "photo.jpg") -> Artifact:
    from tests.detection.factories import upload

    return services.accept_file(do.requester(user), upload(name, data), "swap", clips=True)


def submitted(
    user: User, target: bytes, name: str = "photo.jpg", *, source: bytes = b"", identity: str = SLUG, **options: Any
) -> Generation:
    """With a built-in or taught person, or where `source` is given with one who is learned first."""
    there = uploaded(user, target, name)
    parts = [Part("target", there, do.consented(user, there))]
    kind = "swap_clip" if there.content_type.startswith("video/") else "swap"
    if source:
        shown = uploaded(user, source, "clip.mp4" if source[4:8] == b"ftyp" else "face.jpg")
        parts.append(Part("source", shown, do.consented(user, shown)))
        kind = "swap_own"
    else:
        parts.append(Part("source", identity=identity))
    wish = Wish(kind, tuple(parts), affirmed=True, title="Swapped", options=options)
    return services.submit_generation(do.requester(user), wish)


def consent_of(generation: Generation, role: str) -> Consent:
    consent = generation.inputs.get(role=role).consent
    assert consent is not None
    return consent


def claimed(generation: Generation) -> Job:
    job = lifecycle.claim("tests", [generation.kind])
    assert job is not None
    assert job.pk == generation.job_id
    return job


def run(job: Job, workdir: Path, report: Any = lambda *_: None) -> Any:
    """What the handler makes of the job, in this process."""
    workdir.mkdir(exist_ok=True)
    handler = {"swap": swapping.swap, "swap_clip": swapping.swap, "swap_own": swapping.swap_own}[job.kind]
    return handler(kinds.get(job.kind).prepare(job, workdir), report)


def made(user: User, workdir: Path, *arguments: Any, **more: Any) -> Generation:
    generation = submitted(user, *arguments, **more)
    job = claimed(generation)
    lifecycle.succeed(job.pk, job.attempt, run(job, workdir))
    generation.refresh_from_db()
    return generation
