"""The galleries: which pieces, in which order, on which page. The number of queries does not grow with the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs import kinds
from jobs.states import UNFINISHED, JobState

from .making import generating_kinds
from .models import Generation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.core.paginator import Page
    from django_stubs_ext import StrOrPromise

    from .models import GenerationQuerySet

PAGE_SIZE: Final = 24
SEARCH_LENGTH: Final = 100


class State(StrEnum):
    READY = "ready"
    WORKING = "working"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


STATES: Final[dict[State, StrOrPromise]] = {
    State.READY: _("Finished"),
    State.WORKING: _("Being made"),
    State.ENDED: _("Failed or cancelled"),
    State.WITHDRAWN: _("Withdrawn"),
}
SINCE: Final[dict[str, tuple[StrOrPromise, timedelta]]] = {
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}
# The number as the last word makes every order total, so that no piece stands on two pages.
SORTS: Final[dict[str, tuple[StrOrPromise, tuple[str, ...]]]] = {
    "newest": (_("Newest first"), ("-created", "pk")),
    "oldest": (_("Oldest first"), ("created", "pk")),
    "title": (_("By title"), ("title", "-created", "pk")),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a visitor of a gallery asks for, read from the address; what is unknown there counts as not said."""

    kind: str = ""
    state: str = ""
    since: str = ""
    search: str = ""
    sort: str = "newest"
    demo: bool = False

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Wanted:
        kind, state = str(query.get("kind", "")), str(query.get("state", ""))
        since, sort = str(query.get("since", "")), str(query.get("sort", ""))
        return cls(
            kind=kind if kind in generating_kinds() else "",
            state=state if state in STATES else "",
            since=since if since in SINCE else "",
            search=str(query.get("q", "")).replace("\0", "").strip()[:SEARCH_LENGTH],
            sort=sort if sort in SORTS else "newest",
            demo=str(query.get("demo", "")) == "1",
        )

    @property
    def narrows(self) -> bool:
        return bool(self.kind or self.state or self.since or self.search or self.demo)

    def as_query(self) -> dict[str, str]:
        """The same as an address tells it, without what is not said."""
        told = {"kind": self.kind, "state": self.state, "since": self.since, "q": self.search}
        told |= {"sort": "" if self.sort == "newest" else self.sort, "demo": "1" if self.demo else ""}
        return {name: value for name, value in told.items() if value}


def own(user: User, wanted: Wanted) -> GenerationQuerySet:
    rows = Generation.objects.filter(owner=user).kept()
    return _narrowed(_in_state(rows, wanted.state), wanted)


def public(wanted: Wanted) -> GenerationQuerySet:
    rows = Generation.objects.public()
    return _narrowed(rows.filter(demo=True) if wanted.demo else rows, wanted)


def latest(user: User, count: int) -> GenerationQuerySet:
    """The newest of one's own, for the front page of Create."""
    return _for_cards(Generation.objects.filter(owner=user, withdrawn=None).kept())[:count]


def page_of(rows: GenerationQuerySet, number: str | None) -> Page[Generation]:
    return Paginator(rows, PAGE_SIZE).get_page(number)


def kind_choices() -> list[tuple[str, str]]:
    return [(name, str(kinds.get(name).label)) for name in generating_kinds()]


def _in_state(rows: GenerationQuerySet, state: str) -> GenerationQuerySet:
    if state == State.READY:
        return rows.finished()
    if state == State.WORKING:
        return rows.filter(withdrawn=None, job__state__in=UNFINISHED)
    if state == State.ENDED:
        return rows.filter(withdrawn=None, job__state__in=(JobState.FAILED, JobState.CANCELLED))
    if state == State.WITHDRAWN:
        return rows.filter(withdrawn__isnull=False)
    return rows


def _narrowed(rows: GenerationQuerySet, wanted: Wanted) -> GenerationQuerySet:
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.since:
        rows = rows.filter(created__gt=timezone.now() - SINCE[wanted.since][1])
    if wanted.search:
        rows = rows.filter(title__icontains=wanted.search)
    return _for_cards(rows).order_by(*SORTS[wanted.sort][1])


def _for_cards(rows: GenerationQuerySet) -> GenerationQuerySet:
    return rows.select_related("job", "result", "poster")
