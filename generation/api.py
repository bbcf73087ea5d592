"""What is made, for programs: /api/v1/creations. Same gate, same limits, same answers as the pages; members only."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Status, UploadedFile

from jobs.requester import Requester
from jobs.views import artifact_response

from . import animations, gallery, motions, networks, pages, services
from .animation import DRIVER, PORTRAIT
from .models import Generation
from .refusals import Reason, Refused
from .schemas import (
    CreationErrorOut,
    CreationOut,
    CreationPage,
    MotionOut,
    StatementOut,
    creation_out,
    line_out,
    location,
    statements_out,
)

router = Router(tags=["creations"])
ERRORS: dict[int, Any] = {401: CreationErrorOut, 403: CreationErrorOut}
SUBMITTED: dict[int, Any] = {
    202: CreationOut,
    **dict.fromkeys((400, 404, 409, 413, 415, 429, 503), CreationErrorOut),
    **ERRORS,
}


class MembersRequest(HttpRequest):
    """A request that the API has let in; `auth` says who asks."""

    auth: Requester


@router.get("/statements", response=list[StatementOut], url_name="statements", summary="What may be stated")
def statements(request: MembersRequest) -> list[StatementOut]:
    """The words to agree to before a face is used: one of them for each file, by its `relation` and `version`."""
    return statements_out()


@router.get("/motions", response=list[MotionOut], url_name="motions", summary="The built-in movements")
def built_in(request: MembersRequest) -> list[MotionOut]:
    """Drivers that nobody was filmed for, so that nobody needs to consent to them."""
    return [
        MotionOut(driver=motion.identity, name=str(motion.name), seconds=motion.seconds) for motion in motions.motions()
    ]


@router.get("/motion-networks", response=list[str], url_name="motion_networks", summary="Imported motion models")
def motion_networks(request: MembersRequest) -> list[str]:
    """Networks of other authors that whoever runs this site has imported; an animation may name one as `network`."""
    return networks.offered()


@router.post("/animations", response=SUBMITTED, url_name="animations", summary="Animate a portrait")
def animate(
    request: MembersRequest,
    response: HttpResponse,
    portrait: File[UploadedFile],
    relation: Form[str],
    version: Form[str],
    affirmed: Form[bool],
    driver: Form[str] = "",
    clip: File[UploadedFile | None] = None,
    clip_relation: Form[str] = "",
    people: Form[int] = 1,
    title: Form[str] = "",
    motion: Form[str] = "relative",
    movement: Form[float] = 1.0,
    framing: Form[str] = "portrait",
    best_start: Form[bool] = True,
    restore_faces: Form[bool] = False,
    network: Form[str] = networks.SHIPPED,
) -> Status[CreationOut]:
    """Send `portrait`, and a `driver` of `/motions` or a `clip` of your own.

    `relation` and `version` state who is in the portrait (see `/statements`), `clip_relation` who is in the clip;
    `affirmed` that nobody shown is under eighteen and nothing sexual is made. `motion` is `relative` or `absolute`,
    `framing` `portrait` or `square`, `movement` from 0.2 to 2; `restore_faces` draws the face of every frame anew.
    `network` is one of `/motion-networks`, else the one that was trained here. `Location` says where it can be asked
    for.
    """
    requester = request.auth
    options = animations.checked_options(
        {
            "motion": motion,
            "movement": movement,
            "framing": framing,
            "best_start": best_start,
            "restore_faces": restore_faces,
            "network": network,
        }
    )
    animations.check_before(requester)
    moved_by = motions.find(driver)
    if (clip is None) == (moved_by is None):
        raise Refused(Reason.UNKNOWN_IDENTITY, role=DRIVER)
    shown = animations.accept_portrait(requester, portrait)
    followed = None if clip is None else animations.accept_clip(requester, clip)
    stated = {
        PORTRAIT: services.state_consent(requester, relation, version=version, artifact=shown, people=people),
    }
    if followed is not None:
        stated[DRIVER] = services.state_consent(requester, clip_relation, version=version, artifact=followed)
    cast = animations.Cast(shown, clip=followed, motion=moved_by)
    made = animations.submit(requester, cast, stated, affirmed=affirmed, options=options, title=title[:200])
    response["Location"] = location(made)
    return Status(202, creation_out(request, made))


@router.get("/creations", response={200: CreationPage, **ERRORS}, url_name="creations", summary="Yours, newest first")
def creations(
    request: MembersRequest, page: Query[int] = 1, kind: Query[str] = "", state: Query[str] = "", q: Query[str] = ""
) -> CreationPage:
    if request.auth.user is None:
        raise Refused(Reason.NOT_SIGNED_IN)
    wanted = gallery.Wanted.read({"kind": kind, "state": state, "q": q})
    found = gallery.page_of(gallery.own(request.auth.user, wanted), str(page))
    return CreationPage(
        items=[line_out(request, generation) for generation in found],
        count=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


@router.get(
    "/creations/{creation_id}",
    response={200: CreationOut, 404: CreationErrorOut, **ERRORS},
    url_name="creation",
    summary="One of yours: how it goes, then what was made",
)
def read(request: MembersRequest, creation_id: UUID) -> CreationOut:
    return creation_out(request, own(request, creation_id))


@router.delete(
    "/creations/{creation_id}",
    response={204: None, 404: CreationErrorOut, **ERRORS},
    url_name="creation",
    summary="Delete it, with everything that it was made from, now",
)
def delete(request: MembersRequest, creation_id: UUID) -> Status[None]:
    services.delete_own(own(request, creation_id))
    return Status(204, None)


@router.get(
    "/creations/{creation_id}/files/{file_id}",
    response={200: bytes, 404: CreationErrorOut, **ERRORS},
    url_name="creation_file",
    summary="One sealed file of it",
)
def file(request: MembersRequest, creation_id: UUID, file_id: UUID) -> HttpResponseBase:
    """What was made, as it was signed. What it was made from is not given out."""
    generation = own(request, creation_id)
    found = next((each for each in pages.outputs_of(generation).values() if each.pk == file_id), None)
    if found is None:
        raise Http404
    return artifact_response(request, found)


def own(request: MembersRequest, creation_id: UUID) -> Generation:
    rows = Generation.objects.owned_by(request.auth).kept().select_related("job", "result", "poster")
    found: Generation = get_object_or_404(rows, pk=creation_id)
    return found
