"""Taking an item up and putting it back. One conditional UPDATE decides who has it, so that two people never do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from jobs.database import retrying

from . import trail
from .codes import Event, Stand
from .models import Judgement, ReviewItem
from .permissions import SETTLE, role_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from django.contrib.auth.models import User

    from .models import ReviewItemQuerySet

TRIES: Final = 25  # items that are looked at for the next free one, when others take them away under one's hands


def states_for(user: User) -> list[Stand]:
    return [Stand.WAITING, Stand.ESCALATED] if user.has_perm(SETTLE) else [Stand.WAITING]


def within_reach(user: User) -> ReviewItemQuerySet:
    """What somebody may take up: not their own upload, not what they have judged in this round already; and what
    reviewers disagree about is for those who may settle it."""
    judged = Judgement.objects.filter(
        item=OuterRef("pk"), round=OuterRef("round"), reviewer=user, undone=None, item__state=Stand.WAITING
    )
    return ReviewItem.objects.filter(state__in=states_for(user)).exclude(subject__owner=user).filter(~Exists(judged))


@retrying
def claim(pk: UUID, user: User) -> bool:
    """Take one item up, or hold it for longer. Whatever else this person held goes back: one at a time."""
    now = timezone.now()
    with transaction.atomic():
        mine = Q(claimed_by=user, claimed_until__gt=now)
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        held_before = ReviewItem.objects.filter(mine, pk=pk).exists()
        if not within_reach(user).filter(pk=pk).exists():
            return False
        # Conditions on this table alone: in a subquery, PostgreSQL would look at them as they were before it waited.
        taken = ReviewItem.objects.filter(mine | free, pk=pk, state__in=states_for(user)).update(
            claimed_by=user, claimed_until=now + timedelta(minutes=settings.DETECTION_CLAIM_MINUTES)
        )
        if not taken:
            return False
        _put_back(user, except_for=pk)
        if not held_before:
            item = ReviewItem.objects.select_related("subject").get(pk=pk)
            trail.write(Event.CLAIMED, item, by=user, role=role_of(user))
        return True


def claim_next(user: User, passed_over: Collection[UUID] = ()) -> UUID | None:
    """Take the most urgent item that is free. None: nothing is left for this person."""
    for _attempt in range(3):
        candidates = within_reach(user).free(timezone.now()).exclude(pk__in=list(passed_over)).urgent_first()
        waiting = list(candidates.values_list("pk", flat=True)[:TRIES])
        for pk in waiting:
            if claim(pk, user):
                return pk
        if not waiting:
            return None
    return None


@retrying
def renew(pk: UUID, user: User) -> bool:
    """Somebody is still looking. False: the time ran out and somebody else has it."""
    until = timezone.now() + timedelta(minutes=settings.DETECTION_CLAIM_MINUTES)
    held = ReviewItem.objects.filter(pk=pk, claimed_by=user, claimed_until__gt=timezone.now())
    return bool(held.update(claimed_until=until)) or claim(pk, user)


@retrying
def release(pk: UUID, user: User) -> bool:
    """Put it back for others."""
    with transaction.atomic():
        item = ReviewItem.objects.filter(pk=pk, claimed_by=user).select_related("subject").first()
        if item is None:
            return False
        freed = ReviewItem.objects.filter(pk=pk, claimed_by=user).update(claimed_by=None, claimed_until=None)
        if freed:
            trail.write(Event.RELEASED, item, by=user, role=role_of(user))
        return bool(freed)


def release_all(items: ReviewItemQuerySet, user: User) -> int:
    """An administrator takes claims away from whoever went home with them."""
    with transaction.atomic():
        held = list(items.exclude(claimed_by=None).select_related("subject"))
        for item in held:
            trail.write(Event.RELEASED, item, by=user, role=role_of(user), of=item.claimed_by_id)
        return ReviewItem.objects.filter(pk__in=[item.pk for item in held]).update(claimed_by=None, claimed_until=None)


def held_by(user: User) -> ReviewItem | None:
    held = ReviewItem.objects.filter(claimed_by=user, claimed_until__gt=timezone.now())
    return held.select_related("subject").first()


def _put_back(user: User, except_for: UUID) -> None:
    others = ReviewItem.objects.filter(claimed_by=user).exclude(pk=except_for).select_related("subject")
    for item in others:
        if item.is_held:
            trail.write(Event.RELEASED, item, by=user, role=role_of(user))
    others.update(claimed_by=None, claimed_until=None)
