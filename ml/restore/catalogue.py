"""The methods as data, for programs that let people choose one and load no network: ``python -m ml.restore.catalogue``.

It writes ``catalogue.json`` beside this file; a test says when it has to be written again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from ml.restore import methods
from ml.restore.task import Task

PATH: Final = Path(__file__).with_name("catalogue.json")
VERSION: Final = 1
"""Of the form of the file; a new one when a key changes its meaning or goes."""


def catalogue() -> dict[str, Any]:
    """Every task with the methods that work here, the default first.

    A method has ``name``, ``label``, ``trained`` (a network of this project), ``scales`` (empty where it keeps the
    size), ``steered`` (a strength changes what it does), ``generative`` (it may invent detail), ``clips`` (it takes
    videos). A task has ``strength``: what it takes where none is given, null where the picture tells.
    """
    tasks = [
        {
            "name": task.value,
            "strength": methods.DEFAULT_STRENGTHS.get(task) if task not in methods.TOLD_BY_THE_PICTURE else None,
            "imports": task in methods.IMPORTING,
            "methods": [_facts(method) for method in methods.METHODS if _works(method, task)],
        }
        for task in Task
    ]
    return {"version": VERSION, "tasks": [task for task in tasks if task["methods"]]}


def _works(method: methods.Method, task: Task) -> bool:
    return method.task == task and method.name in methods.names(task)


def _facts(method: methods.Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "label": method.label,
        "trained": method.trained,
        "scales": list(method.scales),
        "steered": method.steered,
        "generative": method.generative,
        "clips": method.clips,
    }


def written() -> str:
    """The catalogue as the file holds it."""
    return json.dumps(catalogue(), indent=2) + "\n"


def main() -> int:
    """Write the file; returns 0."""
    PATH.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"{PATH.name}: {sum(len(task['methods']) for task in catalogue()['tasks'])} methods\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
