"""Face swaps, from the wizard and from the API: who is painted into what, put together here for the one gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from jobs import quotas
from jobs.intake import plain_line

from . import admission, identities, learned, services, uploads
from .models import Generation
from .refusals import Reason, Refused
from .services import Part, Wish

if TYPE_CHECKING:
    from uuid import UUID

    from django_stubs_ext import StrOrPromise

    from jobs.models import Artifact
    from jobs.requester import Requester

    from .consents import Consent

SWAP: Final = "swap"
SWAP_CLIP: Final = "swap_clip"
SWAP_OWN: Final = "swap_own"
KINDS: Final = (SWAP, SWAP_CLIP, SWAP_OWN)
SOURCE: Final = "source"
TARGET: Final = "target"
OWN: Final = "own"
"""As an address names the person who is to be learned from a file of the member's."""

LONGEST_MINUTES: Final = 8.0
SHORTEST_MINUTES: Final = 0.5
CHOICES: Final[dict[str, dict[str, StrOrPromise]]] = {
    "face": {
        "largest": _("The largest"),
        "leftmost": _("The leftmost"),
        "rightmost": _("The rightmost"),
        "central": _("The one nearest to the middle"),
    },
    "colour": {
        "reinhard": _("Mean and spread of the colours (Reinhard)"),
        "histogram": _("Their whole histogram"),
        "none": _("As the network painted it"),
    },
    "mask": {
        "hull": _("The outline of the face mesh"),
        "learned": _("What the network takes for face"),
        "both": _("What lies in both"),
    },
    "blend": {"alpha": _("Mixed along a soft edge"), "seamless": _("Gradients pasted (Poisson)")},
}
SHARES: Final[dict[str, tuple[float, float]]] = {
    "erode": (0.0, 0.3),
    "feather": (0.0, 0.3),
    "smoothing": (0.0, 10.0),
    "settle": (0.0, 3.0),
    "detail": (0.0, 1.0),
}
OPTIONS: Final[dict[str, Any]] = {
    "face": "largest",
    "colour": "reinhard",
    "mask": "hull",
    "blend": "alpha",
    "erode": 0.02,
    "feather": 0.08,
    "smoothing": 1.0,
    "settle": 2,
    "detail": 1.0,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be painted now. `value`: as an address and the API name them. `learned` for one's own."""

    value: str
    name: StrOrPromise
    picture: str = ""
    about: StrOrPromise = ""
    learned: learned.LearnedFace | None = None


def people(requester: Requester) -> list[Person]:
    """The built-in ones, then those whom the member has taught."""
    built_in = [Person(each.slug, each.name, each.picture, each.about) for each in identities.registered()]
    taught = [] if requester.user is None else learned.of(requester.user)
    return built_in + [Person(face.identity, face.name, learned=face) for face in taught]


def person_of(requester: Requester, value: str | None) -> Person | None:
    return next((person for person in people(requester) if person.value == value), None)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is painted into what: somebody who is known, or the person of a file, who is learned first."""

    target: Artifact
    person: Person | None = None
    source: Artifact | None = None

    @property
    def kind(self) -> str:
        """A picture with somebody who is known takes moments; all else goes where nobody's check waits behind it."""
        if self.source is not None:
            return SWAP_OWN
        return SWAP_CLIP if self.target.content_type.startswith("video/") else SWAP

    @property
    def who(self) -> str:
        """As an address names them."""
        if self.source is not None:
            return str(self.source.pk)
        return "" if self.person is None else self.person.value


def cast_of(requester: Requester, target: str | None, who: str | None) -> Cast | None:
    """From the numbers in an address; None where a file is gone, was never there, or is somebody else's."""
    user = requester.user
    there = None if user is None else uploads.waiting(user, target)
    if user is None or there is None:
        return None
    person = person_of(requester, who)
    if person is not None:
        return Cast(there, person)
    source = uploads.waiting(user, who)
    return None if source is None or source.pk == there.pk else Cast(there, source=source)


def check_before(requester: Requester) -> None:
    """Whether one more would be taken just now: asked before statements are recorded. Raises Refused, QuotaExceeded."""
    admission.check_person(requester.user, SWAP)
    quotas.check(requester, SWAP)


def default_minutes() -> float:
    return max(SHORTEST_MINUTES, min(LONGEST_MINUTES, float(settings.GENERATION_LEARN_MINUTES)))


def learning(minutes: float | None = None, name: str = "", *, keep: bool = True) -> dict[str, Any]:
    """The options of learning, within what this site allows."""
    asked = default_minutes() if minutes is None else float(minutes)
    return {
        "minutes": max(SHORTEST_MINUTES, min(default_minutes(), asked)),
        "steps": int(settings.GENERATION_LEARN_STEPS),
        "person": plain_line(name, 60),
        "keep": keep,
    }


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
    if cast.source is None and cast.person is None:
        raise Refused(Reason.UNKNOWN_IDENTITY, role=SOURCE)
    if cast.source is not None:
        source = Part(SOURCE, cast.source, consents.get(SOURCE))
        options = {**learning(), **options}
    else:
        source = Part(SOURCE, identity=cast.who)
    parts = (source, Part(TARGET, cast.target, consents.get(TARGET)))
    wish = Wish(cast.kind, parts, affirmed=affirmed, title=title, options={**OPTIONS, **options})
    return services.submit_generation(requester, wish)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier swap, to begin another from: its settings, and of its files those that are still there."""

    generation: Generation
    options: dict[str, Any]
    target: Artifact | None
    source: Artifact | None
    person: Person | None


def earlier(requester: Requester, number: UUID | None) -> Earlier | None:
    """Of a person who was learned for it and kept, that person: nothing need be learned twice."""
    user = requester.user
    if user is None or number is None:
        return None
    rows = Generation.objects.filter(owner=user, pk=number, kind__in=KINDS, withdrawn=None).select_related("job")
    found = rows.first()
    if found is None:
        return None
    painted = found.inputs.filter(role=SOURCE).values_list("identity", flat=True).first() or ""
    return Earlier(
        generation=found,
        options={**OPTIONS, **dict(found.job.params.get("options") or {})},
        target=uploads.of_earlier(user, found.pk, TARGET),
        source=uploads.of_earlier(user, found.pk, SOURCE),
        person=person_of(requester, painted or f"{learned.PREFIX}{found.pk}"),
    )
