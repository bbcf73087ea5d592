"""From calibrated logits and quality to a level with its reason, and from faces to a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ml.detect.calibration import sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration


class Level(StrEnum):
    """What is said about a face or a picture."""

    LIKELY_MANIPULATED = "likely_manipulated"
    INCONCLUSIVE = "inconclusive"
    LIKELY_AUTHENTIC = "likely_authentic"
    NOT_APPLICABLE = "not_applicable"


class Reason(StrEnum):
    """Why it is said."""

    MANIPULATED = "above_threshold"
    AUTHENTIC = "below_threshold"
    BETWEEN = "between_thresholds"
    NO_FACE = "no_face"
    TOO_SMALL = "face_too_small"
    BLURRED = "blurred"
    DISAGREE = "detectors_disagree"
    UNSTABLE = "unstable_under_reencoding"


SENTENCES: Mapping[Reason, str] = {
    Reason.MANIPULATED: "The detectors found traces in this face that are typical of a face swap or a synthetic face.",
    Reason.AUTHENTIC: (
        "The detectors found no traces of manipulation in this face. Absence of evidence is not evidence: "
        "methods that they do not know leave none."
    ),
    Reason.BETWEEN: "The score lies between the thresholds, where the detectors are wrong too often to say either.",
    Reason.NO_FACE: "No face was found, and only faces can be checked. Use a picture with a larger, clearer face.",
    Reason.TOO_SMALL: (
        "The face is too small: its traces were lost when the picture was made smaller. Use the original picture."
    ),
    Reason.BLURRED: "The face is too blurred to judge: blur hides the traces of a manipulation, and looks like one.",
    Reason.DISAGREE: "The detectors contradict each other about this face, so neither is believed.",
    Reason.UNSTABLE: "The score changes when the picture is saved again, so it follows the compression, not the face.",
}

# The picture takes its worst face. A face that could not be judged never hides one that could.
_SEVERITY = {Level.NOT_APPLICABLE: 0, Level.LIKELY_AUTHENTIC: 1, Level.INCONCLUSIVE: 2, Level.LIKELY_MANIPULATED: 3}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Raw logits of one face by detector: the mean of the face and its mirror image, mirrored, and re-encoded.

    boundary: float32 (s, s) from 0 to 1, the mean of the boundary maps of face and mirror image; None without one.
    """

    plain: Mapping[str, float]
    mirrored: Mapping[str, float]
    reencoded: Mapping[str, float]
    boundary: NDArray[np.float32] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A level, why, and the fused calibrated P(manipulated) with its interval, each from 0 to 1 or None."""

    level: Level
    reason: Reason
    probability: float | None = None
    interval: tuple[float, float] | None = None


def untouched(face_px: float, calibration: Calibration) -> Verdict | None:
    """The verdict on a face that no detector need look at; None for one that they can judge."""
    if face_px < calibration.min_face_px:
        return Verdict(Level.NOT_APPLICABLE, Reason.TOO_SMALL)
    return None


def judge(evidence: Evidence, sharpness: float, calibration: Calibration) -> Verdict:
    """The verdict on one face.

    The probability is that of the face, mirrored or not; the mirrored and re-encoded versions alone only say how far it
    can be trusted.
    """
    logit = calibration.fused_logit(evidence.plain)
    probability = sigmoid(logit)
    reason = _reason(evidence, sharpness, probability, calibration)
    level = {Reason.MANIPULATED: Level.LIKELY_MANIPULATED, Reason.AUTHENTIC: Level.LIKELY_AUTHENTIC}.get(
        reason, Level.INCONCLUSIVE
    )
    return Verdict(level, reason, probability, interval(evidence, calibration))


def _reason(evidence: Evidence, sharpness: float, probability: float, calibration: Calibration) -> Reason:
    if sharpness < calibration.min_sharpness:
        return Reason.BLURRED
    # A detector that the fusion does not listen to has no veto either.
    heard = [name for name, weight in calibration.weights.items() if weight > 0]
    each = [sigmoid(calibration.logit(name, evidence.plain[name])) for name in heard]
    if max(each) - min(each) > calibration.disagreement:
        return Reason.DISAGREE
    again = sigmoid(calibration.fused_logit(evidence.reencoded))
    here, there = _side(probability, calibration), _side(again, calibration)
    if here is Reason.BETWEEN or here is there:
        return here
    flipped = there is not Reason.BETWEEN
    return Reason.UNSTABLE if flipped or abs(again - probability) > calibration.flip_delta else here


def _side(probability: float, calibration: Calibration) -> Reason:
    if probability >= calibration.manipulated:
        return Reason.MANIPULATED
    return Reason.AUTHENTIC if probability <= calibration.authentic else Reason.BETWEEN


def interval(evidence: Evidence, calibration: Calibration) -> tuple[float, float]:
    """How far the probability moves when nothing that matters about the face is changed.

    In logits, three deviations are added in quadrature: the weighted standard deviation of the detectors' calibrated
    logits around their mean, the shift of the fused logit in the mirrored face, and its shift in the re-encoded one.
    The interval is the fused logit plus and minus that, through the sigmoid. It measures stability. It is not a
    confidence interval: it has no promised coverage, and on kinds of manipulation that the detectors never saw it can
    be narrow and wrong.
    """
    middle = calibration.fused_logit(evidence.plain)
    total = sum(calibration.weights.values())
    each = {name: calibration.logit(name, evidence.plain[name]) for name in calibration.weights}
    mean = sum(weight * each[name] for name, weight in calibration.weights.items()) / total
    # The weights need not add up to 1: their sum is the scale of the fused logit, and so of its deviation.
    spread = total * sum(weight * (each[name] - mean) ** 2 for name, weight in calibration.weights.items())
    mirrored = calibration.fused_logit(evidence.mirrored) - middle
    reencoded = calibration.fused_logit(evidence.reencoded) - middle
    half = calibration.interval.get("scale", 1.0) * math.sqrt(max(spread, 0.0) + mirrored**2 + reencoded**2)
    half = max(half, calibration.interval.get("floor", 0.0))
    return sigmoid(middle - half), sigmoid(middle + half)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a picture: that of its worst face, by level, then by probability; no_face where there is none."""
    if not verdicts:
        return Verdict(Level.NOT_APPLICABLE, Reason.NO_FACE)
    return max(verdicts, key=lambda verdict: (_SEVERITY[verdict.level], verdict.probability or 0.0))
