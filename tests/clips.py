"""Videos for tests, made here with PyAV from scikit-image's astronaut: good ones, and ones that no camera makes."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]


def astronaut_frames(
    count: int = 24, width: int = 320, height: int = 240, side: int = 220, drift: int = 60
) -> list[Picture]:
    """A face that wanders over a grey wall."""
    import cv2
    from skimage import data

    face = cv2.resize(data.astronaut()[:400, 60:460], (side, side), interpolation=cv2.INTER_AREA)
    frames = []
    for i in range(count):
        frame = np.full((height, width, 3), (96, 104, 112), np.uint8)
        x, y = 4 + drift * i // max(1, count), (height - side) // 2
        frame[y : y + side, x : x + side] = face
        frames.append(frame)
    return frames


def faceless_frames(count: int = 24, width: int = 320, height: int = 240) -> list[Picture]:
    """A bright slope that moves; nobody is in it."""
    slope = np.linspace(120, 250, width, dtype=np.float64)
    return [
        np.repeat(np.repeat(np.roll(slope, 5 * i)[None, :, None], height, 0), 3, 2).astype(np.uint8)
        for i in range(count)
    ]


def encoded(
    frames: Iterable[Picture],
    *,
    rate: int = 24,
    form: str = "mp4",
    codec: str = "libx264",
    times: Sequence[float] | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    quality: str = "18",
    layout: str = "yuv420p",
) -> bytes:
    """A video file of these frames; `times` are their seconds where they are not even."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form, options=options or {}) as out:
        out.metadata.update(metadata or {})
        stream: Any = None
        for i, pixels in enumerate(frames):
            if stream is None:
                stream = out.add_stream(codec, rate=rate)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = layout
                stream.options = {"crf": quality, "preset": "ultrafast", "deadline": "realtime", "cpu-used": "8"}
                if times is not None:
                    stream.codec_context.time_base = Fraction(1, 10_000)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 10_000), Fraction(1, 10_000)
            out.mux(stream.encode(frame))
        if stream is not None:
            out.mux(stream.encode())
    return buffer.getvalue()


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterable[tuple[bytes, int, int]]:
    """Name, start and end of each ISO box on one level."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at, at + length
        at += max(8, length)


def find_box(data: bytes, *path: bytes) -> tuple[int, int]:
    start, end = 0, len(data)
    for depth, name in enumerate(path):
        start, end = next((s, e) for n, s, e in boxes(data, start, end) if n == name)
        if depth + 1 < len(path):
            start += 8
    return start, end


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def with_sound(frames: Sequence[Picture], rate: int = 20, *, codec: str = "aac", form: str = "mp4") -> bytes:
    """The frames with half a second of a tone; WebM in VP8."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as out:
        video: Any = out.add_stream("libvpx" if form == "webm" else "libx264", rate=rate)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio: Any = out.add_stream(codec, rate=48_000)
        for pixels in frames:
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(video.encode())
        tone = (0.2 * np.sin(np.arange(24_000) * 2 * np.pi * 440 / 48_000)).astype(np.float32)
        resampler = av.AudioResampler(format=audio.format.name, layout=audio.layout.name, rate=48_000)
        fifo = av.AudioFifo()
        sound = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        sound.sample_rate, sound.pts = 48_000, 0
        for frame in resampler.resample(sound):
            fifo.write(frame)
        while (frame := fifo.read(audio.frame_size or 1024)) is not None:
            out.mux(audio.encode(frame))
        out.mux(audio.encode())
    return buffer.getvalue()


def rotated(data: bytes) -> bytes:
    """The same, with the note of a phone held upright: to be turned a quarter clockwise for showing."""
    start, _ = find_box(data, b"moov", b"trak", b"tkhd")
    return patched(data, start + 8 + 40, struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))


def with_length(data: bytes, seconds: int) -> bytes:
    """The same, with a header that says it lasts so long."""
    start, _ = find_box(data, b"moov", b"mvhd")
    (scale,) = struct.unpack_from(">I", data, start + 20)
    data = patched(data, start + 24, struct.pack(">I", min(2**32 - 1, seconds * scale)))
    start, _ = find_box(data, b"moov", b"trak", b"tkhd")
    data = patched(data, start + 28, struct.pack(">I", min(2**32 - 1, seconds * scale)))
    start, _ = find_box(data, b"moov", b"trak", b"mdia", b"mdhd")
    (scale,) = struct.unpack_from(">I", data, start + 20)
    return patched(data, start + 24, struct.pack(">I", min(2**32 - 1, seconds * scale)))


