"""One line about how a run was started, for its history and its card: command, data, commit and device, no folders."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

ML = Path(__file__).resolve().parents[1]
CODE = ("networks/compact.py", "training/natural.py", "training/restorer_run.py", "restore/resample.py")


def story(module: str, options: argparse.Namespace, step: int, data: str) -> str:
    """A Markdown list item. ``step``: where the run stands as it begins; ``data``: the fingerprint of the pictures."""
    from ml import runtime

    words = ["python", "-m", module]
    for name, value in vars(options).items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", value.name if isinstance(value, Path) else str(value)]
    return (
        f"- From step {step}: `{shlex.join(words)}`, pictures `{data}`, commit {commit(module)}, "
        f"{runtime.device_name()}"
    )


def commit(module: str) -> str:
    """The commit of the checkout, "-dirty" when the run's own code differs from it; "unknown" outside a checkout."""
    files = [*CODE, f"{module.removeprefix('ml.').replace('.', '/')}.py"]
    head = _git("rev-parse", "--short", "HEAD")
    if head is None:
        return "unknown"
    return head + ("-dirty" if _git("status", "--porcelain", "--", *files) else "")


def _git(*words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        [git, "-C", str(ML), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
