"""The visible band can be read when small and on any background; the invisible mark comes back, or nothing does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ml.provenance import invisible_mark, visible_mark
from ml.provenance.measure_mark import cropped, jpeg, scaled

TYPES = [(512, 512), (1920, 1080), (1080, 1920), (256, 256), (4000, 3000), (128, 96)]


@pytest.mark.parametrize("size", TYPES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_band_is_readable_at_a_quarter(size: tuple[int, int]) -> None:
    """Shown at 25 %, the words are still where they are and nowhere else, and letters stay apart from their ground."""
    width, height = size
    rng = np.random.default_rng(0)
    marked = visible_mark.burn(rng.integers(0, 256, (height, width, 3), np.uint8), "Unmask")
    band = visible_mark.band(width, height, "Unmask")
    shown = cv2.cvtColor(cv2.resize(marked, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    wanted = cv2.cvtColor(cv2.resize(band, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    inner = np.ascontiguousarray(wanted[1:-1, 1:-1])
    fit = cv2.matchTemplate(shown, inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(fit)
    assert best > 0.95
    assert abs(y - (shown.shape[0] - wanted.shape[0] + 1)) <= 1
    assert x == 1
    other = cv2.resize(
        visible_mark.band(width, height, "Nomask"), (wanted.shape[1], wanted.shape[0]), interpolation=cv2.INTER_AREA
    )
    other_fit = cv2.matchTemplate(shown, np.ascontiguousarray(cv2.cvtColor(other, cv2.COLOR_RGB2GRAY)[1:-1, 1:-1]), 5)
    assert other_fit.max() < best  # the very letters are told apart, so they can be read
    if min(size) >= 256:
        letters = np.flatnonzero((wanted > 128).any(axis=1))
        assert letters[-1] - letters[0] + 1 >= 6  # pixels of letter height at a quarter


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_the_band_contrasts_on_any_background(ground: int) -> None:
    marked = visible_mark.burn(np.full((512, 512, 3), ground, np.uint8), "Unmask")
    band = marked[-visible_mark.band(512, 512, "Unmask").shape[0] :]
    dark, light = (float(np.percentile(band, share)) / 255 for share in (1, 99))
    luminance = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (dark, light)]
    assert (luminance[1] + 0.05) / (luminance[0] + 0.05) > 15  # WCAG asks for 4.5, AAA for 7


def test_the_band_is_the_same_each_time_and_leaves_the_rest_alone(astronaut: np.ndarray) -> None:
    first, second = (visible_mark.burn(astronaut, "Unmask") for _ in range(2))
    assert np.array_equal(first, second)
    above = 512 - visible_mark.band(512, 512, "Unmask").shape[0]
    assert above > 400
    assert np.array_equal(first[:above], astronaut[:above])
    with pytest.raises(ValueError, match="uint8"):
        visible_mark.burn(astronaut[..., 0], "Unmask")


@pytest.mark.parametrize("mark", ["0123456789ab", "000000000000", "ffffffffffff"])
def test_the_mark_survives_what_is_promised(mark: str, astronaut: np.ndarray) -> None:
    marked = invisible_mark.write(visible_mark.burn(astronaut, "Unmask"), mark)
    rng = np.random.default_rng(4)
    for copy in (
        marked,
        jpeg(marked, 90),
        jpeg(marked, 75),
        jpeg(marked, 50),
        scaled(marked, 0.75),
        scaled(marked, 0.5),
    ):
        assert invisible_mark.read(copy, cropped=False) == mark
    assert invisible_mark.read(cropped(marked, 0.9, rng)) == mark
    brighter = np.clip(marked.astype(int) + 3, 0, 255).astype(np.uint8)
    assert invisible_mark.read(brighter, cropped=False) == mark
    error = np.mean((marked.astype(float) - visible_mark.burn(astronaut, "Unmask")) ** 2)
    assert 10 * np.log10(255**2 / error) > 42


def test_nothing_is_found_where_nothing_is(astronaut: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    pictures = [astronaut, rng.integers(0, 256, (300, 400, 3), np.uint8), np.zeros((200, 200, 3), np.uint8)]
    pictures += [np.full((256, 256, 3), 255, np.uint8), np.asarray(jpeg(astronaut, 20))]
    assert [invisible_mark.read(picture) for picture in pictures] == [None] * len(pictures)


def test_strange_arrays_are_no_error(astronaut: np.ndarray) -> None:
    assert invisible_mark.read(astronaut[:10, :10]) is None
    assert invisible_mark.read(astronaut[..., 0]) is None
    tiny = astronaut[:100, :100]
    assert np.array_equal(invisible_mark.write(tiny, "0123456789ab"), tiny)
    for wrong in ("", "0123", "0123456789abcd"):
        with pytest.raises(ValueError, match="12 hex digits"):
            invisible_mark.write(astronaut, wrong)
