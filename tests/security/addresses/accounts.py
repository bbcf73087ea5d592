"""Accounts: one's own, whoever one is. Most of these are django-allauth's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from allauth.usersessions.models import UserSession
from django.utils import timezone

from .address import Address, anybody, members, owners

if TYPE_CHECKING:
    from .house import House

# Signing in: whoever is signed in already is sent on.
DOOR: Final = anybody(302).but(visitor=200)
# Asks for the password again before it shows anything (ACCOUNT_REAUTHENTICATION).
GUARDED: Final = members(302)


def email_key(house: object) -> list[object]:
    return ["not-a-key"]


def reset_key(house: object) -> list[object]:
    return ["1", "not-a-key"]


def session_number(house: House) -> list[object]:
    now = timezone.now()
    row = UserSession(user=house.owner, ip="203.0.113.0", session_key="somewhere-else", user_agent=house.SECRET)
    row.created_at = row.last_seen_at = now
    row.save()
    return [row.pk]


def password(house: object) -> dict[str, object]:
    return {"password": "not theirs"}


ADDRESSES: Final = (
    Address("member:profile", "get", members()),
    Address("member:profile", "post", members(302), data={"first_name": ""}),
    Address("member:data", "get", members(302)),  # asks for the password first
    Address("member:leave", "get", members()),
    Address("member:leave", "post", members(400), data=password),
    Address("usersessions_list", "get", members()),
    Address("usersessions_list", "post", members(302)),
    Address("member:end_session", "post", owners(302, visitor=302), of=session_number),
    Address("account_login", "get", DOOR),
    Address("account_signup", "get", DOOR),
    Address("account_logout", "get", members()),
    Address("account_inactive", "get", anybody()),
    Address("account_reauthenticate", "get", members()),
    Address("account_email", "get", members()),
    Address("account_email_verification_sent", "get", anybody()),
    Address("account_confirm_email", "get", anybody(), of=email_key),
    Address("account_change_password", "get", members()),
    Address("account_set_password", "get", members(302)),  # they have one
    Address("account_reset_password", "get", anybody()),
    Address("account_reset_password_done", "get", anybody()),
    Address("account_reset_password_from_key", "get", anybody(), of=reset_key),
    Address("account_reset_password_from_key_done", "get", anybody()),
    Address("account_confirm_login_code", "get", anybody(302)),
    Address("mfa_index", "get", members()),
    Address("mfa_authenticate", "get", anybody(302)),
    Address("mfa_reauthenticate", "get", members(302)),  # they have no second factor
    Address("mfa_activate_totp", "get", GUARDED),
    Address("mfa_deactivate_totp", "get", members(404)),  # they have none
    Address("mfa_view_recovery_codes", "get", members(404)),
    Address("mfa_generate_recovery_codes", "get", members(302)),
    Address("mfa_download_recovery_codes", "get", members(404)),
)
