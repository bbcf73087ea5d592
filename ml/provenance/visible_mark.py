"""The visible mark: an opaque band with "AI-generated" and the site's name, burned into the pixels.

The band is black and its text white, whatever lies below, so its contrast is that of the two (21:1 by WCAG) on any
picture. Its letters are so large that it can be read when the picture is shown at a quarter of its size.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS: Final = "AI-generated"
SHORTEST_SIDE: Final = 64
_READABLE: Final = 36
"""Font size in pixels from which the text is read at a quarter: 9 px there."""
_OF_SHORT_SIDE: Final = 0.045
_FILL: Final = 0.94  # of the width, at most


class TooSmall(ValueError):
    """The picture cannot hold a band that anybody could read."""


def text(site: str) -> str:
    return f"{WORDS} · {site}"


def burn(pixels: NDArray[np.uint8], site: str) -> NDArray[np.uint8]:
    """A copy of uint8 (H, W, 3) RGB pixels with the band along the bottom edge. One size always gets one band.

    Raises:
        TooSmall: the shorter side is under 64 pixels.
        ValueError: the array is no such picture.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"expected uint8 (H, W, 3), got {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    drawn = band(width, height, site)
    marked: NDArray[np.uint8] = pixels.copy()
    marked[height - drawn.shape[0] :] = drawn
    return marked


def burn_below(pixels: NDArray[np.uint8], site: str) -> NDArray[np.uint8]:
    """The same pixels and the band below them: (H + band height, W, 3). For small pictures that it would half cover.

    Raises as :func:`burn` does.
    """
    height, width = pixels.shape[:2]
    room = len(band(width, height, site))
    marked = burn(np.pad(pixels, ((0, room), (0, 0), (0, 0))), site)
    return marked


@lru_cache(maxsize=8)
def band(width: int, height: int, site: str) -> NDArray[np.uint8]:
    """The band for a picture of that size: uint8 (band height, width, 3). Do not write into it."""
    if min(width, height) < SHORTEST_SIDE:
        raise TooSmall(f"a picture of {width} x {height} pixels cannot hold a readable mark")
    lines, font = _lines(width, height, site)
    ascent, descent = font.getmetrics()
    step = ascent + descent
    pad = max(2, round(0.18 * font.size))
    image = Image.new("RGB", (width, step * len(lines) + 2 * pad), "black")
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        draw.text(((width - font.getlength(line)) / 2, pad + index * step), line, fill="white", font=font)
    drawn: NDArray[np.uint8] = np.asarray(image, dtype=np.uint8)
    if drawn.shape[0] > height // 2:  # a long name on a small picture: the first words are what matters
        drawn = np.asarray(image.resize((width, height // 2), Image.Resampling.LANCZOS), dtype=np.uint8)
    drawn.setflags(write=False)
    return drawn


def _lines(width: int, height: int, site: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    wanted = max(_READABLE, round(_OF_SHORT_SIDE * min(width, height)))
    for lines in ([text(site)], [WORDS, site]):
        font = _font(wanted)
        longest = max(font.getlength(line) for line in lines)
        if longest <= _FILL * width:
            return lines, font
    # Narrower than the words at that size: as large as fits.
    return lines, _font(max(8, int(wanted * _FILL * width / longest)))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans Bold, which matplotlib brings along: the same letters on every machine."""
    found = find_spec("matplotlib")  # looked up, not loaded
    folder = next(iter(found.submodule_search_locations or ()), None) if found else None
    if folder is None:
        raise RuntimeError("matplotlib, whose font draws the mark, is not installed")
    return ImageFont.truetype(str(Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"), size)
