"""What a handler is given to tell how its work goes, to show what there is of it, and to hear that it may end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from . import wire
from .errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PROGRESS_SECONDS: Final = 0.05  # a handler may report as often as it likes; the pipe is spared


class Report(Protocol):
    """`report(stage, done, total)` raises to stop the work: handlers let that pass."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...

    def show(
        self,
        picture: bytes = b"",
        content_type: str = "",
        size: tuple[int, int] = (0, 0),
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Let the owner see unfinished work: a picture (JPEG, PNG, WEBP; `size` is width and height) in the place of
        the one before, and facts, which are plain JSON values. Every second or so is often enough."""

    @property
    def enough(self) -> bool:
        """Whether the owner would rather have what there is now than what there will be."""


class Reporter:
    """The inference child's: everything goes to the worker."""

    def __init__(
        self, token: int, send: Callable[[Any], None], unwanted: Collection[int], enough: Collection[int]
    ) -> None:
        self._token, self._send, self._unwanted, self._enough = token, send, unwanted, enough
        self._last_sent, self._last_stage = 0.0, ""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        if self._token in self._unwanted:
            raise Cancelled
        now = time.monotonic()
        if stage != self._last_stage or done >= total or now - self._last_sent >= PROGRESS_SECONDS:
            self._last_sent, self._last_stage = now, stage
            self._send(wire.Progress(self._token, str(stage), int(done), int(total)))

    def show(
        self,
        picture: bytes = b"",
        content_type: str = "",
        size: tuple[int, int] = (0, 0),
        facts: dict[str, Any] | None = None,
    ) -> None:
        told = json.dumps(facts) if facts is not None else ""
        self._send(wire.Shown(self._token, bytes(picture), content_type, int(size[0]), int(size[1]), told))

    @property
    def enough(self) -> bool:
        return self._token in self._enough


class _Plain:
    """For callers that want progress only, as commands and tests do."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        self._tell = tell

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        self._tell(stage, done, total)

    def show(self, *args: Any, **kwargs: Any) -> None:
        """Nobody looks."""

    @property
    def enough(self) -> bool:
        return False


def as_report(report: Report | Callable[[str, int, int], None]) -> Report:
    """The same report, or a plain function as one that shows nothing."""
    if hasattr(report, "show"):
        return report  # type: ignore[return-value]
    return _Plain(report)
