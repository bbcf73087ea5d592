"""The one gate in front of every generating job: runs inside the transaction that queues it, whoever called for it.

Page, API, command line and code all end in `jobs.lifecycle.submit`, and that calls `admit` for kinds made by
`generation.making.generating_kind`. What it refuses leaves no job behind.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from jobs.intake import plain_line
from jobs.models import Artifact

from . import identities, learned, making, motions
from .blocks import BlockedPicture
from .consents import Consent, TermsAcceptance
from .models import Generation, GenerationInput
from .refusals import Reason, Refused

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from jobs.models import Job

PERMISSION: Final = "generation.generate"


def check_person(user: User | None, kind: str = "") -> TermsAcceptance:
    """The acceptance of the terms in force. Raises Refused for whoever may not make anything just now."""
    if user is None or not user.is_active:
        raise Refused(Reason.NOT_SIGNED_IN, kind=kind)
    if not user.has_perm(PERMISSION):
        raise Refused(Reason.NO_PERMISSION, kind=kind, user=user.pk)
    accepted = TermsAcceptance.of(user)
    if accepted is None:
        raise Refused(Reason.TERMS, kind=kind, user=user.pk)
    if made_today(user) >= settings.GENERATION_DAILY_QUOTA:
        raise Refused(Reason.DAILY_QUOTA, kind=kind, user=user.pk)
    return accepted


def made_today(user: User) -> int:
    """Pieces of work of the last 24 hours, deleted ones too: deleting gives nothing back."""
    return Generation.objects.filter(owner=user, created__gt=timezone.now() - timedelta(days=1)).count()


def check_picture(sha256: str, perceptual_hash: str = "") -> None:
    """Raises Refused for a picture that was taken down: by its bytes, and where they are known by its looks."""
    if BlockedPicture.holds(sha256, perceptual_hash):
        raise Refused(Reason.BLOCKED_PICTURE, sha256=sha256)


def admit(job: Job) -> None:
    """Check everything that can be checked without looking into a file, and make the Generation. Raises Refused."""
    terms = check_person(job.owner, job.kind)
    if job.params.get("affirmed") is not True:
        raise Refused(Reason.NOT_AFFIRMED, kind=job.kind)
    made_of = _inputs(job)
    consents = [part.consent for part in made_of if part.consent is not None]
    if not consents:
        raise Refused(Reason.NO_CONSENT, kind=job.kind)
    generation = Generation.objects.create(
        job=job,
        kind=job.kind,
        owner=job.owner,
        terms=terms,
        consent=consents[0],
        affirmed=True,
        title=plain_line(str(job.params.get("title", ""))),
        created=job.created,
    )
    for part in made_of:
        part.generation = generation
        part.save()


def _inputs(job: Job) -> list[GenerationInput]:
    """One unsaved row for each role that the kind has; no file of the job is left without one."""
    roles = making.roles_of(job.kind)
    told = job.params.get("inputs")
    by_role = {part.get("role"): part for part in told if isinstance(part, dict)} if isinstance(told, list) else {}
    if set(by_role) != set(roles) or len(by_role) != len(told or ()):
        raise Refused(Reason.NO_CONSENT, kind=job.kind, roles=sorted(map(str, by_role)))
    parts = [_input(job, role, by_role[role]) for role in roles]
    used = {part.artifact.pk for part in parts if part.artifact is not None}
    if job.artifacts.exclude(pk__in=used).exists():
        raise Refused(Reason.NO_CONSENT, kind=job.kind, why="a file that nobody spoke of")
    return parts


def _input(job: Job, role: str, told: dict[str, Any]) -> GenerationInput:
    identity = str(told.get("identity") or "")
    artifact_id = _uuid(told.get("artifact"))
    if role == motions.ROLE and identity:
        # A path that nobody was filmed for: there is no one to consent. No person moves a portrait but by a clip.
        if artifact_id is not None or told.get("consent") or motions.find(identity) is None:
            raise Refused(Reason.UNKNOWN_IDENTITY, role=role)
        return GenerationInput(role=role, identity=identity)
    if identity.startswith(learned.PREFIX) and artifact_id is None and job.owner is not None:
        return _taught(job.owner, role, identity)
    if identity:
        if artifact_id is not None or identities.find(identity) is None:
            raise Refused(Reason.UNKNOWN_IDENTITY, role=role)
        consent = _consent(job, role, told, None, identity) if told.get("consent") else None
        return GenerationInput(role=role, identity=identity, consent=consent)
    artifact = (
        None if artifact_id is None else Artifact.objects.filter(pk=artifact_id, job=job, owner=job.owner).first()
    )
    if artifact is None:
        raise Refused(Reason.NO_CONSENT, role=role, why="no such file")
    check_picture(artifact.sha256)
    return GenerationInput(
        role=role, artifact=artifact, sha256=artifact.sha256, consent=_consent(job, role, told, artifact, "")
    )


def _taught(owner: User, role: str, identity: str) -> GenerationInput:
    """A person whom the member has taught, under the consent of that time: withdrawn, it ends this too."""
    face = learned.find(owner, identity)
    if face is None:
        gone = learned.is_taken_down(identity)
        raise Refused(Reason.BLOCKED_PICTURE if gone else Reason.UNKNOWN_IDENTITY, role=role)
    consent = Consent.objects.select_for_update().get(pk=face.consent.pk)
    if consent.revoked is not None:
        raise Refused(Reason.CONSENT_WITHDRAWN, role=role, consent=consent.pk)
    return GenerationInput(role=role, identity=identity, consent=consent)


def _consent(job: Job, role: str, told: dict[str, Any], artifact: Artifact | None, identity: str) -> Consent:
    consent_id = _uuid(told.get("consent"))
    # Locked until the job is in the queue: a withdrawal either comes before, and is seen, or after, and finds the job.
    consent = None if consent_id is None else Consent.objects.select_for_update().filter(pk=consent_id).first()
    if consent is None:
        raise Refused(Reason.NO_CONSENT, role=role)
    if consent.owner_id != job.owner_id:
        raise Refused(Reason.CONSENT_OF_ANOTHER, role=role, consent=consent.pk)
    if consent.revoked is not None:
        raise Refused(Reason.CONSENT_WITHDRAWN, role=role, consent=consent.pk)
    if not consent.covers(artifact, identity):
        raise Refused(Reason.CONSENT_FOR_ANOTHER_FACE, role=role, consent=consent.pk)
    return consent


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def still_allowed(job: Job) -> Generation:
    """The Generation of a job that may go on: asked before any work starts, and again before anything is published."""
    generation = Generation.objects.select_related("owner", "terms").filter(job=job).first()
    if generation is None:
        raise Refused(Reason.NOT_ADMITTED, job=job.pk)
    if generation.withdrawn is not None:
        raise Refused(Reason.WITHDRAWN, job=job.pk)
    if not generation.owner.is_active or generation.owner_id != job.owner_id:
        raise Refused(Reason.NOT_SIGNED_IN, job=job.pk)
    if not generation.owner.has_perm(PERMISSION):
        raise Refused(Reason.NO_PERMISSION, job=job.pk)
    parts = list(generation.inputs.select_related("artifact"))
    needed = {generation.consent_id, *(part.consent_id for part in parts if part.consent_id)}
    held = Consent.objects.select_for_update().filter(pk__in=needed, owner=generation.owner)
    if {consent.pk for consent in held if consent.revoked is None} != needed:
        raise Refused(Reason.CONSENT_WITHDRAWN, job=job.pk)
    for part in parts:
        if part.sha256 and (part.artifact is None or part.artifact.sha256 != part.sha256):
            raise Refused(Reason.CONSENT_FOR_ANOTHER_FACE, job=job.pk, role=part.role)
        check_picture(part.sha256)
        if part.identity.startswith(learned.PREFIX) and learned.is_taken_down(part.identity):
            raise Refused(Reason.BLOCKED_PICTURE, job=job.pk, role=part.role)
    return generation
