"""The kinds of job of this app: swaps, and the site's own, which puts the faces of granted requests on the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from jobs import lifecycle
from jobs.kinds import JobKind

from .blocks import BlockedFace
from .exchange import Portraits
from .making import generating_kind
from .pleading import BLOCK_FACES, forget_portrait, waiting_faces
from .pleas import FacePlea, PleaStatus

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from jobs.models import Job


def prepare(job: Job, workdir: Path) -> Portraits:
    files = []
    for plea in waiting_faces():
        path = workdir / plea.pk.hex
        with plea.portrait.open("rb") as stored:
            path.write_bytes(stored.read())
        files.append((str(plea.pk), path))
    return Portraits(tuple(files))


def publish(job: Job, result: list[dict[str, Any]]) -> None:
    """One descriptor a request; where none could be made the request is open again, for a better portrait."""
    for each in result:
        plea = FacePlea.objects.filter(pk=each["plea"], status=PleaStatus.GRANTED).first()
        if plea is None:
            continue
        if each["descriptor"]:
            BlockedFace.objects.create(
                descriptor=each["descriptor"], method=each["method"], note=f"request {plea.pk}", plea=plea
            )
            forget_portrait(plea)
        else:
            FacePlea.objects.filter(pk=plea.pk).update(status=PleaStatus.OPEN, answer=each["why"])
    if waiting_faces().exists():  # granted while this ran, when no second job could be queued
        transaction.on_commit(lambda: lifecycle.submit_system(BLOCK_FACES), robust=True)


KIND: Final = JobKind(
    name=BLOCK_FACES,
    label=_("Block list"),
    handler="generation.handlers.blocking.describe",
    stages=(("describe", _("Describing faces"), 1.0),),
    deadline_seconds=300.0,
    prepare=prepare,
    publish=publish,
)


LOOKING: Final = _("Looking who is shown")
SWAPPING: Final = (
    ("decode", _("Reading"), 0.02),
    ("faces", _("Finding the face"), 0.2),
    ("swap", _("Painting and signing"), 0.5),
    ("judge", _("Asking the detectors"), 0.2),
)

SWAP: Final = generating_kind(
    name="swap",
    label=_("Face swap"),
    handler="generation.handlers.swapping.swap",
    roles=("source", "target"),
    stages=(("people", LOOKING, 0.08), *SWAPPING),
    deadline_seconds=900.0,
    lasting=True,
)

SWAP_CLIP: Final = generating_kind(
    name="swap_clip",
    label=_("Face swap in a clip"),
    handler="generation.handlers.swapping.swap",
    roles=("source", "target"),
    stages=(("people", LOOKING, 0.08), *SWAPPING),
    deadline_seconds=1800.0,
    warm="generation.handlers.swapping.warm",
    stall_seconds=300.0,
    lasting=True,
    long=True,
)

SWAP_OWN: Final = generating_kind(
    name="swap_own",
    label=_("Face swap, person learned"),
    handler="generation.handlers.swapping.swap_own",
    roles=("source", "target"),
    stages=(
        ("people", LOOKING, 0.2),
        ("extract", _("Gathering faces"), 0.6),
        ("train", _("Learning the face"), 8.0),
        *SWAPPING,
    ),
    deadline_seconds=1800.0,
    warm="generation.handlers.swapping.warm",
    max_attempts=6,  # each goes on where the one before was stopped
    stall_seconds=300.0,
    lasting=True,
    long=True,
    may_finish_early=True,
)
