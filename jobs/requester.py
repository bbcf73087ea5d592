"""Who asks: a member, or a visitor known by the session; and from where, as a keyed hash that changes every day."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language_from_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest


# Of other people's things, for staff: the same words open the desk's own pages.
MAY_SEE: Final = "jobs.view_job"
MAY_SEE_FILES: Final = "jobs.view_artifact"
MAY_STOP: Final = "jobs.change_job"


@dataclass(frozen=True, slots=True)
class Requester:
    user: User | None
    session_key: str | None
    address_hash: str = ""

    @property
    def is_member(self) -> bool:
        return self.user is not None

    @property
    def is_staff(self) -> bool:
        return self.user is not None and self.user.is_active and self.user.is_staff

    def may(self, permission: str) -> bool:
        """Whether they are staff who were given this word: being staff alone shows nothing of other people's."""
        return self.is_staff and self.user is not None and self.user.has_perm(permission)

    @property
    def owner_key(self) -> str:
        """One string per owner, by which shares are counted. Empty: nobody, who owns nothing."""
        if self.user is not None:
            return f"user:{self.user.pk}"
        return f"session:{self.session_key}" if self.session_key else ""


NOBODY = Requester(user=None, session_key=None)


def address_hash(address: str) -> str:
    """A hash by which the jobs of one address are counted for a day, and no address can be read back.

    An IPv6 customer holds a whole /64, so that is what counts as one address.
    """
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        parsed = mapped if mapped is not None else ipaddress.ip_network((parsed, 64), strict=False).network_address
    day = timezone.now().date().isoformat()
    return salted_hmac("jobs.address", f"{day} {parsed}", algorithm="sha256").hexdigest()[:32]


def client_address(meta: Mapping[str, Any]) -> str:
    """The address of the person. `JOBS_TRUSTED_PROXIES` says how many of the last hops are our own proxies."""
    hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    trusted = int(settings.JOBS_TRUSTED_PROXIES)
    if trusted > 0 and len(hops) >= trusted:
        return hops[-trusted]
    return str(meta.get("REMOTE_ADDR", ""))


def requester_of(request: HttpRequest, *, create: bool = True) -> Requester:
    """The requester of an http request. A visitor without a session is given one, unless `create` is false."""
    hashed = address_hash(client_address(request.META))
    user: Any = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Requester(user=user, session_key=None, address_hash=hashed)
    if create:
        key = request.session.session_key
        if not key or not request.session.exists(key):  # none yet, or a cookie of a session that is gone
            request.session.create()
    return Requester(user=None, session_key=request.session.session_key, address_hash=hashed)


def requester_of_scope(scope: Mapping[str, Any]) -> Requester:
    """The requester of a websocket: who the cookie says it is; a socket never makes a session."""
    user = scope.get("user")
    if user is not None and user.is_authenticated:
        return Requester(user=user, session_key=None)
    session = scope.get("session")
    return Requester(user=None, session_key=session.session_key if session is not None else None)


def language_of_scope(scope: Mapping[str, Any]) -> str:
    """The language of a websocket, chosen as pages choose theirs: by the switch's cookie, then by what the browser
    asks for."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
    asked: Any = SimpleNamespace(
        COOKIES=scope.get("cookies", {}), META={"HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", "")}
    )
    return get_language_from_request(asked)
