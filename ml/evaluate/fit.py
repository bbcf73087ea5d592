"""Temperatures, fusion, bands and abstention limits, fitted on the val split: what ``--calibrate`` writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.detect.calibration import FORMAT, Calibration
from ml.detect.verdict import dissent, opposition
from ml.evaluate.fusion import calibrate, fit_fusion
from ml.evaluate.metrics import fit_platt, sigmoid
from ml.evaluate.thresholds import (
    DEGRADED_FPR,
    TARGET_FPR,
    TARGET_MISSED,
    Reals,
    generated_thresholds,
    manipulated_threshold,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.fusion import Fusion
    from ml.evaluate.scoring import Scores
    from ml.evaluate.subjects import Subject

GENERATED = "synthesis"
"""The detector of wholly generated faces: it looks for another thing than the others, and is not fused with them."""

MIN_FACE_PX = 48

_KEPT = 0.95  # share of decided val faces within the limits for disagreement and for change on re-encoding
_LEAST_OPPOSED = 0.25  # a share of the evidence under this is no contradiction
_LEAST_DISSENT = 0.5  # a detector that gives less does not say "manipulated"
_LEAST_MOVE = 0.1  # a probability that moves by less on re-encoding is never called unstable
_SHARP = 0.02  # share of val faces under the limit for sharpness


def fit(
    subjects: Sequence[Subject], scores: Mapping[str, Scores], detectors: Sequence[str], version: str, data: str
) -> dict[str, Any]:
    """The content of calibration.json.

    subjects: of the val split; scores: by degradation, "none" of all of them and with second looks. For the fusion only
    sets that hold both reals and swaps count: in the others the set itself gives the label away. Reals of every set
    count where the promise is how few of them are called manipulated.
    """
    labels, sets, groups, use = paired(subjects)
    if len(set(labels[use].tolist())) < 2:
        raise ValueError("fitting needs a set that holds real and swapped faces")
    none = scores["none"]
    fused = [name for name in detectors if name != GENERATED]
    raw = {name: none.plain[name][use] for name in fused}
    fusion = fit_fusion(labels[use], raw, sets[use])
    temperature, bias = dict(fusion.temperature), dict(fusion.bias)
    if GENERATED in detectors:
        temperature[GENERATED], bias[GENERATED] = _fit_generated(subjects, none.plain[GENERATED])
    reals = real_faces(subjects, scores, fusion, temperature, bias)
    threshold, doubt = generated_thresholds(reals) if GENERATED in detectors else (None, None)
    manipulated = manipulated_threshold(reals, threshold)
    every = [(fusion.logits(s.plain), labels[s.index], use[s.index]) for s in scores.values()]
    fakes = [sigmoid(logits[chosen & (y == 1)]) for logits, y, chosen in every]
    authentic = min(float(np.quantile(values, TARGET_MISSED)) for values in (fakes[0], np.concatenate(fakes)))
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": version,
        "made": datetime.now(UTC).date().isoformat(),
        "data": data,
        "temperature": _rounded(temperature),
        "bias": _rounded(bias),
        "fusion": {"weights": _rounded(fusion.weights), "offset": round(fusion.offset, 5)},
        "bands": {"manipulated": round(manipulated, 5), "authentic": round(min(authentic, 0.45, manipulated / 2), 4)},
        "target_fpr": TARGET_FPR,
        "target_fpr_degraded": DEGRADED_FPR,
        "target_missed": TARGET_MISSED,
        "disagreement": 1.0,
        "dissent": 1.0,
        "min_face_px": MIN_FACE_PX,
        "min_sharpness": round(float(np.quantile(none.sharpness[use], _SHARP)), 5),
        "flip_delta": _LEAST_MOVE,
        "interval": {"scale": 1.0, "floor": round(_spread(labels[use], fusion.logits(raw), groups[use]), 4)},
    }
    if threshold is not None and doubt is not None:
        content["generated"] = {"detector": GENERATED, "threshold": round(threshold, 5), "doubt": round(doubt, 5)}
    return content | _steadiness(Calibration.from_json(content), none, np.flatnonzero(use))


def paired(
    subjects: Sequence[Subject],
) -> tuple[NDArray[np.int_], NDArray[np.str_], NDArray[np.str_], NDArray[np.bool_]]:
    """Labels, sets and groups of the subjects, and which belong to a set that holds both reals and swaps."""
    kinds: dict[str, set[str]] = {}
    for subject in subjects:
        kinds.setdefault(subject.row.set, set()).add(subject.row.label)
    return (
        np.array([s.row.manipulated for s in subjects]),
        np.array([s.row.set for s in subjects]),
        np.array([s.row.group for s in subjects]),
        np.array([{"real", "swap"} <= kinds[s.row.set] for s in subjects]),
    )


def real_faces(
    subjects: Sequence[Subject],
    scores: Mapping[str, Scores],
    fusion: Fusion,
    temperature: Mapping[str, float],
    bias: Mapping[str, float],
) -> list[Reals]:
    """The real faces by set and degradation, with their probabilities."""
    labels, sets, *_ = paired(subjects)
    found = []
    for degradation, seen in scores.items():
        fused = sigmoid(fusion.logits(seen.plain))
        generated = None
        if GENERATED in temperature:
            generated = sigmoid((seen.plain[GENERATED] + bias[GENERATED]) / temperature[GENERATED])
        for name in sorted(set(sets.tolist())):
            here = (sets[seen.index] == name) & (labels[seen.index] == 0)
            if here.any():
                part = None if generated is None else generated[here]
                found.append(Reals(name, degradation, fused[here], part))
    return found


def _fit_generated(subjects: Sequence[Subject], values: NDArray[np.float64]) -> tuple[float, float]:
    """Real against wholly synthetic faces, both with the same say: how common the latter are, nobody knows."""
    kinds = np.array([s.row.label for s in subjects])
    use = kinds != "swap"
    labels = (kinds[use] == "synthetic").astype(int)
    if len(set(labels.tolist())) < 2:
        # Nothing to calibrate on: the thresholds alone, which need only reals, say what it is worth.
        return float(np.std(values)) or 1.0, -float(np.median(values))
    shares = np.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    return calibrate(labels, values[use], shares)


def _steadiness(calibration: Calibration, none: Scores, use: NDArray[np.intp]) -> dict[str, float]:
    """How far detectors contradict each other, and scores move on re-encoding, on faces on which they are decided."""
    against, moved, dissenting = [], [], []
    for number in use.tolist():
        raw = {name: float(values[number]) for name, values in none.plain.items() if name in calibration.detectors}
        again = {
            name: float(values[number]) for name, values in none.reencoded.items() if name in calibration.detectors
        }
        here = float(sigmoid(np.array(calibration.fused_logit(raw))))
        if calibration.authentic < here < calibration.manipulated:
            continue
        against.append(opposition(raw, calibration))
        if here <= calibration.authentic:
            dissenting.append(dissent(raw, calibration))
        moved.append(abs(float(sigmoid(np.array(calibration.fused_logit(again)))) - here))
    if not against:
        return {}
    return {
        "disagreement": round(max(_LEAST_OPPOSED, float(np.quantile(against, _KEPT))), 4),
        "dissent": round(max(_LEAST_DISSENT, float(np.quantile(dissenting, _KEPT))), 4) if dissenting else 1.0,
        "flip_delta": round(max(_LEAST_MOVE, float(np.quantile(moved, _KEPT))), 4),
    }


def _spread(labels: NDArray[np.int_], logits: NDArray[np.float64], groups: NDArray[np.str_]) -> float:
    """How far (95 %, in logits, at a typical face) the calibration itself moves when groups are drawn anew."""
    random = np.random.default_rng(2018)
    members = [np.flatnonzero(groups == group) for group in sorted(set(groups.tolist()))]
    typical = float(np.median(np.abs(logits)))
    found = []
    for _ in range(100):
        rows = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        try:
            temperature, bias = fit_platt(labels[rows], logits[rows])
        except ValueError:
            continue
        found.append([(typical + bias) / temperature, (-typical + bias) / temperature])
    return float(1.96 * np.std(found, axis=0).max())


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in values.items()}
