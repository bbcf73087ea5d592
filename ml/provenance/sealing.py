"""The one way in which something made leaves: band, invisible mark, file, source statement, signature, verification.

The order is fixed. The marks are in the pixels before the file is written, the statement is in the file before it is
signed, and what is returned has been read back and verified against the site's own certificate.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ml.provenance import invisible_mark, visible_mark
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.signing import sign
from ml.provenance.source_statement import packet, with_box
from ml.provenance.verification import InvalidSeal, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

    from numpy.typing import NDArray

    from ml.provenance.authority import Authority
    from ml.provenance.plan import ManifestPlan

    Report = Callable[[str, int, int], None]
    Pixels = NDArray[np.uint8]

SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}
JPEG_QUALITY: Final = 92
WEBP_QUALITY: Final = 90
VIDEO_CRF: Final = "18"
MARK_EVERY: Final = 5
"""Every so many frames of a video carry the invisible mark; all of them carry the band."""


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """pixels: uint8 (H, W, 3) RGB, as they came out of the network, without any mark."""

    pixels: Pixels
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """frames: uint8 (H, W, 3) RGB, all of one size, taken one at a time. rate: frames a second. audio: a file whose
    first sound stream is taken over as it is, where an MP4 can hold it; `count` is for progress only."""

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

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        first: Pixels | None = None
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream: Any = None
            for number, frame in enumerate(clip.frames):
                marked = _marked(_even(frame), plan, hidden=number % MARK_EVERY == 0)
                if first is None:
                    first = marked
                    stream = container.add_stream("libx264", rate=clip.rate, options={"crf": VIDEO_CRF})
                    stream.height, stream.width = marked.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    sound = _Sound(container, clip.audio)
                elif marked.shape != first.shape:
                    raise ValueError("the frames of a clip are of one size")
                container.mux(stream.encode(av.VideoFrame.from_ndarray(marked, format="rgb24")))
                if report is not None:
                    report("seal", number + 1, max(clip.count, number + 1))
            if first is None:
                raise ValueError("a clip without a frame")
            container.mux(stream.encode(None))
            sound.copy()
        with av.open(str(path)) as written:
            shown = np.asarray(next(written.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)
        return with_box(path.read_bytes(), packet(plan.source_type)), first, _holds(shown, plan)


class _Sound:
    """The sound of another file, packet by packet, unchanged; silence where there is none that an MP4 holds."""

    def __init__(self, container: Any, audio: Path | None) -> None:
        self._container = container
        self._source: Any = None
        self._stream: Any = None
        if audio is None:
            return
        import av

        # No protocol but files, or a playlist named .mp4 could open others.
        self._source = av.open(str(audio), options={"protocol_whitelist": "file"}, format="mov,mp4,m4a,3gp,3g2,mj2")
        sounds = self._source.streams.audio
        if sounds and sounds[0].codec_context.name in {"aac", "mp3"}:
            self._stream = container.add_stream_from_template(sounds[0])

    def copy(self) -> None:
        if self._source is None:
            return
        try:
            if self._stream is not None:
                for each in self._source.demux(self._source.streams.audio[0]):
                    if each.dts is not None:
                        each.stream = self._stream
                        self._container.mux(each)
        finally:
            self._source.close()


def _even(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if not height % 2 and not width % 2:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
