"""The site itself: for machines, and pages that belong to no app."""

from __future__ import annotations

from typing import Final

from .address import Address, anybody, staff

ADDRESSES: Final = (
    Address("healthz", "get", anybody()),
    Address("readyz", "get", anybody(503)),  # no worker runs in the tests
    Address("metrics", "get", staff(403, 200, stranger=403)),  # or whoever has the token: tests/site/test_watching.py
    Address("operations", "get", staff(403, 200)),
    Address("robots", "get", anybody()),
    Address("set_language", "post", anybody(302), data={"language": "en", "next": "/"}),
    Address("terms", "get", anybody()),
    Address("privacy", "get", anybody()),
    Address("imprint", "get", anybody()),
)
