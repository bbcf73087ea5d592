"""The API: one's own and nothing else, for staff too. By session here; by token in tests/detection/test_api.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.detection import factories

from .address import Address, anybody, owners

if TYPE_CHECKING:
    from .house import House


def check(house: House) -> list[object]:
    return [house.check.pk]


def picture(house: House) -> list[object]:
    return [house.check.pk, house.check.display_id]


def a_picture(house: House) -> dict[str, object]:
    return {"file": factories.upload()}


ADDRESSES: Final = (
    Address("api:checks", "get", anybody()),
    Address("api:checks", "post", anybody(202), data=a_picture),
    Address("api:check", "get", owners(200), of=check, visitors=True),
    Address("api:check", "delete", owners(204), of=check, visitors=True),
    Address("api:check_report_json", "get", owners(200), of=check, visitors=True),
    Address("api:check_report_pdf", "get", owners(200), of=check, visitors=True),
    Address("api:check_picture", "get", owners(200), of=picture, visitors=True),
    Address("api:openapi-json", "get", anybody()),
    Address("api:openapi-view", "get", anybody()),
    Address("api:api-root", "get", anybody(404)),
)
