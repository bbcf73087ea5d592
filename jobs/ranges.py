"""Parts of files (RFC 9110, section 14): players seek by asking for them, and Safari plays no video without."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.http import HttpRequest

ONE_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(ValueError):
    """No byte of the file is in the range that was asked for."""


def asked_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte of what is asked for, or None where the whole file is the answer: no range, a HEAD, a form
    that is not understood, several ranges at once (allowed to be ignored), or a copy that is another version's.

    Raises Unsatisfiable.
    """
    asked = request.headers.get("Range", "")
    held = request.headers.get("If-Range")
    if request.method != "GET" or (held is not None and held.strip() != etag):
        return None
    match = ONE_RANGE.fullmatch(asked)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # so many of the last bytes
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return start, end


class Part:
    """Some bytes of an open file, read like a file of their own."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        file.seek(start)
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
