"""The site itself: for machines, and pages that belong to no app."""

from __future__ import annotations

from typing import Final

from .address import Address, anybody

ADDRESSES: Final = (
    Address("healthz", "get", anybody()),
    Address("robots", "get", anybody()),
    Address("terms", "get", anybody()),
    Address("privacy", "get", anybody()),
    Address("imprint", "get", anybody()),
)
