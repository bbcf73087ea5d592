"""Everything that changes something here: terms, consents, uploads, submissions. Views and commands call only these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from jobs import intake, lifecycle, quotas
from jobs.errors import IntakeError
from jobs.models import Artifact

from . import admission, identities, texts
from .consents import Consent, TermsAcceptance
from .models import Generation
from .refusals import Reason, Refused
from .withdrawal import delete_own, revoke_consent, take_down, withdraw

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

__all__ = [
    "Part",
    "accept_file",
    "accept_terms",
    "delete_own",
    "revoke_consent",
    "state_consent",
    "submit_generation",
    "take_down",
    "withdraw",
]

EVIDENCE_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a piece of work is made from: an accepted file with its consent, or a built-in identity."""

    role: str
    artifact: Artifact | None = None
    consent: Consent | None = None
    identity: str = ""

    def as_params(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "artifact": None if self.artifact is None else str(self.artifact.pk),
            "consent": None if self.consent is None else str(self.consent.pk),
            "identity": self.identity,
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants made. `affirmed`: nobody shown is under eighteen, and nothing of it is sexual."""

    kind: str
    parts: tuple[Part, ...]
    affirmed: bool = False
    title: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def accept_terms(user: User, version: str) -> TermsAcceptance:
    """Record that the account agreed to the terms in force. Raises Refused for any other version than that."""
    text = texts.terms()
    if version != text.version:
        raise Refused(Reason.TERMS, version=version)
    return TermsAcceptance.objects.get_or_create(user=user, version=text.version, sha256=text.sha256)[0]


def accept_file(requester: Requester, upload: UploadedFile[bytes], kind: str, *, clips: bool = False) -> Artifact:
    """Take a picture, or where `clips` is true a video, in for generation. Raises Refused, IntakeError and
    QuotaExceeded; then nothing is kept. An artifact that no job takes over is purged after an hour or so."""
    admission.check_person(requester.user, kind)
    quotas.check_files(requester)
    accept = intake.accept_video if clips and intake.is_video(upload) else intake.accept_picture
    artifact = accept(upload, requester, kind)
    try:
        admission.check_picture(artifact.sha256)
    except Refused:
        artifact.delete()
        raise
    return artifact


def state_consent(
    requester: Requester,
    relation: str,
    *,
    version: str,
    artifact: Artifact | None = None,
    identity: str = "",
    people: int = 1,
    evidence: UploadedFile[bytes] | None = None,
) -> Consent:
    """Record a consent in the words of `version`, which must be those in force and those that the person was shown."""
    user = requester.user
    if user is None:
        raise Refused(Reason.NOT_SIGNED_IN)
    if relation not in Consent.Relation.values:
        raise Refused(Reason.NO_CONSENT, relation=relation[:40])
    text = texts.consent(relation)
    if version != text.version or not 1 <= people <= 20:
        raise Refused(Reason.NO_CONSENT, version=version[:40], people=people)
    if artifact is not None and (artifact.owner_id != user.pk or identity):
        raise Refused(Reason.CONSENT_OF_ANOTHER, artifact=artifact.pk)
    if artifact is None and identities.find(identity) is None:
        raise Refused(Reason.UNKNOWN_IDENTITY, identity=identity)
    if artifact is None and relation != Consent.Relation.SYNTHETIC:
        raise Refused(Reason.CONSENT_FOR_ANOTHER_FACE, relation=relation)
    consent = Consent(
        owner=user,
        relation=relation,
        version=text.version,
        text=text.body,
        sha256="" if artifact is None else artifact.sha256,
        identity=identity,
        label="" if artifact is None else artifact.original_name,
        people=people,
    )
    if evidence is not None:
        consent.evidence = checked_evidence(evidence)  # type: ignore[assignment]
    consent.save()
    return consent


def checked_evidence(upload: UploadedFile[bytes]) -> UploadedFile[bytes]:
    """A scan or a photo of the written consent: PDF or picture by its first bytes, shown to staff only."""
    head = upload.read(16)
    upload.seek(0)
    if (upload.size or 0) > EVIDENCE_BYTES:
        raise IntakeError("too_large", _("The evidence may have at most 5 MB."))
    if not head.startswith((b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise IntakeError("unsupported_media", _("The evidence must be a PDF, a JPEG or a PNG."))
    upload.name = "evidence.pdf" if head.startswith(b"%PDF-") else "evidence.img"
    return upload


def submit_generation(requester: Requester, wish: Wish) -> Generation:
    """Queue a piece of work. Raises Refused (a reason as data) and QuotaExceeded; then there is no job.

    The checks are not here: `admission.admit` makes them inside the transaction, whoever calls the job lifecycle.
    """
    if requester.user is None:
        raise Refused(Reason.NOT_SIGNED_IN, kind=wish.kind)
    params = {
        "inputs": [part.as_params() for part in wish.parts],
        "affirmed": wish.affirmed,
        "title": intake.plain_line(wish.title),
        "options": wish.options,
    }
    files = [part.artifact for part in wish.parts if part.artifact is not None]
    with transaction.atomic():
        _check_free(files)
        job = lifecycle.submit(wish.kind, requester, files, params)
        return Generation.objects.get(job=job)


def _check_free(files: list[Artifact]) -> None:
    """Two clicks at once: the second finds that the first has taken the files. One file belongs to one piece of work,
    and goes with it."""
    rows = Artifact.objects.select_for_update().filter(pk__in=[each.pk for each in files])
    if any(job is not None for job in rows.values_list("job_id", flat=True)):
        raise Refused(Reason.FILE_IN_USE)


def own_generation(requester: Requester, generation_id: UUID) -> Generation | None:
    return Generation.objects.owned_by(requester).select_related("job", "result").filter(pk=generation_id).first()


def daily_left(user: User) -> int:
    return max(0, settings.GENERATION_DAILY_QUOTA - admission.made_today(user))
