"""Animations in the inference process: a portrait follows a clip, or one of the built-in motions."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generation.exchange import GenerationResult
from generation.handlers import judging, motion_models, origins, safeguarding
from generation.handlers.targets import JUDGED, frames_of, is_clip, limits_of, looked_at
from generation.refusals import Reason, Refused
from jobs.errors import PersonError
from jobs.reporting import as_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from generation.exchange import GenerationRequest, SealedOutput
    from jobs.reporting import Report
    from ml.animate.settings import MotionSettings
    from ml.provenance.sealing import Clip

MOTION: Final = "motion:"
PREVIEW: Final = "preview"
COMPARISON: Final = "comparison"
PANEL: Final = 320  # height in pixels of driver and result, laid side by side
BEFORE_SIDE: Final = 1600
SHORT_SIDE: Final = 512  # of the result, at least: there the band takes a tenth of the height
LONG_SIDE: Final = 960


def animate(request: GenerationRequest, report: Report | Callable[[str, int, int], None]) -> GenerationResult:
    """Move the portrait. Raises Refused, and PersonError for files from which nothing can be made."""
    from ml.animate import animate as engine
    from ml.animate import restoring
    from ml.errors import MediaError
    from ml.provenance.plan import Work

    telling = as_report(report)
    settings, motion = settings_of(request.options), motion_of(request)
    telling("people", 0, 2)
    if is_clip(request.files["portrait"]):
        raise PersonError("not_an_image", "The portrait must be a picture. Choose a JPEG, PNG or WEBP picture.")
    looks, pictures = looked_at(request, "portrait")
    seen = {"portrait": looks}
    telling("people", 1, 2)
    if motion is None:
        seen["driver"], _pictures = looked_at(request, "driver")
    network = motion_models.file_of(request)
    # The manifest names them, so they are known before anything is sealed.
    weights = dict(motion_models.ready(network).weights)
    if settings.restore_faces:
        weights |= restoring.weights()
    show = _Shower(request, telling, weights)
    crop = _crop_of(pictures[0], show)
    telling("people", 2, 2)
    kept = _Kept()

    def seal(clip: Clip) -> SealedOutput:
        return safeguarding.sealed(request, Work.ANIMATION, kept.watched(clip), weights=weights)

    wanted = engine.AnimateRequest(
        portrait=request.files["portrait"],
        driver=None if motion is not None else request.files["driver"],
        built_in=motion,
        settings=settings,
        model=network,
        work=request.work,
        site=request.safeguards.site,
        limits=limits_of(request),
    )
    try:
        done = engine.run(wanted, telling, seal, show.frame)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    outputs = [done.sealed, *_beside(request, telling, kept, done.sealed, weights, with_driver=motion is None)]
    telling("judge", 0, 2)
    score = {"before": _score([pictures[0]]), "after": _score(_frames(request, done.sealed))}
    telling("judge", 1, 2)
    facts = {
        "score": score,
        "provenance": origins.origin_of(done.sealed),
        "motion": motion or "",
        "crop": crop,
        "cautions": [str(caution) for caution in done.cautions],
        "frames": done.frames,
        "start": done.start,
        "pose_gap": done.pose_gap,
        "rate": round(float(kept.rate), 3),
        "timings": {name: round(seconds, 2) for name, seconds in done.timings.items()},
    }
    telling("judge", 2, 2)
    return GenerationResult(
        tuple(outputs),
        weights=done.weights,
        seen=seen,
        device=done.device,
        facts=facts,
        before=_before(pictures[0]),
    )


def settings_of(options: dict[str, Any]) -> MotionSettings:
    """The settings of the motion. Raises PersonError for those that there are not."""
    from ml.animate.settings import Framing, Motion, MotionSettings

    plain = MotionSettings()
    try:
        return MotionSettings(
            motion=Motion(options.get("motion", plain.motion)),
            framing=Framing(options.get("framing", plain.framing)),
            movement=float(options.get("movement", plain.movement)),
            best_start=bool(options.get("best_start", plain.best_start)),
            smoothing=float(options.get("smoothing", plain.smoothing)),
            restore_faces=bool(options.get("restore_faces", plain.restore_faces)),
        )
    except (ValueError, TypeError) as error:
        raise PersonError("settings", "These settings are not known here. Choose others and begin again.") from error


def motion_of(request: GenerationRequest) -> str | None:
    """The slug of the built-in motion; None where a clip drives. Raises Refused for whatever is neither."""
    identity = request.identities.get("driver", "")
    if "portrait" in request.files and "driver" in request.files:
        return None
    if "portrait" not in request.files or not identity.startswith(MOTION):
        raise Refused(Reason.UNKNOWN_IDENTITY, job=request.safeguards.job, role="driver")
    return identity.removeprefix(MOTION)


@dataclass(slots=True)
class _Kept:
    """What is kept back of the frames on their way to the seal: one from the middle, and the rate."""

    rate: Any = 25
    middle: NDArray[np.uint8] | None = field(default=None)

    def watched(self, clip: Clip) -> Clip:
        self.rate = clip.rate
        return replace(clip, frames=self._passing(clip, max(0, clip.count // 2)))

    def _passing(self, clip: Clip, middle: int) -> Iterator[NDArray[np.uint8]]:
        for number, made in enumerate(clip.frames):
            pixels = _large(made)
            if number <= middle:
                self.middle = pixels
            yield pixels


class _Shower:
    """Shows unfinished work to its owner, sealed as the finished one will be."""

    def __init__(self, request: GenerationRequest, report: Report, weights: dict[str, str]) -> None:
        self._request, self._report, self._weights = request, report, weights

    def frame(self, pixels: NDArray[np.uint8]) -> None:
        from ml.provenance.plan import Work
        from ml.provenance.sealing import Still

        output = safeguarding.sealed(self._request, Work.ANIMATION, Still(pixels), role=PREVIEW, weights=self._weights)
        self._report.show(output.data, output.content_type, (output.width, output.height))


def _crop_of(pixels: NDArray[np.uint8], show: _Shower) -> list[float]:
    """Left, top, width and height of the square that will move, in percent of the portrait; shown at once. Empty where
    there is no face: the engine says so in its own words."""
    import numpy as np
    from PIL import Image, ImageDraw

    from ml.animate.square import square_of
    from ml.faces import FaceFinder
    from ml.swap.tracking import FaceChoice, choose

    height, width = pixels.shape[:2]
    with FaceFinder() as finder:
        face = choose(finder.find(pixels), FaceChoice.LARGEST, width, height)
    if face is None:
        return []
    square = square_of([face.box], width, height)
    small = _scaled(pixels, 480)
    factor = small.shape[1] / width
    corners = [round(edge * factor) for edge in (square.left, square.top)]
    corners += [round((edge + square.side) * factor) for edge in (square.left, square.top)]
    drawn = Image.fromarray(small)
    for colour, line in (("#ffffff", 5), ("#174a9c", 2)):
        ImageDraw.Draw(drawn).rectangle(corners, outline=colour, width=line)
    small = np.asarray(drawn, np.uint8)
    if min(small.shape[:2]) >= safeguarding.POSTER_SHORT_SIDE:
        show.frame(small)
    across, down = 100 / width, 100 / height
    box = (square.left * across, square.top * down, square.side * across, square.side * down)
    return [round(value, 2) for value in box]


def _beside(
    request: GenerationRequest,
    report: Report,
    kept: _Kept,
    made: SealedOutput,
    weights: dict[str, str],
    *,
    with_driver: bool,
) -> list[SealedOutput]:
    """What lies beside the result: its poster, and for a driver of one's own both of them side by side."""
    from ml.provenance.plan import Work
    from ml.provenance.sealing import Clip

    outputs = []
    if kept.middle is not None:
        poster = safeguarding.poster(request, Work.ANIMATION, kept.middle, weights=weights, of_clip=True)
        outputs += [] if poster is None else [poster]
    if with_driver:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"made{made.suffix}"
            path.write_bytes(made.data)
            pairs = Clip(_side_by_side(request.files["driver"], path), kept.rate)
            both = safeguarding.sealed(request, Work.ANIMATION, pairs, role=COMPARISON, weights=weights, report=report)
            outputs.append(both)
    return outputs


