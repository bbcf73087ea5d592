"""Why something was not taken in, as every door says it: a code, a sentence, a status, and when to come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import QuotaExceeded

if TYPE_CHECKING:
    from .errors import PersonError

STATUS_OF_CODE: Final = {
    "too_large": 413,
    "too_many_pixels": 413,
    "unsupported_media": 415,
    "too_long": 413,
    "not_an_image": 415,
    "not_a_video": 415,
    "no_video_stream": 415,
    "wrong_type": 415,
}
QUOTA_CODES: Final = {429: "too_many_requests", 503: "busy"}


@dataclass(frozen=True, slots=True)
class Refusal:
    name: str
    code: str
    message: str
    status: int
    retry_after: int | None = None

    @classmethod
    def of(cls, error: PersonError | QuotaExceeded, name: str = "") -> Refusal:
        if isinstance(error, QuotaExceeded):
            return cls(name, QUOTA_CODES.get(error.status, "busy"), error.message, error.status, error.retry_after)
        status = getattr(error, "status", STATUS_OF_CODE.get(error.code, 400))
        return cls(name, error.code, error.message, int(status))

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
