"""How a session is named on the page of one's sessions."""

from __future__ import annotations

import ipaddress

from django import template
from django.utils.translation import gettext as _

from deepfake_site.account.sessions import PREFIX, device_of

register = template.Library()


@register.filter
def device(user_agent: str) -> str:
    browser, system = device_of(user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")


@register.filter
def network(address: str) -> str:
    """As it is kept: without its last part."""
    parsed = ipaddress.ip_address(address)
    return f"{address}/{PREFIX[parsed.version]}"
