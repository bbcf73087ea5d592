"""Checks: their owner's, be that a member or a visitor's session. Reviewers look at all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from detection import services
from detection.models import ApiToken
from tests.detection import factories

from .address import Address, anybody, members, owners

if TYPE_CHECKING:
    from .house import House


def check(house: House) -> list[object]:
    return [house.check.pk]


def link(house: House) -> list[object]:
    return [services.share_check(house.check)]


def dead_link(house: House) -> list[object]:
    token = services.share_check(house.check)
    services.unshare_check(house.check)
    return [token]


def shared_picture(house: House) -> list[object]:
    display = house.check.display
    return [*link(house), display.pk, display.public_name]


def shared_original(house: House) -> list[object]:
    original = house.check.original
    return [*link(house), original.pk, original.public_name]


def token(house: House) -> list[object]:
    return [ApiToken.issue(house.member, house.SECRET)[0].pk]


def a_picture(house: House) -> dict[str, object]:
    return {"files": factories.upload()}


ADDRESSES: Final = (
    Address("detection:check", "get", anybody()),
    Address("detection:check", "post", anybody(302), data=a_picture),
    Address("detection:history", "get", anybody()),  # one's own
    Address("detection:method", "get", anybody()),
    Address("detection:result", "get", owners(200, staff=200), of=check, visitors=True),
    Address("detection:delete", "post", owners(302), of=check, visitors=True),
    Address("detection:retry", "post", owners(302), of=check, visitors=True),
    Address("detection:share", "post", owners(302), of=check, visitors=True),
    Address("detection:unshare", "post", owners(302), of=check, visitors=True),
    Address("detection:report", "post", owners(302, staff=302), of=check, data={"reason": "other"}, visitors=True),
    Address("detection:report_json", "get", owners(200, staff=200), of=check, visitors=True),
    Address("detection:report_pdf", "get", owners(200, staff=200), of=check, visitors=True),
    Address("detection:shared", "get", anybody(), of=link, told=True),
    Address("detection:shared", "get", anybody(404), of=dead_link),
    Address("detection:shared_report_json", "get", anybody(), of=link, told=True),
    Address("detection:shared_report_json", "get", anybody(404), of=dead_link),
    Address("detection:shared_report_pdf", "get", anybody(), of=link, told=True),
    Address("detection:shared_report_pdf", "get", anybody(404), of=dead_link),
    Address("detection:shared_file", "get", anybody(), of=shared_picture, told=True),
    Address("detection:shared_file", "get", anybody(404), of=shared_original),
    Address("detection:tokens", "get", members()),
    Address("detection:tokens", "post", members(), data={"name": "laptop"}),
    Address("detection:token_revoke", "post", owners(302, visitor=302), of=token),
)
