"""One line of the table, and the usual answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .house import House

PEOPLE: Final = ("visitor", "other", "owner", "reviewer", "administrator")
STRANGERS: Final = ("visitor", "other")


@dataclass(frozen=True, slots=True)
class Access:
    """The status for each of the five."""

    visitor: int
    other: int
    owner: int
    reviewer: int
    administrator: int

    def but(self, **changes: int) -> Access:
        return replace(self, **changes)


def anybody(status: int = 200) -> Access:
    return Access(status, status, status, status, status)


def members(status: int = 200) -> Access:
    """Of one's own account, whoever one is; visitors are sent to sign in."""
    return anybody(status).but(visitor=302)


def owners(status: int = 200, *, visitor: int = 404, staff: int = 404) -> Access:
    """To everybody else it does not exist. `visitor` is 302 where one must be signed in to be anybody."""
    return Access(visitor, 404, status, staff, staff)


def staff(reviewer: int = 200, administrator: int = 200, *, stranger: int = 302) -> Access:
    """Members and visitors are sent to the desk's door, which lets neither in."""
    return Access(stranger, stranger, stranger, reviewer, administrator)


def nothing(house: House) -> list[object]:
    return []


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    method: str
    access: Access
    of: Callable[[House], list[object]] = nothing
    data: Mapping[str, Any] | Callable[[House], Mapping[str, Any]] = field(default_factory=dict)
    visitors: bool = False  # visitors own such things too
    told: bool = False  # strangers may read what is the owner's here
    accept: str = "text/html"

    def path(self, house: House) -> str:
        return reverse(self.name, args=self.of(house))

    def sent(self, house: House) -> Mapping[str, Any]:
        return self.data(house) if callable(self.data) else self.data

    def __str__(self) -> str:
        what = getattr(self.of, "__name__", "")
        return f"{self.method} {self.name}" + ("" if what == "nothing" else f" {what}")
