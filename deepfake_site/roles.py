"""The three roles. A group grants nothing beside its permissions; staff also need `is_staff` to enter the desk."""

from __future__ import annotations

from typing import Any, Final

MEMBER: Final = "member"
REVIEWER: Final = "reviewer"
ADMINISTRATOR: Final = "administrator"

REVIEWER_MAY: Final = (
    ("detection", "view_check"),
    ("detection", "view_facefinding"),
    ("detection", "view_report"),
    ("detection", "change_report"),
    ("jobs", "view_job"),
    ("jobs", "view_artifact"),
)


def ensure(group: Any, permission: Any) -> None:
    """Create the groups and grant what belongs to each; never takes away what an administrator has added.

    Takes the two model classes, so that a migration can hand in the historical ones.
    """
    group.objects.get_or_create(name=MEMBER)
    reviewer, _ = group.objects.get_or_create(name=REVIEWER)
    for app_label, codename in REVIEWER_MAY:
        reviewer.permissions.add(permission.objects.get(content_type__app_label=app_label, codename=codename))
    administrator, _ = group.objects.get_or_create(name=ADMINISTRATOR)
    administrator.permissions.add(*permission.objects.all())


def grant_administrators(using: str = "default", **signal: Any) -> None:
    """After each app's migrations: administrators may do what its models, new ones too, can have done to them."""
    from django.contrib.auth.models import Group, Permission

    administrator = Group.objects.using(using).filter(name=ADMINISTRATOR).first()
    if administrator is not None:
        administrator.permissions.add(*Permission.objects.using(using).all())
