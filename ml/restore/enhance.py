"""One enhancement: a picture, a task and some methods in; a file and figures of each method out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.errors import MediaError
from ml.media import decode
from ml.provenance.source_type import GENERATED
from ml.restore import faces, methods
from ml.restore.canvas import Canvas, marked, read
from ml.restore.measures import Measures, measure
from ml.restore.task import Task
from ml.restore.tiling import count, run_tiled
from ml.restore.writing import check_size, source_type_of, write
from ml.sentences import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ml.faces import Face
    from ml.restore.methods import Ready

    Report = Callable[[str, int, int], None]

MAX_OUTPUT_BYTES = 640_000_000
"""Of one result's colours: 213 million pixels at 8 bits, which 12 million enlarged fourfold stay under."""

MAX_METHODS = 6


@dataclass(frozen=True, slots=True)
class EnhanceRequest:
    """path: a JPEG, PNG or WEBP. out: a folder; each result goes there as <number>-<method>.<suffix>.

    methods: built-in names or "imported:FILE"; none means the task's default. scale: of upscaling, None for 2 or an
    imported network's own; of the picture in which faces are restored, None for 1. strength: 0 to 1, None to let the
    picture tell. truth: the picture as it should be.

    generated: the picture is known to be generated, though its metadata may not say so any more. mark: 12 hex digits
    that results which are generated, or may hold invented detail, carry as their invisible mark; "" for none.
    """

    path: Path
    task: Task
    out: Path
    methods: tuple[str, ...] = ()
    scale: int | None = None
    strength: float | None = None
    truth: Path | None = None
    suffix: str = ".png"
    quality: int = 92
    generated: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Enhanced:
    """One method's result. origin: "trained here", "classical", or "imported: FILE, SHA-256".

    source_type: IPTC's, as the file carries it. notes: what could not be kept, in sentences.
    """

    method: str
    label: str
    origin: str
    strength: float
    path: Path
    width: int
    height: int
    measures: Measures
    seconds: float
    notes: tuple[str, ...]
    source_type: str


@dataclass(frozen=True, slots=True)
class EnhanceResult:
    """All results of a request, and the picture that they were made of."""

    results: tuple[Enhanced, ...]
    width: int
    height: int
    before: Measures
    sha256: str
    weights_version: str
    device: str
    seconds: float


def run(request: EnhanceRequest, report: Report) -> EnhanceResult:
    """Enhance one picture. ``report(stage, done, total)`` is told of progress, and may raise to stop the work.

    Stages in order: decode, enhance (in tiles, over all methods), then write and measure for each method as it is done.
    Nothing of an unfinished result is left in ``out``. Raises MediaError for what the person can mend.
    """
    started = time.perf_counter()
    report("decode", 0, 1)
    if request.strength is not None and not 0 <= request.strength <= 1:
        raise MediaError("wrong_strength", "The strength must lie between 0 and 1.")
    names = request.methods or methods.names(request.task)[:1]
    if not names:
        raise MediaError("unsupported_method", "No method for %(task)s is installed here.", task=request.task.value)
    if len(names) > MAX_METHODS:
        raise MediaError("too_many_methods", "At most %(limit)d methods can be compared at once.", limit=MAX_METHODS)
    canvas = read(request.path)
    truth = None if request.truth is None else decode(request.truth).pixels
    chosen = [methods.ready(name, request.task, request.scale, request.strength, canvas) for name in names]
    for method in chosen:
        _check(canvas, method, request.suffix, truth)
    before = measure(canvas.bytes8(), truth if truth is not None and truth.shape == canvas.colour.shape else None)
    found = faces.find(canvas.bytes8()) if any(method.faces for method in chosen) else []
    report("decode", 1, 1)
    steps = _Steps(report, sum(_count(canvas, method, len(found)) for method in chosen))
    results: list[Enhanced] = []
    try:
        for number, method in enumerate(chosen, start=1):
            results.append(_one(request, canvas, truth, method, number, steps, found))
    except BaseException:  # stopped or failed: no half answers are left for anybody to find
        for done in results:
            done.path.unlink(missing_ok=True)
        raise
    from ml import runtime
    from ml.weights import weights_version

    return EnhanceResult(
        tuple(results), canvas.width, canvas.height, before, canvas.sha256, weights_version(),
        runtime.device_name(), time.perf_counter() - started,
    )  # fmt: skip


