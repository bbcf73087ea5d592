"""What an upload is called when it is shown."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath


def plain_line(text: str, longest: int = 200) -> str:
    """Words of a stranger, for showing: no control characters, which no database keeps and which turn the direction of
    the words around them; not endless."""
    return "".join(c for c in text if unicodedata.category(c)[0] != "C").strip()[:longest]


def plain_name(name: str) -> str:
    """The name for showing only: no path, no control characters, not endless."""
    plain = plain_line(name.replace("\\", "/").rsplit("/", 1)[-1], len(name))
    return plain if len(plain) <= 200 else f"{plain[:180]}…{PurePath(plain).suffix[:10]}"
