"""Frames into a video that browsers play: H.264 in MP4, with the sound of another file."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ml.media import video_header
from ml.media.video import DECODERS, DEMUXERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

CRF: Final = "18"
_COPIED: Final = frozenset({"aac", "mp3", "opus"})  # what an MP4 holds and browsers play: taken over packet by packet
_DECODED: Final = (
    "aac",
    "mp3float",
    "mp3",
    "opus",
    "libopus",
    "vorbis",
    "flac",
    "alac",
    "ac3",
    "pcm_s16le",
    "pcm_f32le",
)


def film(path: Path, frames: Iterable[Pixels], rate: Fraction, audio: Path | None = None) -> Pixels:
    """Write the frames, uint8 (H, W, 3) RGB of one size with even sides, and return the first.

    audio: a video (MP4 and its kin, WebM, Matroska) whose first sound stream is taken over; one that an MP4 does not
    hold is encoded anew as AAC. Raises ValueError for no frame, or frames of different sizes.
    """
    import av

    taken = iter(frames)
    first = next(taken, None)
    if first is None:
        raise ValueError("a clip without a frame")
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"crf": CRF})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        sound = _Sound(container, audio)
        try:
            for frame in chain([first], taken):
                if frame.shape != first.shape:
                    raise ValueError("the frames of a clip are of one size")
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
            sound.copy()
        finally:
            sound.close()
    return first


def even(pixels: Pixels) -> Pixels:
    """The picture with its last row or column repeated where a side is odd: H.264 halves the colours of both."""
    height, width = pixels.shape[:2]
    if not height % 2 and not width % 2:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


class _Sound:
    """The first sound stream of another file; silence where there is none."""

    def __init__(self, container: Any, audio: Path | None) -> None:
        self._container = container
        self._source: Any = None
        self._stream: Any = None
        self._anew = False
        if audio is None:
            return
        import av

        # The demuxer by the file's own bytes and no protocol but files: a playlist named .mp4 could open others.
        self._source = av.open(
            str(audio.resolve()),
            format=DEMUXERS[video_header.confirm(audio)],
            options={
                "protocol_whitelist": "file",
                "enable_drefs": "0",
                "codec_whitelist": ",".join((*DECODERS, *_DECODED)),
            },
        )
        sounds = self._source.streams.audio
        if not sounds:
            return
        context = sounds[0].codec_context
        self._anew = context.name.removeprefix("lib") not in _COPIED
        if self._anew:
            self._stream = container.add_stream("aac", rate=context.sample_rate or 48_000)
        else:
            self._stream = container.add_stream_from_template(sounds[0])

    def copy(self) -> None:
        """Write it all."""
        if self._stream is None:
            return
        sound = self._source.streams.audio[0]
        if self._anew:
            for frame in self._source.decode(sound):
                self._container.mux(self._stream.encode(frame))
            self._container.mux(self._stream.encode(None))
            return
        for each in self._source.demux(sound):
            if each.dts is not None:
                each.stream = self._stream
                self._container.mux(each)

    def close(self) -> None:
        """Close the other file."""
        if self._source is not None:
            self._source.close()
