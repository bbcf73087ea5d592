"""The built-in people: synthetic faces that belong to nobody, so that using one needs nobody's consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Identity:
    slug: str
    name: StrOrPromise


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
