"""The name of a worker: which machine, which process, since when. From it others on the machine see that it is gone."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from functools import lru_cache
from pathlib import Path
from typing import Final

import psutil

NAME: Final = re.compile(r".*~(?P<place>[0-9a-f]{12})~(?P<pid>\d+)~(?P<since>\d+)~[0-9a-f]+\Z")


@lru_cache(maxsize=1)
def place() -> str:
    """This boot of this machine and this process namespace. Two containers differ, even with one hostname, so a process
    number is compared only where it means something. Empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:12]


def since(pid: int) -> int:
    return int(psutil.Process(pid).create_time() * 100)


def worker_name() -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "", socket.gethostname())[:24]
    return f"{host}~{place() or '0' * 12}~{os.getpid()}~{since(os.getpid())}~{secrets.token_hex(2)}"


def is_gone(name: str) -> bool:
    """Whether the named worker ran on this machine and its process has ended. False whenever that cannot be known."""
    match = NAME.match(name)
    if match is None or not place() or match["place"] != place():
        return False
    pid = int(match["pid"])
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE or since(pid) != int(match["since"])
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
