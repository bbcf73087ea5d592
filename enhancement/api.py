"""Enhancement for programs: /api/v1/enhancements. Same intake, same limits, same answers as the pages; members only."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Status, UploadedFile

from jobs.requester import Requester
from jobs.views import artifact_response

from . import catalogue, estimates, gallery, services
from .models import EnhancedPicture, Enhancement
from .refusals import NotSignedIn
from .schemas import (
    EnhancementErrorOut,
    EnhancementOut,
    EnhancementPage,
    MethodOut,
    TaskOut,
    enhancement_out,
    line_out,
    location,
)
from .tasks import TASKS
from .wishes import Wish

router = Router(tags=["enhancements"])
ERRORS: dict[int, Any] = {401: EnhancementErrorOut, 403: EnhancementErrorOut}


class MembersRequest(HttpRequest):
    """A request that the API has let in; `auth` says who asks."""

    auth: Requester


@router.get("/enhancement-methods", response=list[TaskOut], url_name="enhancement_methods", summary="What can be done")
def methods(request: MembersRequest) -> list[TaskOut]:
    """Every task with its methods."""
    return [
        TaskOut(
            name=task.value,
            label=str(task.label),
            about=str(TASKS[task].about),
            strength=str(TASKS[task].strength),
            without_strength=str(TASKS[task].alone),
            methods=[
                MethodOut(
                    name=method.name,
                    label=method.label,
                    trained=method.trained,
                    scales=list(method.scales),
                    steered=method.steered,
                    generative=method.generative,
                    seconds_per_megapixel=estimates.per_megapixel(method, task),
                )
                for method in catalogue.methods(task)
            ],
        )
        for task in catalogue.tasks()
    ]


@router.post(
    "/enhancements",
    response={
        202: EnhancementOut,
        400: EnhancementErrorOut,
        413: EnhancementErrorOut,
        415: EnhancementErrorOut,
        429: EnhancementErrorOut,
        503: EnhancementErrorOut,
        **ERRORS,
    },
    url_name="enhancements",
    summary="Enhance a picture",
)
def create(
    request: MembersRequest,
    response: HttpResponse,
    file: File[UploadedFile],
    task: Form[str],
    methods: Form[list[str]] = [],  # noqa: B006 - read, never changed; ninja takes no None for a list
    scale: Form[int | None] = None,
    strength: Form[float | None] = None,
    save_as: Form[str] = "",
    truth: File[UploadedFile | None] = None,
) -> Status[EnhancementOut]:
    """Send a JPEG, PNG or WebP picture as multipart field `file`, with the name of a `task`.

    `methods` may be given several times; without it the task's default is taken. `strength` is 0 to 1, `scale` that of
    enlarging, `save_as` one of `.png`, `.jpg`, `.webp` (without it, the format of the picture). `truth` is the picture
    as it should be, as large as the result. `Location` says where the enhancement can be asked for.
    """
    wish = Wish(task, tuple(methods), scale, strength, save_as)
    made = services.submit_enhancement(request.auth, file, wish, truth)
    response["Location"] = location(made)
    return Status(202, enhancement_out(request, made))


@router.get(
    "/enhancements",
    response={200: EnhancementPage, **ERRORS},
    url_name="enhancements",
    summary="Your enhancements, newest first",
)
def history(request: MembersRequest, page: Query[int] = 1, task: Query[str] = "") -> EnhancementPage:
    if request.auth.user is None:
        raise NotSignedIn
    wanted = gallery.Wanted.read({"task": task})
    found = gallery.page_of(gallery.own(request.auth.user, wanted), str(page))
    return EnhancementPage(
        items=[line_out(request, each) for each in found],
        count=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


@router.get(
    "/enhancements/{enhancement_id}",
    response={200: EnhancementOut, 404: EnhancementErrorOut, **ERRORS},
    url_name="enhancement",
    summary="One enhancement, with its results once they are there",
)
def read(request: MembersRequest, enhancement_id: UUID) -> EnhancementOut:
    return enhancement_out(request, _own(request, enhancement_id))


@router.delete(
    "/enhancements/{enhancement_id}",
    response={204: None, 404: EnhancementErrorOut, **ERRORS},
    url_name="enhancement",
    summary="Delete an enhancement and its picture now",
)
def delete(request: MembersRequest, enhancement_id: UUID) -> Status[None]:
    services.delete_enhancement(_own(request, enhancement_id))
    return Status(204, None)


@router.get(
    "/enhancements/{enhancement_id}/pictures/{picture_id}",
    response={200: bytes, 404: EnhancementErrorOut, **ERRORS},
    url_name="enhanced_picture",
    summary="A result: the signed file",
)
def picture(request: MembersRequest, enhancement_id: UUID, picture_id: UUID) -> HttpResponseBase:
    """The file as it was signed, byte for byte. The picture that was sent is not among them."""
    enhancement = _own(request, enhancement_id)
    rows = EnhancedPicture.objects.select_related("file").filter(enhancement=enhancement)
    return artifact_response(request, get_object_or_404(rows, file=picture_id).file)


def _own(request: MembersRequest, enhancement_id: UUID) -> Enhancement:
    if request.auth.user is None:
        raise NotSignedIn
    found: Enhancement = get_object_or_404(Enhancement.objects.for_page().owned_by(request.auth), pk=enhancement_id)
    return found
