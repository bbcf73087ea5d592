"""One video: from a file to a few dozen upright RGB frames with their times. Decoded once, in one pass."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from av.stream import Disposition

from ml.errors import MediaError
from ml.media import video_header
from ml.media.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Report = Callable[[str, int, int], None]
    Watch = Callable[[av.VideoFrame, float, int], None]

av.logging.set_level(None)  # libav writes about every damaged packet; what counts is told by an exception

DEMUXERS: Final = {video_header.ISO: "mov", video_header.MATROSKA: "matroska"}
CODECS: Final = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4")
DECODERS: Final = (*CODECS, "libdav1d", "libvpx", "libvpx-vp9", "libaom-av1")

_COMPACT: Final = ("yuv420p", "yuvj420p", "nv12", "nv21")  # 1.5 bytes a pixel: held as they are
_WITH_LUMA: Final = (*_COMPACT, "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray")
_LUMA_SIDE: Final = 96
_DAMAGED_SHARE: Final = 0.1
_HEADROOM: Final = 1.0  # seconds by which a header may round its length up


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What is still read: bytes of the file, seconds, pixels of a frame, and frames in all."""

    bytes: int = 100 * 1024 * 1024
    seconds: float = 60.0
    pixels: int = 1920 * 1080
    frames: int = 7200


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One frame that was kept: `seconds` from the first, `scene` counts the cuts before it."""

    seconds: float
    scene: int
    frame: av.VideoFrame
    quarter_turns: int

    def pixels(self) -> NDArray[np.uint8]:
        """uint8 (height, width, 3), RGB, upright."""
        rgb = np.asarray(self.frame.to_ndarray(format="rgb24"), dtype=np.uint8)
        return np.ascontiguousarray(np.rot90(rgb, self.quarter_turns)) if self.quarter_turns else rgb


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A video as it was read. `width` and `height` are those of the upright frame; `cuts` are seconds."""

    samples: tuple[Sample, ...]
    seconds: float
    frames: int
    width: int
    height: int
    codec: str
    container: str
    cuts: tuple[float, ...]
    has_sound: bool
    sha256: str


def read(
    path: Path,
    report: Report,
    *,
    limits: VideoLimits = VideoLimits(),
    samples: int = 48,
    scenes: int = 16,
    watch: Watch | None = None,
) -> Clip:
    """Decode a video and keep some of its frames: at most `samples` spread evenly and `scenes` first ones of a scene.

    Only MP4 and its kin, WebM and Matroska are opened, by their own bytes, with no protocol but the local file and
    no reference followed out of it. Sound is not read. `watch(frame, seconds, quarter_turns)` sees every frame.
    `report("decode", done, total)` counts frames; the total is an estimate.

    Raises:
        MediaError: the file cannot be judged, with a code and a sentence; nothing else for any content whatever.
    """
    container = video_header.confirm(path)
    if path.stat().st_size > limits.bytes:
        limit = f"{limits.bytes / (1024 * 1024):g}"
        raise MediaError("too_large", "The video is larger than %(limit)s MB. Save it shorter or smaller.", limit=limit)
    try:
        with av.open(
            str(path.resolve()),
            format=DEMUXERS[container],
            options={
                "protocol_whitelist": "file",
                "enable_drefs": "0",
                "codec_whitelist": ",".join(DECODERS),
                "max_pixels": str(4 * limits.pixels),
                "max_streams": "32",
                "probesize": "5000000",
                "analyzeduration": "5000000",
            },
            metadata_errors="replace",
        ) as opened:
            stream = _stream(opened, limits)
            reader = _Reader(stream, limits, Sampler(samples, scenes), watch)
            reader.read(opened, report)
            return reader.clip(container, bool(opened.streams.audio), _sha256(path))
    except MediaError:
        raise
    except (av.error.FFmpegError, ValueError, OverflowError, ZeroDivisionError, EOFError) as error:
        raise video_header.truncated() from error


