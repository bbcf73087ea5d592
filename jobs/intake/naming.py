"""What an upload is called when it is shown."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath


def plain_name(name: str) -> str:
    """The name for showing only: no path, no control characters, not endless."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()
    return plain if len(plain) <= 200 else f"{plain[:180]}…{PurePath(plain).suffix[:10]}"
