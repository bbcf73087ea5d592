"""The networks' side of an enhancement: look at the picture, make it by each method, measure, sign."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from enhancement.exchange import DetectorJobFigure, EnhanceJobResult, MeasuresJobFigure, MethodJobResult
from jobs.errors import PersonError
from jobs.sentences import N_, packed

if TYPE_CHECKING:
    from collections.abc import Callable

    from enhancement.exchange import EnhanceJobRequest, SealedPicture
    from ml.detect.check import CheckResult
    from ml.restore.enhance import Enhanced, EnhanceResult
    from ml.restore.measures import Measures

    from .sealing import Seal

    Report = Callable[[str, int, int], None]

JPEG_QUALITY: Final = 95
SUFFIXES: Final = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
CONTENT_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
BEST_PSNR: Final = 100.0
"""Of a picture that is the truth itself, whose PSNR no JSON can hold."""
IMPORTED: Final = "imported:"
NOT_TAKEN_OVER: Final = N_(
    "The signed statement that the picture came with could not be taken over; "
    "the new one names the picture by its hash."
)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What is known of the picture that was sent: its bytes and kind, its marks, and whether it was generated."""

    data: bytes
    content_type: str
    perceptual_hash: str
    mark: str
    generated: bool
    signed: bool
    detector: DetectorJobFigure


def enhance(request: EnhanceJobRequest, report: Report) -> EnhanceJobResult:
    """Enhance one picture by each of the methods, measure, sign and verify.

    Raises PersonError for what the person can mend. Whatever `report` raises to stop the work passes through.
    """
    from ml.errors import MediaError
    from ml.restore import enhance as ml_enhance
    from ml.restore.task import Task

    started = time.perf_counter()
    report("decode", 0, 1)
    try:
        origin = _origin(request)
        report("decode", 1, 1)
        with tempfile.TemporaryDirectory(dir=request.path.parent) as out:
            wanted = ml_enhance.EnhanceRequest(
                path=request.path,
                task=Task(request.task),
                out=Path(out),
                methods=tuple(_placed(name, request.networks) for name in request.methods),
                scale=request.scale,
                strength=request.strength,
                truth=request.truth,
                suffix=request.suffix or _suffix(origin.data),
                quality=JPEG_QUALITY,
                generated=origin.generated,
                mark=request.mark,
            )
            made = ml_enhance.run(wanted, after_decoding(report))
            detectors = _measured(made, report)
            shown, size = _before(request.path)
            results, poster = _sealed(request, origin, shown, made, detectors, report)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    return EnhanceJobResult(
        results=results,
        width=made.width,
        height=made.height,
        before=plain(made.before),
        before_detector=origin.detector,
        before_copy=shown,
        before_size=size,
        poster=poster,
        perceptual_hash=origin.perceptual_hash,
        mark=origin.mark,
        generated=origin.generated,
        weights_version=made.weights_version,
        device=made.device,
        seconds=time.perf_counter() - started,
    )


def after_decoding(report: Report) -> Report:
    """The work's own progress; its reading of the file has been told already."""

    def told(stage: str, done: int, total: int) -> None:
        if stage == "decode":
            report("decode", 1, 1)
        else:
            report(stage, done, total)

    return told


def _placed(name: str, networks: Path) -> str:
    """An imported network by its place; never one outside the operator's folder, whatever the name says."""
    if not name.startswith(IMPORTED):
        return name
    return f"{IMPORTED}{networks / Path(name.removeprefix(IMPORTED)).name}"


def _suffix(data: bytes) -> str:
    from ml.media.header import sniff

    return SUFFIXES.get(sniff(data) or "", ".png")


def _origin(request: EnhanceJobRequest) -> _Origin:
    """Look at the picture as a check does: its score, and what it says and shows of where it comes from.

    Raises PersonError for a picture that was taken down, whatever its bytes are now.
    """
    found = _checked(request.path)
    seen = found.perceptual_hash
    blocked(request, seen)
    mark = str(found.provenance.get("mark") or "")
    says_so = bool(found.provenance.get("says_generated"))
    generated = request.made_here or bool(mark) or says_so or looks_made_here(seen, request.looks)
    data = request.path.read_bytes()
    signed = found.provenance.get("manifest") is not None
    return _Origin(data, CONTENT_TYPES[_suffix(data)], seen, mark, generated, signed, _figure(found))


