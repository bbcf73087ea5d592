"""What can be made here, as the Create page offers it: a kind of job, its wizard, and what it is in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from jobs import kinds

if TYPE_CHECKING:
    from uuid import UUID

    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Door:
    """One kind and the name of the address where its wizard begins; `also`: further kinds that come out of it."""

    kind: str
    wizard: str
    title: StrOrPromise
    words: StrOrPromise
    needs: StrOrPromise
    also: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.wizard)


DOORS: Final = (
    Door(
        "swap",
        "generation:swap",
        _("Swap a face"),
        _("Paint a built-in person, who belongs to nobody, into your picture; or teach the network a face, and watch."),
        _("You need a picture or a clip, and the consent of the person in it."),
        also=("swap_clip", "swap_own"),
    ),
    Door(
        "animation",
        "generation:animate",
        _("Animate a portrait"),
        _("Let one portrait nod, turn and speak, as a built-in movement or your own clip tells it to."),
        _("You need a portrait, and the consent of the person in it."),
    ),
)


def open_doors() -> tuple[Door, ...]:
    """Those whose kind is installed and whose wizard has an address: nothing is offered that is not there."""
    return tuple(door for door in DOORS if kinds.find(door.kind) is not None and _url(door))


def again_url(kind: str, generation: UUID) -> str:
    """Where the wizard begins with the settings of an earlier piece of work; empty for a kind without one."""
    address = next((_url(door) for door in DOORS if kind in (door.kind, *door.also)), "")
    return f"{address}?again={generation}" if address else ""


def _url(door: Door) -> str:
    try:
        return door.url
    except NoReverseMatch:
        return ""
