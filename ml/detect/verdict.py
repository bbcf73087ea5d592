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
    GENERATED = "wholly_generated"
    PERHAPS_GENERATED = "perhaps_generated"
    PROVENANCE = "provenance_says_generated"


SENTENCES: Mapping[Reason, str] = {
    Reason.MANIPULATED: "The detectors found traces that are typical of a face that was put in or altered.",
    Reason.AUTHENTIC: (
        "The detectors found no traces of manipulation in this face. Absence of evidence is not evidence: "
        "methods that they do not know leave none."
    ),
    Reason.BETWEEN: "The score lies between the thresholds, where the detectors are wrong too often to say either.",
    Reason.NO_FACE: "No face was found, and only faces can be checked. Use one with a larger, clearer face.",
    Reason.TOO_SMALL: ("The face is too small: its traces were lost when it was made smaller. Use the original file."),
    Reason.BLURRED: "The face is too blurred to judge: blur hides the traces of a manipulation, and looks like one.",
    Reason.DISAGREE: "The detectors contradict each other about this face, so neither is believed.",
    Reason.UNSTABLE: "The score changes when the picture is saved again, so it follows the compression, not the face.",
    Reason.GENERATED: (
        "The whole face carries the pattern of a generator: it was probably never photographed, rather than altered."
    ),
    Reason.PERHAPS_GENERATED: (
        "No trace of a swap was found, but the face carries a weak pattern of a generator: "
        "too weak to say so, and too strong to call the face authentic."
    ),
    Reason.PROVENANCE: (
        "The file carries a valid signed statement that a generator made it. That decides, whatever the detectors say."
    ),
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
    can be trusted. Where the face is said to be wholly generated, it is the probability of that.
    """
    reason = _reason(evidence, sharpness, calibration)
    level = _LEVELS.get(reason, Level.INCONCLUSIVE)
    if reason is Reason.GENERATED:
        span = _generated_interval(evidence, calibration)
        return Verdict(level, reason, calibration.generated_probability(evidence.plain), span)
    return Verdict(level, reason, sigmoid(calibration.fused_logit(evidence.plain)), interval(evidence, calibration))


_LEVELS = {
    Reason.MANIPULATED: Level.LIKELY_MANIPULATED,
    Reason.GENERATED: Level.LIKELY_MANIPULATED,
    Reason.AUTHENTIC: Level.LIKELY_AUTHENTIC,
}


def _reason(evidence: Evidence, sharpness: float, calibration: Calibration) -> Reason:
    if sharpness < calibration.min_sharpness:
        return Reason.BLURRED
    swapped = _swapped(evidence, calibration)
    generated = _generated(evidence, calibration)
    # The seam of a swap says more than that a face looks generated: the face of a swap was generated too.
    if swapped is Reason.MANIPULATED or generated is None:
        return swapped
    return swapped if generated is Reason.PERHAPS_GENERATED and swapped is not Reason.AUTHENTIC else generated


def _generated(evidence: Evidence, calibration: Calibration) -> Reason | None:
    here = calibration.generated_probability(evidence.plain)
    again = calibration.generated_probability(evidence.reencoded)
    limits = calibration.generated
    if here is None or again is None or limits is None or here < limits.doubt:
        return None
    sure = here >= limits.threshold and again >= limits.doubt
    return Reason.GENERATED if sure else Reason.PERHAPS_GENERATED


def _swapped(evidence: Evidence, calibration: Calibration) -> Reason:
    probability = sigmoid(calibration.fused_logit(evidence.plain))
    here = _side(probability, calibration)
    if here is Reason.BETWEEN:
        return here
    if opposition(evidence.plain, calibration) > calibration.disagreement:
        return Reason.DISAGREE
    if here is Reason.AUTHENTIC and dissent(evidence.plain, calibration) >= calibration.dissent:
        return Reason.DISAGREE
    again = sigmoid(calibration.fused_logit(evidence.reencoded))
    there = _side(again, calibration)
    if here is there:
        return here
    flipped = there is not Reason.BETWEEN
    return Reason.UNSTABLE if flipped or abs(again - probability) > calibration.flip_delta else here


def opposition(raw: Mapping[str, float], calibration: Calibration) -> float:
    """The share of the evidence that speaks against what is concluded, 0 (none) to 1.

    Evidence is what each detector adds to the fused logit, by its amount. A detector that the fusion does not listen
    to adds nothing, and so has no veto.
    """
    parts = calibration.parts(raw)
    whole = sum(map(abs, parts.values()))
    if whole == 0:
        return 0.0
    rises = sum(parts.values()) + calibration.offset >= 0
    return sum(abs(part) for part in parts.values() if (part >= 0) is not rises) / whole


def dissent(raw: Mapping[str, float], calibration: Calibration) -> float:
    """The highest P(manipulated) that a detector of swaps gives, be its weight in the fusion what it may.

    A weak detector that sees nothing says little about a face that a better one calls manipulated. One that is sure of
    traces where the better one sees none is another matter: such faces are manipulated about twice as often.
    """
    return max(sigmoid(calibration.logit(name, raw[name])) for name in calibration.weights if name in raw)


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
    weights = calibration.heard(evidence.plain)
    middle = calibration.fused_logit(evidence.plain)
    total = sum(weights.values())
    each = {name: calibration.logit(name, evidence.plain[name]) for name in weights}
    mean = sum(weight * each[name] for name, weight in weights.items()) / total
    # The weights need not add up to 1: their sum is the scale of the fused logit, and so of its deviation.
    spread = total * sum(weight * (each[name] - mean) ** 2 for name, weight in weights.items())
    mirrored = calibration.fused_logit(evidence.mirrored) - middle
    reencoded = calibration.fused_logit(evidence.reencoded) - middle
    return _around(middle, math.sqrt(max(spread, 0.0) + mirrored**2 + reencoded**2), calibration)


def _generated_interval(evidence: Evidence, calibration: Calibration) -> tuple[float, float] | None:
    """As :func:`interval`, of the one detector that sees generated faces."""
    if calibration.generated is None:
        return None
    name = calibration.generated.detector
    middle, *moved = (
        calibration.logit(name, look[name]) for look in (evidence.plain, evidence.mirrored, evidence.reencoded)
    )
    return _around(middle, math.hypot(*(value - middle for value in moved)), calibration)


def _around(middle: float, half: float, calibration: Calibration) -> tuple[float, float]:
    half = max(calibration.interval.get("scale", 1.0) * half, calibration.interval.get("floor", 0.0))
    return sigmoid(middle - half), sigmoid(middle + half)


def worst(verdicts: Sequence[Verdict], says_generated: bool = False) -> Verdict:
    """The verdict on a picture: that of its worst face, by level, then by probability; no_face where there is none.

    says_generated: a valid manifest of the file says that a generator made it, which decides by itself; the probability
    is still that of the detectors.
    """
    if says_generated:
        found = worst(verdicts)
        return Verdict(Level.LIKELY_MANIPULATED, Reason.PROVENANCE, found.probability, found.interval)
    if not verdicts:
        return Verdict(Level.NOT_APPLICABLE, Reason.NO_FACE)
    return max(verdicts, key=lambda verdict: (_SEVERITY[verdict.level], verdict.probability or 0.0))