def blocked(request: EnhanceJobRequest, seen: str) -> None:
    """Raises PersonError for what looks like something that was taken down."""
    from ml.provenance.perceptual_hash import SAME_PICTURE, distance

    if seen and any(distance(seen, each) <= SAME_PICTURE for each in request.blocked):
        raise PersonError("blocked_picture", "This picture was taken down on request and cannot be used here.")


def looks_made_here(seen: str, looks: bytes) -> bool:
    """Whether it looks like something that was generated here; one comparison with each, all of them at once."""
    if not seen or not looks:
        return False
    import numpy as np

    from ml.provenance.perceptual_hash import SAME_PICTURE

    apart = np.frombuffer(looks, ">u8") ^ np.uint64(int(seen, 16))
    bits = np.unpackbits(apart.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)
    return bool(bits.min() <= SAME_PICTURE)


def _checked(path: Path) -> CheckResult:
    from ml.detect import check

    return check.run(check.CheckRequest(path, explain=False, renders=False), lambda stage, done, total: None)


def _figure(found: CheckResult) -> DetectorJobFigure:
    judged = sum(face.probability is not None for face in found.faces)
    return DetectorJobFigure(found.level.value, found.probability, judged, found.reason_code)


def _measured(made: EnhanceResult, report: Report) -> list[DetectorJobFigure]:
    """The detectors' score of every result. What is too large to be checked is not scored, and says so."""
    from ml.errors import MediaError

    figures = []
    for number, each in enumerate(made.results):
        report("measure", number, len(made.results))
        try:
            figures.append(_figure(_checked(each.path)))
        except MediaError as error:
            figures.append(DetectorJobFigure("", None, 0, error.code))
    report("measure", len(made.results), len(made.results))
    return figures


def _sealed(
    request: EnhanceJobRequest,
    origin: _Origin,
    copy: bytes,
    made: EnhanceResult,
    detectors: list[DetectorJobFigure],
    report: Report,
) -> tuple[tuple[MethodJobResult, ...], SealedPicture]:
    from ml.provenance.plan import PARENT, Ingredient

    from .sealing import Seal

    seal = Seal(request, Ingredient(PARENT, origin.data, origin.content_type), copy, made.weights_version)
    results = []
    for number, (name, each, detector) in enumerate(zip(request.methods, made.results, detectors, strict=True)):
        report("seal", number, len(made.results))
        results.append(_one(name, each, detector, seal, origin))
    poster = seal.poster(made.results[0], origin.generated)
    report("seal", len(made.results), len(made.results))
    return tuple(results), poster


def _one(name: str, made: Enhanced, detector: DetectorJobFigure, seal: Seal, origin: _Origin) -> MethodJobResult:
    from ml.restore.canvas import UNSIGNED

    picture, shown = seal.picture(made, origin.generated), seal.shown(made, origin.generated)
    # The results here are signed: they refer to the statement that the picture came with, where that can be taken over.
    notes = tuple(note for note in made.notes if note != UNSIGNED)
    if origin.signed and not seal.keeps_history:
        notes += (NOT_TAKEN_OVER,)
    return MethodJobResult(
        method=name,
        label=made.label,
        origin=made.origin,
        strength=made.strength,
        source_type=made.source_type,
        picture=picture,
        shown=shown,
        measures=plain(made.measures),
        detector=detector,
        seconds=made.seconds,
        notes=tuple(packed(note) for note in notes),
    )


def plain(measures: Measures) -> MeasuresJobFigure:
    psnr = None if measures.psnr is None else min(BEST_PSNR, measures.psnr)
    looks = getattr(measures, "perceptual", None)
    return MeasuresJobFigure(measures.sharpness, measures.noise, psnr, measures.ssim, looks)


def _before(path: Path) -> tuple[bytes, tuple[int, int]]:
    """A copy of what was sent, made from its pixels, for the page: without a word of what its file holds besides."""
    from ml.restore.canvas import read

    from .sealing import SHOWN_SIDE, reduced, webp

    canvas = read(path)
    image = reduced(canvas, SHOWN_SIDE)
    return webp(image, canvas.icc), image.size
