"""Who may do what at the desk, by group. Permissions are normally made after all migrations; ours makes them."""

from __future__ import annotations

from typing import Any, Final

from .codes import Role

REVIEWERS: Final = "reviewer"
ADMINISTRATORS: Final = "administrator"

JUDGE: Final = "detection.judge_reviewitem"
SETTLE: Final = "detection.settle_reviewitem"
EXPORT: Final = "detection.export_reviewitem"

REVIEWERS_MAY: Final = ("judge_reviewitem", "view_reviewitem", "view_judgemententry")


def grant(group: Any, permission: Any) -> None:
    """Reviewers judge; administrators also settle what reviewers disagree about, and take labelled crops along.

    Takes the two model classes, so that a migration can hand in the historical ones. Never takes anything away.
    """
    own = permission.objects.filter(content_type__app_label="detection")
    reviewers, _ = group.objects.get_or_create(name=REVIEWERS)
    reviewers.permissions.add(*own.filter(codename__in=REVIEWERS_MAY))
    administrators, _ = group.objects.get_or_create(name=ADMINISTRATORS)
    administrators.permissions.add(*own)


def may_judge(user: Any) -> bool:
    """Staff with the reviewer's permission. `is_staff` counts too: the second factor is asked of staff."""
    return bool(user.is_authenticated and user.is_active and user.is_staff and user.has_perm(JUDGE))


def role_of(user: Any) -> Role:
    return Role.ADMINISTRATOR if user.has_perm(SETTLE) else Role.REVIEWER
