"""Detectors for tests: the real networks with fixed random weights, so that no test hangs on what was trained."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml import runtime

# Processes that share the suite out share the cores out, too; before any test file of this folder loads TensorFlow.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    runtime.configure(max(1, runtime.usable_cores() // workers))

if TYPE_CHECKING:
    from collections.abc import Iterator

    import keras

    from ml.detect.calibration import Calibration
    from ml.detect.check import Checker
    from ml.detect.predictor import Predictor
    from ml.faces import FaceFinder

CALIBRATION: dict[str, Any] = {
    "format": 2,
    "version": "test",
    "temperature": {"meso4": 2.0, "mesoinception4": 1.5},
    "bias": {"meso4": 0.25},
    "fusion": {"weights": {"meso4": 0.5, "mesoinception4": 0.5}},
    "bands": {"manipulated": 0.8, "authentic": 0.2},
    "target_fpr": 0.05,
    "disagreement": 0.3,
    "min_face_px": 48,
    "min_sharpness": 0.02,
    "flip_delta": 0.25,
    "interval": {"scale": 1.0},
}

ALL_DETECTORS: dict[str, Any] = {
    **CALIBRATION,
    "temperature": {"meso4": 2.0, "mesoinception4": 1.5, "boundary": 40.0, "synthesis": 40.0},
    "fusion": {"weights": {"meso4": 0.25, "mesoinception4": 0.25, "boundary": 1.0}, "offset": 0.1},
    "generated": {"detector": "synthesis", "threshold": 0.9, "doubt": 0.6},
}


def randomised(model: keras.Model, seed: int) -> keras.Model:
    """Weights of a size that makes logits of a few units; batch statistics, and scales of both signs, included."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if layer.__class__.__name__ == "BatchNormalization":
            gamma, beta, mean, variance = (w.shape for w in weights)
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, gamma) * rng.choice([-1, 1], gamma, p=[0.25, 0.75]),
                    rng.normal(0, 0.3, beta),
                    rng.normal(0.1, 0.1, mean),
                    rng.uniform(0.05, 0.5, variance),
                ]
            )
        elif weights:
            layer.set_weights([rng.normal(0, np.sqrt(1.5 / max(1, np.prod(w.shape[:-1]))), w.shape) for w in weights])
    return model


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    from ml.detect.calibration import Calibration

    return Calibration.from_json(CALIBRATION)


@pytest.fixture(scope="session")
def random_models() -> dict[str, keras.Model]:
    runtime.configure()
    from ml.networks.mesonet import build

    return {name: randomised(build(name), seed) for seed, name in enumerate(("meso4", "mesoinception4"))}


@pytest.fixture(scope="session")
def predictor(random_models: dict[str, keras.Model]) -> Predictor:
    from ml.detect.predictor import Predictor

    return Predictor(random_models)


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    from ml.faces import FaceFinder

    with FaceFinder() as made:
        yield made


@pytest.fixture(scope="session")
def random_checker(finder: FaceFinder, predictor: Predictor, calibration: Calibration) -> Checker:
    from ml.detect.check import Checker

    return Checker(finder, predictor, calibration, "random")


@pytest.fixture(scope="session")
def full_checker(finder: FaceFinder, random_models: dict[str, keras.Model]) -> Checker:
    """All four detectors, of which the boundary detector draws its map."""
    from ml.detect.calibration import Calibration
    from ml.detect.check import Checker
    from ml.detect.predictor import Predictor, shipped_view
    from ml.networks import boundary, synthesis

    models = {
        **random_models,
        "boundary": randomised(boundary.build(), 2),
        "synthesis": randomised(synthesis.build(), 3),
    }
    predictor = Predictor(models, {name: shipped_view(name) for name in models})
    return Checker(finder, predictor, Calibration.from_json(ALL_DETECTORS), "random")
