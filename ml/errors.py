"""Errors that are the person's to mend, not the program's."""

from __future__ import annotations


class MediaError(ValueError):
    """A file that cannot be judged, with a sentence that says what is wrong and what to do.

    `code` is stable and machine-readable: not_an_image, unsupported_media, truncated, too_large, too_many_pixels,
    animated, empty, unreadable. `message` is plain English for the person who gave the file.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str]]:
        # The default rebuilds an exception from `args` alone, and would lose the code between two processes.
        return type(self), (self.code, self.message)
