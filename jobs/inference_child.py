"""The inference child: `python -m jobs.inference_child FD PARENT NICE`. Imports handlers by name and keeps them warm.

It serves one worker over one socket and never outlives it: the kernel kills it when the worker dies, and the reader
thread ends it when the socket closes.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import os
import pickle
import platform
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from jobs import wire
from jobs.errors import Cancelled, DiskFull, PersonError, TransientError, is_disk_full
from jobs.reporting import Reporter
from jobs.sentences import packed

if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG: Final = 1
EXIT_PARENT_GONE: Final = 3
EXIT_OUT_OF_MEMORY: Final = 4


def die_with_parent(parent: int) -> None:
    """Linux: be killed when the thread that started this process ends. Elsewhere only the closed socket tells."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(EXIT_PARENT_GONE)


def import_dotted(name: str) -> Callable[..., Any]:
    module, _, attribute = name.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


class Child:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._messages: queue.SimpleQueue[wire.Warm | wire.Run] = queue.SimpleQueue()
        self._unwanted: set[int] = set()
        self._enough: set[int] = set()

    def serve(self) -> None:
        threading.Thread(target=self._read, name="from-worker", daemon=True).start()
        while True:
            message = self._messages.get()
            if isinstance(message, wire.Warm):
                self._send(self._warm(message))
            else:
                self._send(self._run(message))
                self._unwanted.discard(message.token)
                self._enough.discard(message.token)

    def _read(self) -> None:
        try:
            while True:
                message = wire.receive(self._connection)
                if isinstance(message, wire.Stop):
                    self._unwanted.add(message.token)
                elif isinstance(message, wire.Enough):
                    self._enough.add(message.token)
                else:
                    self._messages.put(message)
        except (EOFError, OSError):
            os._exit(EXIT_PARENT_GONE)  # whatever the main thread is doing, nobody waits for it

    def _send(self, message: Any) -> None:
        with self._sending:
            self._connection.sendall(wire.frame(message))

    def _warm(self, message: wire.Warm) -> wire.Ready:
        started = time.monotonic()
        device = ""
        failures: list[str] = []
        for name in message.functions:
            try:
                device = str(import_dotted(name)() or device)
            except Exception:  # noqa: BLE001  (crosses as data; the handler will say it again to the job)
                failures.append(traceback.format_exc())
        return wire.Ready(device or f"CPU ({platform.machine()})", time.monotonic() - started, tuple(failures))

    def _run(self, message: wire.Run) -> Any:
        token = message.token
        report = Reporter(token, self._send, self._unwanted, self._enough)
        try:
            if token in self._unwanted:
                return wire.Stopped(token)
            request = pickle.loads(message.request)  # noqa: S301  (from the parent process)
            return wire.Succeeded(token, wire.dumps(import_dotted(message.handler)(request, report)))
        except Cancelled:
            return wire.Stopped(token)
        except PersonError as error:
            return wire.Refused(token, str(error.code), packed(error.message))
        except OSError as error:
            if is_disk_full(error):
                return wire.Refused(token, DiskFull.code, DiskFull.sentence)
            return _raised(token, error)
        except MemoryError:
            os._exit(EXIT_OUT_OF_MEMORY)  # nothing can be relied on after it; the worker starts a fresh child
        except BaseException as error:  # noqa: BLE001  (everything crosses as data; SystemExit of a library too)
            return _raised(token, error)


def _raised(token: int, error: BaseException) -> wire.Raised:
    summary = f"{type(error).__name__}: {error}"
    return wire.Raised(token, summary[:500], traceback.format_exc(), isinstance(error, TransientError))


def main() -> None:
    descriptor, parent, niceness = (int(argument) for argument in sys.argv[1:4])
    die_with_parent(parent)
    os.nice(niceness)
    faulthandler.enable()
    # The worker decides when the child ends: Ctrl-C in the terminal reaches the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Child(socket.socket(fileno=descriptor)).serve()


if __name__ == "__main__":
    main()