def _side_by_side(driver: Path, made: Path) -> Iterator[NDArray[np.uint8]]:
    """Frame for frame the driver and what follows it; below them room for the band."""
    import numpy as np

    from ml.swap.clip_frames import ClipFrames

    driving = iter(ClipFrames(driver))
    _seconds, shown = next(driving)
    following = next(driving, None)
    for at, result in ClipFrames(made):
        while following is not None and following[0] <= at + 1e-3:
            _seconds, shown = following
            following = next(driving, None)
        pair = np.hstack([_tall(shown), np.full((PANEL, 8, 3), 255, np.uint8), _tall(result)])
        yield np.vstack([pair, np.zeros((56, pair.shape[1], 3), np.uint8)])


def _large(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarged, where it is so small that the band would lie over the mouth."""
    height, width = pixels.shape[:2]
    share = min(SHORT_SIDE / min(height, width), LONG_SIDE / max(height, width))
    if share <= 1:
        return pixels
    return _resized(pixels, 2 * round(width * share / 2), 2 * round(height * share / 2))


def _tall(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    return _resized(pixels, max(2, round(width * PANEL / height)), PANEL)


def _scaled(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    share = min(1.0, side / max(height, width))
    return _resized(pixels, max(1, round(width * share)), max(1, round(height * share)))


def _resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC), np.uint8)


def _before(pixels: NDArray[np.uint8]) -> bytes:
    from ml.media import encode_jpeg

    return encode_jpeg(_scaled(pixels, BEFORE_SIDE), quality=88)


def _score(pictures: list[NDArray[np.uint8]]) -> dict[str, Any]:
    from ml.swap.tracking import FaceChoice

    return judging.score(pictures, FaceChoice.LARGEST)


def _frames(request: GenerationRequest, made: SealedOutput) -> list[NDArray[np.uint8]]:
    """Frames of the finished file, as anybody would have it checked."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made{made.suffix}"
        path.write_bytes(made.data)
        return frames_of(path, limits_of(request), JUDGED)
