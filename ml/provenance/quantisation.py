"""How a JPEG was compressed, from its own header: quantisation tables, chroma, scans. Facts about its last saving."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Table = tuple[int, ...]

_ZIGZAG: Final = sorted(range(64), key=lambda at: (at // 8 + at % 8, at // 8 if (at // 8 + at % 8) % 2 else -(at // 8)))
# ITU-T T.81 annex K, row by row. All encoders that descend from the Independent JPEG Group's scale these.
_LUMINANCE: Final = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMINANCE: Final = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, *(99,) * 32,
)  # fmt: skip
# The table that N. Robidoux made for ImageMagick, and that mozjpeg takes for both luminance and chrominance.
_MOZJPEG: Final = (
    16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75, 16, 20, 24, 31, 43, 62, 91, 135, 18, 27, 31, 40, 53,
    74, 106, 156, 25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74, 94, 124, 169, 238, 56, 53, 91, 106, 131, 169, 226,
    311, 85, 75, 135, 156, 189, 238, 311, 418,
)  # fmt: skip
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


class Style(StrEnum):
    """Whose quantisation tables these are."""

    STANDARD = "standard"
    STANDARD_MIXED = "standard_mixed"
    MOZJPEG = "mozjpeg"
    ADOBE = "adobe"
    OWN = "own"


WORDS: Final = {
    Style.STANDARD: "The standard's tables, as most programs, web sites and messengers write them; few cameras do.",
    Style.STANDARD_MIXED: "The standard's tables, at different strengths for brightness and colour.",
    Style.MOZJPEG: "The tables of mozjpeg, with which pictures are made smaller for web sites.",
    Style.ADOBE: "Tables of its own, with the marks that Adobe's programs leave.",
    Style.OWN: "Tables of its own, as cameras, phones and some editors write them.",
}


@dataclass(frozen=True, slots=True)
class Compression:
    """quality: libjpeg's setting, 1 to 100; `exact` when the tables are precisely those of that setting, otherwise it
    is the setting whose tables are nearest in strength. chroma: such as "4:2:0"; "" for grey pictures.
    """

    quality: int | None
    exact: bool
    style: Style
    words: str
    chroma: str
    progressive: bool
    tables: int


def read_compression(markers: Sequence[tuple[int, bytes]]) -> Compression | None:
    """markers: of `ml.provenance.containers.Parts`. None without a table, which is then no JPEG that can be decoded."""
    tables = quantisation_tables(markers)
    if 0 not in tables:
        return None
    chroma, progressive, luma_of, chroma_of = _frame(markers)
    luma = tables.get(luma_of, tables[0])
    other = tables.get(chroma_of) if chroma_of is not None else None
    quality, exact, style = _style(luma, other)
    if style is Style.OWN and _has_adobe_marks(markers):
        style = Style.ADOBE
    return Compression(quality, exact, style, WORDS[style], chroma, progressive, len(tables))


def quantisation_tables(markers: Sequence[tuple[int, bytes]]) -> dict[int, Table]:
    """Tables by their number, row by row, as the last definition before the pixels has them."""
    found: dict[int, Table] = {}
    for marker, body in markers:
        if marker != 0xDB:
            continue
        at = 0
        while at < len(body):
            wide, number = body[at] >> 4, body[at] & 15
            size = 128 if wide else 64
            values = body[at + 1 : at + 1 + size]
            if wide > 1 or number > 3 or len(values) < size:
                break
            steps = np.frombuffer(values, dtype=">u2" if wide else np.uint8)
            rows = np.empty(64, dtype=np.int64)
            rows[_ZIGZAG] = steps
            found[number] = tuple(int(step) for step in rows)
            at += 1 + size
    return found


def _frame(markers: Sequence[tuple[int, bytes]]) -> tuple[str, bool, int, int | None]:
    """Chroma subsampling, whether progressive, and the numbers of the tables for luminance and chrominance."""
    for marker, body in markers:
        if marker not in _FRAMES or len(body) < 9:
            continue
        parts = [body[6 + 3 * i : 9 + 3 * i] for i in range(min(body[5], 4))]
        if any(len(part) < 3 for part in parts) or not parts:
            break
        luma = parts[0][2]
        if len(parts) < 3:
            return "", marker in _PROGRESSIVE, luma, None
        across = [part[1] >> 4 for part in parts]
        down = [part[1] & 15 for part in parts]
        return _subsampling(across, down), marker in _PROGRESSIVE, luma, parts[1][2]
    return "", False, 0, None


def _subsampling(across: list[int], down: list[int]) -> str:
    if across[1] != across[2] or down[1] != down[2] or 0 in {*across[:3], *down[:3]}:
        return "other"
    if across[0] % across[1] or down[0] % down[1]:
        return "other"
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1", (4, 2): "4:1:0"}
    return names.get((across[0] // across[1], down[0] // down[1]), "other")


def _style(luma: Table, chroma: Table | None) -> tuple[int | None, bool, Style]:
    for base, second, style in (
        (_LUMINANCE, _CHROMINANCE, Style.STANDARD),
        (_MOZJPEG, _MOZJPEG, Style.MOZJPEG),
    ):
        quality = _settings(base).get(luma)
        if quality is None:
            continue
        if chroma is None or chroma == _scaled(second, quality):
            return quality, True, style
        if style is Style.STANDARD and chroma in {**_settings(_CHROMINANCE), **_settings(_LUMINANCE)}:
            return quality, True, Style.STANDARD_MIXED
    return _nearest(luma), False, Style.OWN


@cache
def _settings(base: Table) -> dict[Table, int]:
    """Every table that a base gives, with its quality; the highest where two settings give the same."""
    return {_scaled(base, quality): quality for quality in range(1, 101)}


@cache
def _scaled(base: Table, quality: int) -> Table:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((value * scale + 50) // 100, 1), 255) for value in base)


def _nearest(luma: Table) -> int:
    tables = np.array([_scaled(_LUMINANCE, quality) for quality in range(1, 101)], dtype=np.float64)
    strength: NDArray[np.float64] = np.abs(np.log(tables).mean(axis=1) - np.log(np.maximum(luma, 1)).mean())
    return int(strength.argmin()) + 1


def _has_adobe_marks(markers: Sequence[tuple[int, bytes]]) -> bool:
    # APP12 "Ducky" and APP13 "Photoshop 3.0" are Adobe's own; APP14 "Adobe" alone is written by others too.
    return any(
        (marker == 0xEC and body.startswith(b"Ducky")) or (marker == 0xED and body.startswith(b"Photoshop 3.0"))
        for marker, body in markers
    )
