"""A whole check of a 10 s clip of 720p, by stages, and the peak memory of the largest video that is taken."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
WANTED_SECONDS = 15.0
WANTED_MEGABYTES = 2000
ROUNDS = 3


def measure() -> list[Table]:
    """Run the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        short, longest = Path(folder) / "short.mp4", Path(folder) / "longest.mp4"
        write_clip(short, 1280, 720, 10)
        write_clip(longest, 1920, 1080, 60)
        return [_stages(short), _memory(longest)]


def write_clip(path: Path, width: int, height: int, seconds: int, rate: int = 30) -> None:
    """A face that moves over a picture full of detail. One second is encoded; the others are the same packets again."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as first:
        stream = first.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = rate
        for pixels in _frames(width, height, rate):
            first.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        first.mux(stream.encode())
    with av.open(io.BytesIO(buffer.getvalue())) as once, av.open(str(path), "w", format="mp4") as out:
        source: Any = once.streams.video[0]
        target = out.add_stream_from_template(source)
        packets = [
            (bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
            for packet in once.demux(source) if packet.size
        ]  # fmt: skip
        step = round(1 / source.time_base)
        for second in range(seconds):
            for body, pts, dts, key in packets:
                packet = av.Packet(body)
                packet.stream, packet.time_base, packet.is_keyframe = target, source.time_base, key
                packet.pts, packet.dts = pts + second * step, dts + second * step
                out.mux(packet)


def _frames(width: int, height: int, count: int) -> Iterator[NDArray[np.uint8]]:
    import cv2
    from skimage import data

    wall = np.asarray(cv2.resize(data.coffee(), (width, height)), dtype=np.uint8)
    side = height * 3 // 4
    face = np.asarray(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    for i in range(count):
        frame = wall.copy()
        x = width // 8 + round(width / 16 * (1 + np.sin(2 * np.pi * i / count)))
        frame[height // 8 : height // 8 + side, x : x + side] = face
        yield frame


def _stages(path: Path) -> Table:
    from ml.detect.check import checker
    from ml.detect.video import run
    from ml.detect.video_result import VideoRequest

    made = checker()
    made.warm()
    request = VideoRequest(path, explain=True)
    run(request, lambda *_: None)
    walls, busy, results = [], [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        results.append(run(request, lambda *_: None))
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - cpu)
    table = Table(
        "A whole check of a video, warm: 10 s of 1280 x 720, 30 frames a second, one face",
        ("stage", "median seconds"),
        about=(
            f"From the file to the verdict, with everything that the page shows: {results[-1].frames} frames decoded, "
            f"{len(results[-1].timeline)} looked at, and as many faces through the detectors, three looks each. The "
            "time of all processors together says what it costs where something else runs beside it."
        ),
    )
    for stage in results[0].timings:
        table.rows.append((stage, f"{np.median([result.timings[stage] for result in results]):.2f}"))
    table.rows.append(("whole check", f"{np.median(walls):.2f}"))
    table.rows.append(("whole check, processor time", f"{np.median(busy):.2f}"))
    reached = float(np.median(walls))
    table.held.append((f"{reached:.1f} s, wanted at most {WANTED_SECONDS:.0f}", reached <= WANTED_SECONDS))
    return table


def _memory(path: Path) -> Table:
    """In a process of its own, since a peak never goes down again."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.video", str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    table = Table(
        "Memory of a process that checks the largest video that is taken",
        ("when", "megabytes"),
        rows=[(name, f"{value:.0f}") for name, value in told["megabytes"].items()],
        about=(
            f"{told['seconds']:.0f} s of {told['width']} x {told['height']}, {told['frames']} frames, "
            f"{path.stat().st_size / 2**20:.0f} MB; {told['processor']:.0f} s of processor time."
        ),
    )
    peak = told["megabytes"]["peak"]
    table.held.append((f"{peak:.0f} MB at most, wanted under {WANTED_MEGABYTES}", peak < WANTED_MEGABYTES))
    return table


def _high_water() -> float:
    """The most memory that this program ever held, in megabytes.

    Not getrusage's ru_maxrss: that remembers what the process was before it became this program, a fork of the whole
    benchmark.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _check_alone(path: Path) -> None:
    import resource

    import psutil

    from ml.detect.check import checker
    from ml.detect.video import run
    from ml.detect.video_result import VideoRequest

    def now() -> float:
        return float(psutil.Process().memory_info().rss) / 2**20

    checker().warm()
    warm, began = now(), time.process_time()
    result = run(VideoRequest(path, explain=True), lambda *_: None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    told = {
        "megabytes": {"warm, before": warm, "afterwards": now(), "peak": peak},
        "seconds": result.duration, "frames": result.frames, "width": result.width, "height": result.height,
        "processor": time.process_time() - began,
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    _check_alone(Path(sys.argv[1]))
