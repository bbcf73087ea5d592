"""The pages that the tests of looks and finish visit: every one in the table of addresses that needs no number.

A page that an app adds there is looked at from its first day.
"""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from tests.security.addresses import ADDRESSES
from tests.security.addresses.address import nothing

ELSE: Final = ("/api/", "/create/authority.pem")  # a library's own pages, and files


def _pages(**access: int) -> tuple[str, ...]:
    """Those that answer so; whatever does not end in a slash is no page but something for machines, or a download."""
    found = {
        reverse(address.name)
        for address in ADDRESSES
        if address.method == "get" and address.of is nothing and not address.data
        if all(getattr(address.access, person) == status for person, status in access.items())
    }
    return tuple(sorted(path for path in found if path.endswith("/") and not path.startswith(ELSE)))


PUBLIC: Final = _pages(visitor=200)
MEMBERS: Final = _pages(visitor=302, owner=200)
