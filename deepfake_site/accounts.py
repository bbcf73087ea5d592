"""What an account is given on the day it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.signals import user_signed_up
from django.contrib.auth.models import Group
from django.dispatch import receiver

from .roles import MEMBER

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@receiver(user_signed_up)
def join_members(user: User, **kwargs: Any) -> None:
    user.groups.add(Group.objects.get_or_create(name=MEMBER)[0])
