"""Frames a second through the face swap, and the share of each stage; seconds a step of training."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import Table, interleave, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = 10.0
HEIGHT, WIDTH = 480, 480
ROUNDS = 20


def measure() -> list[Table]:
    """Run the benchmark: a built-in person painted onto scikit-image's astronaut at 480 px."""
    from ml import runtime

    runtime.configure()
    import cv2
    from skimage import data

    from ml.faces import FaceFinder
    from ml.provenance import visible_mark
    from ml.swap.alignment import align
    from ml.swap.blending import Blend, face_mask, paste_back
    from ml.swap.colour import ColourTransfer, transfer
    from ml.swap.details import kept, with_details
    from ml.swap.face_set import MARGIN
    from ml.swap.people import catalog, load
    from ml.swap.reposing import face_set
    from ml.swap.settling import Settled, mesh_in, settle
    from ml.swap.swapper import ConversionSettings, Swapper

    swapper, settings = Swapper(load(catalog()[0].slug).network()), ConversionSettings()
    frame = np.asarray(cv2.resize(data.astronaut()[:400, 30:430], (WIDTH, HEIGHT)), np.uint8)
    finder = FaceFinder()
    (face,) = finder.find(frame)
    alignment = align(face.landmarks, swapper.size)
    crop, points = alignment.cut(frame), alignment.points(face.landmarks)
    (painted,), _ = swapper.paint(crop[None])
    mask = face_mask(points, swapper.size, None, settings.mask, settings.erode, settings.feather)
    own = kept(face_set(frame, face, 40, swapper.size, np.random.default_rng(0)))
    wide = align(face.landmarks, swapper.size, MARGIN)
    wide_crop, wide_points = wide.cut(frame), wide.points(face.landmarks)
    before = Settled()

    def seen(made: np.ndarray[Any, Any]) -> Any:
        return mesh_in(transfer(made, crop, mask, ColourTransfer.REINHARD), mask, frame, alignment, finder)

    write = _Writer()
    stages: dict[str, Callable[[], object]] = {
        "find face and mesh": lambda: finder.find(frame, 8),
        "align and cut": lambda: align(face.landmarks, swapper.size).cut(frame),
        "decode (network)": lambda: swapper.paint(crop[None]),
        "settle on the mesh": lambda: settle(painted, points, seen, settings.settle, before),
        "the person's own detail": lambda: with_details(painted, wide_crop, wide_points, own, settings.detail),
        "colour transfer (Reinhard)": lambda: transfer(painted, crop, mask, ColourTransfer.REINHARD),
        "mask": lambda: face_mask(points, swapper.size, None, settings.mask, settings.erode, settings.feather),
        "blend and paste back": lambda: paste_back(frame, painted, mask, alignment, Blend.ALPHA),
        "visible mark": lambda: visible_mark.burn(frame, "Unmask"),
        "H.264": lambda: write(frame),
    }
    found = interleave(stages, ROUNDS, warm_up=3)
    finder.close()
    total = sum(timing.median for timing in found.values())
    table = Table(
        f"Face swap: one frame of {WIDTH} x {HEIGHT}",
        ("stage", "median (quartiles)", "share"),
        about=f"One face, {swapper.size} px network, float32. "
        "The person's own detail is of those who were learned. The invisible mark and the signature are not in it.",
    )
    for name, timing in found.items():
        table.rows.append((name, milliseconds(timing), f"{timing.median / total:.0%}"))
    rate = 1 / total
    table.rows.append(("all", f"{1e3 * total:.1f} ms", f"{rate:.1f} frames a second"))
    table.held.append((f"{rate:.1f} frames a second, wanted {WANTED:.0f}", rate >= WANTED))
    return [table, _training()]


def _training() -> Table:
    import tempfile
    import time
    from pathlib import Path

    from ml import runtime
    from ml.networks.swap import SWAP_96, build_swap_network
    from ml.swap.face_set import FaceSet
    from ml.swap.trainer import Recipe, Trainer

    size, precision = SWAP_96.size, runtime.training_precision()
    network = build_swap_network(SWAP_96, ("person",), precision)
    random = np.random.default_rng(0)
    side = round(size * 1.25)
    points = random.uniform(0.2, 0.8, (16, 478, 2)).astype(np.float32) * side
    nothing = np.zeros(16, np.float32)
    crops = random.integers(0, 256, (16, side, side, 3)).astype(np.uint8)
    faces = FaceSet(size, crops, points, nothing, nothing)
    about = (
        f"Computed in {precision}. Learning a person takes 1500 steps of everything, or fewer when it gets no better."
    )
    table = Table("Face swap: a step of training", ("what learns", "faces a step", "median of steps"), about=about)
    for frozen in (False, True):
        times: list[float] = []

        def report(stage: str, done: int, total: int, times: list[float] = times) -> None:
            times.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as folder:
            recipe = Recipe(steps=14, batch=8, freeze_shared=frozen, look_steps=100, checkpoint_seconds=1e9)
            split = (faces[:12], faces[12:])
            Trainer(network, {"person": split}, Path(folder), recipe).train(report)
        steps = np.diff(times)[3:-1]
        table.rows.append(("decoders only" if frozen else "everything", "8", f"{np.median(steps):.2f} s"))
    return table


class _Writer:
    def __init__(self) -> None:
        import av

        self._av = av
        self._out = av.open(io.BytesIO(), "w", format="mp4")
        self._stream: Any = self._out.add_stream("libx264", rate=25, options={"crf": "18"})
        self._stream.height, self._stream.width, self._stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"

    def __call__(self, frame: np.ndarray[Any, Any]) -> None:
        self._out.mux(self._stream.encode(self._av.VideoFrame.from_ndarray(frame, format="rgb24")))
