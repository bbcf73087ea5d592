"""How a generating kind of job is made: the safeguards are not chosen by it, they come with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from jobs import kinds, workdirs
from jobs.errors import PersonError
from jobs.kinds import JobKind
from jobs.outputs import mark_of

from .exchange import ConsentFact, GenerationRequest, Safeguards

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from django_stubs_ext import StrOrPromise

    from jobs.models import Job

    from .models import Generation

_roles: dict[str, tuple[str, ...]] = {}
_lasting: set[str] = set()


def roles_of(kind: str) -> tuple[str, ...]:
    """What a kind is made from; raises KeyError for a kind that generates nothing."""
    return _roles[kind]


def generating_kinds() -> tuple[str, ...]:
    """The names of the kinds that make something, as far as they are registered."""
    return tuple(name for name in sorted(_roles) if kinds.find(name) is not None)


def generating_kind(
    *,
    name: str,
    label: StrOrPromise,
    handler: str,
    roles: tuple[str, ...],
    stages: tuple[tuple[str, StrOrPromise, float], ...],
    deadline_seconds: float,
    warm: str | None = None,
    max_attempts: int = 3,
    stall_seconds: float | None = None,
    lasting: bool = False,
    long: bool = False,
    may_finish_early: bool = False,
) -> JobKind:
    """A JobKind whose jobs are admitted with consent, prepared only while it holds, and published only when sealed.

    `roles`: what it is made from (source, target, driver); each must be given, with its consent. The handler is called
    as `handler(request: GenerationRequest, report)` and returns a GenerationResult. `lasting`: it is given a folder
    that outlives an attempt. `long`, `may_finish_early`: as in JobKind.
    """
    from .admission import admit
    from .publishing import publish, vet

    if not roles:
        raise ValueError("a generating kind is made from something that somebody answers for")
    _roles[name] = roles
    _lasting.update({name} if lasting else ())
    return JobKind(
        name=name,
        label=label,
        handler=handler,
        stages=stages,
        deadline_seconds=deadline_seconds,
        warm=warm,
        max_attempts=max_attempts,
        stall_seconds=stall_seconds,
        admit=admit,
        prepare=prepare,
        publish=publish,
        forget=forget,
        result_url=result_url,
        vet=vet,
        long=long,
        may_finish_early=may_finish_early,
    )


def prepare(job: Job, workdir: Path) -> GenerationRequest:
    """Ask once more whether it is allowed, then put the files where the child can read them."""
    from . import learned
    from .admission import still_allowed
    from .blocks import BlockedFace, BlockedPicture

    with transaction.atomic():
        generation = still_allowed(job)
        parts = list(generation.inputs.select_related("artifact", "consent"))
        safeguards = Safeguards(
            job=str(job.pk),
            kind=job.kind,
            mark=mark_of(job.pk),
            site=settings.SITE_NAME,
            authority=settings.GENERATION_AUTHORITY_DIR,
            terms=generation.terms.version,
            consents=consent_facts(generation),
            blocked_hashes=tuple(BlockedPicture.looks()),
            blocked_faces=tuple(
                (method, bytes(descriptor))
                for method, descriptor in BlockedFace.objects.values_list("method", "descriptor")
            ),
        )
    files, taught, taught_from = {}, {}, {}
    for part in parts:
        if part.artifact is not None:
            folder = workdir / part.role
            folder.mkdir()
            files[part.role] = part.artifact.copy_to(folder)
        elif part.identity.startswith(learned.PREFIX):
            face = learned.find(generation.owner, part.identity)
            if face is None:
                raise PersonError("deleted", _("The person whom you had taught was deleted before the work began."))
            folder = workdir / part.role
            folder.mkdir()
            taught[part.role] = face.artifact.copy_to(folder)
            if face.source is not None:
                taught_from[part.role] = face.source.copy_to(folder)
        elif not part.identity:
            raise PersonError("deleted", _("The picture was deleted before the work began."))
    return GenerationRequest(
        safeguards,
        files,
        {part.role: part.identity for part in parts if part.identity and part.role not in taught},
        dict(job.params.get("options") or {}),
        taught,
        workdirs.lasting(job) if job.kind in _lasting else None,
        settings.GENERATION_PEOPLE,
        (
            settings.JOBS_VIDEO_BYTES,
            settings.JOBS_VIDEO_SECONDS,
            settings.JOBS_VIDEO_PIXELS,
            settings.JOBS_VIDEO_FRAMES,
        ),
        settings.ENHANCEMENT_NETWORKS_DIR,
        taught_from=taught_from,
    )


def consent_facts(generation: Generation) -> tuple[ConsentFact, ...]:
    """What the manifest says of consent: which record, for which part, in which words. No person."""
    return tuple(
        ConsentFact(str(part.consent.pk), part.role, part.consent.relation, part.consent.version, part.consent.people)
        for part in generation.inputs.select_related("consent").order_by("role")
        if part.consent is not None
    )


def generation_id(job: Job) -> UUID | None:
    from .models import Generation

    return Generation.objects.filter(job=job).values_list("pk", flat=True).first()


def result_url(job: Job) -> str:
    found = generation_id(job)
    return reverse("generation:result", args=[found]) if found else ""


def forget(job: Job) -> None:
    """Its files go with the job's. What stays counts for the day's quota and for the ledger: no picture, no title."""
    from .models import NOTHING_LEFT, Generation

    Generation.objects.filter(job=job).update(**NOTHING_LEFT)