def with_size(data: bytes, width: int, height: int) -> bytes:
    """The same, with a sample entry that says it is so large."""
    start, _ = find_box(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    return patched(data, start + 16 + 32, struct.pack(">HH", width, height))


def with_outside_media(data: bytes) -> bytes:
    """The same, with a data reference to another file instead of to itself."""
    start, _ = find_box(data, b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
    assert data[start + 20 : start + 24] == b"url "
    return patched(data, start + 24, b"\x00\x00\x00\x00")


def sound_only() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream: Any = out.add_stream("aac", rate=16_000)
        for i in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 1024 * i
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return buffer.getvalue()


def changing_size() -> bytes:
    """A WebM whose second half is smaller: every VP8 key frame says its own size."""
    parts = [encoded(astronaut_frames(8, side=s), form="webm", codec="libvpx", rate=8) for s in (220, 100)]
    small = [frame[:120, :160] for frame in astronaut_frames(8, side=100)]
    parts[1] = encoded(small, form="webm", codec="libvpx", rate=8)
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(parts[0])) as first,
        av.open(io.BytesIO(parts[1])) as second,
        av.open(buffer, "w", format="webm") as out,
    ):
        stream = out.add_stream_from_template(first.streams.video[0])
        tick = 0
        for source in (first, second):
            for packet in source.demux(source.streams.video[0]):
                if packet.size:
                    packet.stream = stream
                    packet.pts = packet.dts = tick
                    tick += 125
                    out.mux(packet)
    return buffer.getvalue()


def without_frames() -> bytes:
    """An MP4 whose track is described, and that holds nothing."""
    data = encoded(faceless_frames(2))
    for name in (b"stsz", b"stts", b"stsc", b"stco"):
        start, _ = find_box(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", name)
        at = start + (16 if name == b"stsz" else 12)
        data = patched(data, at, b"\x00\x00\x00\x00")
    return data


PLAYLISTS = {
    "ffconcat": b"ffconcat version 1.0\nfile neighbour.mp4\nduration 3\n",
    "concat list": b"file 'neighbour.mp4'\nfile 'other.mp4'\n",
    "HLS": b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nneighbour.mp4\n#EXT-X-ENDLIST\n",
    "DASH": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>neighbour.mp4</BaseURL></MPD>',
}


def hostile() -> dict[str, tuple[Callable[[], bytes], str, str]]:
    """What the decoder refuses, at 500 frames at most: how each is made, its code, and words of its sentence."""
    return {
        "empty": (lambda: b"", "empty", "empty"),
        "text": (lambda: b"hello " * 99, "not_a_video", "not a video"),
        **{name: ((lambda text=text: text), "not_a_video", "playlist") for name, text in PLAYLISTS.items()},
        "gif": (lambda: b"GIF89a" + bytes(60), "unsupported_media", "a GIF"),
        "avi": (lambda: b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(60), "unsupported_media", "an AVI"),
        "cut in the middle": (lambda: _cut(encoded(astronaut_frames(24)), 0.6), "truncated", "damaged"),
        "cut webm": (lambda: _cut(encoded(astronaut_frames(12), form="webm", codec="libvpx"), 0.6), "truncated", "end"),
        "noise behind a header": (lambda: b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 40, "truncated", "damaged"),
        "a header of nothing": (
            lambda: b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x08moov", "no_video_stream", "no moving",
        ),
        "sound only": (sound_only, "no_video_stream", "sound"),
        "no frames": (without_frames, "no_frames", "no frame"),
        "longer than it says": (
            lambda: encoded(faceless_frames(40, 64, 48), times=[2.0 * i for i in range(40)]), "too_long", "60 seconds",
        ),
        "4K": (lambda: encoded([np.zeros((2160, 3840, 3), np.uint8)]), "too_many_pixels", "3840 x 2160"),
        "10,000 frames a second": (
            lambda: encoded(faceless_frames(1, 64, 48) * 600, times=[i / 10_000 for i in range(600)]),
            "too_many_frames", "500 frames",
        ),
        "changing its size": (changing_size, "changes_size", "changes its size"),
        "another codec": (
            lambda: encoded(faceless_frames(2), form="mov", codec="mjpeg", layout="yuvj420p"),
            "unsupported_codec", "mjpeg",
        ),
    }  # fmt: skip


def _cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]
