"""What the desk tells about itself: how long things wait, how much is judged, and how far people and machine agree.

Verdicts are counted from the audit trail, which outlives the pictures; what was taken back does not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detection.levels import Level

from .codes import LEVEL_OF, OPEN, Event, Stand, Verdict
from .models import JudgementEntry, ReviewItem

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

WEEKS: Final = 12
LISTED: Final = 50
AGES: Final = (
    (timedelta(hours=1), _("under an hour")),
    (timedelta(days=1), _("under a day")),
    (timedelta(days=3), _("under three days")),
    (timedelta(days=7), _("under a week")),
    (None, _("a week and more")),
)
DECIDED: Final = (Level.LIKELY_MANIPULATED, Level.LIKELY_AUTHENTIC)


@dataclass(slots=True)
class Agreement:
    """How often people who decided said what a machine that decided had said."""

    same: int = 0
    other: int = 0

    @property
    def of(self) -> int:
        return self.same + self.other

    @property
    def percent(self) -> int | None:
        return round(100 * self.same / self.of) if self.of else None

    @property
    def interval(self) -> tuple[int, int] | None:
        """95 % interval of the share in percent, after Wilson (1927); wide where little was judged."""
        if not self.of:
            return None
        z, share = 1.96, self.same / self.of
        middle = (share + z * z / (2 * self.of)) / (1 + z * z / self.of)
        half = z * math.sqrt(share * (1 - share) / self.of + z * z / (4 * self.of**2)) / (1 + z * z / self.of)
        return round(100 * max(0.0, middle - half)), round(100 * min(1.0, middle + half))

    def count(self, level: str, verdict: str, times: int) -> None:
        if level in DECIDED and verdict != Verdict.UNSURE:
            if LEVEL_OF[Verdict(verdict)] == level:
                self.same += times
            else:
                self.other += times


@dataclass(slots=True)
class Week:
    start: datetime
    flagged: int = 0
    judged: int = 0
    agreement: Agreement = field(default_factory=Agreement)


@dataclass(slots=True)
class Kind:
    """Pictures or videos that the detectors gave one level, and what people said of them."""

    media: str
    level: str
    authentic: int = 0
    manipulated: int = 0
    unsure: int = 0
    agreement: Agreement = field(default_factory=Agreement)

    @property
    def level_words(self) -> str:
        return str(Level(self.level).label)

    @property
    def judged(self) -> int:
        return self.authentic + self.manipulated + self.unsure


@dataclass(frozen=True, slots=True)
class Ages:
    waiting: int
    escalated: int
    oldest: datetime | None
    median: datetime | None
    bins: list[tuple[str, int]]

    @property
    def all(self) -> int:
        return self.waiting + self.escalated


def context() -> dict[str, Any]:
    now = timezone.now()
    weeks, kinds = _verdicts(now)
    whole = Agreement()
    for kind in kinds:
        whole.same += kind.agreement.same
        whole.other += kind.agreement.other
    waits = _settled(now).exclude(waited_seconds=None).values_list("waited_seconds", flat=True)
    median = _middle(waits.order_by("waited_seconds"))
    return {
        "ages": _ages(now),
        "weeks": weeks,
        "most": max((max(week.flagged, week.judged) for week in weeks), default=0),
        "kinds": kinds,
        "whole": whole,
        "median_wait": None if median is None else timedelta(seconds=median),
        "escalations": _held(JudgementEntry.objects.filter(event=Event.ESCALATED, created__gte=_first(now))).count(),
        "false_alarms": _contradicted(Level.LIKELY_MANIPULATED, Verdict.AUTHENTIC),
        "misses": _contradicted(Level.LIKELY_AUTHENTIC, Verdict.MANIPULATED),
        "listed": LISTED,
        "weeks_shown": WEEKS,
    }


def _first(now: datetime) -> datetime:
    """The Monday with which the oldest week that is shown begins."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def _held(entries: QuerySet[JudgementEntry]) -> QuerySet[JudgementEntry]:
    """Without what was taken back."""
    return entries.filter(~Exists(JudgementEntry.objects.filter(about=OuterRef("pk"))))


def _settled(now: datetime) -> QuerySet[JudgementEntry]:
    return _held(JudgementEntry.objects.filter(event=Event.SETTLED, created__gte=_first(now)))


def _middle(ordered: QuerySet[Any, Any]) -> Any:
    """The upper median, found by the database."""
    count = ordered.count()
    return ordered[count // 2] if count else None


def _week_number(starts: list[datetime]) -> Case:
    """Which of the weeks a line falls into. Comparisons, because SQLite has no week of its own: Django's would call
    Python for every row."""
    newest_first = [When(created__gte=starts[n], then=Value(n)) for n in reversed(range(len(starts)))]
    return Case(*newest_first, output_field=IntegerField())


def _verdicts(now: datetime) -> tuple[list[Week], list[Kind]]:
    starts = [_first(now) + timedelta(weeks=n) for n in range(WEEKS)]
    weeks = [Week(start) for start in starts]
    kinds: dict[tuple[str, str], Kind] = {}
    grouped = _settled(now).order_by().annotate(week=_week_number(starts))
    for row in grouped.values("week", "media", "machine_level", "verdict").annotate(times=Count("pk")):
        level, verdict, times = row["machine_level"], row["verdict"], row["times"]
        kind = kinds.setdefault((row["media"], level), Kind(row["media"], level))
        setattr(kind, verdict, getattr(kind, verdict) + times)
        kind.agreement.count(level, verdict, times)
        weeks[row["week"]].judged += times
        weeks[row["week"]].agreement.count(level, verdict, times)
    flagged = JudgementEntry.objects.filter(event=Event.FLAGGED, created__gte=starts[0]).order_by()
    by_week = flagged.annotate(week=_week_number(starts)).values("week")
    for row in by_week.annotate(times=Count("check_ref", distinct=True)):
        weeks[row["week"]].flagged += row["times"]
    order = list(Level.values)
    shown = sorted(kinds.values(), key=lambda kind: (kind.media, order.index(kind.level) if kind.level in order else 9))
    return weeks, [kind for kind in shown if kind.level in order]


def _ages(now: datetime) -> Ages:
    items = ReviewItem.objects.filter(state__in=OPEN)
    younger = [Q(flagged__gt=now - limit) if limit else Q() for limit, _words in AGES]
    counted = items.aggregate(
        all=Count("pk"),
        escalated=Count("pk", filter=Q(state=Stand.ESCALATED)),
        **{f"under{n}": Count("pk", filter=within) for n, within in enumerate(younger)},
    )
    under = [counted[f"under{n}"] for n in range(len(AGES))]
    flagged = items.order_by("flagged").values_list("flagged", flat=True)
    return Ages(
        waiting=counted["all"] - counted["escalated"],
        escalated=counted["escalated"],
        oldest=flagged.first(),
        median=_middle(flagged),
        bins=[(str(words), n - before) for (_, words), n, before in zip(AGES, under, [0, *under], strict=False)],
    )


def _contradicted(level: Level, verdict: Verdict) -> dict[str, Any]:
    """What the detectors decided and people decided otherwise, of the checks that are still kept."""
    items = ReviewItem.objects.filter(state=Stand.SETTLED, verdict=verdict, subject__level=level)
    return {
        "count": items.count(),
        "items": list(items.order_by("-decided").select_related("subject", "subject__display")[:LISTED]),
    }
