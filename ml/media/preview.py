"""A small silent copy of a video for showing, encoded from decoded pixels: nothing of the file itself is in it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

LONG_SIDE: Final = 480
FRAMES_A_SECOND: Final = 12.5
TICKS: Final = 1000


class Preview:
    """Takes every frame of a video and keeps 12.5 a second, at most 480 px long, as H.264 in MP4."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._out: Any = None
        self._stream: Any = None
        self._next = 0.0
        self._last = -1

    def add(self, frame: av.VideoFrame, seconds: float, quarter_turns: int) -> None:
        """One frame, at its time, to be turned counter-clockwise by so many quarters."""
        if seconds < self._next:
            return
        self._next = max(self._next + 1 / FRAMES_A_SECOND, seconds)
        factor = min(1.0, LONG_SIDE / max(frame.width, frame.height))
        width, height = (max(2, round(side * factor) // 2 * 2) for side in (frame.width, frame.height))
        small = frame.reformat(width, height, format="rgb24" if quarter_turns else "yuv420p", interpolation="BILINEAR")
        if quarter_turns:
            turned = np.ascontiguousarray(np.rot90(small.to_ndarray(), quarter_turns), dtype=np.uint8)
            small = av.VideoFrame.from_ndarray(turned, format="rgb24")
        if self._out is None:
            self._open(small.width, small.height)
        tick = max(round(seconds * TICKS), self._last + 1)
        self._last = tick
        small.pts, small.time_base = tick, self._stream.codec_context.time_base
        self._out.mux(self._stream.encode(small))

    def _open(self, width: int, height: int) -> None:
        from fractions import Fraction

        self._out = av.open(self._buffer, "w", format="mp4")
        self._stream = self._out.add_stream("libx264", rate=Fraction(25, 2))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.options = {"preset": "veryfast", "crf": "27", "tune": "zerolatency"}
        base: Fraction = Fraction(1, TICKS)
        self._stream.codec_context.time_base = base
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.gop_size = 25

    def close(self) -> bytes | None:
        """The MP4 file; None where there was no frame."""
        if self._out is None:
            return None
        self._out.mux(self._stream.encode())
        self._out.close()
        return self._buffer.getvalue()
