"""What is enhanced: its owner's alone. Visitors are told what there is, and sent to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.detection.factories import upload
from tests.enhancement import factories

from .address import Address, anybody, members, owners

if TYPE_CHECKING:
    from .house import House


def queued(house: House) -> list[object]:
    return [factories.queued(house.requester, name=f"{house.SECRET}.jpg").pk]


def finished(house: House) -> list[object]:
    return [factories.finished(factories.queued(house.requester, name=f"{house.SECRET}.jpg")).pk]


def result_file(house: House) -> list[object]:
    made = factories.finished(factories.queued(house.requester, name=f"{house.SECRET}.jpg"))
    return [made.pk, made.pictures.first().file_id]


def a_wish(house: House) -> dict[str, object]:
    return {"picture": upload(), "task": "upscale", "methods": ["upscale/bicubic"], "scale_upscale": "2"}


def a_call(house: House) -> dict[str, object]:
    return {"file": upload(), "task": "upscale", "methods": ["bicubic"]}


def several(house: House) -> dict[str, object]:
    return {"pick": queued(house)}


ADDRESSES: Final = (
    Address("enhancement:home", "get", anybody()),
    Address("enhancement:home", "post", members(302), data=a_wish),
    Address("enhancement:history", "get", members()),
    Address("enhancement:delete_many", "post", members(302), data=several),
    Address("enhancement:download_all", "get", members()),
    Address("enhancement:result", "get", owners(200, visitor=302), of=queued),
    Address("enhancement:result", "get", owners(200, visitor=302), of=finished),
    Address("enhancement:again", "get", owners(200, visitor=302), of=queued),
    Address("enhancement:again", "post", owners(302, visitor=302), of=queued, data=a_wish),
    Address("enhancement:download", "get", owners(200, visitor=302), of=finished),
    Address("enhancement:delete", "post", owners(302, visitor=302), of=finished),
    Address("api:enhancement_methods", "get", anybody()),
    Address("api:enhancements", "get", anybody().but(visitor=401)),
    Address("api:enhancements", "post", anybody(202).but(visitor=401), data=a_call),
    Address("api:enhancement", "get", owners(200, visitor=401), of=finished),
    Address("api:enhancement", "delete", owners(204, visitor=401), of=finished),
    Address("api:enhanced_picture", "get", owners(200, visitor=401), of=result_file),
)
