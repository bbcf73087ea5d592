"""The review desk: for staff who may judge. Visitors are asked to sign in, members find the door shut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from detection import services
from detection.desk import claims, judgements
from detection.desk.codes import Verdict
from tests.detection import factories

from .address import Access, Address, owners

if TYPE_CHECKING:
    from .house import House


def reviewers(reviewer: int = 200, administrator: int | None = None) -> Access:
    return Access(302, 403, 403, reviewer, reviewer if administrator is None else administrator)


def item(house: House) -> list[object]:
    services.report_check(house.check, house.requester, "wrong_verdict", house.SECRET)
    return [house.check.pk]


def clear_check(house: House) -> list[object]:
    return [house.check.pk]


def somebodys_verdict(house: House) -> list[object]:
    item(house)
    person = factories.reviewer("third@example.org")
    claims.claim(house.check.pk, person)
    return [judgements.judge(house.check.pk, person, Verdict.AUTHENTIC).pk]


ADDRESSES: Final = (
    Address("detection:desk", "get", reviewers()),
    Address("detection:desk_next", "post", reviewers(302)),
    Address("detection:desk_item", "get", reviewers(), of=item),
    Address("detection:desk_item", "get", reviewers(404), of=clear_check),
    Address("detection:desk_claim", "post", reviewers(302), of=item),
    Address("detection:desk_renew", "post", reviewers(), of=item),
    Address("detection:desk_release", "post", reviewers(302), of=item),
    Address("detection:desk_skip", "post", reviewers(302), of=item),
    Address("detection:desk_judge", "post", reviewers(302), of=item, data={"verdict": "authentic"}),
    Address("detection:desk_undo", "post", reviewers(302), of=somebodys_verdict),
    Address("detection:desk_figures", "get", reviewers()),
    Address("detection:desk_export", "post", reviewers(403, 200)),
    Address("detection:training", "post", owners(302), of=clear_check, data={"allowed": "yes"}, visitors=True),
)
