"""Face swaps in the inference process: with a person who is known, or with one who is learned first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generation.exchange import GenerationResult
from generation.handlers import origins, safeguarding
from generation.handlers.lessons import learned
from generation.handlers.targets import Target, looked_at
from jobs.errors import PersonError
from jobs.reporting import as_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from generation.exchange import GenerationRequest, SealedOutput
    from jobs.reporting import Report
    from ml.provenance.sealing import Clip, Still
    from ml.swap.swapper import ConversionSettings

PREVIEW_ROLE: Final = "preview"


def swap(request: GenerationRequest, report: Report | Callable[[str, int, int], None]) -> GenerationResult:
    """Paint a built-in person, or one whom the member has taught before, into the target."""
    telling = as_report(report)
    taught = request.learned.get("source")
    if "source" in request.taught_from:
        # Whoever was learned may have asked since never to be swapped, or their picture may have been taken down.
        looked_at(replace(request, files=request.taught_from), "source")
    return _converted(request, telling, taught or _built_in(request), "taught" if taught else _slug(request), {}, b"")


def swap_own(request: GenerationRequest, report: Report | Callable[[str, int, int], None]) -> GenerationResult:
    """Learn the person of the source, then paint them into the target. What was learned stays with the member."""
    telling = as_report(report)
    settings_of(request.options)
    looked_at(request, "target")  # before minutes are spent on it
    lesson = learned(request, telling, preview_of(request, telling, {}))
    keep = lesson.path.read_bytes() if request.options.get("keep", True) else b""
    done = _converted(request, telling, lesson.path, "taught", lesson.facts, keep)
    return done if lesson.strip is None else replace(done, outputs=(*done.outputs, lesson.strip))


def _slug(request: GenerationRequest) -> str:
    return request.identities.get("source", "")


def _built_in(request: GenerationRequest) -> Path:
    from ml.swap.people import CATALOG, path_of

    if not _slug(request):
        raise PersonError("no_person", "Choose a built-in person, or one whom you have taught before.")
    return path_of(_slug(request), request.catalog or CATALOG)


def settings_of(options: dict[str, Any]) -> ConversionSettings:
    """The settings of a conversion. Raises PersonError for those that there are not."""
    from ml.swap.blending import Blend, MaskKind
    from ml.swap.colour import ColourTransfer
    from ml.swap.swapper import ConversionSettings
    from ml.swap.tracking import FaceChoice

    plain = ConversionSettings()
    try:
        return ConversionSettings(
            face=FaceChoice(options.get("face", plain.face)),
            colour=ColourTransfer(options.get("colour", plain.colour)),
            mask=MaskKind(options.get("mask", plain.mask)),
            blend=Blend(options.get("blend", plain.blend)),
            erode=float(options.get("erode", plain.erode)),
            feather=float(options.get("feather", plain.feather)),
            smoothing=float(options.get("smoothing", plain.smoothing)),
            settle=round(float(options.get("settle", plain.settle))),
            detail=float(options.get("detail", plain.detail)),
        )
    except (ValueError, TypeError) as error:
        raise PersonError("settings", "These settings are not known here. Choose others and begin again.") from error


def warm() -> str:
    """Nothing is loaded before somebody wants something learned; but the device is known."""
    from ml.runtime import device_name

    return device_name()


def preview_of(
    request: GenerationRequest, report: Report, weights: dict[str, str]
) -> Callable[[NDArray[np.uint8]], SealedOutput]:
    """Shows a picture of unfinished work, sealed as the finished one will be: it shows a person too."""
    from ml.provenance.plan import Work
    from ml.provenance.sealing import Still

    def show(pixels: NDArray[np.uint8]) -> SealedOutput:
        output = safeguarding.sealed(request, Work.SWAP, Still(pixels), role=PREVIEW_ROLE, weights=weights)
        report.show(output.data, output.content_type, (output.width, output.height))
        return output

    return show


def _converted(
    request: GenerationRequest, report: Report, identity: Path, who: str, facts: dict[str, Any], keep: bytes
) -> GenerationResult:
    import hashlib

    from ml.errors import MediaError
    from ml.provenance.plan import Work
    from ml.swap import convert

    settings = settings_of(request.options)
    weights = {f"person {who}": hashlib.sha256(identity.read_bytes()).hexdigest()}
    target = Target(request, settings.face)
    looking = "decode" if facts else "people"  # what was learned was looked at first: the stages never go back
    report(looking, 0, 1)
    seen = target.looked_at()
    report(looking, 1, 1)

    def seal(media: Still | Clip) -> SealedOutput:
        return safeguarding.sealed(request, Work.SWAP, target.watched(media), weights=weights)

    show = preview_of(request, report, weights)

    def show_frame(pixels: NDArray[np.uint8]) -> None:
        show(pixels)

    wanted = convert.SwapRequest(
        request.files["target"],
        identity,
        settings,
        None if request.work is None else request.work / "conversion",
        request.safeguards.site,
        target.limits,
    )
    try:
        done = convert.run(wanted, report, seal, show_frame)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    outputs = [done.sealed]
    if target.painted is not None:
        if target.is_clip:
            frame = safeguarding.sealed(request, Work.SWAP, _still(target.painted), role="frame", weights=weights)
            outputs.append(frame)
        poster = safeguarding.poster(request, Work.SWAP, target.painted, weights=weights, of_clip=target.is_clip)
        outputs += [] if poster is None else [poster]
    report("judge", 0, 2)
    before = target.score_before()
    report("judge", 1, 2)
    told = {
        "score": {"before": before, "after": target.score_after(done.sealed)},
        "provenance": origins.origin_of(done.sealed),
        "frames": done.frames,
        "swapped": done.swapped,
        "timings": {name: round(seconds, 2) for name, seconds in done.timings.items()},
        **facts,
    }
    report("judge", 2, 2)
    return GenerationResult(
        tuple(outputs),
        weights=weights,
        seen={"target": seen, **({"source": facts["seen"]} if facts.get("seen") else {})},
        device=done.device,
        facts={name: value for name, value in told.items() if name != "seen"},
        before=target.before_jpeg(),
        learned=keep,
    )


def _still(pixels: NDArray[np.uint8]) -> Still:
    from ml.provenance.sealing import Still

    return Still(pixels)
