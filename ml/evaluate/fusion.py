"""One probability from several detectors: weights that are never negative, and what they reach on faces held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.metrics import fit_platt, sigmoid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Raw = Mapping[str, NDArray[np.float64]]

FOLDS = 4
"""As many as the smallest set has fake videos: each is held out once."""

REPEATS = 5

_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Fusion:
    """Temperatures and biases of the detectors, their weights, and the offset of the sum; as in `Calibration`."""

    temperature: Mapping[str, float]
    bias: Mapping[str, float]
    weights: Mapping[str, float]
    offset: float

    def logits(self, raw: Raw) -> NDArray[np.float64]:
        """The fused logits (faces,) of raw ones by detector."""
        total = np.full(len(next(iter(raw.values()))), self.offset)
        for name, weight in self.weights.items():
            total = total + weight * (raw[name] + self.bias[name]) / self.temperature[name]
        return total


def fit_fusion(labels: NDArray[np.int_], raw: Raw, sets: NDArray[np.str_]) -> Fusion:
    """Fit on these faces: raw logits by detector, each (faces,), and the set that each face is of.

    Every set and each of its classes has the same say in the weights, else the largest set's kind of fake would be all
    that is looked for; scale and offset are then fitted on the faces as they are, so that the sum is calibrated. Raises
    ValueError when no detector knows anything of the labels.
    """
    temperature, bias = {}, {}
    for name, values in raw.items():
        temperature[name], bias[name] = calibrate(labels, values)
    calibrated = np.stack([(values + bias[name]) / temperature[name] for name, values in raw.items()])
    weights = _weights(labels, calibrated, _shares(labels, sets))
    mixed = weights @ calibrated
    # sigmoid((mixed + b) / T) is calibrated: 1 / T goes into the weights, b / T is the offset.
    scale, shift = fit_platt(labels, mixed)
    return Fusion(
        temperature, bias, {name: float(w / scale) for name, w in zip(raw, weights, strict=True)}, shift / scale
    )


def calibrate(
    labels: NDArray[np.int_], values: NDArray[np.float64], shares: NDArray[np.float64] | None = None
) -> tuple[float, float]:
    """Temperature and bias of one detector; one that knows nothing is only brought to the middle, and made faint."""
    try:
        return fit_platt(labels, values, shares)
    except ValueError:
        return 100.0 * (float(np.std(values)) or 1.0), -float(np.mean(values))


def held_out_logits(
    labels: NDArray[np.int_], raw: Raw, sets: NDArray[np.str_], groups: NDArray[np.str_], seed: int = 2018
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Fused logits (faces,) of all faces by a fusion that was fitted on others, and the faces of the fold.

    Whole groups are held out: frames of one video do not stand on both sides. Each of REPEATS deals the groups anew.
    """
    for repeat in range(REPEATS):
        folds = _deal(labels, sets, groups, np.random.default_rng((seed, repeat)))
        for fold in range(FOLDS):
            test = folds == fold
            if not test.any() or len(set(labels[~test].tolist())) < 2:
                continue
            try:
                fitted = fit_fusion(labels[~test], {n: v[~test] for n, v in raw.items()}, sets[~test])
            except ValueError:  # nothing to be learned from these faces
                continue
            yield fitted.logits(raw), test


def _deal(
    labels: NDArray[np.int_], sets: NDArray[np.str_], groups: NDArray[np.str_], random: np.random.Generator
) -> NDArray[np.int_]:
    """A fold for every face: the groups of each set and class dealt out in turn, in an order drawn at random."""
    folds = np.zeros(len(labels), int)
    given: dict[str, int] = {}
    for name in sorted(set(sets.tolist())):
        for label in (1, 0):
            here = (sets == name) & (labels == label)
            order = sorted(set(groups[here].tolist()))
            random.shuffle(order)
            for place, group in enumerate(order):
                # A group with faces of both classes stays in one fold.
                folds[here & (groups == group)] = given.setdefault(group, place % FOLDS)
    return folds


def _shares(labels: NDArray[np.int_], sets: NDArray[np.str_]) -> NDArray[np.float64]:
    shares = np.zeros(len(labels))
    for name in set(sets.tolist()):
        for label in (0, 1):
            here = (sets == name) & (labels == label)
            if here.any():
                shares[here] = 1.0 / here.sum()
    return np.asarray(shares / shares.sum(), np.float64)


def _weights(labels: NDArray[np.int_], logits: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic regression with no weight below 0: a detector whose help is only noise is not believed backwards."""
    from scipy.optimize import minimize

    y = labels.astype(np.float64)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        t = parameters[:-1] @ logits + parameters[-1]
        value = float(shares @ (np.logaddexp(0.0, t) - y * t)) + _RIDGE * float(parameters[:-1] @ parameters[:-1])
        error = shares * (sigmoid(t) - y)
        slope = np.concatenate([logits @ error + 2 * _RIDGE * parameters[:-1], [error.sum()]])
        return value, slope

    first = np.append(np.full(len(logits), 1.0 / len(logits)), 0.0)
    bounds: Sequence[tuple[float | None, float | None]] = [(0.0, None)] * len(logits) + [(None, None)]
    fitted = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds).x
    found: NDArray[np.float64] = np.asarray(fitted[:-1], np.float64)
    return found if found.any() else np.full_like(found, 1.0 / len(found))
