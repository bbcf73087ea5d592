"""What the PDF draws by lines: the sign of a verdict, the scale, the picture with its boxes, a video's score."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PIL import Image
from reportlab.lib.colors import HexColor, white
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from .fonts import BOLD, REGULAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportlab.pdfgen.canvas import Canvas

    from detection.models import Check, FaceFinding
    from jobs.models import Artifact

# The light look of the pages.
INK: Final = HexColor("#121a1b")
SOFT: Final = HexColor("#455254")
RULE: Final = HexColor("#c6cfce")
SHEET: Final = HexColor("#f3f6f5")
HATCH: Final = HexColor("#fbeed0")
LEVELS: Final = {
    "likely_manipulated": HexColor("#a92b16"),
    "inconclusive": HexColor("#7a4f00"),
    "likely_authentic": HexColor("#0c5f49"),
    "not_applicable": HexColor("#4a585a"),
}


def colour_of(level: str) -> HexColor:
    return LEVELS.get(level, LEVELS["not_applicable"])


def small_jpeg(artifact: Artifact | None, side: int) -> io.BytesIO | None:
    """A stored picture at the size that it is printed in; None where there is none, or none any more."""
    if artifact is None:
        return None
    try:
        with artifact.file.open("rb") as stored, Image.open(stored, formats=["JPEG"]) as picture:
            picture.draft("RGB", (side, side))  # the decoder leaves out what would be thrown away
            small = picture.convert("RGB")
    except (OSError, ValueError):
        return None
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    buffer.seek(0)
    return buffer


class Sign(Flowable):  # type: ignore[misc]
    """The shape of a verdict, as on the pages: aligned, slipped, undecided, absent."""

    def __init__(self, level: str, side: float) -> None:
        super().__init__()
        self.level, self.width, self.height = level, side, side

    def draw(self) -> None:
        draw_sign(self.canv, self.level, 0, 0, self.width)


def draw_sign(canvas: Canvas, level: str, x: float, y: float, side: float) -> None:
    canvas.saveState()
    canvas.translate(x, y + side)
    canvas.scale(side / 24, -side / 24)  # the icons' own 24 units, downwards
    colour = colour_of(level)
    canvas.setFillColor(colour)
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(1.7)
    if level == "likely_authentic":
        canvas.circle(12, 12, 10, fill=0)
        canvas.circle(12, 12, 6.6, stroke=0, fill=1)
    elif level == "likely_manipulated":
        for left, top, start in ((13.45, 8.75, 135), (10.55, 15.25, -45)):
            half = canvas.beginPath()
            half.arc(left - 8.4, top - 8.4, left + 8.4, top + 8.4, start, 180)
            half.close()
            canvas.drawPath(half, stroke=0, fill=1)
    elif level == "inconclusive":
        half = canvas.beginPath()
        half.arc(2, 2, 22, 22, 90, 180)
        half.close()
        canvas.drawPath(half, stroke=0, fill=1)
        canvas.setDash(3.2, 3.4)
        canvas.arc(2.9, 2.9, 21.1, 21.1, -90, 180)
    else:
        canvas.circle(12, 12, 9.2, fill=0)
        canvas.line(5.6, 18.4, 18.4, 5.6)
    canvas.restoreState()


class Scale(Flowable):  # type: ignore[misc]
    """The probability on a line from 0 to 100 %, with the inconclusive band and the interval."""

    def __init__(self, check: Check, width: float, words: str) -> None:
        super().__init__()
        self.check, self.words = check, words
        self.width, self.height = width, 16 * mm

    def draw(self) -> None:
        canvas, check, base, thick = self.canv, self.check, 5 * mm, 4 * mm
        canvas.setLineWidth(0.6)
        canvas.setFillColor(SHEET)
        canvas.rect(0, base, self.width, thick, stroke=0, fill=1)
        if check.band_low is not None and check.band_high is not None:
            low, high = check.band_low * self.width, check.band_high * self.width
            self._zone(0, low, LEVELS["likely_authentic"])
            self._zone(high, self.width, LEVELS["likely_manipulated"])
            self._hatched(low, high, base, thick)
            canvas.setFillColor(SOFT)
            canvas.setFont(REGULAR, 7)
            canvas.drawCentredString((low + high) / 2, 1 * mm, self.words)
        canvas.setStrokeColor(SOFT)
        canvas.rect(0, base, self.width, thick, stroke=1, fill=0)
        canvas.setFillColor(SOFT)
        canvas.setFont(REGULAR, 7)
        canvas.drawString(0, 1 * mm, "0 %")
        canvas.drawRightString(self.width, 1 * mm, "100 %")
        canvas.setStrokeColor(INK)
        if check.interval is not None:
            low, high = (each * self.width for each in check.interval)
            top = base + thick + 1 * mm
            canvas.setLineWidth(1)
            canvas.line(low, top, high, top)
            for end in (low, high):
                canvas.line(end, top - 0.7 * mm, end, top + 0.7 * mm)
        if check.probability is not None:
            self._needle(check.probability * self.width, base, thick)

    def _zone(self, low: float, high: float, colour: HexColor) -> None:
        self.canv.saveState()
        self.canv.setFillColor(colour, alpha=0.3)
        self.canv.rect(low, 5 * mm, high - low, 4 * mm, stroke=0, fill=1)
        self.canv.restoreState()

    def _hatched(self, low: float, high: float, base: float, thick: float) -> None:
        canvas = self.canv
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(low, base, high - low, thick)
        canvas.clipPath(frame, stroke=0, fill=0)
        canvas.setFillColor(HATCH)
        canvas.rect(low, base, high - low, thick, stroke=0, fill=1)
        canvas.setStrokeColor(LEVELS["inconclusive"])
        x = low - thick
        while x < high:
            canvas.line(x, base, x + thick, base + thick)
            x += 1.6 * mm
        canvas.restoreState()

    def _needle(self, x: float, base: float, thick: float) -> None:
        canvas, wide = self.canv, 1.3 * mm
        path = canvas.beginPath()
        path.moveTo(x, base - 0.8 * mm)
        for dx, y in ((wide, base + 0.8 * mm), (wide, base + thick - 0.5 * mm), (0, base + thick + 0.8 * mm)):
            path.lineTo(x + dx, y)
        for dx, y in ((-wide, base + thick - 0.5 * mm), (-wide, base + 0.8 * mm)):
            path.lineTo(x + dx, y)
        path.close()
        canvas.setFillColor(INK)
        canvas.setStrokeColor(white)
        canvas.drawPath(path, stroke=1, fill=1)
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 9)
        at = min(max(x, 4 * mm), self.width - 4 * mm)
        canvas.drawCentredString(at, base + thick + 3 * mm, f"{self.check.percent} %")


class Plate(Flowable):  # type: ignore[misc]
    """The checked picture with its faces marked by number."""

    def __init__(self, jpeg: io.BytesIO, faces: Sequence[FaceFinding], width: float, height: float) -> None:
        super().__init__()
        self.image, self.faces = ImageReader(jpeg), faces
        across, down = self.image.getSize()
        factor = min(width / across, height / down)
        self.width, self.height = across * factor, down * factor

    def draw(self) -> None:
        canvas = self.canv
        canvas.drawImage(self.image, 0, 0, self.width, self.height)
        for face in self.faces:
            if face.quality.get("elsewhere"):  # a person of a video who is not in the frame that is shown
                continue
            x, wide = face.left_percent / 100 * self.width, face.width_percent / 100 * self.width
            tall = face.height_percent / 100 * self.height
            y = self.height * (1 - face.top_percent / 100) - tall
            canvas.setLineWidth(2)
            canvas.setStrokeColor(white)
            canvas.rect(x, y, wide, tall)
            canvas.setLineWidth(1.1)
            canvas.setStrokeColor(colour_of(face.level))
            canvas.rect(x, y, wide, tall)
            canvas.setFillColor(colour_of(face.level))
            canvas.rect(x, y + tall, 4 * mm, 3 * mm, stroke=0, fill=1)
            canvas.setFillColor(white)
            canvas.setFont(BOLD, 6.5)
            canvas.drawCentredString(x + 2 * mm, y + tall + 0.8 * mm, str(face.number))


class Course(Flowable):  # type: ignore[misc]
    """A video's score over time: a dot for each looked-at moment, that of the worst person in it, and a line through
    those that belong together; the inconclusive band behind them."""

    def __init__(
        self, runs: Sequence[Sequence[tuple[float, float]]], duration: float, check: Check, width: float
    ) -> None:
        super().__init__()
        self.runs, self.duration, self.check = runs, max(duration, 1e-6), check
        self.width, self.height = width, 30 * mm

    def draw(self) -> None:
        canvas, left, base = self.canv, 9 * mm, 5 * mm
        wide, tall = self.width - left, self.height - base - 2 * mm
        if self.check.band_low is not None and self.check.band_high is not None:
            canvas.setFillColor(HATCH)
            low, high = (base + each * tall for each in (self.check.band_low, self.check.band_high))
            canvas.rect(left, low, wide, high - low, stroke=0, fill=1)
        canvas.setStrokeColor(SOFT)
        canvas.setLineWidth(0.6)
        canvas.rect(left, base, wide, tall, stroke=1, fill=0)
        canvas.setFont(REGULAR, 7)
        canvas.setFillColor(SOFT)
        canvas.drawRightString(left - 1 * mm, base, "0 %")
        canvas.drawRightString(left - 1 * mm, base + tall - 2 * mm, "100 %")
        canvas.drawString(left, 1 * mm, "0 s")
        canvas.drawRightString(self.width, 1 * mm, f"{self.duration:.1f} s")
        canvas.setStrokeColor(INK)
        canvas.setFillColor(INK)
        canvas.setLineWidth(0.5)
        for run in self.runs:
            places = [(left + min(t / self.duration, 1) * wide, base + value * tall) for t, value in run]
            canvas.lines([(*here, *there) for here, there in pairwise(places)])
            for x, y in places:
                canvas.circle(x, y, 0.7 * mm, stroke=0, fill=1)
