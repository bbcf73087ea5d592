"""One picture: from a file or bytes to RGB pixels, and from pixels to a clean file."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from ml.errors import MediaError
from ml.media import header

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 40_000_000

# What Pillow and the libraries below it raise for a damaged file, as found by fuzzing.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    AttributeError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    `pixels` is uint8 (height, width, 3), RGB, EXIF orientation applied, colours in sRGB, alpha laid over white.
    `format` is JPEG, MPO, PNG or WEBP; `original_mode` is Pillow's name of the file's own colour mode; `bytes` and
    `sha256` are those of the file as given. `jpeg_tables` are the quantisation tables of a JPEG, else empty.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    original_mode: str
    bytes: int
    sha256: str
    jpeg_tables: tuple[tuple[int, ...], ...] = ()


def decode(source: Path | bytes) -> Picture:
    """Decode one still picture.

    Size in bytes, kind, pixel count and animation are judged from the file's own head, before anything is decoded.

    Raises:
        MediaError: the file cannot be judged; nothing else is raised for any content whatever.
    """
    data = _read(source)
    kind = header.sniff(data)
    if kind is None:
        raise _unknown_kind(data)
    if kind == "WEBP" and (size := header.webp_size(data)) is not None:
        _check_pixels(*size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Damaged EXIF and the like is only worth a warning to Pillow, and nothing at all here.
            warnings.filterwarnings("ignore", category=UserWarning)
            return _decode(data, kind)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels() from error
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        if header.is_cut_off(data, kind):
            raise _truncated() from error
        raise MediaError(
            "not_an_image",
            "The file begins like a %(kind)s picture but holds none. Save it again as a JPEG or PNG and try that.",
            kind=kind,
        ) from error
    except _DAMAGE as error:
        raise _truncated() from error


def _read(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            if not source.is_file():
                raise MediaError("unreadable", "There is no such file. Check the name and the folder.")
            if source.stat().st_size > MAX_BYTES:
                raise _too_large()
            data = source.read_bytes()
        except (OSError, ValueError) as error:
            if isinstance(error, MediaError):
                raise
            raise MediaError("unreadable", "The file could not be read. Check that you may open it.") from error
    if not data:
        raise MediaError("empty", "The file is empty. Choose the picture again, or save it anew.")
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def _decode(data: bytes, kind: str) -> Picture:
    with Image.open(io.BytesIO(data), formats=list(header.ACCEPTED)) as image:
        width, height = image.size
        if width < 1 or height < 1:
            raise MediaError("not_an_image", "The picture has no pixels. Save it again and try that.")
        # The further frames of an MPO are a phone's previews or depth; only the first is ever decoded.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames > 1:
            raise MediaError(
                "animated", "The picture is animated. Save one frame of it as a JPEG or PNG and check that."
            )
        _check_pixels(width, height)
        if header.is_cut_off(data, kind):
            raise _truncated()
        tables = tuple(tuple(t) for t in getattr(image, "quantization", {}).values())
        mode, form = image.mode, image.format or kind
        orientation = _orientation(image)
        image.load()
        rgb = _to_rgb(image)
    if orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
    pixels: NDArray[np.uint8] = np.array(rgb, dtype=np.uint8)
    return Picture(
        pixels=pixels,
        width=rgb.width,
        height=rgb.height,
        format=form,
        original_mode=mode,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        jpeg_tables=tables,
    )


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
    except _DAMAGE:
        return 1  # broken metadata is no reason to refuse a sound picture
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow's own convert("L") clips 16-bit values at 255: everything but the deepest shadows turns white.
        wide = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I;16") or wide.max(initial=0) > 255 else 255.0
        grey = np.clip(np.rint(wide * (255.0 / top)), 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return _in_srgb(image) or image.convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image | None:
    """The picture's colours moved from its own profile to sRGB; None when it has no usable profile, or sRGB's."""
    icc = image.info.get("icc_profile")
    if not isinstance(icc, bytes) or image.mode not in {"RGB", "CMYK", "L"}:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return None
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, *_DAMAGE):
        return None


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> MediaError:
    return MediaError(
        "too_many_pixels",
        "The picture has more than %(limit)d million pixels. Scale it down and check that.",
        limit=MAX_PIXELS // 1_000_000,
    )


def _too_large() -> MediaError:
    return MediaError(
        "too_large",
        "The file is larger than %(limit)d MB. Save it with a lower quality or a smaller size.",
        limit=MAX_BYTES // (1024 * 1024),
    )


def _truncated() -> MediaError:
    return MediaError(
        "truncated", "The picture is damaged or its end is missing. Copy or download it again and check that."
    )


def _unknown_kind(data: bytes) -> MediaError:
    words = header.foreign_kind(data)
    if words is None:
        return MediaError("not_an_image", "The file is not a picture. Choose a JPEG, PNG or WEBP file.")
    return MediaError(
        "unsupported_media",
        "The file is %(what)s. Save it as a JPEG, PNG or WEBP picture and check that.",
        what=words,
    )


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """A JPEG of uint8 (H, W, 3) RGB pixels, written from the array alone: no metadata of any source survives."""
    return _encode(pixels, "JPEG", quality=quality)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of uint8 (H, W, 3) RGB pixels, written from the array alone: no metadata of any source survives."""
    return _encode(pixels, "PNG")


def _encode(pixels: NDArray[np.uint8], form: str, **options: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, form, **options)
    return out.getvalue()
