"""What the templates are given. The views decide who may see a page; here stands what is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from jobs.models import Artifact
from jobs.snapshot import snapshot

from . import admission, doors, gallery, motions, services, showing
from .consents import TermsAcceptance
from .judgement import Judgement
from .models import Generation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.auth.models import AnonymousUser, User
    from django.http import HttpRequest, QueryDict

RECENT: Final = 4
EXAMPLES: Final = 8
# What belongs to a job and is no finished work.
NOT_MADE: Final = (Artifact.ORIGINAL, Artifact.BEFORE, Artifact.PREVIEW, Artifact.LEARNED)
REFRESH_SECONDS: Final = 3  # how often a page without JavaScript looks again while the work goes on


def home_context(user: User | AnonymousUser) -> dict[str, Any]:
    examples = _addressed(gallery.public(gallery.Wanted(demo=True))[:EXAMPLES], for_everybody)
    context = {"doors": doors.open_doors(), "examples": examples, "quota": settings.GENERATION_DAILY_QUOTA}
    if not user.is_authenticated:
        return context
    return context | {
        "recent": _addressed(gallery.latest(user, RECENT), for_owner),
        "left": services.daily_left(user),
        "may_make": user.has_perm(admission.PERMISSION),
        "accepted": TermsAcceptance.of(user) is not None,
    }


def gallery_context(user: User, query: QueryDict) -> dict[str, Any]:
    wanted = gallery.Wanted.read(query)
    page = gallery.page_of(gallery.own(user, wanted), query.get("page"))
    _addressed(page.object_list, for_owner)
    for each in page.object_list:
        each.again_url = doors.again_url(each.kind, each.pk)
    return _listing(page, wanted) | {
        "states": [(value.value, label) for value, label in gallery.STATES.items()],
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
    }


def public_context(query: QueryDict) -> dict[str, Any]:
    wanted = gallery.Wanted.read(query)
    page = gallery.page_of(gallery.public(wanted), query.get("page"))
    _addressed(page.object_list, for_everybody)
    return _listing(page, wanted)


def waiting_context(number: str | None) -> dict[str, Any]:
    rows = Generation.objects.waiting_for_approval().select_related("job", "result", "poster", "owner")
    page = gallery.page_of(rows.order_by("public_asked", "pk"), number)
    _addressed(page.object_list, for_owner)
    return {"page_obj": page}


def _listing(page: Any, wanted: gallery.Wanted) -> dict[str, Any]:
    return {
        "page_obj": page,
        "wanted": wanted,
        "kind_choices": gallery.kind_choices(),
        "since_choices": [(value, label) for value, (label, _) in gallery.SINCE.items()],
        "sort_choices": [(value, label) for value, (label, _) in gallery.SORTS.items()],
        "query": urlencode(wanted.as_query()),
    }


def result_context(request: HttpRequest, generation: Generation) -> dict[str, Any]:
    """The page of one's own piece of work, while it is made and afterwards."""
    job = generation.job
    _addressed([generation], for_owner)
    parts = list(generation.inputs.select_related("consent"))
    driver = next((part.identity for part in parts if part.role == motions.ROLE), "")
    return {
        "generation": generation,
        "job": snapshot(job),
        "outputs": outputs_of(generation),
        "before": Artifact.objects.filter(job=job, role=Artifact.BEFORE).first(),
        "parts": parts,
        "motion": motions.find(driver),
        "facts": generation.facts,
        "judgement": Judgement.read(generation.facts),
        "options": dict(job.params.get("options") or {}),
        "door": next((door for door in doors.DOORS if door.kind == generation.kind), None),
        "again_url": doors.again_url(generation.kind, generation.pk),
        "share_url": share_url(request, generation),
        "share_days": settings.GENERATION_SHARE_DAYS,
        "waiting": showing.is_waiting(generation),
        "refused": not generation.public_approved and generation.public_decided is not None,
        "socket_path": f"/ws/jobs/{job.pk}/",
        "state_url": reverse("jobs:state", args=[job.pk]),
        "cancel_url": reverse("jobs:cancel", args=[job.pk]),
        "refresh_seconds": REFRESH_SECONDS if job.is_unfinished else None,
    }


def public_piece_context(request: HttpRequest, generation: Generation) -> dict[str, Any]:
    _addressed([generation], for_everybody)
    address = request.build_absolute_uri(reverse("generation:public_piece", args=[generation.pk]))
    takedown = f"{reverse('generation:takedown')}?{urlencode({'address': address})}"
    return {"generation": generation, "takedown_url": takedown}


def shared_context(request: HttpRequest, generation: Generation, token: str) -> dict[str, Any]:
    _addressed([generation], for_link(token))
    address = request.build_absolute_uri(reverse("generation:shared", args=[token]))
    takedown = f"{reverse('generation:takedown')}?{urlencode({'address': address})}"
    return {"generation": generation, "takedown_url": takedown}


def outputs_of(generation: Generation) -> dict[str, Artifact]:
    """By role, what the work made: every one of them sealed."""
    made = Artifact.objects.filter(job_id=generation.job_id).exclude(role__in=NOT_MADE)
    return {artifact.role: artifact for artifact in made}


def share_url(request: HttpRequest, generation: Generation) -> str:
    if not generation.is_shared:
        return ""
    return request.build_absolute_uri(reverse("generation:shared", args=[generation.share_token]))


def _addressed(rows: Iterable[Generation], url_of: Callable[[Artifact], str]) -> list[Generation]:
    """The same rows, each with the addresses of its pictures that this reader may use."""
    addressed = list(rows)
    for each in addressed:
        each.result_url = "" if each.result is None else url_of(each.result)
        each.poster_url = "" if each.poster is None else url_of(each.poster)
    return addressed


def for_owner(artifact: Artifact) -> str:
    return artifact.url


def for_everybody(artifact: Artifact) -> str:
    return reverse("generation:public_file", args=[artifact.pk, artifact.public_name])


def for_link(token: str) -> Callable[[Artifact], str]:
    return lambda artifact: reverse("generation:shared_file", args=[token, artifact.pk, artifact.public_name])
