"""The one way in which something made leaves: band, invisible mark, file, source statement, signature, verification.

The order is fixed. The marks are in the pixels before the file is written, the statement is in the file before it is
signed, and what is returned has been read back and verified against the site's own certificate.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ml.provenance import invisible_mark, visible_mark
from ml.provenance.filming import even, film
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.signing import sign
from ml.provenance.source_statement import packet, with_box
from ml.provenance.verification import InvalidSeal, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from fractions import Fraction

    from numpy.typing import NDArray

    from ml.provenance.authority import Authority
    from ml.provenance.plan import ManifestPlan

    Report = Callable[[str, int, int], None]
    Pixels = NDArray[np.uint8]

SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}
JPEG_QUALITY: Final = 92
WEBP_QUALITY: Final = 90
MARK_EVERY: Final = 5
"""Every so many frames of a video carry the invisible mark; all of them carry the band."""


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """pixels: uint8 (H, W, 3) RGB, as they came out of the network, without any mark."""

    pixels: Pixels
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """frames: uint8 (H, W, 3) RGB, all of one size, taken one at a time. rate: frames a second. audio: a video whose
    first sound stream is taken over (see ``ml.provenance.filming``); `count` is for progress only."""

    frames: Iterable[Pixels]
    rate: Fraction
    audio: Path | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished, signed and verified file. perceptual_hash: of the picture or the first frame, band included; "" for
    one colour. mark_holds: whether the invisible mark could be read back from what was encoded."""

    data: bytes
    content_type: str
    suffix: str
    width: int
    height: int
    perceptual_hash: str
    mark_holds: bool


def seal(media: Still | Clip, plan: ManifestPlan, authority: Authority, report: Report | None = None) -> Sealed:
    """Mark, encode, sign and verify. `report` is told of a clip's frames as stage "seal" and may raise to stop.

    Raises:
        visible_mark.TooSmall: no readable band fits the picture.
        InvalidSeal: what was signed does not verify; nothing is returned then.
        ValueError: a clip without frames, frames of different sizes, or a content type that is not signed.
    """
    if isinstance(media, Still):
        marked = _marked(media.pixels, plan, hidden=True)
        data, first, content_type = _encoded(marked, media.content_type, plan), marked, media.content_type
        holds = _holds(_decoded(data), plan)
    else:
        data, first, holds = _filmed(media, plan, report)
        content_type = "video/mp4"
    signed = sign(data, content_type, plan, authority)
    read = verify(signed, content_type, authority.directory)
    if read.job != plan.job or read.mark != plan.mark or read.work is not plan.work:
        raise InvalidSeal("the manifest that was read back is not the one that was planned")
    if set(read.consents) != {consent.id for consent in plan.consents}:
        raise InvalidSeal("the manifest names other records of consent than were given")
    height, width = first.shape[:2]
    return Sealed(signed, content_type, SUFFIXES[content_type], width, height, perceptual_hash(first), holds)


def _marked(pixels: Pixels, plan: ManifestPlan, *, hidden: bool) -> Pixels:
    banded = visible_mark.burn(pixels, plan.site) if plan.row.band else pixels
    return invisible_mark.write(banded, plan.mark) if hidden else banded


def _encoded(pixels: Pixels, content_type: str, plan: ManifestPlan) -> bytes:
    """A file written from the array alone, with the source statement as its only metadata."""
    image, out, xmp = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO(), packet(plan.source_type)
    if content_type == "image/jpeg":
        image.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0, xmp=xmp)
    elif content_type == "image/png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(out, "PNG", pnginfo=info)
    elif content_type == "image/webp":
        image.save(out, "WEBP", quality=WEBP_QUALITY, xmp=xmp)
    else:
        raise ValueError(f"{content_type} is not written here")
    return out.getvalue()


def _decoded(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _holds(pixels: Pixels, plan: ManifestPlan) -> bool:
    return invisible_mark.read(pixels, cropped=False) == plan.mark


def _filmed(clip: Clip, plan: ManifestPlan, report: Report | None) -> tuple[bytes, Pixels, bool]:
    """H.264 in MP4, which browsers play; sides made even by repeating the last row or column."""
    import av

    def frames() -> Iterator[Pixels]:
        for number, frame in enumerate(clip.frames):
            yield _marked(even(frame), plan, hidden=number % MARK_EVERY == 0)
            if report is not None:
                report("seal", number + 1, max(clip.count, number + 1))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        first = film(path, frames(), clip.rate, clip.audio)
        with av.open(str(path)) as written:
            shown = np.asarray(next(written.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)
        return with_box(path.read_bytes(), packet(plan.source_type)), first, _holds(shown, plan)
