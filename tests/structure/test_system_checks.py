"""What the site says at start about an installation that would go wrong later."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from deepfake_site import checks
from deepfake_site.settings.secret import secret_key_from
from tests.live_site import REPOSITORY, manage_command, site_environment

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper

PRODUCTION = {
    "UNMASK_ENV": "production",
    "UNMASK_SECRET_KEY": "an-example-of-a-key-that-is-long-enough-and-random-enough-0123456789",
    "UNMASK_ALLOWED_HOSTS": "unmask.example",
    "UNMASK_EMAIL_URL": "smtp://127.0.0.1:25",
    "DATABASE_URL": "postgres://unmask@127.0.0.1/unmask",
    "REDIS_URL": "redis://127.0.0.1/0",
}


def ids(messages: list[Any]) -> set[str]:
    return {message.id for message in messages}


def check(environment: dict[str, str], data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage_command("check", "--deploy", "--fail-level", "WARNING"),
        env=site_environment(data_dir, environment),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_with_everything_said_has_nothing_to_complain_about(tmp_path: Path) -> None:
    done = check(PRODUCTION, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("UNMASK_SECRET_KEY", None, "UNMASK_SECRET_KEY"),
        ("UNMASK_ALLOWED_HOSTS", None, "UNMASK_ALLOWED_HOSTS"),
        ("DATABASE_URL", None, "DATABASE_URL"),
        ("DATABASE_URL", "sqlite:////tmp/unmask-never-made.sqlite3", "unmask.W002"),
        ("REDIS_URL", None, "unmask.W003"),
        ("REDIS_URL", None, "unmask.W006"),
        ("UNMASK_EMAIL_URL", None, "unmask.W004"),
        ("UNMASK_STAFF_SECOND_FACTOR", "false", "unmask.W005"),
    ],
)
def test_production_names_what_is_missing(name: str, value: str | None, said: str, tmp_path: Path) -> None:
    environment = {**PRODUCTION, name: value or ""}
    if value is None:
        del environment[name]
    done = check(environment, tmp_path)
    assert done.returncode != 0
    assert said in done.stderr


def test_two_opencv_packages_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "is_installed", {"opencv-python-headless", "opencv-contrib-python"}.__contains__)
    (error,) = checks.one_opencv(None)
    assert error.id == "unmask.E001"
    assert "pip uninstall -y opencv-python-headless opencv-contrib-python" in str(error.hint)


def test_this_installation_has_one_opencv_and_its_libraries() -> None:
    assert [name for name in checks.OPENCV if checks.is_installed(name)] == ["opencv-contrib-python"]
    assert checks.one_opencv(None) == []
    assert checks.opencv_libraries(None) == []


def test_missing_libraries_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.sys, "platform", "linux")
    monkeypatch.setattr(checks.ctypes.util, "find_library", lambda name: None)
    (warning,) = checks.opencv_libraries(None)
    assert "libgl1 libglib2.0-0" in str(warning.hint)


def test_data_directory_must_be_writable(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert checks.data_directory(None) == []
    settings.DATA_DIR = tmp_path / "gone"
    assert ids(checks.data_directory(None)) == {"unmask.E002"}


def test_publish_subscribe_is_refused(settings: SettingsWrapper) -> None:
    assert checks.one_worker_per_nudge(None) == []
    pubsub = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": settings.CHANNEL_LAYERS["default"], "jobs": pubsub}
    assert ids(checks.one_worker_per_nudge(None)) == {"unmask.E003"}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert ids(checks.one_worker_per_nudge(None)) == {"unmask.E004"}


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_key_from(path), range(64)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"
    assert list(tmp_path.iterdir()) == [path]
