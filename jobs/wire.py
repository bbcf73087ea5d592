"""What passes between a worker and its inference child: length-prefixed pickles over a socket pair.

The worker's side unpickles only plain values and classes of the apps that own the handlers. So a result can drag no
model library into the web process, and a child taken over by a hostile picture cannot run code in its parent.
"""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Collection

    from .sentences import Packed

HEADER: Final = struct.Struct(">Q")
LARGEST: Final = 512 * 1024 * 1024  # bytes of one message; a longer one is no honest answer


@dataclass(frozen=True, slots=True)
class Warm:
    """First message to a child: dotted functions to call before any job."""

    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    device: str
    seconds: float
    failures: tuple[str, ...]  # tracebacks of warm functions that raised


@dataclass(frozen=True, slots=True)
class Run:
    token: int
    handler: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Stop:
    """The job is no longer wanted: the next `report` raises."""

    token: int


@dataclass(frozen=True, slots=True)
class Enough:
    """The job may be finished with what there is of it."""

    token: int


@dataclass(frozen=True, slots=True)
class Shown:
    """See `jobs.outcomes.Shown`."""

    token: int
    picture: bytes
    content_type: str
    width: int
    height: int
    facts: str


@dataclass(frozen=True, slots=True)
class Progress:
    token: int
    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Succeeded:
    token: int
    result: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A PersonError, its sentence packed (jobs.sentences)."""

    token: int
    code: str
    message: Packed


@dataclass(frozen=True, slots=True)
class Raised:
    """Any other exception, as data."""

    token: int
    summary: str
    traceback: str
    transient: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    token: int


class ForeignResult(pickle.UnpicklingError):
    """A result holds something that may not cross into the worker."""


_PLAIN: Final = frozenset(
    {
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("builtins", "bytearray"),
        ("builtins", "complex"),
        ("builtins", "range"),
        ("builtins", "slice"),
        ("collections", "OrderedDict"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("decimal", "Decimal"),
        ("fractions", "Fraction"),
        ("uuid", "UUID"),
    }
)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, packages: Collection[str]) -> None:
        super().__init__(io.BytesIO(data))
        self._packages = packages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        # A dotted name would reach through a module into what that module imported.
        if "." not in name and (module in self._packages or module.partition(".")[0] in self._packages):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise ForeignResult(f"{module}.{name} may not cross from the inference child into the worker")


def loads(data: bytes, packages: Collection[str]) -> Any:
    """Unpickle what a child sent. `packages`: packages or modules whose classes may appear beside plain values."""
    return _Unpickler(data, packages).load()


def dumps(value: Any) -> bytes:
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def frame(message: Any) -> bytes:
    body = dumps(message)
    return HEADER.pack(len(body)) + body


def receive(connection: socket.socket) -> Any:
    """The child's side: wait for one message from the worker, whom it trusts. EOFError when the worker is gone."""
    (length,) = HEADER.unpack(_exactly(connection, HEADER.size))
    return pickle.loads(_exactly(connection, length))  # noqa: S301  (from the parent process, over a socket pair)


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1024 * 1024))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
