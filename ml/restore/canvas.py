"""A picture as it is enhanced: its own colours and depth, its transparency and its colour profile, kept apart."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from ml.detect.quality import jpeg_quality
from ml.media import decode
from ml.media.header import ACCEPTED
from ml.provenance import invisible_mark
from ml.sentences import N_

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.media import Picture

_GREY = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L"})
_PLAIN = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"})
_MAX_PROFILE = 4 * 1024 * 1024

MARKED_PIXELS = 40_000_000
"""Larger pictures carry no invisible mark: it is read again from as many pixels as the site takes in, and no more."""

_DAMAGED_EXIF = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error)


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A decoded picture with all that its enhancement must keep.

    colour: (H, W, 3) RGB, uint8 or uint16, EXIF orientation applied, in the colours of ``icc`` (None: sRGB). alpha:
    (H, W) of the same type, or None. grey: the file had no colours, and its copy is to have none. quality: the setting
    that a JPEG was most likely saved with, else None. notes: what could not be kept, in sentences.
    """

    colour: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc: bytes | None = None
    grey: bool = False
    quality: int | None = None
    sha256: str = ""
    notes: tuple[str, ...] = ()
    source_types: frozenset[str] = frozenset()

    @property
    def top(self) -> int:
        """The largest value: 255 or 65535."""
        return int(np.iinfo(self.colour.dtype).max)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.colour.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.colour.shape[1])

    def bytes8(self) -> NDArray[np.uint8]:
        """The colours as uint8 (H, W, 3)."""
        return to_bytes(self.colour)


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 or uint16 values as uint8: 65535 becomes 255."""
    return values if values.dtype == np.uint8 else ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def marked(canvas: Canvas, mark: str) -> Canvas:
    """The canvas with an invisible mark of 12 hex digits; one that is too large or small comes back as it is.

    The mark is a change of a few levels in 8 bits; 16 bits keep their finer steps beside it.
    """
    if canvas.width * canvas.height > MARKED_PIXELS:
        return canvas
    plain = canvas.bytes8()
    written = invisible_mark.write(plain, mark)
    if canvas.top == 255:
        return replace(canvas, colour=written)
    change = (written.astype(np.int32) - plain) * 257
    return replace(canvas, colour=(canvas.colour + change).clip(0, canvas.top).astype(np.uint16))


def read(path: Path) -> Canvas:
    """Read a JPEG, PNG or WEBP with alpha, profile and 16 bits.

    Raises MediaError for anything that ``ml.media.decode`` refuses: kind, size, damage, animation.
    """
    picture = decode(path)  # it judges the file; what it would change (profile, alpha, depth) is read again below
    data = path.read_bytes()
    quality = jpeg_quality(picture.jpeg_tables)
    notes = (UNSIGNED,) if b"jumbc2pa" in data or b"c2pa.claim" in data else ()
    facts: dict[str, Any] = {"quality": quality, "sha256": picture.sha256, "notes": notes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decode has let it pass
        with Image.open(io.BytesIO(data), formats=list(ACCEPTED)) as image:
            orientation = _orientation(image)
            facts["source_types"] = _source_types(image)
            image.load()
            canvas = _from_image(image, data, picture)
    colour, alpha = _upright(canvas.colour, orientation), canvas.alpha
    if picture.original_mode not in _PLAIN and canvas.colour is picture.pixels:
        colour = picture.pixels  # decode has turned it already
    facts["notes"] = canvas.notes + facts["notes"]
    return replace(canvas, colour=colour, alpha=None if alpha is None else _upright(alpha, orientation), **facts)


UNSIGNED = N_(
    "The picture carried a signed statement of its origin. Only a copy that is signed itself can refer to it."
)
_CMYK = N_("The picture had printing colours (CMYK); the copy has screen colours (sRGB).")


def _from_image(image: Image.Image, data: bytes, picture: Picture) -> Canvas:
    icc = image.info.get("icc_profile")
    if not isinstance(icc, bytes) or len(icc) > _MAX_PROFILE:
        icc = None
    if _is_deep(data) and "transparency" not in image.info:
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16:
            return _from_deep(np.asarray(deep, np.uint16), icc)
    if image.mode not in _PLAIN:
        note = _CMYK if image.mode == "CMYK" else N_("The picture's colours were changed to sRGB.")
        return Canvas(picture.pixels, notes=() if image.mode in _GREY else (note,), grey=image.mode in _GREY)
    grey = image.mode in _GREY
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        layered = np.asarray(image.convert("RGBA"))
        alpha = np.ascontiguousarray(layered[:, :, 3])
        return Canvas(np.ascontiguousarray(layered[:, :, :3]), alpha, icc, grey)
    return Canvas(np.array(image.convert("RGB")), None, icc, grey)


def _from_deep(deep: NDArray[np.uint16], icc: bytes | None) -> Canvas:
    if deep.ndim == 2:
        return Canvas(np.repeat(deep[:, :, None], 3, axis=2), None, icc, grey=True)
    colour = np.ascontiguousarray(deep[:, :, 2::-1])
    alpha = np.ascontiguousarray(deep[:, :, 3]) if deep.shape[2] == 4 else None
    # Grey with alpha comes out of OpenCV as colour with three equal channels.
    grey = bool((colour[:, :, 0] == colour[:, :, 1]).all() and (colour[:, :, 1] == colour[:, :, 2]).all())
    return Canvas(colour, alpha, icc, grey and icc is None)


def _is_deep(data: bytes) -> bool:
    return data.startswith(b"\x89PNG\r\n\x1a\n") and data[24:25] == b"\x10"


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
    except _DAMAGED_EXIF:
        return 1  # broken metadata is no reason to refuse a sound picture
    return value if isinstance(value, int) else 1


def _upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    if orientation in {5, 6, 7, 8}:
        values = values.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def _source_types(image: Image.Image) -> frozenset[str]:
    """IPTC's digital source types that the file's XMP names."""
    from ml.provenance.source_type import WORDS

    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = (xmp if isinstance(xmp, bytes) else str(xmp).encode()).lower()
    if b"digitalsourcetype" not in text:
        return frozenset()
    return frozenset(code for code in WORDS if f"digitalsourcetype/{code}".lower().encode() in text)
