"""The motion model learns, goes on from where it stood, and begins with weights that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tensorflow as tf

from ml.swap.alignment import mean_mesh
from ml.training.animation_batches import PairBatches, Pictures, pairs_of, plain_pairs
from ml.training.animation_faces import TEST_PEOPLE, VAL_PEOPLE, chosen_clips, split_of
from ml.training.animation_run import MotionPlan, MotionRun, best_weights, build, l1_of
from tests.ml.animate.conftest import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 64


def _drawn(x: float, y: float, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A face of a few shapes about a place, and the mean mesh there."""
    import cv2

    mesh = np.asarray(mean_mesh()[:, :2] * 30 + [x, y], np.float32)
    tone = np.random.default_rng(seed).integers(120, 220, 3).tolist()
    picture = np.full((SIDE, SIDE, 3), (40, 60, 80), np.uint8)
    cv2.ellipse(picture, (round(x), round(y)), (11, 15), 0, 0, 360, tone, -1)
    for eye in (33, 263):
        cv2.circle(picture, tuple(np.rint(mesh[eye]).astype(int).tolist()), 2, (10, 10, 10), -1)
    cv2.ellipse(picture, tuple(np.rint(mesh[13]).astype(int).tolist()), (4, 1), 0, 0, 360, (150, 20, 20), -1)
    return picture, mesh


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Two people of drawn faces that wander."""
    made = [
        _drawn(32 + 7 * np.sin(i / 2 + person), 32 + 5 * np.cos(i / 3), person)
        for person in range(2)
        for i in range(12)
    ]
    return Pictures(
        np.stack([picture for picture, _ in made]),
        np.stack([mesh for _, mesh in made]),
        np.repeat(np.arange(2, dtype=np.int32), 12),
        ("ann/a.mp4", "bob/b.mp4"),
    )


@pytest.fixture
def untraced() -> Iterator[None]:
    """Steps are few here: building their graph would cost more than running them without one."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_pairs_are_of_one_person_and_a_step_draws_the_same_again(pictures: Pictures) -> None:
    batches = PairBatches(pictures, batch=6)
    first, again, other = batches.at(3), batches.at(3), batches.at(4)
    assert np.array_equal(first.source, again.source)
    assert not np.array_equal(first.source, other.source)
    assert first.source.shape == (6, SIDE, SIDE, 3)
    assert first.driving_jacobian.shape == (6, 10, 2, 2)
    assert set(np.unique(first.weight)) == {1.0, 2.0, 6.0}
    # The weights lie on the face: what counts most is around eyes and mouth, near the middle of the keypoints.
    y, x = np.nonzero(first.weight[0, ..., 0] == 6)
    middle = (first.driving_value[0, :3].mean(axis=0) + 1) * (SIDE - 1) / 2
    assert np.hypot(x.mean() - middle[0], y.mean() - middle[1]) < 6
    turned = PairBatches(pictures, pictures, batch=6, share=1.0).at(0)
    assert turned.source.shape == first.source.shape
    with pytest.raises(ValueError, match="two frames"):
        PairBatches(Pictures(pictures.pixels[:1], pictures.meshes[:1], pictures.clips[:1], ("ann/a.mp4",)))


def test_a_short_run_comes_nearer_to_the_truth_than_copying_the_source(pictures: Pictures, tmp_path: Path) -> None:
    """Not by the loss it is trained by alone: by how far pictures of the detector's own keypoints are off."""
    run = MotionRun(build(SMALL), tmp_path, MotionPlan(1e6, 4e-3, shown_until=0, released=0), seed=5)
    batches, val = PairBatches(pictures, batch=6, seed=2), plain_pairs(pictures, 4)
    losses = [run.learn(batches.at(step)) for step in range(60)]
    assert np.isfinite(losses).all()
    assert np.mean([line[0] for line in losses[-10:]]) < 0.6 * np.mean([line[0] for line in losses[:10]])
    error, copied = l1_of(run.move(val), val), l1_of(val.source, val)
    assert error < 0.8 * copied, (error, copied)


@pytest.mark.usefixtures("untraced")
def test_a_run_goes_on_as_if_it_had_not_been_stopped(pictures: Pictures, tmp_path: Path) -> None:
    batches = PairBatches(pictures, batch=2)
    plan = MotionPlan(1e6)
    whole = MotionRun(build(SMALL), tmp_path / "whole", plan)
    start = [np.array(weight) for part in whole.model.parts() for weight in part.weights]
    for step in range(3):
        whole.learn(batches.at(step))
    first = MotionRun(build(SMALL), tmp_path / "parts", plan)
    first.begin_with(start)
    for step in range(2):
        first.learn(batches.at(step))
    first.save()
    second = MotionRun(build(SMALL), tmp_path / "parts", plan)
    assert second.step == 2
    for step in range(2, 3):
        second.learn(batches.at(step))
    for a, b in zip(whole.average, second.average, strict=True):
        assert np.allclose(a, b, atol=1e-5)
    with pytest.raises(ValueError, match="another network"):
        second.begin_with([*start[:-1], np.zeros((1, 2, 3), np.float32)])


@pytest.mark.usefixtures("untraced")
def test_a_look_writes_the_log_the_best_weights_and_a_checkpoint(pictures: Pictures, tmp_path: Path) -> None:
    val, shown = plain_pairs(pictures, 2), []
    run = MotionRun(build(SMALL), tmp_path, MotionPlan(1.0, look_seconds=0.0))
    run.train(PairBatches(pictures, batch=2), val, shown.append)
    assert run.plan.done(run.seconds) == 1
    assert shown[0].shape == (4 * SIDE, 3 * SIDE, 3)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0].startswith("step,seconds,rate,shown,loss")
    assert len(lines) == 1 + run.step
    assert len(list((tmp_path / "checkpoints").glob("*.npz"))) == min(3, run.step)
    assert len(best_weights(tmp_path)) == len(run.average)


def test_keypoints_are_shown_at_first_and_then_let_go() -> None:
    plan = MotionPlan(100, shown_until=0.1, released=0.3)
    assert [plan.shown_at(seconds) for seconds in (0, 10, 20, 30, 90)] == pytest.approx([1, 1, 0.5, 0, 0])
    assert MotionPlan(100, shown_until=0, released=0).shown_at(0) == 0
    assert plan.rate_at(500, 0) == pytest.approx(1e-3)
    assert plan.rate_at(500, 100) == pytest.approx(2e-5)


def test_nobody_of_val_or_test_is_trained_on(tmp_path: Path) -> None:
    assert not set(TEST_PEOPLE) & set(VAL_PEOPLE)
    assert {split_of(name) for name in TEST_PEOPLE} == {"test"}
    assert split_of("somebody") == "train"
    lines = ["file,identity", *(f"a{i}.mp4,ann" for i in range(30)), "b.mp4,bob"]
    (tmp_path / "index.csv").write_text("\n".join(lines) + "\n")
    chosen = chosen_clips(tmp_path)
    assert len([row for row in chosen if row["identity"] == "ann"]) == 14
    assert chosen[-1]["identity"] == "bob"


def test_pairs_keep_source_and_driver_apart(pictures: Pictures) -> None:
    pair = pairs_of([(pictures.pixels[:2], pictures.meshes[:2])])
    assert np.allclose(pair.source[0], pictures.pixels[0] / 255)
    assert np.allclose(pair.driving[0], pictures.pixels[1] / 255)
