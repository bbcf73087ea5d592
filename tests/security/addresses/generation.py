"""What is made: its owner's alone. Staff see it at the desk, not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings

from generation import showing, texts
from ml.provenance.authority import Authority
from tests.detection import factories
from tests.generation import rows

from .address import Access, Address, anybody, members, owners

if TYPE_CHECKING:
    from generation.models import Generation

    from .house import House

# To everybody else the desk's list is not there.
DECIDERS: Final = Access(404, 404, 404, 200, 200)


def generation(house: House) -> list[object]:
    assert house.generation is not None
    return [house.generation.pk]


def consent(house: House) -> list[object]:
    assert house.generation is not None
    return [house.generation.consent_id]


def terms(house: House) -> dict[str, object]:
    return {"version": texts.terms().version, "agreed": "on"}


def piece(house: House) -> Generation:
    return rows.finished(house.member, title=house.SECRET)[0]


def finished(house: House) -> list[object]:
    return [piece(house).pk]


def shown(house: House) -> list[object]:
    return [_shown(house).pk]


def shown_file(house: House) -> list[object]:
    return [_shown(house).result_id, "result.jpg"]


def _shown(house: House) -> Generation:
    return rows.public(house.member, house.member, title="for everybody")[0]


def waiting(house: House) -> list[object]:
    found = piece(house)
    showing.want_public(found)
    return [found.pk]


def link(house: House) -> list[object]:
    return [showing.share(piece(house))]


def linked_file(house: House) -> list[object]:
    found = piece(house)
    return [showing.share(found), found.result_id, "result.jpg"]


def api_file(house: House) -> list[object]:
    found = piece(house)
    return [found.pk, found.result_id]


def a_portrait(house: House) -> dict[str, object]:
    return {"portrait": factories.upload()}


def a_target(house: House) -> dict[str, object]:
    return {"target": factories.upload()}


def a_pick(house: House) -> dict[str, object]:
    assert house.generation is not None
    return {"pick": str(house.generation.pk)}


def certificate(house: House) -> list[object]:
    Authority(settings.GENERATION_AUTHORITY_DIR)  # made at first use
    return []


ADDRESSES: Final = (
    Address("generation:share", "post", owners(302, visitor=302), of=finished),
    Address("generation:unshare", "post", owners(302, visitor=302), of=finished),
    Address("generation:want_public", "post", owners(302, visitor=302), of=finished),
    Address("generation:withdraw_public", "post", owners(302, visitor=302), of=finished),
    Address("generation:gallery", "get", members()),
    Address("generation:delete_many", "post", members(302), data=a_pick),
    Address("generation:download_all", "get", members()),
    Address("generation:public", "get", anybody()),
    Address("generation:public_piece", "get", anybody(), of=shown, told=True),
    Address("generation:public_file", "get", anybody(), of=shown_file, told=True),
    Address("generation:waiting", "get", DECIDERS),
    Address("generation:decide", "post", Access(404, 404, 404, 302, 302), of=waiting, data={"word": "refuse"}),
    Address("generation:shared", "get", anybody(), of=link, told=True),
    Address("generation:shared_file", "get", anybody(), of=linked_file, told=True),
    Address("generation:swap", "get", members()),
    Address("generation:swap", "post", members(400).but(reviewer=403, administrator=409), data=a_target),
    Address("generation:swap_go", "get", members(302)),  # nothing was chosen yet
    Address("generation:swap_go", "post", members(302)),
    Address("generation:animate", "get", members()),
    # Whoever may not make anything, or has not accepted the terms, hears that first.
    Address("generation:animate", "post", members(400).but(reviewer=403, administrator=409), data=a_portrait),
    Address("generation:animate_go", "get", members(302)),  # nothing was chosen yet
    Address("generation:animate_go", "post", members(302)),
    Address("api:statements", "get", anybody()),
    Address("api:motions", "get", anybody()),
    Address("api:motion_networks", "get", anybody()),
    Address("api:people", "get", anybody()),
    Address("api:swaps", "post", anybody(400), data=a_target),
    Address("api:creation_finish", "post", owners(409), of=generation),  # this kind has no half-way
    Address("api:animations", "post", anybody(400), data=a_portrait),
    Address("api:creations", "get", anybody().but(visitor=401)),
    Address("api:creation", "get", owners(200), of=generation),
    Address("api:creation", "delete", owners(204), of=generation),
    Address("api:creation_file", "get", owners(200), of=api_file),
    Address("generation:home", "get", anybody()),
    Address("generation:result", "get", owners(200, visitor=302), of=generation),
    Address("generation:delete", "post", owners(302, visitor=302), of=generation),
    Address("generation:terms", "get", anybody()),
    Address("generation:terms", "post", anybody(302), data=terms),
    Address("generation:consents", "get", members()),
    Address("generation:revoke", "post", owners(302, visitor=302), of=consent),
    Address("generation:never_me", "get", anybody()),
    Address("generation:takedown", "get", anybody()),
    Address("generation:authority", "get", anybody(), of=certificate),
)
