"""A driving clip's blinks: read off its mesh, and shut in the portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.animate import driving
from ml.animate.animate import AnimateRequest, run
from ml.animate.drivers import posed
from ml.animate.lids import LEVELS, followed, openness, shut
from ml.animate.model import model_of
from ml.animate.places import LEFT_EYE, RIGHT_EYE
from ml.animate.settings import Framing, MotionSettings
from ml.faces import FaceFinder
from ml.swap.reposing import Pose
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face
    from ml.provenance.sealing import Clip

COUNT = 13


@pytest.fixture
def blinking(astronaut: tuple[NDArray[np.uint8], Face], tmp_path: Path) -> Path:
    """A clip that stands still but for the lids, which are shut from its sixth to its eighth frame."""
    pixels, face = astronaut
    shut_eyes = shut(pixels, face.landmarks, LEVELS)
    path = tmp_path / "blinking.mp4"
    frames = [shut_eyes if 5 <= at <= 7 else pixels for at in range(COUNT)]
    path.write_bytes(clips.encoded(frames, rate=12))
    return path


def test_lids_follow_those_of_the_driver_relative_to_its_start(astronaut: tuple[NDArray[np.uint8], Face]) -> None:
    mesh = astronaut[1].landmarks
    opened = openness(mesh)
    assert openness(mesh * 3 + 50) == pytest.approx(opened, rel=1e-3), "the size of the picture plays no part"
    closed = posed(mesh, Pose(lids=1))
    assert openness(closed) < 0.4 * opened
    meshes = {0: mesh, 3: mesh, 6: closed, 9: mesh, 12: mesh}
    levels = followed(meshes, 0, COUNT)
    assert len(levels) == COUNT
    assert levels[6] == LEVELS
    assert levels[:4] == levels[9:] == (0,) * 4
    assert 0 < levels[4] < LEVELS, "between the frames that were looked at, evenly"
    assert followed(meshes, 6, COUNT) == levels, "a start frame in a blink does not hold the eyes open"
    half = posed(mesh, Pose(lids=0.5))
    assert 0 < max(followed({0: mesh, 3: half, 6: mesh}, 0, 7)) < LEVELS
    nodding = {0: mesh, 3: posed(mesh, Pose(pitch=10)), 6: posed(mesh, Pose(yaw=15, jaw=1.0))}
    assert followed(nodding, 0, 7) == (), "a nod is no blink"
    assert followed({}, 0, 7) == ()


def test_a_blink_of_the_clip_is_seen_and_moves_nothing_but_the_lids(
    blinking: Path, portrait: Path, astronaut: tuple[NDArray[np.uint8], Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, face = astronaut
    settings = MotionSettings(framing=Framing.PORTRAIT)
    with FaceFinder() as finder:
        seen = driving.follow(blinking, face, model_of(), finder, lambda *_: None)
    assert len(seen.lids) == COUNT
    assert seen.lids[6] > 0
    assert seen.lids[0] == seen.lids[-1] == 0

    def frames(clip: Clip) -> list[NDArray[np.uint8]]:
        return list(clip.frames)

    made = run(AnimateRequest(portrait, blinking, settings=settings), lambda *_: None, frames).sealed
    monkeypatch.setattr("ml.animate.lids.followed", lambda *_: ())
    without = run(AnimateRequest(portrait, blinking, settings=settings), lambda *_: None, frames).sealed
    change = np.abs(np.stack(made).astype(int) - np.stack(without)).max(axis=-1)
    assert change[0].max() == 0
    eyes = face.landmarks[list(RIGHT_EYE + LEFT_EYE)]
    (left, top), (right, bottom) = eyes.min(axis=0), eyes.max(axis=0)
    band = np.s_[round(top - 8) : round(bottom + 8), round(left - 8) : round(right + 8)]
    assert change[6][band].mean() > 1, "the lids stay where they are"
    assert change[6].sum() < 2 * change[6][band].sum(), "more than the eyes has moved"
    assert pixels.shape == made[6].shape