def _stream(opened: Any, limits: VideoLimits) -> Any:
    streams = [s for s in opened.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError("no_video_stream", "The file holds no moving picture, only sound or data. Choose a video.")
    stream = streams[0]
    context = stream.codec_context
    if context is None or context.codec.canonical_name not in CODECS:
        name = "unknown" if context is None else str(context.codec.canonical_name)
        raise MediaError(
            "unsupported_codec",
            "The video is encoded as %(codec)s, which is not read here. Save it as MP4 (H.264) and check that.",
            codec=name,
        )
    _check_size(context.width, context.height, limits)
    for duration, base in ((stream.duration, stream.time_base), (opened.duration, Fraction(1, av.time_base))):
        if duration is not None and base and float(duration * base) > limits.seconds + _HEADROOM:
            raise _too_long(limits)
    context.options = {"max_pixels": str(4 * limits.pixels)}
    context.thread_type = "AUTO"
    context.thread_count = 2  # each further thread holds frames of its own
    return stream


class _Reader:
    def __init__(self, stream: Any, limits: VideoLimits, sampler: Sampler[av.VideoFrame], watch: Watch | None) -> None:
        self.stream, self.limits, self.sampler, self.watch = stream, limits, sampler, watch
        self.size: tuple[int, int] | None = None
        self.quarter_turns = 0
        self.decoded = 0
        self.seconds = 0.0
        self._begin: float | None = None
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        self._frame_seconds = 1 / rate if 1 <= rate <= 240 else 0.04

    def read(self, opened: Any, report: Report) -> None:
        total = max(1, min(int(self.stream.frames or 0) or 750, self.limits.frames))
        packets = damaged = 0
        report("decode", 0, total)
        for packet in opened.demux(self.stream):
            packets += 1
            try:
                frames = packet.decode()
            except (av.error.InvalidDataError, av.error.ArgumentError, av.error.ExternalError):
                damaged += 1
                continue
            for frame in frames:
                self._take(frame)
            if packets % 8 == 0:
                report("decode", min(self.decoded, total - 1), total)
        if damaged > 2 and damaged > _DAMAGED_SHARE * packets:
            raise video_header.truncated()
        if not self.decoded:
            if damaged:
                raise video_header.truncated()
            raise MediaError("no_frames", "The video holds no frame at all. Save it again and check that.")
        report("decode", total, total)

    def _take(self, frame: av.VideoFrame) -> None:
        size = (frame.width, frame.height)
        if self.size is None:
            _check_size(*size, self.limits)
            self.size = size
            self.quarter_turns = round((frame.rotation or 0) / 90) % 4
        elif size != self.size:
            raise MediaError(
                "changes_size",
                "The video changes its size from %(before)s to %(after)s on the way. Save it with one size and check "
                "that.",
                before=f"{self.size[0]} x {self.size[1]}",
                after=f"{size[0]} x {size[1]}",
            )
        self.decoded += 1
        if self.decoded > self.limits.frames:
            raise MediaError(
                "too_many_frames",
                "The video has more than %(limit)d frames. Save a shorter part of it.",
                limit=self.limits.frames,
            )
        self.seconds = self._time(frame)
        if self.seconds > self.limits.seconds + _HEADROOM:
            raise _too_long(self.limits)
        if self.watch is not None:
            self.watch(frame, self.seconds, self.quarter_turns)
        if not frame.is_corrupt or self.decoded == 1:
            self.sampler.take(self.seconds, _luma(frame), lambda: _held(frame))

    def _time(self, frame: av.VideoFrame) -> float:
        """Seconds from the first frame, by the file's own times where they make sense: they need not be even."""
        if frame.pts is None or not frame.time_base:
            return self.seconds + self._frame_seconds if self.decoded > 1 else 0.0
        stated = float(frame.pts * frame.time_base)
        if self._begin is None:
            self._begin = stated
        return max(self.seconds, stated - self._begin)

    def clip(self, container: str, has_sound: bool, sha256: str) -> Clip:
        width, height = self.size or (0, 0)
        if self.quarter_turns % 2:
            width, height = height, width
        cuts = tuple(self.sampler.cuts)
        samples = tuple(
            Sample(seconds, sum(cut <= seconds for cut in cuts), frame, self.quarter_turns)
            for seconds, frame in self.sampler.samples()
        )
        return Clip(
            samples=samples,
            seconds=self.seconds + (self._frame_seconds if self.decoded > 1 else 0.0),
            frames=self.decoded,
            width=width,
            height=height,
            codec=str(self.stream.codec_context.codec.canonical_name),
            container=container,
            cuts=cuts,
            has_sound=has_sound,
            sha256=sha256,
        )


def _held(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame in as few bytes as lose nothing of eight bits a colour: dozens of them are held at once."""
    name = frame.format.name
    if name in _COMPACT:
        return frame
    return frame.reformat(format="yuv420p" if name.startswith("yuv420p") else "rgb24")


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A few thousand points of the frame's brightness, uint8 (h, w); no filter, since only differences count."""
    stride = max(1, max(frame.width, frame.height) // _LUMA_SIDE)
    if frame.format.name not in _WITH_LUMA:
        size = (max(1, frame.width // stride), max(1, frame.height // stride))
        return np.asarray(frame.reformat(*size, format="gray", interpolation="FAST_BILINEAR").to_ndarray(), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * frame.height].reshape(
        frame.height, plane.line_size
    )
    return np.ascontiguousarray(rows[::stride, : frame.width : stride])


def _check_size(width: int, height: int, limits: VideoLimits) -> None:
    if width < 16 or height < 16:
        raise MediaError("no_frames", "The video has no picture to speak of: it is smaller than 16 pixels.")
    if width * height > limits.pixels:
        raise MediaError(
            "too_many_pixels",
            "The video is %(size)s; at most %(limit).1f million pixels a frame are read (1920 x 1080). "
            "Save it smaller and check that.",
            size=f"{width} x {height}",
            limit=limits.pixels / 1e6,
        )


def _too_long(limits: VideoLimits) -> MediaError:
    return MediaError(
        "too_long",
        "The video is longer than %(limit)g seconds. Cut out the part that matters and check that.",
        limit=limits.seconds,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
