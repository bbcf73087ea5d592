"""A person's verdict: given, taken back within some minutes, and what follows from it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from jobs.database import retrying

from . import claims, consequences, keeping, trail
from .codes import Event, Role, Stand, Verdict
from .models import Judgement, JudgementEntry, ReviewItem
from .permissions import role_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User


class NotHeld(Exception):
    """Somebody else has the item by now, or it is off the desk: nothing was written."""


class NotUndoable(Exception):
    """The minutes are over, or somebody has judged since. `args[0]` says which."""


class ReportsUndecided(Exception):
    """There are reports that a verdict does not answer, and nothing was said of them."""


@retrying
def judge(pk: UUID, user: User, verdict: Verdict, note: str = "", reports: str = "") -> Judgement:
    """Give a verdict on an item that one holds. `reports`: what becomes of reports that no verdict answers.

    Raises NotHeld and ReportsUndecided, with nothing written.
    """
    now = timezone.now()
    with transaction.atomic():
        # Whoever's time ran out may still judge while nobody else has taken the item up.
        held = ReviewItem.objects.filter(pk=pk, claimed_by=user, state__in=claims.states_for(user))
        if not held.update(claimed_by=None, claimed_until=None):
            raise NotHeld
        item = ReviewItem.objects.select_related("subject", "subject__job").get(pk=pk)
        if not reports and consequences.reports_to_decide(item.subject):
            raise ReportsUndecided
        role = role_of(user)
        judgement = Judgement.objects.create(
            item=item,
            round=item.round,
            reviewer=user,
            role=role,
            verdict=verdict,
            reports=reports,
            note=note.strip(),
            settles=item.state == Stand.ESCALATED,
            created=now,
            undo_until=now + timedelta(minutes=settings.DETECTION_UNDO_MINUTES),
            before=_as_it_stands(item),
        )
        trail.write(Event.JUDGED, item, by=user, role=role, verdict=verdict, judgement=judgement)
        _go_on(item, judgement, user)
        return judgement


def judge_at_once(pk: UUID, user: User, verdict: Verdict, note: str = "", reports: str = "") -> Judgement:
    """Claim and judge in one go, as the lists of the administration do. Raises as `judge`."""
    with transaction.atomic():
        if not claims.claim(pk, user):
            raise NotHeld
        return judge(pk, user, verdict, note, reports)


def _go_on(item: ReviewItem, judgement: Judgement, user: User) -> None:
    """Settled; or waiting for another person; or, when people disagree, with the administrators."""
    opinions = list(item.judgements.filter(round=item.round, undone=None))
    if not judgement.settles:
        if len({opinion.reviewer_id for opinion in opinions}) < settings.DETECTION_REVIEWERS:
            return
        if len({(opinion.verdict, opinion.reports) for opinion in opinions}) > 1:
            ReviewItem.objects.filter(pk=item.pk).update(state=Stand.ESCALATED)
            trail.write(Event.ESCALATED, item, by=user, role=judgement.role, judgement=judgement)
            return
        judgement.settles = True
    _settle(item, judgement, len(opinions), user)


def _settle(item: ReviewItem, judgement: Judgement, people: int, user: User) -> None:
    alone = judgement.before["state"] == Stand.ESCALATED
    role = Role.REVIEWER if not alone and people > 1 else judgement.role
    item.state, item.verdict, item.decided, item.decided_role = (
        Stand.SETTLED,
        judgement.verdict,
        judgement.created,
        role,
    )
    item.opinions = 1 if alone else people
    item.save(update_fields=["state", "verdict", "decided", "decided_role", "opinions"])
    judgement.before |= consequences.follow(item, judgement)
    judgement.save(update_fields=["settles", "before"])
    keeping.let_go(item.subject)
    trail.write(
        Event.SETTLED, item, by=user, role=role, verdict=judgement.verdict, judgement=judgement, people=item.opinions
    )


@retrying
def undo(judgement_pk: int, user: User) -> ReviewItem:
    """Take one's own verdict back: all that followed from it is undone, and the item is in one's hands again, unless
    somebody else has it. Raises NotUndoable."""
    now = timezone.now()
    with transaction.atomic():
        judgement = Judgement.objects.filter(pk=judgement_pk, reviewer=user).first()
        if judgement is None:
            raise NotUndoable(_("That is not yours to take back."))
        if judgement.undone is None and judgement.undo_until <= now:
            raise NotUndoable(_("The time for taking it back is over. Flag it again by a report, if it was wrong."))
        item = ReviewItem.objects.select_for_update().get(pk=judgement.item_id)
        if item.round != judgement.round or item.judgements.filter(pk__gt=judgement.pk, undone=None).exists():
            raise NotUndoable(_("Something has happened to it since: it cannot be taken back any more."))
        if not Judgement.objects.filter(pk=judgement.pk, undone=None, undo_until__gt=now).update(undone=now):
            raise NotUndoable(_("It has been taken back already."))
        consequences.take_back(item.subject, judgement.before)
        _put_as_it_stood(item, judgement.before)
        told = JudgementEntry.objects.filter(
            judgement_ref=judgement.pk, event__in=(Event.JUDGED, Event.SETTLED, Event.ESCALATED)
        )
        for entry in told.order_by("pk"):
            trail.write(Event.UNDONE, item, by=user, role=judgement.role, judgement=judgement, about=entry.pk)
        keeping.hold(item.subject)
    claims.claim(item.pk, user)
    item.refresh_from_db()
    return item


def recent(user: User) -> list[Judgement]:
    """What this person may still take back, the latest first."""
    mine = Judgement.objects.filter(reviewer=user, undone=None, undo_until__gt=timezone.now())
    return list(mine.select_related("item__subject", "item__subject__display")[:5])


def _as_it_stands(item: ReviewItem) -> dict[str, Any]:
    return {
        "state": item.state,
        "verdict": item.verdict,
        "decided": item.decided.isoformat() if item.decided else None,
        "decided_role": item.decided_role,
        "opinions": item.opinions,
    }


def _put_as_it_stood(item: ReviewItem, before: dict[str, Any]) -> None:
    item.state, item.verdict = before["state"], before["verdict"]
    item.decided = parse_datetime(before["decided"]) if before["decided"] else None
    item.decided_role, item.opinions = before["decided_role"], before["opinions"]
    item.save(update_fields=["state", "verdict", "decided", "decided_role", "opinions"])
