"""Words out of a stranger's file, made fit to be kept and shown: one line, of bounded length, no control characters."""

from __future__ import annotations

import unicodedata

LIMIT = 120


def plain(value: object, limit: int = LIMIT) -> str:
    """`value` as one line of at most `limit` characters; "" for what is no text or number.

    Control, format and surrogate characters go: the first two can turn the direction of a page's text or hide in it,
    the last cannot be stored. Nothing is escaped here: that is done where it is shown.
    """
    if isinstance(value, bytes):
        value = value[: 4 * limit].split(b"\0", 1)[0].decode("utf-8", "replace")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in value[: 4 * limit]
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    )
    words = " ".join(kept.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
