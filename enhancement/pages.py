"""What the templates are given. The views decide who may see a page; here stands what is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from jobs.snapshot import snapshot

from . import catalogue, figures, gallery, services
from .forms import ACCEPT, PICTURES, WishForm
from .models import Enhancement
from .tasks import TASKS

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User
    from django.http import QueryDict

    from jobs.refusal import Refusal

    from .models import EnhancedPicture

RECENT: Final = 4
REFRESH_SECONDS: Final = 3  # how often a page without JavaScript looks again while the work goes on


def limits() -> dict[str, int | str]:
    return {
        "picture_bytes": settings.JOBS_PICTURE_BYTES,
        "megapixels": settings.JOBS_PICTURE_PIXELS // 1_000_000,
        "result_megapixels": settings.ENHANCEMENT_MEGAPIXELS,
        "minutes": settings.ENHANCEMENT_MINUTES,
        "methods": catalogue.MOST_METHODS,
        "accept": ACCEPT,
        "pictures": PICTURES,
        "video_bytes": settings.JOBS_VIDEO_BYTES,
        "video_seconds": round(settings.JOBS_VIDEO_SECONDS),
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
    }


def home_context(
    user: User | AnonymousUser, form: WishForm | None = None, refusal: Refusal | None = None
) -> dict[str, Any]:
    told: dict[str, Any] = {"limits": limits(), "tasks": [(task, TASKS[task]) for task in catalogue.tasks()]}
    if not user.is_authenticated:
        return told
    form = form or WishForm()
    recent = list(gallery.latest(user, RECENT))
    return told | {"form": form, "choices": form.task_choices(), "recent": recent, "refusal": refusal}


def again_context(
    enhancement: Enhancement, form: WishForm | None = None, refusal: Refusal | None = None
) -> dict[str, Any]:
    form = form or WishForm(again=enhancement)
    return {
        "limits": limits(),
        "form": form,
        "choices": form.task_choices(),
        "enhancement": enhancement,
        "refusal": refusal,
    }


def history_context(user: User, query: QueryDict) -> dict[str, Any]:
    wanted = gallery.Wanted.read(query)
    return {
        "page_obj": gallery.page_of(gallery.own(user, wanted), query.get("page")),
        "wanted": wanted,
        "task_choices": gallery.task_choices(),
        "method_choices": gallery.method_choices(),
        "states": [(value.value, label) for value, label in gallery.STATES.items()],
        "sort_choices": [(value, label) for value, (label, _) in gallery.SORTS.items()],
        "query": urlencode(wanted.as_query()),
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
    }


def result_context(enhancement: Enhancement, shown: str | None = None) -> dict[str, Any]:
    job = enhancement.job
    pictures = list(enhancement.pictures.select_related("file", "shown").order_by("index"))
    for picture in pictures:
        picture.enhancement = enhancement  # without a query for each
    return {
        "enhancement": enhancement,
        "job": snapshot(job),
        "pictures": pictures,
        "is_video": enhancement.media == Enhancement.Media.VIDEO,
        "chosen": _chosen(pictures, shown),
        "zooms": [("fit", _("Whole")), ("1", "1:1"), ("2", "2:1"), ("4", "4:1"), ("8", "8:1")],
        "rows": figures.rows(enhancement, pictures),
        "parents": list(enhancement.parents.all()),
        "can_go_again": services.can_go_again(enhancement),
        "words": TASKS[enhancement.task],
        "socket_path": f"/ws/jobs/{job.pk}/",
        "state_url": reverse("jobs:state", args=[job.pk]),
        "cancel_url": reverse("jobs:cancel", args=[job.pk]),
        "refresh_seconds": REFRESH_SECONDS if job.is_unfinished else None,
        "keep_until": job.purge_after,
    }


def _chosen(pictures: list[EnhancedPicture], shown: str | None) -> EnhancedPicture | None:
    """Which of several results lies under the slider: the one that the address names, else the first."""
    here = [picture for picture in pictures if picture.file is not None]
    return next((picture for picture in here if str(picture.number) == shown), here[0] if here else None)
