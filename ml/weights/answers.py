"""Three inputs that everybody can make, and what the shipped networks answer to them (``answers.json``).

A machine, a backend or a library version on which they answer otherwise is found out before a person is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.weights.store import MANIFEST, load

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

ANSWERS = "answers.json"

TOLERANCE = 1e-3


def probes(size: int = 256) -> NDArray[np.float32]:
    """Noise, a ramp of colours, and scikit-image's astronaut: float32 (3, size, size, 3) in [0, 1].

    size: 256, or 128 for the networks that take so many pixels; the astronaut is halved then.
    """
    from skimage import data

    noise = np.random.default_rng(2018).random((size, size, 3), np.float32)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    across, down = np.meshgrid(ramp, ramp)
    step = 256 // size
    astronaut = data.astronaut()[:256:step, 96:352:step].astype(np.float32) / 255
    return np.stack([noise, np.stack([across, down, (across + down) / 2], axis=-1), astronaut])


def answered(name: str, model: keras.Model) -> list[float]:
    """The logits of a detector of this name for the probes of its size."""
    from ml.networks.detectors import input_size, logit

    return [float(value) for value in np.asarray(logit(model(probes(input_size(name)))))[:, 0]]


def record(name: str, manifest: Path = MANIFEST) -> list[float]:
    """Store and return the shipped network's logits for the probes."""
    logits = answered(name, load(name, manifest))
    path = manifest.parent / ANSWERS
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[name] = [round(value, 6) for value in logits]
    path.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", encoding="utf-8")
    return logits


def recorded(name: str, manifest: Path = MANIFEST) -> list[float]:
    """The stored logits. Raises KeyError for a network that has none, OSError where there is no file."""
    answers: list[float] = json.loads((Path(manifest.parent) / ANSWERS).read_text(encoding="utf-8"))[name]
    return answers
