"""Whole animations through a seal that looks at what it is given, with the shipped network."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from ml.animate import animate
from ml.animate.animate import AnimateRequest, run
from ml.animate.batches import Batches
from ml.animate.model import Made, MotionModel
from ml.animate.restoring import restoring
from ml.animate.settings import Caution, Framing, Motion, MotionSettings
from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.importers import CheckpointError
from ml.media import encode_png
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face
    from ml.provenance.sealing import Clip

SQUARE = MotionSettings(framing=Framing.SQUARE)


class Seal:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self.clip: Clip | None = None

    def __call__(self, clip: Clip) -> str:
        self.clip, self.frames = clip, list(clip.frames)
        return "sealed"


class Stopped(Exception):
    pass


def quiet(stage: str, done: int, total: int) -> None:
    assert stage in {"decode", "faces", "keypoints", "animate"}
    assert 0 <= done <= total


def _nose(frames: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Where the nose's tip is, across, from outer eye corner (0) to outer eye corner (1)."""
    found = []
    with FaceFinder() as finder:
        for frame in frames:
            (face,) = finder.find(frame, 1)
            right, left, nose = (float(face.landmarks[at, 0]) for at in (33, 263, 1))
            found.append((nose - right) / (left - right))
    return np.asarray(found)


def test_a_portrait_alone_turns_its_head_by_a_built_in_motion(portrait: Path) -> None:
    seal, seen = Seal(), []
    result = run(AnimateRequest(portrait, built_in="turn", settings=SQUARE), quiet, seal, seen.append)
    assert (result.sealed, result.frames, len(seal.frames)) == ("sealed", 100, 100)
    assert seal.clip is not None
    assert (seal.clip.rate, seal.clip.audio, seal.clip.count) == (Fraction(25), None, 100)
    assert {frame.shape for frame in seal.frames} == {(256, 256, 3)} or seal.frames[0].shape[0] > 256
    rest, right, left = (float(value) for value in _nose([seal.frames[at] for at in (0, 33, 70)]))
    assert right > rest + 0.04
    assert left < rest - 0.04
    assert len(seen) >= 1
    assert seen[0].shape[0] <= animate.PREVIEW_SIDE
    assert result.weights["motion"].startswith("trained here")
    assert result.cautions == ()


def test_a_portrait_follows_a_clip_and_only_its_square_moves(
    portrait: Path, driver: Path, astronaut: tuple[NDArray[np.uint8], Face]
) -> None:
    pixels, face = astronaut
    seal = Seal()
    result = run(AnimateRequest(portrait, driver), quiet, seal)
    assert result.frames == len(seal.frames) == 12
    assert seal.clip is not None
    assert seal.clip.rate == 12
    assert seal.frames[0].shape == pixels.shape
    x0, y0, x1, y1 = (round(v) for v in face.box)
    moved = np.abs(seal.frames[5].astype(int) - seal.frames[0])
    assert moved[y0:y1, x0:x1].mean() > 4
    side = 1.95 * face.size
    outside = np.ones(pixels.shape[:2], bool)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    outside[max(0, round(cy - side / 2 - 12)) : round(cy + side / 2 + 12), max(0, round(cx - side / 2 - 2)) :] = False
    assert outside.any()
    assert np.array_equal(seal.frames[5][outside], pixels[outside])
    rest, turned = (float(value) for value in _nose([seal.frames[result.start], seal.frames[5]]))
    assert turned > rest + 0.03


def test_without_movement_the_portrait_stands_still_and_absolute_motion_is_another(
    portrait: Path, driver: Path
) -> None:
    found = {}
    for name, settings in {
        "still": MotionSettings(movement=0.0, framing=Framing.SQUARE),
        "relative": MotionSettings(framing=Framing.SQUARE),
        "absolute": MotionSettings(Motion.ABSOLUTE, Framing.SQUARE, best_start=False),
    }.items():
        seal = Seal()
        run(AnimateRequest(portrait, driver, settings=settings), quiet, seal)
        found[name] = np.stack(seal.frames).astype(int)
    assert np.abs(found["still"] - found["still"][0]).max() <= 1
    assert np.abs(found["relative"][5] - found["relative"][0]).mean() > 1
    assert np.abs(found["relative"][5] - found["absolute"][5]).mean() > 0.5


def test_faces_are_drawn_anew_where_that_is_asked_for(
    portrait: Path, driver: Path, astronaut: tuple[NDArray[np.uint8], Face]
) -> None:
    plain, restored = Seal(), Seal()
    painted = MotionSettings(detail=0.0)  # as the network alone paints it
    without = run(AnimateRequest(portrait, driver, settings=painted), quiet, plain)
    result = run(AnimateRequest(portrait, driver, settings=replace(painted, restore_faces=True)), quiet, restored)
    assert set(without.weights) == {"motion"}
    assert result.weights["dictionary"].startswith("trained here")
    x0, y0, x1, y1 = (round(v) for v in astronaut[1].box)
    change = np.abs(np.stack(restored.frames).astype(int) - np.stack(plain.frames))
    assert change[:, y0:y1, x0:x1].mean(axis=(1, 2, 3)).min() > 0.5, "a frame was left out"
    assert change[:, :20].max() == 0, "what is around the face was changed"
    sharper = [float(cv2.Laplacian(each.frames[5][y0:y1, x0:x1], cv2.CV_32F).std()) for each in (plain, restored)]
    assert sharper[1] > sharper[0], sharper
    with restoring(True) as restore:
        assert restore is not None
        wall = np.full((96, 96, 3), 90, np.uint8)
        assert restore(wall) is wall, "there is no face in it"
    with restoring(False) as nothing:
        assert nothing is None


