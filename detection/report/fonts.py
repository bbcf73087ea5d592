"""The letters of the PDF: an open font that is embedded, fonts that readers bring along for Chinese, Japanese and
Korean, and an honest box for what neither has."""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Report"
BOLD: Final = "Report-Bold"
MISSING: Final = "[?]"  # one sign for a whole run: how long it was would say nothing either
LAST: Final = 0xFFFF  # reportlab writes letters beyond it so that they cannot be copied out again
# Right-to-left letters need joining and reordering, which is not done here: as stored, they would read backwards.
BACKWARDS: Final = frozenset({"R", "AL"})
# The fonts of Adobe's language packs: named in the file, not embedded in it.
EAST_ASIAN: Final = (
    ("STSong-Light", ((0x2E80, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))),
    ("HeiseiMin-W3", ((0x3040, 0x30FF),)),
    ("HYSMyeongJo-Medium", ((0x1100, 0x11FF), (0xAC00, 0xD7AF))),
)


def _files() -> tuple[Path, Path]:
    """DejaVu (Latin, Greek, Cyrillic and more), which matplotlib's wheel carries; it is looked up, not imported. Where
    that is not installed, Vera, its ancestor for Latin alone, which reportlab's wheel carries."""
    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        files = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        if all(file.is_file() for file in files):
            return files
    folder = Path(reportlab.__file__).parent / "fonts"
    return folder / "Vera.ttf", folder / "VeraBd.ttf"


@cache
def letters() -> frozenset[int]:
    """Make the fonts known to reportlab, once a process; returns the characters that the embedded one has."""
    regular, bold = (TTFont(name, file) for name, file in zip((REGULAR, BOLD), _files(), strict=True))
    pdfmetrics.registerFont(regular)
    pdfmetrics.registerFont(bold)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    for name, _ranges in EAST_ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(regular.face.charToGlyph)


def font_of(character: str) -> str | None:
    """The font that has it; None where none does."""
    code = ord(character)
    if code > LAST:
        return None
    if unicodedata.bidirectional(character) in BACKWARDS:
        return None
    if code in letters():
        return REGULAR
    for name, ranges in EAST_ASIAN:
        if any(first <= code <= last for first, last in ranges):
            return name
    return None


def marked(text: object) -> str:
    """Plain text as a paragraph's markup: nothing in it is a tag, invisible characters are gone, and every letter is
    set in a font that has it."""
    plain = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", str(text))
        if character.isspace() or not unicodedata.category(character).startswith("C")
    )
    runs = []
    for font, characters in groupby(plain, key=font_of):
        run = escape("".join(characters))
        if font is None:
            runs.append(MISSING)
        elif font == REGULAR:
            runs.append(run)
        else:
            runs.append(f'<font name="{font}">{run}</font>')
    return "".join(runs)


def is_embedded(text: str) -> bool:
    """Whether every visible letter of it is in the file itself, and so the same in every reader."""
    return all(
        font_of(each) == REGULAR
        for each in text
        if not each.isspace() and not unicodedata.category(each).startswith("C")
    )
