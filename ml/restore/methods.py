"""The methods of each task: which there are, what they are called, and how one is made ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MediaError
from ml.restore import classical
from ml.restore.task import Task

if TYPE_CHECKING:
    from ml.restore.canvas import Canvas
    from ml.restore.faces import FaceRestoration
    from ml.restore.tiling import Worker

IMPORTED = "imported:"
MAX_SIGMA, MAX_BLUR = classical.MAX_SIGMA, classical.MAX_BLUR
SCALES = (2, 3, 4)

DEFAULT_STRENGTHS = {Task.UPSCALE: 1.0, Task.FACE: 1.0, Task.DEBLUR: 0.4, Task.JPEG: 0.7}
"""Where none is given and the picture does not tell: upscalers and face restorers are taken whole."""

TOLD_BY_THE_PICTURE = (Task.DENOISE, Task.JPEG)
"""Noise is measured, and a JPEG's quality read from its tables; of other files it is a middle value."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to do one task. trained: it is a network of this project, with weights that are shipped.

    scales: by which it enlarges; none for what keeps the size. steered: a strength changes what it does. generative: it
    may invent detail. clips: it is fast enough for videos. ``python -m ml.restore.catalogue`` writes all of it down for
    those who only choose.
    """

    name: str
    task: Task
    label: str
    trained: bool = False
    scales: tuple[int, ...] = ()
    steered: bool = True
    generative: bool = False
    clips: bool = False


METHODS = (
    Method("compact", Task.UPSCALE, "Compact upscaler, trained here", trained=True, scales=(2, 4), clips=True),
    Method("esrgan", Task.UPSCALE, "Slim ESRGAN, trained here", trained=True, scales=(4,), generative=True),
    Method("bicubic", Task.UPSCALE, "Bicubic interpolation", scales=SCALES, steered=False),
    Method("lanczos", Task.UPSCALE, "Lanczos interpolation", scales=SCALES, steered=False),
    Method(
        "dictionary",
        Task.FACE,
        "Face restorer with dictionaries, trained here",
        trained=True,
        scales=(1, 2, 4),
        generative=True,
    ),
    Method("restorer", Task.DENOISE, "Restorer, trained here", trained=True, clips=True),
    Method("nlmeans", Task.DENOISE, "Non-local means"),
    Method("restorer", Task.DEBLUR, "Restorer, trained here", trained=True),
    Method("unsharp", Task.DEBLUR, "Unsharp mask"),
    Method("restorer", Task.JPEG, "Restorer, trained here", trained=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A method made ready for one picture. origin: "trained here", "classical", or "imported: FILE, SHA-256".

    generative: it may invent detail. Networks that are trained on the error alone do not; of an imported one nobody
    knows, so it counts as one that does. faces: what is done to each face after the worker has done the whole picture.
    """

    name: str
    label: str
    origin: str
    strength: float
    worker: Worker
    generative: bool = False
    faces: FaceRestoration | None = None


def names(task: Task) -> tuple[str, ...]:
    """The built-in methods of a task that work here, the default first: a network only where its weights are."""
    from ml.restore import shipped

    known = shipped.available()
    return tuple(
        method.name
        for method in METHODS
        if method.task == task and (not method.trained or any(name.startswith(method.name) for name in known))
    )


