"""What the owner of a check is told while it lies on the desk: that people may see it, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist

from .codes import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from detection.models import Check


@dataclass(frozen=True, slots=True)
class OnDesk:
    """`until` is when it is deleted unseen; None: not before somebody has looked."""

    reasons: list[str]
    until: datetime | None


def for_owner(check: Check) -> OnDesk | None:
    """None where it is on no desk, or nobody but its owner's own report put it there: they know."""
    try:
        item = check.review
    except ObjectDoesNotExist:
        return None
    if not item.is_open:
        return None
    reasons = [flag.reason for flag in item.flags.all() if flag.reason != Reason.REPORTED]
    if not reasons:
        return None
    return OnDesk([str(Reason(reason).label) for reason in reasons], check.purge_after)
