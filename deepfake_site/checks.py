"""System checks: what goes wrong later and far from its cause is said at `manage.py check` and before every command."""

from __future__ import annotations

import ctypes.util
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig
    from django.core.checks import CheckMessage

OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
LIBRARIES = {"GL": "libgl1", "glib-2.0": "libglib2.0-0"}  # what OpenCV is linked against: Debian's package


def is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


@register(Tags.compatibility)
def one_opencv(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The four opencv packages install into the same folder; a second one silently overwrites half of the first."""
    found = [name for name in OPENCV if is_installed(name)]
    if len(found) < 2:
        return []
    return [
        Error(
            f"Several OpenCV packages are installed over each other: {', '.join(found)}.",
            hint=f"pip uninstall -y {' '.join(found)} && pip install -r requirements.txt",
            id="unmask.E001",
        )
    ]


@register(Tags.compatibility)
def opencv_libraries(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    # Looked up, not loaded: this process is the light one. Elsewhere than on Linux the wheels bring these along.
    if sys.platform != "linux":
        return []
    missing = [package for name, package in LIBRARIES.items() if ctypes.util.find_library(name) is None]
    if not missing:
        return []
    return [
        Warning(
            "OpenCV's system libraries were not found; every check of a picture would fail.",
            hint=f"On Debian or Ubuntu: apt-get install {' '.join(missing)}",
            id="unmask.W001",
        )
    ]


@register(Tags.files)
def data_directory(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    if os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"The data directory {settings.DATA_DIR} cannot be written.",
            hint="Give it to the user that runs the site, or name another in UNMASK_DATA_DIR.",
            id="unmask.E002",
        )
    ]


@register("channels")
def one_worker_per_nudge(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The publish/subscribe layer hands one nudge to every worker."""
    layers = settings.CHANNEL_LAYERS
    found: list[CheckMessage] = [
        Error(
            f"The channel layer {alias!r} uses publish/subscribe, which wakes every worker for one job.",
            hint="Use channels_redis.core.RedisChannelLayer.",
            id="unmask.E003",
        )
        for alias, layer in layers.items()
        if "pubsub" in layer["BACKEND"].lower()
    ]
    if layers.keys() < {"default", "jobs"}:
        found.append(Error("The channel layers 'default' and 'jobs' are both needed.", id="unmask.E004"))
    return found


@register(Tags.security, deploy=True)
def fit_to_scale_out(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """A site of several processes on settings that only one process can share."""
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite, which processes on other machines cannot share.",
                hint="Set DATABASE_URL to a PostgreSQL database, or stay with one machine and UNMASK_ENV=embedded.",
                id="unmask.W002",
            )
        )
    if any("InMemory" in layer["BACKEND"] for layer in settings.CHANNEL_LAYERS.values()):
        found.append(
            Warning(
                "The channel layer is in memory: other processes hear no nudges and send no progress.",
                hint="Set REDIS_URL.",
                id="unmask.W003",
            )
        )
    if settings.CACHES["default"]["BACKEND"].endswith(("LocMemCache", "DummyCache")):
        found.append(
            Warning(
                "Each web process counts attempts to sign in for itself, and one-time codes can be used once in each.",
                hint="Set REDIS_URL.",
                id="unmask.W006",
            )
        )
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
        found.append(
            Warning(
                "Mail is not sent: nobody can confirm an address or reset a password.",
                hint="Set UNMASK_EMAIL_URL, for example smtp+tls://user:password@mail.example:587.",
                id="unmask.W004",
            )
        )
    if not settings.STAFF_SECOND_FACTOR_REQUIRED:
        found.append(Warning("Staff can sign in without a second factor.", id="unmask.W005"))
    return found
