"""The losses of the motion model do what the paper says of them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras import ops

from ml.networks.fomm.geometry import coordinate_grid
from ml.training.animation_losses import (
    Perception,
    RandomTransform,
    equivariance,
    pyramid_l1,
    structure,
    supervised,
)

RANDOM = np.random.default_rng(5)


def test_pictures_that_are_alike_cost_nothing_and_others_the_more_the_more_they_differ() -> None:
    wanted = RANDOM.random((2, 64, 64, 3)).astype(np.float32)
    weight = np.ones((2, 64, 64, 1), np.float32)
    for loss in (pyramid_l1, structure):
        assert float(loss(wanted, wanted, weight)) < 1e-6
        near, far = (float(loss(np.clip(wanted + by, 0, 1), wanted, weight)) for by in (0.05, 0.3))
        assert 0 < near < far


def test_the_pyramid_sees_a_shift_of_brightness_at_every_scale_and_weighs_places() -> None:
    wanted = np.full((1, 64, 64, 3), 0.5, np.float32)
    weight = np.ones((1, 64, 64, 1), np.float32)
    assert np.isclose(float(pyramid_l1(wanted + 0.1, wanted, weight)), 0.1, atol=1e-5)
    made = wanted.copy()
    made[:, :32] += 0.2
    weight[:, 32:] = 0
    assert np.isclose(float(pyramid_l1(made, wanted, weight + 1e-9)), 0.2, atol=1e-4)


def test_a_warp_takes_points_and_pictures_the_same_way() -> None:
    """A warped picture shows at z what the picture has at T(z)."""
    warp = RandomTransform(np.random.default_rng(2), 1)
    side = 65
    # A picture whose colours are its coordinates: what the warped one shows at z is T(z).
    grid = coordinate_grid(side, side)[None]
    picture = np.concatenate([grid, np.ones((1, side, side, 1), np.float32)], axis=-1)
    warped = ops.convert_to_numpy(warp.picture(tf.constant(picture)))
    points = ops.convert_to_numpy(warp.points(tf.constant(grid.reshape(1, -1, 2)))).reshape(side, side, 2)
    inside = (np.abs(points) < 0.98).all(axis=-1)
    assert inside.mean() > 0.7
    assert np.abs(warped[0, ..., :2] - points)[inside].max() < 1e-4
    assert np.abs(points - grid[0]).max() > 0.02


def test_the_jacobian_of_a_warp_is_its_derivative() -> None:
    warp = RandomTransform(np.random.default_rng(3), 2)
    points = RANDOM.uniform(-0.9, 0.9, (2, 7, 2)).astype(np.float32)
    found = ops.convert_to_numpy(warp.jacobians(tf.constant(points)))
    step = 1e-3
    for axis in range(2):
        ahead, behind = points.copy(), points.copy()
        ahead[..., axis] += step
        behind[..., axis] -= step
        slope = (np.asarray(warp.points(tf.constant(ahead))) - np.asarray(warp.points(tf.constant(behind)))) / (
            2 * step
        )
        assert np.abs(slope - found[..., axis]).max() < 5e-3


def test_keypoints_that_follow_the_warp_cost_nothing() -> None:
    warp = RandomTransform(np.random.default_rng(4), 2)
    warped_value = RANDOM.uniform(-0.7, 0.7, (2, 5, 2)).astype(np.float32)
    warped_jacobian = (np.eye(2) + RANDOM.normal(0, 0.1, (2, 5, 2, 2))).astype(np.float32)
    value = warp.points(tf.constant(warped_value))
    jacobian = ops.matmul(warp.jacobians(tf.constant(warped_value)), warped_jacobian)
    places, turns = equivariance(value, jacobian, warped_value, warped_jacobian, warp)
    assert float(places) < 1e-6
    assert float(turns) < 1e-5
    places, turns = equivariance(value + 0.1, jacobian * 1.2, warped_value, warped_jacobian, warp)
    assert np.isclose(float(places), 0.1, atol=1e-5)
    assert float(turns) > 0.05


def test_features_are_compared_at_two_sizes_and_their_network_stays_as_it_is() -> None:
    import keras

    inputs = keras.Input((None, None, 3))
    features = keras.Model(inputs, [keras.layers.Conv2D(4, 3, padding="same")(inputs)])
    before = features.get_weights()
    perception = Perception(features, [0.5])
    wanted = RANDOM.random((1, 16, 16, 3)).astype(np.float32)
    made = tf.Variable(RANDOM.random((1, 16, 16, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = perception(tf.convert_to_tensor(made), wanted)
    assert float(loss) > 0
    assert float(perception(wanted, wanted)) == 0
    assert float(np.abs(np.asarray(tape.gradient(loss, made))).max()) > 0
    assert not features.trainable_variables
    assert all(np.array_equal(a, b) for a, b in zip(before, features.get_weights(), strict=True))


def test_shown_keypoints_are_met_exactly_or_missed_by_so_much() -> None:
    value, jacobian = np.zeros((1, 3, 2), np.float32), np.zeros((1, 3, 2, 2), np.float32)
    assert [float(part) for part in supervised(value, jacobian, value + 0.5, jacobian - 0.25)] == [0.5, 0.25]
