"""The built-in people: synthetic faces that belong to nobody, so that using one needs nobody's consent."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """`picture`: below `static/`, painted by the person's own decoder. `about`: a sentence."""

    slug: str
    name: StrOrPromise
    picture: str = ""
    about: StrOrPromise = ""


_identities: dict[str, Identity] = {}


def register(identity: Identity) -> Identity:
    if identity.slug in _identities and _identities[identity.slug] != identity:
        raise ValueError(f"identity {identity.slug!r} is registered twice")
    _identities[identity.slug] = identity
    return identity


def unregister(slug: str) -> None:
    _identities.pop(slug, None)


def find(slug: str) -> Identity | None:
    return _identities.get(slug)


def registered() -> tuple[Identity, ...]:
    return tuple(_identities[slug] for slug in sorted(_identities))


def register_catalog(path: Path) -> int:
    """Register everybody of a catalogue (`ml.swap.people` describes it; only data is read here). Returns how many. A
    catalogue that cannot be read is logged: the site then has fewer people, and nothing else is wrong with it."""
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))
        people = [
            Identity(line["slug"], line["name"], line.get("picture", ""), line.get("about", "")) for line in lines
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.error("the catalogue of built-in people cannot be read: %s", error)
        return 0
    for person in people:
        register(person)
    return len(people)
