"""Face swaps for programs: who can be painted, and one call that queues a swap. What was made: `generation.api`."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Form, Router, Schema, Status, UploadedFile
from pydantic import Field

from jobs import midway
from jobs.errors import PersonError
from jobs.sentences import told

from . import services, swaps
from .api import ERRORS, SUBMITTED, MembersRequest, own
from .refusals import Reason, Refused
from .schemas import CreationErrorOut, CreationOut, creation_out, location
from .swaps import SOURCE, TARGET

router = Router(tags=["swaps"])


class PersonOut(Schema):
    """Somebody who can be painted. Send back `person`."""

    person: str
    name: str
    about: str
    learned: bool = Field(description="Taught by you, under a consent of yours; else built in, and nobody's face")


class Settings(Schema):
    """How the painted face is put in; what is left out is as the pages offer it."""

    face: str = Field(swaps.OPTIONS["face"], description="largest, leftmost, rightmost or central")
    colour: str = Field(swaps.OPTIONS["colour"], description="reinhard, histogram or none")
    mask: str = Field(swaps.OPTIONS["mask"], description="hull, learned or both")
    blend: str = Field(swaps.OPTIONS["blend"], description="alpha or seamless")
    erode: float = Field(swaps.OPTIONS["erode"], description="share of the face, 0 to 0.3")
    feather: float = Field(swaps.OPTIONS["feather"], description="share of the face, 0 to 0.3")
    smoothing: float = Field(swaps.OPTIONS["smoothing"], description="frames of a clip, 0 to 10")
    settle: int = Field(swaps.OPTIONS["settle"], description="times that the painted face is put right, 0 to 3")
    detail: float = Field(swaps.OPTIONS["detail"], description="share of a taught person's own fine detail, 0 to 1")


class Lesson(Schema):
    """Only where a `source` is sent."""

    minutes: float | None = Field(None, description="at most so many minutes of learning; none: what the site allows")
    name: str = Field("", description="by which you find the person among `/people`")
    keep: bool = Field(True, description="whether what was learned is kept, for more swaps under the same consent")


@router.get("/people", response=list[PersonOut], url_name="people", summary="Who can be painted")
def people(request: MembersRequest) -> list[PersonOut]:
    """The built-in people, who belong to nobody, and those whom you have taught."""
    return [
        PersonOut(person=each.value, name=str(each.name), about=told(each.about), learned=each.learned is not None)
        for each in swaps.people(request.auth)
    ]


@router.post("/swaps", response=SUBMITTED, url_name="swaps", summary="Swap a face")
def swap(
    request: MembersRequest,
    response: HttpResponse,
    target: File[UploadedFile],
    relation: Form[str],
    version: Form[str],
    affirmed: Form[bool],
    settings: Form[Settings],
    lesson: Form[Lesson],
    person: Form[str] = "",
    source: File[UploadedFile | None] = None,
    source_relation: Form[str] = "",
    people: Form[int] = 1,
    title: Form[str] = "",
) -> Status[CreationOut]:
    """Send `target`, a picture or clip, and a `person` of `/people`, or a `source` clip or picture to learn one from.

    `relation` and `version` state who is in the target (see `/statements`), `source_relation` who is in the source;
    `affirmed` that nobody shown is under eighteen and nothing sexual is made. `Location` says where it can be asked
    for; while a person is learned, its `/finish` ends that early.
    """
    requester = request.auth
    options = checked(settings) | ({} if source is None else _lesson(lesson))
    swaps.check_before(requester)
    known = swaps.person_of(requester, person)
    if (source is None) == (known is None):
        raise Refused(Reason.UNKNOWN_IDENTITY, role=SOURCE)
    there = services.accept_file(requester, target, swaps.SWAP, clips=True)
    shown = None if source is None else services.accept_file(requester, source, swaps.SWAP, clips=True)
    stated = {TARGET: services.state_consent(requester, relation, version=version, artifact=there, people=people)}
    if shown is not None:
        stated[SOURCE] = services.state_consent(requester, source_relation, version=version, artifact=shown)
    cast = swaps.Cast(there, person=known, source=shown)
    made = swaps.submit(requester, cast, stated, affirmed=affirmed, options=options, title=title[:200])
    response["Location"] = location(made)
    return Status(202, creation_out(request, made))


@router.post(
    "/creations/{creation_id}/finish",
    response={202: CreationOut, 404: CreationErrorOut, 409: CreationErrorOut, **ERRORS},
    url_name="creation_finish",
    summary="Go on with what has been learned so far",
)
def finish(request: MembersRequest, creation_id: UUID) -> Status[CreationOut]:
    found = own(request, creation_id)
    if not midway.enough(found.job_id):
        raise NothingToFinish
    found.job.refresh_from_db()
    return Status(202, creation_out(request, found))


class NothingToFinish(PersonError):
    status = 409

    def __init__(self) -> None:
        super().__init__("nothing_to_finish", _("There is nothing here that could be ended early."))


def checked(settings: Settings) -> dict[str, Any]:
    """The settings, where each is one that there is. Raises PersonError. Forms check by themselves."""
    told = settings.dict()
    known = all(told[name] in values for name, values in swaps.CHOICES.items())
    within = all(low <= told[name] <= high for name, (low, high) in swaps.SHARES.items())
    if not known or not within:
        raise PersonError("settings", _("These settings are not known here. Choose others and begin again."))
    return told


def _lesson(lesson: Lesson) -> dict[str, Any]:
    return swaps.learning(lesson.minutes, lesson.name, keep=lesson.keep)
