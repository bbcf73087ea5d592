"""What the evaluation command wrote about the detectors: shown as it stands, never typed in."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static

STATIC_PREFIX = "evaluation"  # STATICFILES_DIRS serves the folder under this name


def folder() -> Path:
    return Path(settings.EVALUATION_DIR)


def read() -> dict[str, Any] | None:
    """The detectors' evaluation, or None where nobody has run it."""
    path = folder() / "detectors.json"
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _parsed(path, changed)


@lru_cache(maxsize=2)
def _parsed(path: Path, changed: int) -> dict[str, Any]:
    evaluation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return evaluation


def plots() -> list[dict[str, str]]:
    """The drawings beside the table: [{"name", "url"}], by name."""
    if not folder().is_dir():
        return []
    found = []
    for path in sorted(folder().glob("*.svg")):
        try:
            url = static(f"{STATIC_PREFIX}/{path.name}")
        except ValueError:  # drawn after the static files were collected: no server has it
            continue
        found.append({"name": path.stem.replace("_", " ").replace("-", " "), "url": url})
    return found
