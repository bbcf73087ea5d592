"""Who may do what here, by group. Permissions are normally made after all migrations; our migration makes them."""

from __future__ import annotations

from typing import Any, Final

MEMBERS: Final = "member"
REVIEWERS: Final = "reviewer"
ADMINISTRATORS: Final = "administrator"

REVIEWERS_MAY: Final = (
    "view_faceplea",
    "change_faceplea",
    "view_takedownplea",
    "change_takedownplea",
    "view_generation",
    "approve_generation",
)


def grant(group: Any, permission: Any) -> None:
    """Members may make things, reviewers decide what people ask for, administrators do everything, the ledger included.

    Takes the two model classes, so that a migration can hand in the historical ones. Never takes anything away.
    """
    own = permission.objects.filter(content_type__app_label="generation")
    outputs = permission.objects.filter(content_type__app_label="jobs", content_type__model="madeoutput")
    members, _ = group.objects.get_or_create(name=MEMBERS)
    members.permissions.add(own.get(codename="generate"))
    reviewers, _ = group.objects.get_or_create(name=REVIEWERS)
    reviewers.permissions.add(*own.filter(codename__in=REVIEWERS_MAY))
    administrators, _ = group.objects.get_or_create(name=ADMINISTRATORS)
    administrators.permissions.add(*own, *outputs)
