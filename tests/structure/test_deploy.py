"""The files of a scaled-out installation agree with the program that they install."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.live_site import REPOSITORY
from tests.structure.settings_table import documented

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = REPOSITORY / "deploy"


def test_compose_sets_only_settings_that_exist() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    used = set(re.findall(r"^ +((?:UNMASK|JOBS|DATABASE|REDIS)_\w+):", text, re.MULTILINE))
    assert {"UNMASK_ENV", "UNMASK_SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= used
    assert used - documented().keys() == set()


def test_image_leaves_out_the_tests_requirements() -> None:
    """The Dockerfile cuts requirements.txt at a comment, which must stand between what is needed and what is not."""
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert "sed '/^# Tests/,$d' requirements.txt" in dockerfile
    needed, _, tests = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").partition("\n# Tests\n")
    assert "django>=" in needed
    assert "mediapipe==" in needed
    assert "pytest" in tests
    assert "pytest" not in needed


def test_gpu_build_asks_for_the_pinned_tensorflow() -> None:
    pinned = re.search(
        r"^tensorflow==(\S+)$", (REPOSITORY / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert pinned
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG TENSORFLOW=tensorflow=={pinned[1]}\n" in dockerfile
    assert f"tensorflow[and-cuda]=={pinned[1]}" in dockerfile


def test_image_starts_the_sites_own_server() -> None:
    """Daphne's own command takes a large upload apart in its event loop, for nobody: see `UnparsedRequest`."""
    from jobs.management.commands.serve import Command

    started = re.search(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert started is not None
    program, manage, name, *words = json.loads(started[1])
    assert (program, manage, name) == ("python", "manage.py", "serve")
    options = Command().create_parser("manage.py", name).parse_args(words)
    assert (options.worker, options.host, options.port) == (False, "0.0.0.0", 8000)  # noqa: S104 - in a container
    assert f"`manage.py serve {' '.join(words)}`" in (REPOSITORY / "docs" / "running.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=unmask.example",
         "-keyout", certificates / "privkey.pem", "-out", certificates / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    # The names that compose gives: the web containers' and the mounted folder's.
    text = text.replace("server web:8000", "server 127.0.0.1:8000").replace(
        "/etc/nginx/certificates", str(certificates)
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(f"pid {tmp_path}/nginx.pid;\n{text}", encoding="utf-8")
    done = subprocess.run(["nginx", "-t", "-c", configuration], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
