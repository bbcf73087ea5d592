"""What is made: its owner's alone. Staff see it at the desk, not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generation import texts

from .address import Address, anybody, members, owners

if TYPE_CHECKING:
    from .house import House


def generation(house: House) -> list[object]:
    assert house.generation is not None
    return [house.generation.pk]


def consent(house: House) -> list[object]:
    assert house.generation is not None
    return [house.generation.consent_id]


def terms(house: House) -> dict[str, object]:
    return {"version": texts.terms().version, "agreed": "on"}


ADDRESSES: Final = (
    Address("generation:home", "get", anybody()),
    Address("generation:result", "get", owners(200, visitor=302), of=generation),
    Address("generation:delete", "post", owners(302, visitor=302), of=generation),
    Address("generation:terms", "get", anybody()),
    Address("generation:terms", "post", anybody(302), data=terms),
    Address("generation:consents", "get", members()),
    Address("generation:revoke", "post", owners(302, visitor=302), of=consent),
    Address("generation:never_me", "get", anybody()),
    Address("generation:takedown", "get", anybody()),
    Address("generation:authority", "get", anybody(404)),  # 200 once something was made; there is none in the tests
)
