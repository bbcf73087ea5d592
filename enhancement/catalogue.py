"""Which methods there are, without asking a network: what `python -m ml.restore.catalogue` has written down, and the
files of other authors' networks that the operator has put into their folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from jobs.sentences import told

from .tasks import Task

IMPORTED: Final = "imported:"
NETWORK_FILES: Final = frozenset({".pth", ".pt", ".npz"})
OF_THEIR_OWN: Final = {".dfdnet.npz": Task.FACE, ".fomm.npz": None, ".stylegan2.npz": None}
"""What `python -m ml import` ends a file's name in says what it can do here; all others are taken for upscalers."""
MOST_METHODS: Final = 6  # in one job, as ml.restore has it


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one task. `scales` is empty where the size is kept, or where only the network's file knows it."""

    task: str
    name: str
    label: str
    trained: bool
    scales: tuple[int, ...]
    steered: bool
    generative: bool
    clips: bool

    @property
    def key(self) -> str:
        return f"{self.task}/{self.name}"

    @property
    def is_imported(self) -> bool:
        return self.name.startswith(IMPORTED)


@lru_cache(maxsize=4)
def _written(path: Path, stamp: int) -> tuple[dict[str, Any], ...]:
    tasks = json.loads(path.read_text(encoding="utf-8"))["tasks"]
    return tuple(task for task in tasks if task["name"] in Task.values)


def _told() -> tuple[dict[str, Any], ...]:
    path = Path(settings.ENHANCEMENT_CATALOGUE)
    return _written(path, path.stat().st_mtime_ns)


def tasks() -> list[Task]:
    return [Task(task["name"]) for task in _told()]


def methods(task: str) -> list[Method]:
    """The methods of a task, its default first, imported ones last."""
    written = next((each for each in _told() if each["name"] == task), None)
    if written is None:
        return []
    own = [
        Method(
            task=task,
            name=method["name"],
            label=told(method["label"]),
            trained=method["trained"],
            scales=tuple(method["scales"]),
            steered=method["steered"],
            generative=method["generative"],
            clips=method["clips"],
        )
        for method in written["methods"]
    ]
    return own + (_imported(task, own) if written["imports"] else [])


def _imported(task: str, own: list[Method]) -> list[Method]:
    """Only an upscaler's file knows its scale; faces are restored in a picture that the shipped networks enlarge."""
    scales = own[0].scales if own and task == Task.FACE else ()
    folder = Path(settings.ENHANCEMENT_NETWORKS_DIR)
    if not folder.is_dir():
        return []
    files = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix.lower() in NETWORK_FILES)
    return [
        Method(task, IMPORTED + name, name, trained=False, scales=scales, steered=True, generative=True, clips=False)
        for name in files
        if _does(name) == task
    ]


def _does(name: str) -> Task | None:
    """What the network in a file of this name can do to pictures."""
    return next((task for end, task in OF_THEIR_OWN.items() if name.lower().endswith(end)), Task.UPSCALE)


def scales(task: str) -> tuple[int, ...]:
    """By how much the methods of a task enlarge, the usual one first; none where the size is kept."""
    return tuple(sorted({scale for method in methods(task) for scale in method.scales}))


def find(task: str, name: str) -> Method | None:
    return next((method for method in methods(task) if method.name == name), None)


def default(task: str) -> Method | None:
    return next(iter(methods(task)), None)
