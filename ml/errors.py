"""Errors that are the person's to mend, not the program's."""

from __future__ import annotations

from typing import Any

from ml.sentences import Sentence


class MediaError(ValueError):
    """A file that cannot be judged, with a sentence that says what is wrong and what to do.

    `code` is stable and machine-readable: not_an_image, unsupported_media, truncated, too_large, too_many_pixels,
    animated, empty, unreadable. `message` is plain English for the person who gave the file: a `Sentence`, made of a
    template and of named values, so that a site can say it in the person's language.
    """

    def __init__(self, code: str, message: str, **values: Any) -> None:
        self.code = code
        self.message = message if isinstance(message, Sentence) else Sentence(message, **values)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, Sentence]]:
        # The default rebuilds an exception from `args` alone, and would lose the code between two processes.
        return type(self), (self.code, self.message)
