"""Every frame of a clip, upright, one at a time and in order; and at an even rate."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ml.media import video_header
from ml.media.video import DECODERS, DEMUXERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_SLOWEST, _FASTEST = Fraction(1), Fraction(60)


class ClipFrames:
    """A clip that ``ml.media.video.read`` has accepted; iterating decodes it anew, as (seconds, uint8 (H, W, 3) RGB).

    ``rate``: frames a second, as a fraction. ``rotation`` of a telephone's clip is applied, so that frames are upright.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._format = DEMUXERS[video_header.confirm(path)]
        with self._open() as opened:
            stream = opened.streams.video[0]
            stated = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.rate = min(_FASTEST, max(_SLOWEST, Fraction(stated).limit_denominator(1001)))
            self.has_sound = bool(opened.streams.audio)

    def __iter__(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        seconds, begin, step = 0.0, None, float(1 / self.rate)
        first = True
        with self._open() as opened:
            stream = opened.streams.video[0]
            stream.thread_type = "AUTO"
            for packet in opened.demux(stream):
                try:
                    decoded = packet.decode()
                except (av.error.InvalidDataError, av.error.ArgumentError, av.error.ExternalError):
                    continue  # the first reading has judged how much may be damaged
                for frame in decoded:
                    stated = None if frame.pts is None or not frame.time_base else float(frame.pts * frame.time_base)
                    begin = stated if begin is None else begin
                    known = None if stated is None or begin is None else stated - begin
                    seconds = max(seconds, known) if known is not None else seconds + (0.0 if first else step)
                    first = False
                    yield seconds, upright(frame)

    def _open(self) -> Any:
        return av.open(
            str(self.path.resolve()),
            format=self._format,
            options={"protocol_whitelist": "file", "enable_drefs": "0", "codec_whitelist": ",".join(DECODERS)},
            metadata_errors="replace",
        )


def upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The frame's pixels as they are meant to be seen."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    turns = round((frame.rotation or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def evenly(times: Iterable[float], rate: Fraction) -> Iterator[tuple[int, int]]:
    """For frames at these seconds: (number of the frame, how often it is shown) so that the clip runs at an even rate.

    A frame between two ticks of the clock may be shown never; one that stands long is shown again.
    """
    tick, before = 0, -1
    for number, seconds in enumerate(times):
        if before >= 0:
            due = max(tick, int(np.floor(float(seconds * rate) + 0.5)))
            yield before, due - tick
            tick = due
        before = number
    if before >= 0:
        yield before, 1
