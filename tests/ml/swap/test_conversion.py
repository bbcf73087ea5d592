"""What goes into a picture is the face and its light; everything else stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.faces import Face
from ml.swap.alignment import align
from ml.swap.blending import Blend, MaskKind, face_mask, paste_back
from ml.swap.colour import ColourTransfer, transfer
from ml.swap.swapper import ConversionSettings, Swapper
from ml.swap.tracking import FaceChoice, Track, choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork

WHOLE = np.ones((32, 32), np.float32)


@pytest.fixture(scope="module")
def pictures() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    random = np.random.default_rng(4)
    dark = np.clip(random.normal((60, 50, 40), (20, 15, 10), (32, 32, 3)), 0, 255).astype(np.uint8)
    light = np.clip(random.normal((190, 150, 120), (30, 25, 20), (32, 32, 3)), 0, 255).astype(np.uint8)
    return dark, light


@pytest.mark.parametrize("method", [ColourTransfer.REINHARD, ColourTransfer.HISTOGRAM])
def test_colours_come_from_the_picture(
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]], method: ColourTransfer
) -> None:
    dark, light = pictures
    moved = transfer(dark, light, WHOLE, method)
    assert np.abs(moved.mean(axis=(0, 1)) - light.mean(axis=(0, 1))).max() < 3
    assert np.abs(moved.std(axis=(0, 1)) - light.std(axis=(0, 1))).max() < 6
    same = transfer(light, light, WHOLE, method)
    assert np.abs(same.astype(int) - light).max() <= 2


def test_only_what_is_inside_the_mask_tells_the_colours(
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    dark, light = pictures
    half = WHOLE.copy()
    half[16:] = 0
    other = light.copy()
    other[16:] = 0
    for method in (ColourTransfer.REINHARD, ColourTransfer.HISTOGRAM):
        assert np.array_equal(transfer(dark, light, half, method), transfer(dark, other, half, method))
        assert transfer(dark, light, np.zeros((32, 32), np.float32), method) is dark
    assert transfer(dark, light, WHOLE, ColourTransfer.NONE) is dark


def test_masks_shrink_fade_and_agree(face: Face) -> None:
    points = align(face.landmarks, 64).points(face.landmarks)
    hull = face_mask(points, 64, None, MaskKind.HULL, 0.0, 0.0)
    assert set(np.unique(hull)) == {0.0, 1.0}
    drawn_in = face_mask(points, 64, None, MaskKind.HULL, 0.1, 0.0)
    soft = face_mask(points, 64, None, MaskKind.HULL, 0.0, 0.1)
    assert 0 < drawn_in.sum() < hull.sum()
    assert np.all(drawn_in <= hull)
    assert np.all(soft <= hull)
    assert ((soft > 0.05) & (soft < 0.95)).sum() > 100
    learned = np.zeros((64, 64), np.float32)
    learned[:32] = 0.9
    assert np.array_equal(face_mask(points, 64, learned, MaskKind.LEARNED, 0.0, 0.0)[1:32, 1:-1], np.ones((31, 62)))
    both = face_mask(points, 64, learned, MaskKind.BOTH, 0.0, 0.0)
    assert np.array_equal(both[1:], np.where(learned > 0.5, hull, 0)[1:])
    assert face_mask(points, 64, None, MaskKind.LEARNED, 0.0, 0.0).sum() == hull.sum()


@pytest.mark.parametrize("blend", list(Blend))
def test_nothing_outside_the_mask_changes(astronaut: NDArray[np.uint8], face: Face, blend: Blend) -> None:
    alignment = align(face.landmarks, 96)
    points = alignment.points(face.landmarks)
    mask = face_mask(points, 96, None, MaskKind.HULL, 0.02, 0.06)
    crop = np.full((96, 96, 3), (20, 200, 60), np.uint8)
    out = paste_back(astronaut, crop, mask, alignment, blend)
    reached = alignment.paste(mask, 512, 512) > 0
    assert np.array_equal(out[~reached], astronaut[~reached])
    changed = np.abs(out.astype(int) - astronaut).max(axis=2)
    assert (changed[reached] > 8).mean() > 0.5
    assert not np.shares_memory(out, astronaut)


def test_a_face_at_the_edge_of_the_picture_is_pasted_as_far_as_it_goes(
    astronaut: NDArray[np.uint8], face: Face
) -> None:
    cut = np.ascontiguousarray(astronaut[:, 225:])
    points = face.landmarks - np.array([225, 0], np.float32)
    alignment = align(points, 96)
    mask = face_mask(alignment.points(points), 96, None, MaskKind.HULL, 0.0, 0.05)
    for blend in Blend:
        out = paste_back(cut, np.zeros((96, 96, 3), np.uint8), mask, alignment, blend)
        assert out.shape == cut.shape
    away = points + np.array([2000, 0], np.float32)
    assert np.array_equal(paste_back(cut, np.zeros((96, 96, 3), np.uint8), mask, align(away, 96), Blend.ALPHA), cut)


def test_a_swapper_changes_the_face_and_leaves_the_rest(
    small_network: Callable[..., SwapNetwork], astronaut: NDArray[np.uint8], face: Face
) -> None:
    swapper = Swapper(small_network(), "a")
    out = swapper.swap(astronaut, face.landmarks, ConversionSettings(colour=ColourTransfer.NONE))
    assert np.abs(out[90:160, 190:260].astype(int) - astronaut[90:160, 190:260]).mean() > 10
    assert np.array_equal(out[300:], astronaut[300:])
    with pytest.raises(ValueError, match="shares"):
        ConversionSettings(erode=0.9)


def at(x: float, size: float = 40) -> Face:
    points = np.full((478, 2), (x, 50), np.float32)
    return Face((x - size / 2, 30, x + size / 2, 70), points, 1.0, 0, 0, 0)


def test_the_face_that_is_meant_is_chosen() -> None:
    faces = [at(30, 80), at(150, 40), at(290, 60)]
    chosen = {choice: choose(faces, choice, 300, 100) for choice in FaceChoice}
    assert [chosen[c] for c in FaceChoice] == [faces[0], faces[0], faces[2], faces[1]]
    assert choose([], FaceChoice.LARGEST, 300, 100) is None


def test_one_face_is_followed_and_not_its_neighbour() -> None:
    track = Track(FaceChoice.LEFTMOST)
    track.add([at(100), at(200)], 300, 100)
    track.add([at(108), at(200)], 300, 100)
    track.add([at(60), at(112), at(200)], 300, 100)  # somebody walks in further to the left
    track.add([at(200)], 300, 100)  # the followed one is hidden: nobody else is taken for it
    track.add([at(120), at(200)], 300, 100)
    places = [None if mesh is None else float(mesh[0, 0]) for mesh in track.meshes]
    assert places == [100, 108, 112, None, 120]
    assert track.found == 4
    bridged = track.smoothed(0)
    assert bridged[3] is not None
    assert float(bridged[3][0, 0]) == pytest.approx(116)


def test_smoothing_steadies_and_does_not_cross_a_long_gap(tmp_path: Path) -> None:
    track = Track(FaceChoice.LARGEST)
    random = np.random.default_rng(2)
    noise = random.normal(0, 2, 40)
    for i in range(40):
        track.add([] if 15 <= i < 22 else [at(100 + noise[i] + (50 if i >= 22 else 0), 200)], 300, 100)
    smooth = track.smoothed(1.5)
    places = np.array([np.nan if mesh is None else mesh[0, 0] for mesh in smooth])
    raw = np.array([np.nan if mesh is None else mesh[0, 0] for mesh in track.meshes])
    assert np.isnan(places[15:22]).all()
    assert np.nanstd(np.diff(places[:15])) < 0.5 * np.nanstd(np.diff(raw[:15]))
    assert places[14] < 110
    assert places[22] > 140
    track.save(tmp_path / "track.npz")
    again = Track.load(tmp_path / "track.npz")
    for mine, theirs in zip(track.meshes, again.meshes, strict=True):
        assert (mine is None) is (theirs is None)
        assert mine is None or np.array_equal(mine, theirs)
