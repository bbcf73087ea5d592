"""From the scores of single frames to a verdict on one person of a video, and from people to the video."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ml.detect.calibration import sigmoid
from ml.detect.verdict import SENTENCES, Evidence, Level, Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration

TRIM: Final = 0.15
"""Share of frames left out at either end of the mean: blinks, motion, a single bad key frame."""

LEAST_FRAMES: Final = 5
"""Usable frames under which nothing is decided."""

CONTRADICTING: Final = 0.25
"""Share of frames on the far side of the band from which a person counts as unstable."""

TOO_FEW, OVER_TIME, MOMENTS, ONE_OFF = "too_few_frames", "unstable_over_time", "suspicious_moments", "no_steady_face"

VIDEO_SENTENCES: Final[Mapping[str, str]] = {
    Reason.NO_FACE: (
        "No face was found in the frames that were looked at, and only faces can be checked. "
        "Use a video with a larger, clearer face."
    ),
    Reason.TOO_SMALL: (
        "The face is too small in every frame: its traces were lost when the video was made smaller. "
        "Use the original video."
    ),
    TOO_FEW: "Too few frames show this face well enough, and single frames of a video are wrong too often.",
    OVER_TIME: (
        "The score goes back and forth between manipulated and authentic over time, so it follows the scene or the "
        "compression more than the face."
    ),
    MOMENTS: (
        "Most of the time no traces were found, but at some moments the score is as high as for manipulated faces. "
        "Look at those moments."
    ),
    ONE_OFF: "Faces were seen in single frames only, too briefly to judge anybody.",
}

_SEVERITY: Final = {
    Level.NOT_APPLICABLE: 0, Level.LIKELY_AUTHENTIC: 1, Level.INCONCLUSIVE: 2, Level.LIKELY_MANIPULATED: 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """What one frame says of one person. `evidence` is None where the face was too small to be looked at."""

    seconds: float
    verdict: Verdict
    evidence: Evidence | None
    face_px: float
    sharpness: float

    @property
    def is_usable(self) -> bool:
        """Whether its score counts: neither too small nor blurred."""
        return self.verdict.probability is not None and self.verdict.reason is not Reason.BLURRED


@dataclass(frozen=True, slots=True)
class PersonVerdict:
    """The verdict on one person.

    `interval` is that of the mean over the frames, by resampling them. `share_over` is the share of usable frames at or
    above the threshold of manipulation; `usable` counts the usable ones; `worst` are the worst moments, worst first.
    """

    level: Level
    probability: float | None
    interval: tuple[float, float] | None
    reason_code: str
    reason: str
    usable: int = 0
    share_over: float = 0.0
    worst: tuple[Moment, ...] = ()
    detectors: Mapping[str, float] | None = None


def judge_person(
    moments: Sequence[Moment], calibration: Calibration, judge_face: Callable[[float, Evidence, float], Verdict]
) -> PersonVerdict:
    """The verdict on one person by all frames in which a detector looked at their face.

    The logits of each detector are averaged over the usable frames, without the highest and lowest 15 %, and judged as
    one face is judged (`judge_face(face_px, evidence, sharpness)`). The frames themselves then may object: when a
    quarter of them says the opposite of the mean, nothing is decided.
    """
    usable = [moment for moment in moments if moment.is_usable]
    if not usable:
        return _without_frames(moments)
    plain, mirrored, reencoded = (
        _mean_by_name([_look(m, n) for m in usable]) for n in ("plain", "mirrored", "reencoded")
    )
    mean = Evidence(plain, mirrored, reencoded)
    size, sharp = (float(np.median(values)) for values in zip(*((m.face_px, m.sharpness) for m in usable), strict=True))
    whole = judge_face(max(size, calibration.min_face_px), mean, max(sharp, calibration.min_sharpness))
    scores = np.array([m.verdict.probability for m in usable], np.float64)
    over = float(np.mean([_is_over(moment.verdict, calibration) for moment in usable]))
    under = float((scores <= calibration.authentic).mean())
    objection = _objection(whole, len(usable), over, under)
    ranked = sorted(usable, key=lambda moment: moment.verdict.probability or 0.0, reverse=True)
    return PersonVerdict(
        level=Level.INCONCLUSIVE if objection else whole.level,
        probability=whole.probability,
        interval=resampled_interval(scores, whole.probability or 0.0, calibration.interval.get("floor", 0.0)),
        reason_code=objection or whole.reason.value,
        reason=VIDEO_SENTENCES[objection] if objection else SENTENCES[whole.reason],
        usable=len(usable),
        share_over=over,
        worst=tuple(ranked[: min(5, max(3, math.ceil(len(usable) / 10)))]),
        detectors={name: sigmoid(calibration.logit(name, raw)) for name, raw in mean.plain.items()},
    )


def _is_over(verdict: Verdict, calibration: Calibration) -> bool:
    return verdict.level is Level.LIKELY_MANIPULATED or (verdict.probability or 0.0) >= calibration.manipulated


def _objection(whole: Verdict, usable: int, over: float, under: float) -> str | None:
    """Why the frames do not bear out what their mean says; None when they do."""
    if usable < LEAST_FRAMES:
        return TOO_FEW
    if whole.level is Level.LIKELY_MANIPULATED and under >= CONTRADICTING:
        return OVER_TIME
    if whole.reason is Reason.BETWEEN and over >= CONTRADICTING and under >= CONTRADICTING:
        return OVER_TIME
    if whole.level is Level.LIKELY_AUTHENTIC and over >= CONTRADICTING / 2 and over * usable >= 3:
        return MOMENTS
    return None


def _without_frames(moments: Sequence[Moment]) -> PersonVerdict:
    commonest = Counter(moment.verdict.reason for moment in moments).most_common(1)
    if not commonest or commonest[0][0] is Reason.TOO_SMALL:
        code, level = Reason.TOO_SMALL, Level.NOT_APPLICABLE
        return PersonVerdict(level, None, None, code.value, VIDEO_SENTENCES[code])
    return PersonVerdict(Level.INCONCLUSIVE, None, None, Reason.BLURRED.value, SENTENCES[Reason.BLURRED])


def trimmed_mean(values: NDArray[np.float64], share: float = TRIM) -> float:
    """Mean without the highest and the lowest ``share`` of the values, along the last axis for one row only."""
    ordered = np.sort(values)
    cut = int(len(ordered) * share)
    return float(ordered[cut : len(ordered) - cut].mean())


def resampled_interval(
    probabilities: NDArray[np.float64], middle: float, floor: float, rounds: int = 400
) -> tuple[float, float]:
    """Where the mean over the frames lies in 90 of 100 draws of as many frames, around ``middle``.

    Neighbouring frames are alike, so they are drawn in blocks of an eighth of all. Like the interval of one face it
    measures steadiness and promises no coverage; it is never narrower than ``floor`` logits to either side.
    """
    logits = _logits(probabilities)
    count = len(logits)
    block = max(1, count // 8)
    random = np.random.default_rng(0)  # the same video gets the same answer
    starts = random.integers(0, count, (rounds, math.ceil(count / block)))
    places = (starts[..., None] + np.arange(block)).reshape(rounds, -1)[:, :count] % count
    drawn = np.sort(logits[places], axis=1)
    cut = int(count * TRIM)
    means = drawn[:, cut : count - cut].mean(axis=1)
    low, high = np.percentile(means - trimmed_mean(logits), (5, 95))
    centre = float(_logits(np.array([middle]))[0])
    edges = sigmoid(centre + min(float(low), -floor)), sigmoid(centre + max(float(high), floor))
    return min(edges[0], middle), max(edges[1], middle)


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def _look(moment: Moment, name: str) -> Mapping[str, float]:
    assert moment.evidence is not None  # noqa: S101  (a moment with a probability has evidence)
    found: Mapping[str, float] = getattr(moment.evidence, name)
    return found


def _mean_by_name(frames: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: trimmed_mean(np.array([frame[name] for frame in frames], np.float64)) for name in frames[0]}


def worst_person(people: Sequence[PersonVerdict]) -> int | None:
    """Index of the person whose verdict is the video's: by level, then by probability. None where there is nobody."""
    if not people:
        return None
    return max(range(len(people)), key=lambda i: (_SEVERITY[people[i].level], people[i].probability or 0.0))
