"""One's own sessions: when each was last used, and on what kind of device. Addresses are coarse on purpose."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from allauth.usersessions.models import UserSession
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

NOTED_EVERY: Final = timedelta(minutes=5)
PREFIX: Final = {4: 24, 6: 48}

BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari"),
    ("curl", r"^curl/(\d+)"),
)
SYSTEMS: Final = (
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad|iPod"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


@receiver(pre_save, sender=UserSession)
def coarsen(instance: UserSession, **kwargs: Any) -> None:
    """Enough to tell one's own network from a stranger's, and no more than that (docs/adr/0006)."""
    instance.ip = coarse(str(instance.ip))


def coarse(address: str) -> str:
    """The network of an address: its first three numbers, or 48 bits."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, PREFIX[parsed.version]), strict=False).network_address)


def device_of(user_agent: str) -> tuple[str, str]:
    """Browser and system in words, as far as it says; either may be empty."""
    found = (f"{name} {match[1]}" for name, pattern in BROWSERS if (match := re.search(pattern, user_agent)))
    systems = (name for name, pattern in SYSTEMS if re.search(pattern, user_agent))
    return next(found, ""), next(systems, "")


class SessionSeenMiddleware:
    """Note every few minutes that a member's session is in use. allauth's own middleware writes at every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            noted = UserSession.objects.filter(session_key=request.session.session_key, user_id=request.user.pk)
            seen = noted.values_list("last_seen_at", flat=True).first()
            if seen is None or timezone.now() - seen > NOTED_EVERY:
                UserSession.objects.create_from_request(request)
        return self.get_response(request)