def ready(name: str, task: Task, scale: int | None, strength: float | None, canvas: Canvas) -> Ready:
    """Make a method ready. scale: None is the least that the method has, 2 for most, or an imported network's own.

    Restored faces lie in a picture of its own size unless a scale is given.

    strength: 0 to 1; None lets the picture tell (noise that is measured, the JPEG's quality), else a middle value.
    Raises MediaError for an unknown method, or a scale that it does not have; WeightsError when weights are missing.
    """
    if name.startswith(IMPORTED):
        return _imported(Path(name.removeprefix(IMPORTED)), task, scale, strength)
    method = next((each for each in METHODS if (each.name, each.task) == (name, task)), None)
    if method is None or name not in names(task):
        known = [*names(task), *([f"{IMPORTED}FILE"] if task is Task.UPSCALE else [])]
        raise MediaError(
            "unsupported_method",
            f"There is no method {name!r} for {task.value}; there is {', '.join(known) or 'none'}.",
        )
    strength = default_strength(task, canvas) if strength is None else strength
    origin = "trained here" if method.trained else "classical"
    usual = method.scales[0] if method.scales else 1
    worker = _worker(method, usual if scale is None else scale, strength, canvas)
    return Ready(name, method.label, origin, strength, worker, method.generative, _faces(method, strength))


def default_strength(task: Task, canvas: Canvas) -> float:
    """How strong the task's fault is in this picture, 0 to 1, as far as it can be told."""
    if task is Task.DENOISE:
        from ml.restore.measures import noise_sigma

        return min(1.0, noise_sigma(canvas.bytes8()) / MAX_SIGMA)
    if task is Task.JPEG and canvas.quality is not None:
        return jpeg_strength(canvas.quality)
    return DEFAULT_STRENGTHS[task]


def jpeg_strength(quality: int) -> float:
    """The restorer's JPEG level for a quality of 1 to 100: 0 at 100, 1 at 10 and below."""
    return min(1.0, (100 - quality) / 90)


def _worker(method: Method, scale: int, strength: float, canvas: Canvas) -> Worker:
    if method.scales and scale not in method.scales:
        known = " and ".join(", ".join(map(str, method.scales)).rsplit(", ", 1))
        raise MediaError("unsupported_scale", f"The method {method.name} enlarges by {known}, not by {scale}.")
    if method.name in {"bicubic", "lanczos"}:
        return classical.Interpolation(scale, lanczos=method.name == "lanczos")
    if method.name == "nlmeans":
        return classical.NonLocalMeans(strength * MAX_SIGMA)
    if method.name == "unsharp":
        return classical.UnsharpMask(strength * MAX_BLUR)
    from ml.restore import neural

    if method.task is Task.FACE:
        return classical.Unchanged() if scale == 1 else neural.upscaler(scale, 1.0)
    if method.name == "esrgan":
        return neural.esrgan(strength)
    if method.task is Task.UPSCALE:
        return neural.upscaler(scale, strength)
    if method.task is Task.DENOISE:
        return neural.restorer((strength, 0.0, 0.0))
    if method.task is Task.JPEG:
        return neural.restorer((0.0, strength, 0.0))
    from ml.restore.measures import noise_sigma

    # Sharpening without being told of noise would sharpen that too; it was trained with a sigma of up to 5.
    return neural.restorer((min(5.0, noise_sigma(canvas.bytes8())) / MAX_SIGMA, 0.0, strength))


def _faces(method: Method, strength: float) -> FaceRestoration | None:
    if method.task is not Task.FACE:
        return None
    from ml.restore import neural
    from ml.restore.faces import FaceRestoration

    return FaceRestoration(neural.face_restorer(), strength)


def _imported(path: Path, task: Task, scale: int | None, strength: float | None) -> Ready:
    if task is not Task.UPSCALE:
        raise MediaError("unsupported_method", f"Imported networks enlarge pictures; they do no {task.value}.")
    from ml.restore import neural

    found = neural.imported(path)
    if scale is not None and scale != found.scale:
        raise MediaError("unsupported_scale", f"The network in {found.file} enlarges by {found.scale}, not by {scale}.")
    strength = 1.0 if strength is None else strength
    origin = f"imported: {found.file}, {found.sha256}"
    label = f"{'ESRGAN' if found.kind == 'rrdbnet' else 'Compact Real-ESRGAN'}, imported from {found.file}"
    return Ready(f"{IMPORTED}{found.file}", label, origin, strength, found.worker(strength), generative=True)
