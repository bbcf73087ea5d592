"""Keeping native libraries from writing their start-up notes over the program's own errors."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet_native_logs() -> Iterator[None]:
    """Send file descriptor 2 to nowhere while the body runs.

    TensorFlow Lite prints its notes from C++ before any of its switches is read, so only the descriptor helps. It
    concerns the whole process: hold it only while a graph is built. Python exceptions pass through untouched.
    """
    saved = os.dup(2)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
        finally:
            os.close(nowhere)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