class _Steps:
    def __init__(self, report: Report, total: int) -> None:
        self._report, self._done, self._total = report, 0, total
        report("enhance", 0, total)

    def __call__(self) -> None:
        self._done += 1
        self._report("enhance", self._done, self._total)


def _count(canvas: Canvas, method: Ready, faces_found: int) -> int:
    """Tiles, and then faces."""
    return count(canvas.height, canvas.width, method.worker) + (faces_found if method.faces else 0)


def _one(
    request: EnhanceRequest,
    canvas: Canvas,
    truth: NDArray[np.uint8] | None,
    method: Ready,
    number: int,
    steps: _Steps,
    found: Sequence[Face] = (),
) -> Enhanced:
    started = time.perf_counter()
    made = enhanced(canvas, method, steps, found)
    seconds = time.perf_counter() - started
    name = method.name.partition(":")[2] or method.name
    path = request.out / f"{number}-{Path(name).stem}{request.suffix}"
    source_type = source_type_of(canvas, method.generative or request.generated)
    if request.mark and source_type in GENERATED:
        made = marked(made, request.mark)
    notes = canvas.notes + write(made, path, source_type, request.quality)
    if method.name == "nlmeans" and canvas.top > 255:
        notes += (N_("Non-local means computes in 8 bits; finer steps were lost."),)
    measures = measure(made.bytes8(), truth, border=method.worker.scale if request.task is Task.UPSCALE else 0)
    return Enhanced(
        method.name, method.label, method.origin, method.strength, path, made.width, made.height, measures, seconds,
        notes, source_type,
    )  # fmt: skip


def enhanced(
    canvas: Canvas, method: Ready, advance: Callable[[], None] = lambda: None, found: Sequence[Face] = ()
) -> Canvas:
    """The canvas with its colours through a method, and its transparency enlarged by as much.

    ``advance`` is called after every tile, and every one of the faces ``found`` if the method restores faces.
    """
    colour = run_tiled(method.worker, canvas.colour, advance)
    if method.faces is not None:
        colour = method.faces(canvas.colour, colour, found, advance)
    if canvas.grey:
        colour = _without_colour(colour)
    scale, alpha = method.worker.scale, canvas.alpha
    if alpha is not None and scale > 1:
        size = (canvas.width * scale, canvas.height * scale)
        # Linear, for cubic overshoots: a rim of a few per cent opacity would be seen around what was cut out.
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR))
    return replace(canvas, colour=colour, alpha=alpha)


def _without_colour(colour: NDArray[Any]) -> NDArray[Any]:
    mean = np.rint(colour.mean(axis=2, dtype=np.float32)).astype(colour.dtype)
    return np.repeat(mean[:, :, None], 3, axis=2)


def _check(canvas: Canvas, method: Ready, suffix: str, truth: NDArray[np.uint8] | None) -> None:
    from ml.restore.writing import format_of

    scale = method.worker.scale
    width, height = canvas.width * scale, canvas.height * scale
    check_size(width, height, format_of(Path(f"result{suffix}")))
    if width * height * 3 * canvas.colour.itemsize > MAX_OUTPUT_BYTES:
        most = MAX_OUTPUT_BYTES // (3 * canvas.colour.itemsize) // 1_000_000
        raise MediaError(
            "too_many_pixels",
            "The result would have %(size).0f million pixels; at most %(limit)d million can be made of such a picture. "
            "Choose a smaller scale, or scale the picture down.",
            size=width * height / 1e6,
            limit=most,
        )
    if truth is not None and truth.shape[:2] != (height, width):
        raise MediaError(
            "wrong_size", "The true picture must have the result's size, %(size)s px.", size=f"{width} x {height}"
        )
