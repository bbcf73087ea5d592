"""Temperatures, fusion, bands and abstention limits, fitted on the val split: what ``--calibrate`` writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.evaluate.metrics import fit_platt, sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.scoring import Scores
    from ml.evaluate.subjects import Subject

TARGET_FPR = 0.05
"""Share of real faces that may be called likely manipulated."""

TARGET_MISSED = 0.10
"""Share of fakes that may be called likely authentic."""

MIN_FACE_PX = 48

_FOLDS = 5
_BETTER = 0.005  # log loss that unequal weights must win in cross-validation before they are believed
_KEPT = 0.95  # share of val faces within the limits for disagreement and for change on re-encoding
_LEAST_MOVE = 0.1  # a probability that moves by less on re-encoding is never called unstable
_SHARP = 0.02  # share of val faces under the limit for sharpness


def fit(
    subjects: Sequence[Subject], scores: Mapping[str, Scores], detectors: Sequence[str], version: str, data: str
) -> dict[str, Any]:
    """The content of calibration.json.

    subjects: of the val split; scores: by degradation, "none" with its second looks. Only sets that hold both reals
    and swaps count: in the others the set itself gives the label away.
    """
    labels, use = _usable(subjects)
    if len(set(labels[use].tolist())) < 2:
        raise ValueError("fitting needs a set that holds real and swapped faces")
    y = labels[use]
    plain = {name: scores["none"].plain[name][use] for name in detectors}
    temperature, bias = {}, {}
    for name in detectors:
        temperature[name], bias[name] = fit_platt(y, plain[name])
    calibrated = {name: (plain[name] + bias[name]) / temperature[name] for name in detectors}
    groups = np.array([subjects[i].row.group for i in np.flatnonzero(use)])
    share = _shares(y, calibrated, groups)
    mixed = sum(share[name] * calibrated[name] for name in detectors)
    # The mean of calibrated logits is too timid where the detectors err apart: one more scale, without a bias.
    scale = 1.0 / fit_platt(y, np.asarray(mixed))[0]
    weights = {name: share[name] * scale for name in detectors}

    def fused(raw: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        total = sum(weights[name] * (raw[name] + bias[name]) / temperature[name] for name in detectors)
        return np.asarray(sigmoid(np.asarray(total))[use], np.float64)

    clean = fused(scores["none"].plain)
    # Soft and recompressed pictures of real faces must not be called fake either: the stricter threshold holds.
    every = np.concatenate([fused(s.plain) for s in scores.values()])
    every_y = np.tile(y, len(scores))
    manipulated = max(
        float(np.quantile(clean[y == 0], 1 - TARGET_FPR)), float(np.quantile(every[every_y == 0], 1 - TARGET_FPR))
    )
    authentic = min(
        float(np.quantile(clean[y == 1], TARGET_MISSED)), float(np.quantile(every[every_y == 1], TARGET_MISSED))
    )
    each = np.stack([sigmoid(calibrated[name]) for name in detectors])
    moved = np.abs(fused(scores["none"].reencoded) - clean)
    sharp = scores["none"].sharpness[use]
    return {
        "version": version,
        "made": datetime.now(UTC).date().isoformat(),
        "data": data,
        "temperature": _rounded(temperature),
        "bias": _rounded(bias),
        "fusion": {"weights": _rounded(weights)},
        "bands": {"manipulated": round(min(manipulated, 0.999), 4), "authentic": round(min(authentic, 0.45), 4)},
        "target_fpr": TARGET_FPR,
        "target_missed": TARGET_MISSED,
        "disagreement": round(float(np.quantile(np.ptp(each, axis=0), _KEPT)), 4),
        "min_face_px": MIN_FACE_PX,
        "min_sharpness": round(float(np.quantile(sharp, _SHARP)), 5),
        "flip_delta": round(max(_LEAST_MOVE, float(np.quantile(moved, _KEPT))), 4),
        "interval": {"scale": 1.0, "floor": round(_spread(y, np.asarray(mixed) * scale, groups), 4)},
    }


def _usable(subjects: Sequence[Subject]) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    labels = np.array([s.row.manipulated for s in subjects])
    kinds: dict[str, set[str]] = {}
    for subject in subjects:
        kinds.setdefault(subject.row.set, set()).add(subject.row.label)
    return labels, np.array([{"real", "swap"} <= kinds[s.row.set] for s in subjects])


def _shares(
    labels: NDArray[np.int_], logits: Mapping[str, NDArray[np.float64]], groups: NDArray[np.str_]
) -> dict[str, float]:
    """Equal shares, unless others do clearly better in cross-validation over groups."""
    names = list(logits)
    equal = dict.fromkeys(names, 1 / len(names))
    if len(names) != 2:
        return equal
    codes = {name: number for number, name in enumerate(sorted(set(groups.tolist())))}
    # Neighbouring codes would put one class into one fold: spread them by a fixed shuffle.
    shuffled = np.random.default_rng(2018).permutation(len(codes))
    folds = np.array([shuffled[codes[group]] % _FOLDS for group in groups.tolist()])
    choices = np.linspace(0, 1, 11)
    losses = np.zeros(len(choices))
    for number, first in enumerate(choices):
        mixed = first * logits[names[0]] + (1 - first) * logits[names[1]]
        for fold in range(_FOLDS):
            train, test = folds != fold, folds == fold
            if not test.any() or len(set(labels[train].tolist())) < 2:
                continue
            try:
                temperature, bias = fit_platt(labels[train], mixed[train])
            except ValueError:  # useless on this fold: as bad as a coin
                losses[number] += np.log(2) * test.sum() / len(labels)
                continue
            t = (mixed[test] + bias) / temperature
            losses[number] += float(np.sum(np.logaddexp(0.0, t) - labels[test] * t)) / len(labels)
    best = int(np.argmin(losses))
    if losses[len(choices) // 2] - losses[best] < _BETTER:
        return equal
    return {names[0]: float(choices[best]), names[1]: float(1 - choices[best])}


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
