"""Animations, from the wizard and from the API: what is wanted is put together here and handed to the one gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from jobs import quotas
from jobs.errors import PersonError

from . import admission, motions, networks, services, uploads
from .animation import DRIVER, NAME, PORTRAIT
from .models import Generation
from .refusals import Reason, Refused
from .services import Part, Wish

if TYPE_CHECKING:
    from uuid import UUID

    from django.core.files.uploadedfile import UploadedFile

    from jobs.models import Artifact
    from jobs.requester import Requester

    from .consents import Consent
    from .motions import Motion

MOVEMENT: Final = (0.2, 2.0)
CHOICES: Final = {"motion": ("relative", "absolute"), "framing": ("portrait", "square")}
OPTIONS: Final[dict[str, Any]] = {
    "motion": "relative",
    "framing": "portrait",
    "movement": 1.0,
    "best_start": True,
    "restore_faces": False,
    "network": networks.SHIPPED,
}


class UnknownSetting(PersonError):
    """A program asked for a setting that there is not."""

    status = 400

    def __init__(self, name: str) -> None:
        super().__init__("settings", _("There is no such value of %(name)s here.") % {"name": name})


def checked_options(wanted: dict[str, Any]) -> dict[str, Any]:
    """The settings, where each is one that there is. Raises UnknownSetting. Forms check by themselves."""
    for name, values in CHOICES.items():
        if wanted[name] not in values:
            raise UnknownSetting(name)
    if not MOVEMENT[0] <= wanted["movement"] <= MOVEMENT[1]:
        raise UnknownSetting("movement")
    if not networks.is_known(wanted["network"]):
        raise UnknownSetting("network")
    return {name: wanted[name] for name in OPTIONS}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: a portrait, and a clip of one's own or a built-in motion."""

    portrait: Artifact
    clip: Artifact | None = None
    motion: Motion | None = None

    @property
    def driver(self) -> str:
        """As an address names it."""
        if self.clip is not None:
            return str(self.clip.pk)
        return "" if self.motion is None else self.motion.identity


def accept_portrait(requester: Requester, upload: UploadedFile[bytes]) -> Artifact:
    """Raises Refused, IntakeError, QuotaExceeded; then nothing is kept. The same for `accept_clip`."""
    return services.accept_file(requester, upload, NAME)


def accept_clip(requester: Requester, upload: UploadedFile[bytes]) -> Artifact:
    return services.accept_file(requester, upload, NAME, clips=True)


def cast_of(requester: Requester, portrait: str | None, driver: str | None) -> Cast | None:
    """From the numbers in an address; None where a file is gone, was never there, or is somebody else's."""
    user = requester.user
    shown = None if user is None else uploads.waiting(user, portrait)
    if user is None or shown is None:
        return None
    motion = motions.find(driver or "")
    if motion is not None:
        return Cast(shown, motion=motion)
    clip = uploads.waiting(user, driver)
    return None if clip is None or clip.pk == shown.pk else Cast(shown, clip)


def check_before(requester: Requester) -> None:
    """Whether one more would be taken just now: asked before statements are recorded. Raises Refused, QuotaExceeded."""
    admission.check_person(requester.user, NAME)
    quotas.check(requester, NAME)


def submit(
    requester: Requester,
    cast: Cast,
    consents: dict[str, Consent],
    *,
    affirmed: bool,
    options: dict[str, Any],
    title: str = "",
) -> Generation:
    """Queue it. `consents`: by role, for each file. Raises Refused and QuotaExceeded; then there is no job."""
    if cast.clip is None and cast.motion is None:
        raise Refused(Reason.UNKNOWN_IDENTITY, role=DRIVER)
    driver = (
        Part(DRIVER, cast.clip, consents.get(DRIVER)) if cast.clip is not None else Part(DRIVER, identity=cast.driver)
    )
    parts = (Part(PORTRAIT, cast.portrait, consents.get(PORTRAIT)), driver)
    wish = Wish(NAME, parts, affirmed=affirmed, title=title, options={**OPTIONS, **options})
    return services.submit_generation(requester, wish)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier animation, to begin another from: its settings, and of its files those that are still there."""

    generation: Generation
    options: dict[str, Any]
    portrait: Artifact | None
    clip: Artifact | None
    motion: Motion | None


def earlier(requester: Requester, number: UUID | None) -> Earlier | None:
    user = requester.user
    if user is None or number is None:
        return None
    found = Generation.objects.filter(owner=user, pk=number, kind=NAME, withdrawn=None).select_related("job").first()
    if found is None:
        return None
    moved_by = found.inputs.filter(role=DRIVER).values_list("identity", flat=True).first() or ""
    return Earlier(
        generation=found,
        options={**OPTIONS, **dict(found.job.params.get("options") or {})},
        portrait=uploads.of_earlier(user, found.pk, PORTRAIT),
        clip=uploads.of_earlier(user, found.pk, DRIVER),
        motion=motions.find(moved_by),
    )
