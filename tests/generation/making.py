"""Submitting and running the test kind, by the calls that the site makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile

from generation import services, texts
from generation.services import Part, Wish
from jobs import kinds, lifecycle
from jobs.requester import Requester

from .mirror import NAME
from .mirror_handler import mirror

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from generation.models import Consent, Generation
    from jobs.models import Artifact, Job


def requester(user: User | None) -> Requester:
    return Requester(user=user, session_key=None)


def uploaded(user: User, data: bytes, name: str = "photo.jpg") -> Artifact:
    return services.accept_file(requester(user), SimpleUploadedFile(name, data), NAME)


def consented(user: User, artifact: Artifact | None, relation: str = "myself", **more: Any) -> Consent:
    version = texts.consent(relation).version
    return services.state_consent(requester(user), relation, version=version, artifact=artifact, **more)


def wish(artifact: Artifact | None, consent: Consent | None, **changes: Any) -> Wish:
    parts = (Part("target", artifact, consent),)
    return Wish(**{"kind": NAME, "parts": parts, "affirmed": True, "title": "Mirrored", **changes})


def submitted(user: User, data: bytes, **more: Any) -> Generation:
    artifact = uploaded(user, data)
    return services.submit_generation(requester(user), wish(artifact, consented(user, artifact, **more)))


def claimed(generation: Generation) -> Job:
    job = lifecycle.claim("tests", [NAME])
    assert job is not None
    assert job.pk == generation.job_id
    return job


def run(job: Job, workdir: Path) -> Any:
    """What the handler makes of the job, in this process."""
    workdir.mkdir(exist_ok=True)
    return mirror(kinds.get(NAME).prepare(job, workdir), lambda *_: None)


def made(user: User, data: bytes, workdir: Path) -> Generation:
    generation = submitted(user, data)
    job = claimed(generation)
    lifecycle.succeed(job.pk, job.attempt, run(job, workdir))
    generation.refresh_from_db()
    return generation
