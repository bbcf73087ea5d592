"""An enhanced picture into a file: PNG (8 or 16 bits), JPEG or WEBP, with profile, alpha, and what was done to it."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from ml.errors import MediaError
from ml.provenance.plan import SOURCE_TYPES
from ml.provenance.source_statement import packet
from ml.provenance.source_type import GENERATED
from ml.restore.canvas import to_bytes
from ml.sentences import N_, Sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.restore.canvas import Canvas

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
LONGEST = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}
"""Pixels a side that each format can hold (JPEG: that libjpeg writes)."""

ENHANCED = "algorithmicallyEnhanced"
"""IPTC's digital source type of what plain, non-generative restoration makes of a photograph."""

INVENTED = "compositeWithTrainedAlgorithmicMedia"
"""The one of networks that may invent detail, as ESRGAN does."""


def format_of(path: Path) -> str:
    """PNG, JPEG or WEBP by the file's suffix. Raises MediaError for any other."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise MediaError(
            "unsupported_media",
            "The result cannot be saved as %(name)r: end its name in .png, .jpg or .webp.",
            name=path.name,
        ) from None


def source_type_of(canvas: Canvas, generative: bool) -> str:
    """What the copy says that it is: a source that said it was generated stays generated."""
    return max(canvas.source_types & GENERATED, default=INVENTED if generative else ENHANCED)


def check_size(width: int, height: int, form: str) -> None:
    """Raise MediaError when the format cannot hold a picture of this size."""
    if max(width, height) > LONGEST[form]:
        raise MediaError(
            "too_large",
            "The result has %(size)s px; a %(form)s holds at most %(limit)d px a side. Save it as PNG.",
            size=f"{width} x {height}",
            form=form,
            limit=LONGEST[form],
        )


def write(canvas: Canvas, path: Path, source_type: str, quality: int = 92) -> tuple[str, ...]:
    """Write the picture whole or not at all; returns sentences about what the format could not keep.

    The file holds the pixels, the colour profile and IPTC's ``source_type`` as XMP; no other metadata. Raises
    MediaError when the format cannot hold it, OSError when the file cannot be written.
    """
    form = format_of(path)
    check_size(canvas.width, canvas.height, form)
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        if form == "PNG" and canvas.top > 255:
            notes: list[str] = []
            fresh.write_bytes(_deep_png(canvas, packet(SOURCE_TYPES + source_type)))
        else:
            notes = _write_bytes(canvas, fresh, form, quality, packet(SOURCE_TYPES + source_type))
        fresh.chmod(0o666 & ~_umask())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return tuple(notes)


def _write_bytes(canvas: Canvas, path: Path, form: str, quality: int, xmp: bytes) -> list[str]:
    notes: list[str] = []
    if canvas.top > 255:
        notes.append(
            Sentence("A %(form)s holds 8 bits a channel; the picture had 16. Save it as PNG to keep them.", form=form)
        )
    layers = _layers(canvas, form)
    if canvas.alpha is not None and form == "JPEG":
        notes.append(N_("A JPEG holds no transparency: the picture was laid over white. PNG and WEBP keep it."))
    options: dict[str, Any] = {}
    if canvas.icc is not None:
        if _fits(canvas.icc, layers.ndim == 2 or layers.shape[2] == 2):
            options["icc_profile"] = canvas.icc
        else:
            notes.append(N_("The colour profile does not fit this format and was left out."))
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options |= {"pnginfo": info, "compress_level": 3}
    elif form == "JPEG":
        options |= {"quality": quality, "subsampling": 0 if quality >= 90 else 2, "xmp": xmp}
    else:
        options |= {"quality": quality, "xmp": xmp, "method": 4}
    Image.fromarray(layers).save(path, form, **options)
    return notes


def _layers(canvas: Canvas, form: str) -> NDArray[np.uint8]:
    """The picture as Pillow takes it: (H, W) grey, or (H, W, 2 to 4) with alpha last."""
    colour = to_bytes(canvas.colour)
    if canvas.alpha is not None and form == "JPEG":
        share = to_bytes(canvas.alpha)[:, :, None].astype(np.float32) / 255
        colour = np.rint(colour * share + 255 * (1 - share)).astype(np.uint8)
    if canvas.grey and form != "WEBP":
        colour = colour[:, :, :1]
    if canvas.alpha is not None and form != "JPEG":
        colour = np.concatenate([colour, to_bytes(canvas.alpha)[:, :, None]], axis=2)
    return np.ascontiguousarray(colour[:, :, 0] if colour.shape[2] == 1 else colour)


def _fits(icc: bytes, grey: bool) -> bool:
    """Whether a profile's colour space (bytes 16 to 20 of its header) is that of the pixels."""
    return icc[16:20] == (b"GRAY" if grey else b"RGB ")


def _deep_png(canvas: Canvas, xmp: bytes) -> bytes:
    colour = canvas.colour[:, :, :1] if canvas.grey and canvas.alpha is None else canvas.colour[:, :, ::-1]
    if canvas.alpha is not None:
        colour = np.concatenate([colour, canvas.alpha[:, :, None]], axis=2)
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(colour), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    data = encoded.tobytes()
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunks = _chunk(b"iTXt", text)
    if canvas.icc is not None and _fits(canvas.icc, canvas.grey and canvas.alpha is None):
        chunks = _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(canvas.icc)) + chunks
    head = 33  # the signature and IHDR, which must come first
    return data[:head] + chunks + data[head:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
