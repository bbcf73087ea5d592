"""One's own enhancements: which, in which order, on which page. The number of queries does not grow with the rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from jobs.states import UNFINISHED, JobState

from . import catalogue
from .models import Enhancement
from .tasks import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.core.paginator import Page
    from django_stubs_ext import StrOrPromise

    from .models import EnhancementQuerySet

PAGE_SIZE: Final = 24
SEARCH_LENGTH: Final = 100


class State(StrEnum):
    READY = "ready"
    WORKING = "working"
    ENDED = "ended"


STATES: Final[dict[State, StrOrPromise]] = {
    State.READY: _("Finished"),
    State.WORKING: _("Being made"),
    State.ENDED: _("Failed or cancelled"),
}
# The number as the last word makes every order total, so that no row stands on two pages.
SORTS: Final[dict[str, tuple[StrOrPromise, tuple[str, ...]]]] = {
    "newest": (_("Newest first"), ("-created", "pk")),
    "oldest": (_("Oldest first"), ("created", "pk")),
    "title": (_("By name"), ("title", "-created", "pk")),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, read from the address; what is unknown there counts as not said."""

    task: str = ""
    method: str = ""
    state: str = ""
    search: str = ""
    sort: str = "newest"

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Wanted:
        task, method = str(query.get("task", "")), str(query.get("method", ""))
        state, sort = str(query.get("state", "")), str(query.get("sort", ""))
        return cls(
            task=task if task in Task.values else "",
            method=method if any(method == name for name, _label in method_choices()) else "",
            state=state if state in STATES else "",
            search=str(query.get("q", "")).replace("\0", "").strip()[:SEARCH_LENGTH],
            sort=sort if sort in SORTS else "newest",
        )

    @property
    def narrows(self) -> bool:
        return bool(self.task or self.method or self.state or self.search)

    def as_query(self) -> dict[str, str]:
        """The same as an address tells it, without what is not said."""
        told = {"task": self.task, "method": self.method, "state": self.state, "q": self.search}
        told["sort"] = "" if self.sort == "newest" else self.sort
        return {name: value for name, value in told.items() if value}


def own(user: User, wanted: Wanted) -> EnhancementQuerySet:
    rows = _in_state(Enhancement.objects.filter(owner=user).for_page(), wanted.state)
    if wanted.task:
        rows = rows.filter(task=wanted.task)
    if wanted.method:
        rows = rows.filter(methods_index__contains=f"|{wanted.method}|")
    if wanted.search:
        rows = rows.filter(title__icontains=wanted.search)
    return rows.order_by(*SORTS[wanted.sort][1])


def latest(user: User, count: int) -> EnhancementQuerySet:
    return Enhancement.objects.filter(owner=user, withdrawn=None).for_page()[:count]


def finished(rows: EnhancementQuerySet) -> EnhancementQuerySet:
    return rows.filter(withdrawn=None, job__state=JobState.SUCCEEDED)


def page_of(rows: EnhancementQuerySet, number: str | None) -> Page[Enhancement]:
    return Paginator(rows, PAGE_SIZE).get_page(number)


def task_choices() -> list[tuple[str, StrOrPromise]]:
    return [(task.value, task.label) for task in catalogue.tasks()]


def method_choices() -> list[tuple[str, str]]:
    """Each method once, though several tasks may have it."""
    return list({method.name: method.label for task in catalogue.tasks() for method in catalogue.methods(task)}.items())


def _in_state(rows: EnhancementQuerySet, state: str) -> EnhancementQuerySet:
    if state == State.READY:
        return finished(rows)
    if state == State.WORKING:
        return rows.filter(withdrawn=None, job__state__in=UNFINISHED)
    if state == State.ENDED:
        return rows.filter(withdrawn=None, job__state__in=(JobState.FAILED, JobState.CANCELLED))
    return rows
