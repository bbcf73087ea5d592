"""Figures of merit for scores of two classes; label 1 = manipulated, a higher score = more manipulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Labels = NDArray[np.int_]
    Scores = NDArray[np.float64]

BINS = 10


def auc(labels: Labels, scores: Scores) -> float:
    """Area under the ROC curve, ties counted half; NaN unless both classes are there."""
    chosen = np.asarray(labels).astype(bool)
    positive, negative = int(chosen.sum()), int((~chosen).sum())
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[chosen].sum() - positive * (positive + 1) / 2) / (positive * negative))


def roc(labels: Labels, scores: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ROC curve's false- and true-positive rates, both rising from 0 to 1; one point a distinct score."""
    order = np.argsort(-scores, kind="stable")
    ordered, values = np.asarray(labels)[order], scores[order]
    ends = np.flatnonzero(np.append(np.diff(values) != 0, True))
    hits = np.cumsum(ordered)[ends]
    false = (ends + 1) - hits
    true_rate = np.concatenate([[0.0], hits / max(1, int(ordered.sum()))])
    false_rate = np.concatenate([[0.0], false / max(1, int((1 - ordered).sum()))])
    return false_rate.astype(np.float64), true_rate.astype(np.float64)


def average_precision(labels: Labels, scores: Scores) -> float:
    """Average precision: the sum of precision times the step in recall; NaN without positives."""
    total = int(np.asarray(labels).sum())
    if not total:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ordered, values = np.asarray(labels)[order], scores[order]
    ends = np.flatnonzero(np.append(np.diff(values) != 0, True))
    hits = np.cumsum(ordered)[ends]
    precision = hits / (ends + 1)
    return float(np.sum(np.diff(np.concatenate([[0], hits])) / total * precision))


def equal_error_rate(labels: Labels, scores: Scores) -> float:
    """The rate at which as many reals are called fake as fakes real, between two points of the ROC curve linearly."""
    if len(set(np.asarray(labels).tolist())) < 2:
        return float("nan")
    false_rate, true_rate = roc(labels, scores)
    gap = (1 - true_rate) - false_rate  # falls from 1 to -1
    after = int(np.argmax(gap <= 0))
    before = max(0, after - 1)
    span = gap[before] - gap[after]
    share = 0.0 if span == 0 else gap[before] / span
    return float(false_rate[before] + share * (false_rate[after] - false_rate[before]))


def reliability(labels: Labels, probabilities: Scores, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Per filled bin of equal width: mean probability, share of manipulated, and how many."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    table = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            table.append(
                (float(probabilities[inside].mean()), float(np.asarray(labels)[inside].mean()), int(inside.sum()))
            )
    return table


def expected_calibration_error(labels: Labels, probabilities: Scores, bins: int = BINS) -> float:
    """Mean distance between probability and share of manipulated over bins of equal width, by their numbers; 0 to 1."""
    table = reliability(labels, probabilities, bins)
    total = sum(count for _, _, count in table)
    if not total:
        return float("nan")
    return float(sum(count * abs(mean - share) for mean, share, count in table) / total)


def auc_interval(
    labels: Labels, scores: Scores, groups: Sequence[str], draws: int = 500, seed: int = 2018
) -> tuple[float, float]:
    """95 % interval of the AUC by resampling whole groups, reals and fakes apart; NaN unless both classes are there.

    Frames of one video are no independent evidence: with few groups the interval is wide, as it should be.
    """
    labels = np.asarray(labels)
    if len(set(labels.tolist())) < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    members: dict[int, list[NDArray[np.int_]]] = {}
    names = np.asarray(groups)
    for label in (0, 1):
        where = np.flatnonzero(labels == label)
        order = where[np.argsort(names[where], kind="stable")]
        cuts = np.flatnonzero(names[order][1:] != names[order][:-1]) + 1
        members[label] = np.split(order, cuts)
    found = np.empty(draws)
    for draw in range(draws):
        rows = np.concatenate(
            [parts[i] for parts in members.values() for i in random.integers(0, len(parts), len(parts))]
        )
        found[draw] = auc(labels[rows], scores[rows])
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def sigmoid(logits: Scores) -> Scores:
    """1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(logits, np.float64))), np.float64)


def fit_platt(labels: Labels, logits: Scores, shares: Scores | None = None) -> tuple[float, float]:
    """Temperature T > 0 and bias b with the least log loss of sigmoid((logit + b) / T).

    shares: the say of each score, (N,); all alike where not given.

    A temperature alone cannot move a threshold that training on balanced batches left off the middle; the bias does.
    Raises ValueError when the logits do not rise with the label at all: such a detector has nothing to calibrate.
    """
    from scipy.optimize import minimize

    y, x = np.asarray(labels, np.float64), np.asarray(logits, np.float64)
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    z = (x - middle) / spread
    share = np.full(len(x), 1.0 / len(x)) if shares is None else shares / shares.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        t = parameters[0] * z + parameters[1]
        value = float(share @ (np.logaddexp(0.0, t) - y * t))
        error = share * (sigmoid(t) - y)
        return value, np.array([error @ z, error.sum()])

    slope, shift = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    if slope <= 0:
        raise ValueError("the logits do not rise with the label")
    # slope * (x - middle) / spread + shift  ==  (x + bias) / temperature
    temperature = spread / slope
    return float(temperature), float(shift * temperature - middle)
