"""What is enhanced: its owner's alone."""

from __future__ import annotations

from typing import Final

from .address import Address, anybody

ADDRESSES: Final = (Address("enhancement:home", "get", anybody()),)
