"""How a handler can end, as the worker sees it, wherever the handler ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from .sentences import packed

if TYPE_CHECKING:
    from .errors import PersonError
    from .kinds import JobKind
    from .sentences import Packed

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a handler lets the owner see of unfinished work: a picture, which takes the place of the one before, and
    facts as a JSON object. Empty: nothing new of that."""

    picture: bytes = b""
    content_type: str = ""
    width: int = 0
    height: int = 0
    facts: str = ""

    def over(self, before: Shown | None) -> Shown:
        """This, with what it lacks taken from what was shown before."""
        if before is None:
            return self
        pictured = self if self.picture else before
        facts = self.facts or before.facts
        return Shown(pictured.picture, pictured.content_type, pictured.width, pictured.height, facts)


OnShown = Callable[[Shown], None]


@dataclass(frozen=True, slots=True)
class Finished:
    result: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """The handler raised a PersonError, whose sentence is packed."""

    code: str
    message: Packed

    @classmethod
    def of(cls, error: PersonError) -> Self:
        return cls(error.code, packed(error.message))


@dataclass(frozen=True, slots=True)
class Raised:
    """The handler raised anything else."""

    summary: str
    traceback: str
    transient: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The handler heeded `report` telling it to stop."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process that ran the handler ended, by itself or killed."""

    why: str


Outcome = Finished | Refused | Raised | Stopped | Crashed


class Runner(Protocol):
    """Where handlers run: the inference child, or a thread of the worker for housekeeping. One job at a time."""

    async def ready(self) -> str:
        """Wait until a job can be run, starting what must be started; return the device."""

    async def run(self, kind: JobKind, request: Any, on_progress: OnProgress, on_shown: OnShown) -> Outcome: ...

    def ask_to_stop(self) -> None: ...

    def ask_to_finish(self) -> None:
        """Tell the handler that it may use what it has so far."""

    def kill(self, why: str) -> None:
        """End the run now. It then ends as Crashed(why), unless it had ended already."""

    def memory_mb(self) -> float: ...

    async def close(self) -> None: ...
