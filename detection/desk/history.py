"""What was done with one item, as its page tells it. An opinion that waits for a second one is not shown: the second
pair of eyes would read it first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from . import trail
from .codes import Event, Reason, Role, Stand, Verdict
from .models import Judgement

if TYPE_CHECKING:
    from datetime import datetime

    from .models import JudgementEntry, ReviewItem


@dataclass(frozen=True, slots=True)
class Line:
    """`who` is empty for the site itself; `note` is what the reviewer wrote for other reviewers."""

    created: datetime
    words: str
    who: str
    role: str
    verdict: str = ""
    note: str = ""
    undone: bool = False


def of(item: ReviewItem) -> list[Line]:
    entries = list(trail.of(item.pk))
    people = User.objects.in_bulk({entry.actor for entry in entries if entry.actor})
    notes = {each.pk: each for each in Judgement.objects.filter(item=item)}
    undone = {entry.about for entry in entries if entry.about}
    lines = []
    for entry in entries:
        if entry.event == Event.UNDONE and _repeats(entry, entries):
            continue
        judgement = notes.get(entry.judgement_ref or 0)
        hidden = _waits_for_another(item, judgement)
        person = people.get(entry.actor or 0)
        lines.append(
            Line(
                created=entry.created,
                words=_words(entry),
                who=person.get_username() if person else "",
                role=str(Role(entry.role).label) if entry.role else "",
                verdict="" if hidden or not entry.verdict else str(Verdict(entry.verdict).label),
                note="" if hidden or judgement is None or entry.event != Event.JUDGED else judgement.note,
                undone=entry.pk in undone,
            )
        )
    return lines


def _repeats(entry: JudgementEntry, entries: list[JudgementEntry]) -> bool:
    """A verdict that settled is taken back together with what it settled: one line is enough."""
    return any(
        other.event == Event.UNDONE and other.judgement_ref == entry.judgement_ref and other.pk < entry.pk
        for other in entries
    )


def _waits_for_another(item: ReviewItem, judgement: Judgement | None) -> bool:
    return (
        judgement is not None
        and item.state == Stand.WAITING
        and judgement.round == item.round
        and judgement.undone is None
    )


def _words(entry: JudgementEntry) -> str:
    words = str(Event(entry.event).label)
    reasons = [str(Reason(code).label) for code in entry.facts.get("reasons", []) if code in Reason.values]
    return f"{words}: {', '.join(reasons)}" if reasons else words
