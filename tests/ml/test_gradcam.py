"""Grad-CAM: its gradient is the logit's, its sign is towards manipulated, and its map lies where the evidence lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.detect.gradcam import GradCam, gradients, overlay, split

if TYPE_CHECKING:
    import keras


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
def test_gradient_is_the_logits_by_finite_differences(name: str, random_models: dict[str, keras.Model]) -> None:
    import tensorflow as tf

    body, head = split(random_models[name])
    rng = np.random.default_rng(11)
    # The ReLU's own features are full of equal zeros, where a max-pool has no derivative. In each window of the last
    # pool (4 x 4) these differ by at least 1/16, far more than a step.
    assert body.output_shape[1:] == (32, 32, 16)
    windows = rng.random((2, 8, 8, 16, 16)).argsort(axis=-1).astype(np.float32) / 16
    features = windows.reshape(2, 8, 8, 16, 4, 4).transpose(0, 1, 4, 2, 5, 3).reshape(2, 32, 32, 16)
    gradient = np.asarray(gradients(head, tf.constant(features)))
    assert gradient.shape == features.shape
    checked = 0
    for row in range(2):
        for _ in range(6):
            direction = np.zeros_like(features)
            where = rng.random(features.shape[1:]) < 0.2
            direction[row][where] = rng.normal(size=int(where.sum()))
            step = 1e-2 / np.abs(direction).max()
            up = float(np.asarray(head(features + step * direction))[row, 0])
            down = float(np.asarray(head(features - step * direction))[row, 0])
            measured, expected = (up - down) / (2 * step), float((gradient * direction).sum())
            assert measured == pytest.approx(expected, rel=0.05, abs=0.01)
            checked += abs(expected) > 0.05
    assert checked >= 4, "the directions must have gradients worth checking"


def test_the_two_halves_are_the_network(random_models: dict[str, keras.Model]) -> None:
    x = np.random.default_rng(1).random((2, 256, 256, 3), dtype=np.float32)
    for model in random_models.values():
        body, head = split(model)
        assert np.allclose(np.asarray(head(body(x))), np.asarray(model(x)), atol=1e-5)


def spot_finder(sign: float) -> keras.Model:
    """A network whose logit is the brightness of red, times `sign`: it looks at red pixels and nothing else."""
    import keras

    inputs = keras.Input((64, 64, 3))
    convolution = keras.layers.Conv2D(1, 1, activation="relu")
    x = convolution(inputs)
    x = keras.layers.AveragePooling2D(4)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    dense = keras.layers.Dense(1)
    model = keras.Model(inputs, dense(x))
    convolution.set_weights([np.array([1.0, -1.0, -1.0]).reshape(1, 1, 3, 1), np.zeros(1)])
    dense.set_weights([np.array([[sign]]), np.zeros(1)])
    return model


def test_map_lies_on_the_evidence_and_only_on_evidence_for_manipulation() -> None:
    crop = np.zeros((1, 64, 64, 3), np.uint8)
    crop[0, 8:24, 40:56, 0] = 255
    towards = GradCam({"spot": spot_finder(1.0)}).maps(crop)[0]
    assert towards.max() == 1.0
    assert towards[8:24, 40:56].sum() == pytest.approx(towards.sum())
    assert GradCam({"spot": spot_finder(-1.0)}).maps(crop).max() == 0.0


def test_weights_of_the_fusion_count() -> None:
    crop = np.zeros((1, 64, 64, 3), np.uint8)
    crop[0, :32, :32, 0] = 200
    models = {"for": spot_finder(1.0), "against": spot_finder(-1.0)}
    assert GradCam(models, {"for": 2.0, "against": 1.0}).maps(crop).max() == 1.0
    assert GradCam(models, {"for": 1.0, "against": 2.0}).maps(crop).max() == 0.0


def test_a_network_without_convolution_is_refused() -> None:
    import keras

    inputs = keras.Input((8,))
    with pytest.raises(ValueError, match="no convolution"):
        split(keras.Model(inputs, keras.layers.Dense(1)(inputs)))


def test_overlay_leaves_pixels_without_evidence_alone() -> None:
    crop = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(overlay(crop, np.zeros((8, 8), np.float32)), crop)
    heat = np.zeros((8, 8), np.float32)
    heat[:, :4] = 1.0
    mixed = overlay(np.full((64, 64, 3), 40, np.uint8), heat).astype(int)
    hot, cold = mixed[32, 8], mixed[32, 60]
    assert np.array_equal(cold, [40, 40, 40])
    assert hot[0] > hot[2] > 40, "inferno's top is a light yellow: more red than blue"
