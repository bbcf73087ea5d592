"""Who may import whom, and what a web process must never load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_site import REPOSITORY, site_environment

FOREIGN_TO_THE_WEB = ("tensorflow", "keras", "cv2", "mediapipe", "numpy", "scipy", "sklearn", "skimage", "matplotlib")


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("settings", ["embedded", "production"])
def test_web_process_loads_no_inference(settings: str, tmp_path: Path) -> None:
    """django.setup(), every address and the ASGI application, in a fresh process as Daphne would load them."""
    program = """
import json, sys
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import deepfake_site.asgi
from django.core.checks import run_checks
run_checks()
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""
    environment = site_environment(
        tmp_path,
        {
            "DJANGO_SETTINGS_MODULE": "deepfake_site.settings",
            "UNMASK_ENV": settings,
            "UNMASK_SECRET_KEY": "not-a-secret-" * 5,
            "UNMASK_ALLOWED_HOSTS": "unmask.example",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        },
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"django", "jobs", "detection"} <= loaded
    assert not loaded & set(FOREIGN_TO_THE_WEB)


def test_ml_needs_no_django() -> None:
    """`python -m ml` works where the site is not set up: not one of its modules may ask for Django's settings."""
    program = """
import importlib, pkgutil, sys
sys.modules["django"] = None  # any import of it fails
import ml
for module in pkgutil.walk_packages(ml.__path__, "ml."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    environment = site_environment(REPOSITORY, {"CUDA_VISIBLE_DEVICES": ""})
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
