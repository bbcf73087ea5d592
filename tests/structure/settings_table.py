"""The settings that an operator may change: as the program reads them, and as docs/settings.md lists them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = REPOSITORY / "deepfake_site" / "settings"
TABLE = REPOSITORY / "docs" / "settings.md"
PROGRAM = ("deepfake_site", "jobs", "detection", "generation", "enhancement", "ml", "benchmarks")
ROW = re.compile(r"^\| `(?P<name>[A-Z][A-Z0-9_]*)` \| (?P<default>.*?) \| (?P<meaning>.*?) \|$", re.MULTILINE)
OF_THE_SUITE = {"UNMASK_SHARED_DATA", "UNMASK_TEST_DATABASE_URL", "UNMASK_TEST_REDIS_URL"}
OF_OTHERS = {"DJANGO_SETTINGS_MODULE", "UNMASK_TEST_DATA_DIR"}  # set by the program for itself or for its suite


def documented() -> dict[str, tuple[str, str]]:
    """name -> (default, meaning), of each row of the tables."""
    return {row["name"]: (row["default"], row["meaning"]) for row in ROW.finditer(TABLE.read_text(encoding="utf-8"))}


def read_by_settings() -> dict[str, set[str]]:
    """name -> its defaults, as written; a default that is worked out at run time is left out."""
    found: dict[str, set[str]] = {}
    for path in sorted(SETTINGS.glob("*.py")):
        for call in _calls(path):
            if isinstance(call.func, ast.Attribute) and _is_env(call.func) and call.args:
                name = call.args[0]
                if isinstance(name, ast.Constant):
                    found.setdefault(str(name.value), set()).update(_default(call))
    return found


def read_elsewhere() -> set[str]:
    """Names that the program asks the environment for by itself, outside the settings."""
    names = set(OF_THE_SUITE)
    pattern = re.compile(r"""(?:environ(?:\.get|\.setdefault)?|getenv)[\[(]\s*["'](?P<name>(?:UNMASK|JOBS)_\w+)["']""")
    for package in PROGRAM:
        for path in (REPOSITORY / package).rglob("*.py"):
            names.update(pattern.findall(path.read_text(encoding="utf-8")))
    return names - OF_OTHERS


def _calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def _is_env(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id == "env"


def _default(call: ast.Call) -> set[str]:
    for keyword in call.keywords:
        if keyword.arg == "default":
            try:
                # Arithmetic on numbers, such as 15 * 1024 * 1024, is shown as its value.
                value = eval(compile(ast.Expression(keyword.value), "default", "eval"), {"__builtins__": {}}, {})  # noqa: S307
            except NameError:
                return set()
            return {", ".join(value) if isinstance(value, list) else f"{value:g}" if _is_float(value) else str(value)}
    return set()


def _is_float(value: object) -> bool:
    return isinstance(value, float)
