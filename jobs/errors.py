"""The three kinds of error of a job: the person's own, the passing ones, and bugs (everything else)."""

from __future__ import annotations


class PersonError(Exception):
    """Something the person can put right. `message` is shown to them as it stands; the job is never retried."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class IntakeError(PersonError):
    """An upload that is refused before a job is made of it."""


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
