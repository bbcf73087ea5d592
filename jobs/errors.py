"""The three kinds of error of a job: the person's own, the passing ones, and bugs (everything else)."""

from __future__ import annotations

import errno

from .sentences import N_


class PersonError(Exception):
    """Something the person can put right; the job is never retried.

    `message` is shown to them: as it stands where it was raised in a view, in their language where it comes out of a
    job (jobs.sentences). `manage.py catalogs` finds what is written as the second argument.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class IntakeError(PersonError):
    """An upload that is refused before a job is made of it."""


class DiskFull(PersonError):
    """Not the person's doing, but nothing that another attempt in a second would mend."""

    code = "disk_full"
    sentence = N_(
        "There is no room left for files on this site, so the work was stopped and nothing was kept. "
        "Please try again later."
    )

    def __init__(self) -> None:
        super().__init__(self.code, self.sentence)


def is_disk_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class TransientError(Exception):
    """Worth another attempt: a handler raises it for a passing trouble that is not its own doing."""


class Cancelled(BaseException):
    """Raised by `report` in a handler whose job is no longer wanted. Not an `Exception`: handlers let it pass."""


class QuotaExceeded(Exception):
    """Too much at once: 429 where it is the requester's share, 503 where the whole site is full."""

    def __init__(self, message: str, retry_after: int, status: int = 429) -> None:
        super().__init__(message, retry_after, status)
        self.message = message
        self.retry_after = retry_after
        self.status = status

    def __str__(self) -> str:
        return self.message


class IllegalMove(RuntimeError):
    """A state change that is not in `jobs.states.MOVES`."""
