"""The square around a face, the way back into the picture, and what is carried along at full size."""

from __future__ import annotations

import numpy as np
import pytest

from ml.animate.model import Made
from ml.animate.painting import Painter
from ml.animate.square import SHARE, Square, square_of
from ml.networks.fomm.geometry import coordinate_grid

RANDOM = np.random.default_rng(7)


def test_a_square_has_the_networks_proportions_and_stays_inside() -> None:
    square = square_of([(300.0, 200.0, 380.0, 300.0)], 800, 600)
    assert square.side == round(SHARE * 100)
    assert abs(square.left + square.side / 2 - 340) < 2
    corner = square_of([(0.0, 0.0, 80.0, 100.0)], 800, 600)
    assert (corner.left, corner.top) == (0, 0)


def test_a_clips_square_holds_all_of_its_faces_but_for_a_wrong_find() -> None:
    boxes = [(100.0 + 4 * i, 100.0, 180.0 + 4 * i, 200.0) for i in range(60)]
    square = square_of([*boxes, (600.0, 400.0, 640.0, 440.0)], 800, 600)
    assert square.left <= 112
    assert square.left + square.side >= 400
    steady = square_of([(100.0, 100.0, 180.0, 200.0)] * 60 + [(600.0, 400.0, 640.0, 440.0)], 800, 600)
    assert steady.side == round(SHARE * 100)


def test_a_face_that_fills_the_picture_gets_the_picture() -> None:
    square = square_of([(20.0, 20.0, 180.0, 190.0)], 200, 200)
    assert square.side >= 190
    with pytest.raises(ValueError, match="no face"):
        square_of([], 10, 10)


def test_what_is_cut_and_pasted_back_changes_nothing_and_the_rest_is_untouched() -> None:
    picture = RANDOM.integers(0, 256, (120, 160, 3), np.uint8)
    square = Square(40, 20, 64)
    assert np.array_equal(square.paste(picture, square.cut(picture, 64)), picture)
    made = np.full((64, 64, 3), 255, np.uint8)
    pasted = square.paste(picture, made)
    assert np.array_equal(pasted[:20], picture[:20])
    assert np.array_equal(pasted[:, 104:], picture[:, 104:])
    assert (pasted[52, 72] == 255).all()
    # Faded in: at its border the square is nearly the picture.
    assert np.abs(pasted[20, 72].astype(int) - picture[20, 72]).max() <= 8


def test_a_square_at_the_pictures_edge_is_not_faded_there_and_repeats_it_outside() -> None:
    picture = RANDOM.integers(0, 256, (50, 60, 3), np.uint8)
    square = Square(-5, -5, 40)
    cut = square.cut(picture, 40)
    assert np.array_equal(cut[:5, 5:], picture[:1, :35].repeat(5, 0))
    pasted = square.paste(picture, np.full((40, 40, 3), 255, np.uint8))
    assert (pasted[:20, :20] == 255).all()


def test_a_picture_at_rest_keeps_its_finest_structure_and_a_moved_one_takes_it_along() -> None:
    square = RANDOM.integers(0, 256, (128, 128, 3), np.uint8)
    import cv2

    small = cv2.resize(square, (32, 32), interpolation=cv2.INTER_AREA)
    grid = coordinate_grid(16, 16)
    whole = np.ones((1, 16, 16), np.float32)
    (still,) = Painter(square, 32, 1.0).frames(Made(small[None], grid[None], whole))
    assert np.abs(still.astype(int) - square).max() <= 1
    moved = grid + np.array([16 * 2 / 127, 0], np.float32)  # each pixel comes from 16 pixels to the right
    (shifted,) = Painter(square, 32, 1.0).frames(Made(np.roll(small, -4, 1)[None], moved[None], whole))
    inner = np.s_[8:-8, 8:90]
    assert np.abs(shifted.astype(int) - np.roll(square, -16, 1))[inner].mean() < 3
    (soft,) = Painter(square, 32, 0.0).frames(Made(small[None], grid[None], whole))
    assert np.abs(soft.astype(int) - square).mean() > 10
    (painted,) = Painter(square, 32, 1.0).frames(Made(small[None], grid[None], 0 * whole))
    assert np.array_equal(painted, soft)