def test_an_imported_network_moves_a_portrait_as_its_file_says(portrait: Path, driver: Path, tmp_path: Path) -> None:
    """With made-up weights: what it paints is nothing, but every step of the way is taken."""
    from ml.importers.converted import write_converted
    from ml.networks.fomm import FirstOrderMotion
    from tests.ml.fomm_states import TINY

    path = tmp_path / "made-up.fomm.npz"
    write_converted(path, "fomm", FirstOrderMotion(TINY), source="made-up.pth.tar", sha256="0" * 64)
    seal = Seal()
    result = run(AnimateRequest(portrait, driver, settings=SQUARE, model=path), quiet, seal)
    assert result.frames == len(seal.frames) == 12
    assert result.weights["motion"].startswith("imported: made-up.fomm.npz, sha256 ")


def test_what_was_found_and_made_is_taken_up_after_a_stop(
    portrait: Path, driver: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = AnimateRequest(portrait, driver, settings=SQUARE, work=tmp_path / "work")

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "animate" and done == 9:
            raise Stopped

    with pytest.raises(Stopped):
        run(request, stop, Seal())
    assert (tmp_path / "work" / "driving.npz").is_file()
    made = sorted((tmp_path / "work" / "made").glob("*.npz"))
    assert len(made) >= 1
    calls = []
    make = MotionModel.make

    def counted(self: MotionModel, *what: Any) -> Made:
        calls.append(what)
        return make(self, *what)

    monkeypatch.setattr(MotionModel, "make", counted)
    again = Seal()
    run(request, quiet, again)
    assert len(calls) == 2 - len(made)
    fresh = Seal()
    run(AnimateRequest(portrait, driver, settings=SQUARE), quiet, fresh)
    assert all(np.array_equal(a, b) for a, b in zip(again.frames, fresh.frames, strict=True))


def test_half_a_batch_on_the_disk_is_made_again(tmp_path: Path) -> None:
    made = Made(np.ones((1, 4, 4, 3), np.uint8), np.zeros((1, 2, 2, 2), np.float32), np.zeros((1, 2, 2), np.float32))
    batches = Batches(tmp_path, ())
    assert batches.of(0, lambda: made).pixels.sum() == 48
    (path,) = tmp_path.iterdir()
    assert Batches(tmp_path, ()).of(0, lambda: pytest.fail("it is kept")).pixels.sum() == 48
    path.write_bytes(path.read_bytes()[:50])
    assert Batches(tmp_path, ()).of(0, lambda: made).pixels.sum() == 48


def test_a_driver_that_looks_elsewhere_is_warned_of(
    portrait: Path, turning: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    from ml.swap.reposing import Pose, repose

    with FaceFinder() as finder:
        (face,) = finder.find(turning[5], 1)
    away = [repose(turning[5], face.landmarks, Pose(yaw=float(yaw)))[0] for yaw in (16, 17, 18)]
    path = tmp_path / "away.mp4"
    path.write_bytes(clips.encoded(away, rate=12))
    result = run(AnimateRequest(portrait, path, settings=SQUARE), quiet, Seal())
    assert result.pose_gap > animate.POSE_GAP
    assert Caution.POSE_GAP in result.cautions


def test_files_that_cannot_be_used_get_a_sentence(portrait: Path, driver: Path, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    wall.write_bytes(encode_png(np.full((200, 200, 3), 90, np.uint8)))
    nobody = tmp_path / "nobody.mp4"
    nobody.write_bytes(clips.encoded(clips.faceless_frames(6)))
    for request, word in (
        (AnimateRequest(wall, driver), "No face was found in the portrait"),
        (AnimateRequest(portrait, nobody), "No face was found in the video"),
        (AnimateRequest(driver, driver), "The portrait is no picture"),
        (AnimateRequest(portrait, built_in="dance"), "no built-in motion called dance"),
        (AnimateRequest(portrait, portrait), "video"),
    ):
        with pytest.raises(MediaError, match=word):
            run(request, quiet, Seal())
    with pytest.raises(CheckpointError, match=r"wall\.png"):
        run(AnimateRequest(portrait, built_in="nod", model=wall), quiet, Seal())
    for both in ({}, {"driver": driver, "built_in": "nod"}):
        with pytest.raises(ValueError, match="one of them"):
            AnimateRequest(portrait, **both)
