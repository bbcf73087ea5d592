"""What may cross from the child into the worker, and what may not."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import functools
import os
import pathlib
import pickle
import socket
import subprocess
import uuid
from typing import Any

import pytest

from jobs import wire
from jobs.errors import PersonError

from .handlers_for_tests import Answer


class Colour(enum.StrEnum):
    RED = "red"


PLAIN = [
    None, True, 3, 2.5, 1j, "x", b"x", bytearray(b"x"), (1, 2), [1], {"a": {1}}, frozenset({1}), uuid.UUID(int=7),
    datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.UTC), datetime.timedelta(1), decimal.Decimal("1.5"),
    collections.OrderedDict(a=1), Answer("x", 1), (Answer("x", 1), {"k": Answer("y", 2)}), Colour.RED,
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_and_classes_of_the_app_cross(value: Any) -> None:
    assert wire.loads(wire.dumps(value), {"tests"}) == value


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def through_an_import() -> bytes:
    """A dotted name that goes through an allowed module into what that module imports."""
    return b"\x80\x04\x8c\x18tests.jobs.test_wire\x8c\x02os\x93."


HOSTILE = {
    "a call": wire.dumps(Calls(os.system, "true")),
    "eval": wire.dumps(Calls(eval, "1")),
    "getattr": wire.dumps(Calls(getattr, "x", "upper")),
    "a process": wire.dumps(Calls(subprocess.Popen, ["true"])),
    "partial": wire.dumps(functools.partial(print)),
    "a path": wire.dumps(pathlib.PurePosixPath("/etc")),
    "a function of the app": wire.dumps(Calls(pytest.param, 1)),
    "a function of an allowed module": wire.dumps(through_an_import),
    "an imported class under an allowed module": b"\x80\x04c" + b"jobs.wire\nio.BytesIO\n.",
    "an imported module under an allowed module": b"\x80\x04c" + b"jobs.wire\nio\n.",
    "an imported class of an allowed module": b"\x80\x04c" + b"tests.jobs.test_wire\nAnswer\n.",
    "an error of another app": wire.dumps(PersonError("a", "b")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_else_crosses(name: str) -> None:
    packages = {"tests.jobs.test_wire", "jobs.wire"}
    with pytest.raises(wire.ForeignResult):
        wire.loads(HOSTILE[name], packages)


def test_messages_are_framed_and_an_end_is_an_end() -> None:
    worker, child = socket.socketpair()
    with worker, child:
        worker.sendall(wire.frame(wire.Run(1, "a.b", b"x")) + wire.frame(wire.Stop(1)))
        assert wire.receive(child) == wire.Run(1, "a.b", b"x")
        assert wire.receive(child) == wire.Stop(1)
        worker.sendall(wire.frame(wire.Stop(2))[:-1])
        worker.close()
        with pytest.raises(EOFError):
            wire.receive(child)


def test_half_a_pickle_is_an_error() -> None:
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        wire.loads(wire.dumps(Answer("x", 1))[:-3], {"tests"})
