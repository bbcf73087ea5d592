"""The methods of each task: which there are, what they are called, and how one is made ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MediaError
from ml.restore import classical
from ml.restore.task import Task
from ml.sentences import N_

if TYPE_CHECKING:
    from ml.restore.canvas import Canvas
    from ml.restore.faces import FaceRestoration
    from ml.restore.tiling import Worker

IMPORTED = "imported:"
IMPORTING = (Task.UPSCALE, Task.FACE)
"""What imported networks can do."""

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
    Method("compact", Task.UPSCALE, N_("Compact upscaler, trained here"), trained=True, scales=(2, 4), clips=True),
    Method("esrgan", Task.UPSCALE, N_("Slim ESRGAN, trained here"), trained=True, scales=(4,), generative=True),
    Method("bicubic", Task.UPSCALE, N_("Bicubic interpolation"), scales=SCALES, steered=False),
    Method("lanczos", Task.UPSCALE, N_("Lanczos interpolation"), scales=SCALES, steered=False),
    Method(
        "dictionary",
        Task.FACE,
        N_("Face restorer with dictionaries, trained here"),
        trained=True,
        scales=(1, 2, 4),
        generative=True,
    ),
    Method("restorer", Task.DENOISE, N_("Restorer, trained here"), trained=True, clips=True),
    Method("nlmeans", Task.DENOISE, N_("Non-local means")),
    Method("restorer", Task.DEBLUR, N_("Restorer, trained here"), trained=True),
    Method("unsharp", Task.DEBLUR, N_("Unsharp mask")),
    Method("restorer", Task.JPEG, N_("Restorer, trained here"), trained=True),
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
        known = [*names(task), *([f"{IMPORTED}FILE"] if task in IMPORTING else [])]
        raise MediaError(
            "unsupported_method",
            "There is no method %(name)r for %(task)s; there is %(known)s.",
            name=name,
            task=task.value,
            known=", ".join(known) or N_("none"),
        )
    strength = default_strength(task, canvas) if strength is None else strength
    origin = N_("trained here") if method.trained else N_("classical")
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


def _check_scale(method: Method, scale: int) -> None:
    if method.scales and scale not in method.scales:
        known = " and ".join(", ".join(map(str, method.scales)).rsplit(", ", 1))
        raise MediaError(
            "unsupported_scale",
            "The method %(name)s enlarges by %(known)s, not by %(scale)s.",
            name=method.name,
            known=known,
            scale=scale,
        )


def _worker(method: Method, scale: int, strength: float, canvas: Canvas) -> Worker:
    _check_scale(method, scale)
    if method.name in {"bicubic", "lanczos"}:
        return classical.Interpolation(scale, lanczos=method.name == "lanczos")
    if method.name == "nlmeans":
        return classical.NonLocalMeans(strength * MAX_SIGMA)
    if method.name == "unsharp":
        return classical.UnsharpMask(strength * MAX_BLUR)
    from ml.restore import neural

    if method.task is Task.FACE:
        return _around_faces(scale)
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


def _around_faces(scale: int) -> Worker:
    """What is done to the picture in which faces are restored."""
    from ml.restore import neural

    return classical.Unchanged() if scale == 1 else neural.upscaler(scale, 1.0)


def _faces(method: Method, strength: float) -> FaceRestoration | None:
    if method.task is not Task.FACE:
        return None
    from ml.restore import neural
    from ml.restore.faces import FaceRestoration

    return FaceRestoration(neural.face_restorer(), strength)


def _imported(path: Path, task: Task, scale: int | None, strength: float | None) -> Ready:
    if task not in IMPORTING:
        raise MediaError(
            "unsupported_method",
            "Imported networks enlarge pictures and restore faces; they do no %(task)s.",
            task=task.value,
        )
    if task is Task.FACE:
        return _imported_faces(path, scale, strength)
    from ml.restore import neural

    found = neural.imported(path)
    if scale is not None and scale != found.scale:
        raise MediaError(
            "unsupported_scale",
            "The network in %(name)s enlarges by %(known)s, not by %(scale)s.",
            name=found.file,
            known=found.scale,
            scale=scale,
        )
    strength = 1.0 if strength is None else strength
    origin = f"imported: {found.file}, {found.sha256}"
    label = f"{'ESRGAN' if found.kind == 'rrdbnet' else 'Compact Real-ESRGAN'}, imported from {found.file}"
    return Ready(f"{IMPORTED}{found.file}", label, origin, strength, found.worker(strength), generative=True)


def _imported_faces(path: Path, scale: int | None, strength: float | None) -> Ready:
    """DFDNet, in a picture of its own size or one that the shipped upscaler enlarges, as for the shipped restorer."""
    from ml.restore.faces import FaceRestoration
    from ml.restore.imported_faces import framed, imported

    found = imported(path)
    restorer = next(method for method in METHODS if method.task is Task.FACE)
    scale = 1 if scale is None else scale
    _check_scale(restorer, scale)
    strength = 1.0 if strength is None else strength
    return Ready(
        f"{IMPORTED}{found.file}",
        f"DFDNet, imported from {found.file}",
        f"imported: {found.file}, {found.sha256}",
        strength,
        _around_faces(scale),
        generative=True,
        faces=FaceRestoration(found, strength, framed, found.boxes),
    )
