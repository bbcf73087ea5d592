"""Why a check is put on the desk: by the site itself when the verdict is published, by people when they report it.

A flag's weight is worked out once and stored; the item's urgency follows from its flags and orders the queue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from detection.levels import Level

from . import keeping, lookalikes, trail
from .codes import OPEN, Event, Reason, Stand
from .models import Flag, ReviewItem
from .reports import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detection.models import Check, FaceFinding

NEAR: Final = 0.25
"""In log-odds: so close to a threshold, the next saving of the picture may put it on the other side."""

WEIGHTS: Final = {
    Reason.OWN_OUTPUT: 60,
    Reason.REPEATED: 50,
    Reason.DISAGREEMENT: 25,
    Reason.INCONCLUSIVE: 15,
    Reason.NEAR_THRESHOLD: 10,
}
# Somebody may come to harm: these are looked at before any question of who is right.
REPORT_WEIGHTS: Final = {
    Report.Reason.MINOR: 100,
    Report.Reason.WITHOUT_CONSENT: 80,
    Report.Reason.HARMFUL: 70,
    Report.Reason.WRONG_VERDICT: 40,
    Report.Reason.OTHER: 30,
}
A_FURTHER_REPORT: Final = 5
MOST_FOR_REPORTS: Final = 20
TAKEN_DOWN: Final = 20  # made here, and taken away again since


@dataclass(frozen=True, slots=True)
class Found:
    """A reason that holds, with what its words need."""

    reason: Reason
    weight: int
    detail: Mapping[str, Any] = field(default_factory=dict)


def urgency_of(weights: Sequence[int]) -> int:
    """The gravest reason, and a quarter of each of the others."""
    ordered = sorted(weights, reverse=True)
    return min(999, round(ordered[0] + sum(ordered[1:]) / 4)) if ordered else 0


def raise_flags(check: Check, faces: Sequence[FaceFinding]) -> None:
    """Look at a verdict that is being published. Part of that transaction."""
    lookalikes.remember(check)
    wanted = set(settings.DETECTION_AUTOMATIC_FLAGS)
    found = [each for each in automatic(check, faces) if each.reason in wanted]
    if found:
        put(check, found)


def automatic(check: Check, faces: Sequence[FaceFinding]) -> list[Found]:
    found = [_inconclusive(check), _near_threshold(check), _disagreement(check, faces), _own(check), _repeated(check)]
    return [each for each in found if each is not None]


def report_arrived(check: Check) -> None:
    """A report was made or changed; the item carries one flag for all that are open."""
    reports = list(Report.objects.filter(subject=check, status=Report.Status.OPEN))
    gravest = max((REPORT_WEIGHTS[Report.Reason(report.reason)] for report in reports), default=0)
    further = min(MOST_FOR_REPORTS, A_FURTHER_REPORT * (len(reports) - 1))
    reasons = sorted({report.reason for report in reports})
    put(check, [Found(Reason.REPORTED, gravest + further, {"reports": len(reports), "reasons": reasons})])


@transaction.atomic
def put(check: Check, found: Sequence[Found]) -> ReviewItem:
    """Lay a check on the desk, or add to why it lies there. What was judged before is looked at again."""
    now = timezone.now()
    changed = ["urgency"]
    _item, made = ReviewItem.objects.get_or_create(subject=check, defaults={"flagged": now})
    # Locked, where the database can: a report that comes in while somebody judges begins another round afterwards.
    item = ReviewItem.objects.select_for_update().get(pk=check.pk)
    if not made and not item.is_open:
        item.flags.all().delete()  # what they said has been answered
        item.state, item.flagged, item.round = Stand.WAITING, now, item.round + 1
        item.claimed_by = item.claimed_until = None
        changed += ["state", "flagged", "round", "claimed_by", "claimed_until"]
    known = set(item.flags.values_list("reason", flat=True))
    for each in found:
        Flag.objects.update_or_create(
            item=item, reason=each.reason, defaults={"detail": dict(each.detail), "weight": each.weight}
        )
    item.urgency = urgency_of(list(item.flags.values_list("weight", flat=True)))
    item.save(update_fields=changed)
    keeping.hold(check)
    fresh = [each.reason.value for each in found if each.reason.value not in known]
    if fresh:
        item.subject = check
        trail.write(Event.FLAGGED, item, reasons=fresh, urgency=item.urgency)
    return item


@transaction.atomic
def report_left(check: Check) -> None:
    """A report was decided outside the queue. When that was all, the item is closed without a verdict."""
    item = ReviewItem.objects.select_for_update().filter(subject=check, state__in=OPEN).first()
    if item is None:
        keeping.let_go(check)
        return
    if Report.objects.filter(subject=check, status=Report.Status.OPEN).exists():
        report_arrived(check)
        return
    item.flags.filter(reason=Reason.REPORTED).delete()
    weights = list(item.flags.values_list("weight", flat=True))
    item.urgency = urgency_of(weights)
    keeping.let_go(check)
    if weights:
        item.save(update_fields=["urgency"])
        keeping.hold(check)
        return
    item.state = Stand.SETTLED if item.verdict else Stand.CLOSED
    item.claimed_by = item.claimed_until = None
    item.save(update_fields=["urgency", "state", "claimed_by", "claimed_until"])
    item.subject = check
    trail.write(Event.CLOSED, item)


def _inconclusive(check: Check) -> Found | None:
    if check.level != Level.INCONCLUSIVE:
        return None
    return Found(Reason.INCONCLUSIVE, WEIGHTS[Reason.INCONCLUSIVE], {"code": check.reason_code})


def _near_threshold(check: Check) -> Found | None:
    """Decided, but hardly: within a quarter of a log-odd of the threshold that decided it."""
    edge = {Level.LIKELY_MANIPULATED: check.band_high, Level.LIKELY_AUTHENTIC: check.band_low}.get(Level(check.level))
    if edge is None or check.probability is None or abs(_logit(check.probability) - _logit(edge)) > NEAR:
        return None
    detail = {"probability": check.probability, "threshold": edge}
    return Found(Reason.NEAR_THRESHOLD, WEIGHTS[Reason.NEAR_THRESHOLD], detail)


def _logit(probability: float) -> float:
    inside = min(1 - 1e-6, max(1e-6, probability))
    return math.log(inside / (1 - inside))


def _disagreement(check: Check, faces: Sequence[FaceFinding]) -> Found | None:
    """Detectors that contradict each other so far that none was believed, or a verdict that most of them speak
    against: the fusion may listen to one alone."""
    for face in faces:
        scores = [value for value in face.detectors.values() if isinstance(value, int | float)]
        against = 0
        if check.band_low is not None and check.band_high is not None:
            if face.level == Level.LIKELY_MANIPULATED:
                against = sum(score <= check.band_low for score in scores)
            elif face.level == Level.LIKELY_AUTHENTIC:
                against = sum(score >= check.band_high for score in scores)
        if face.reason_code == "detectors_disagree" or against * 2 > len(scores) > 1:
            detail = {"face": face.number, "low": min(scores, default=None), "high": max(scores, default=None)}
            return Found(Reason.DISAGREEMENT, WEIGHTS[Reason.DISAGREEMENT], detail)
    return None


def _own(check: Check) -> Found | None:
    """Made on this site, but the signed manifest that says so is gone or broken: somebody took it off."""
    own = check.provenance.get("own") or []
    manifest = check.provenance.get("manifest") or {}
    if not own or manifest.get("state") == "valid":
        return None
    withdrawn = any(match.get("withdrawn") for match in own)
    weight = WEIGHTS[Reason.OWN_OUTPUT] + (TAKEN_DOWN if withdrawn else 0)
    return Found(Reason.OWN_OUTPUT, weight, {"by": own[0].get("by", ""), "withdrawn": withdrawn})


def _repeated(check: Check) -> Found | None:
    """One picture from several owners within days: it goes round. Once on the desk, it needs no second item."""
    others = lookalikes.like(check)
    people = len(lookalikes.owners([check, *others]))
    if people < settings.DETECTION_REPEAT_OWNERS:
        return None
    lying = Flag.objects.filter(reason=Reason.REPEATED, item__in=[each.pk for each in others], item__state__in=OPEN)
    first = lying.select_related("item__subject").order_by("created").first()
    found = Found(Reason.REPEATED, WEIGHTS[Reason.REPEATED], {"owners": people, "checks": len(others) + 1})
    if first is None:
        return found
    put(first.item.subject, [found])
    return None
