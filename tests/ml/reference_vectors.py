"""The reference vectors (what the authors' own implementations answer), kept beside the repository."""

from __future__ import annotations

import importlib.util
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("UNMASK_SHARED_VECTORS") or REPOSITORY.parent / "shared" / "vectors")
DATA = Path(os.environ.get("UNMASK_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
SALT = "open-1/"

needs_vectors = pytest.mark.skipif(
    not (FOLDER / "weights_rule.py").is_file(),
    reason="the reference vectors are not here (UNMASK_SHARED_VECTORS, default ../shared/vectors)",
)


@cache
def rule() -> Any:
    """Return the module that draws the weights behind the vectors from their names."""
    spec = importlib.util.spec_from_file_location("weights_rule", FOLDER / "weights_rule.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(file: str) -> Any:
    """Return the names and shapes of a ``*_names.json``."""
    return json.loads((FOLDER / file).read_text())


def arrays(file: str) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz``."""
    with np.load(FOLDER / file) as archive:
        return {name: archive[name] for name in archive.files}


def difference(answer: Any, expected: np.ndarray) -> float:
    """Return the largest absolute difference over the standard deviation of what is expected."""
    answer, expected = np.asarray(answer, np.float64), expected.astype(np.float64)
    assert answer.shape == expected.shape
    return float(np.abs(answer - expected).max() / expected.std())
