"""Thresholds with promises: how many real faces may be called manipulated, on each set and after each degradation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TARGET_FPR = 0.05
"""Share of a set's real faces that may be called likely manipulated, as the pictures are."""

DEGRADED_FPR = 0.10
"""The same after a degradation of :data:`ml.evaluate.degradations.DEGRADATIONS`."""

MARGIN = 0.8
"""The share of what is allowed that the thresholds are set for: on other faces the rates will be a little higher."""

TARGET_MISSED = 0.10
"""Share of fakes that may be called likely authentic."""

GENERATED_FPR = 0.01
DOUBTED_FPR = 0.05
"""The same for "wholly generated": what a real face's threshold and its doubt may cost; twice as much degraded."""

_STEP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Reals:
    """The real faces of one set after one degradation: fused probabilities, and P(wholly generated) or None."""

    set: str
    degradation: str
    fused: NDArray[np.float64]
    generated: NDArray[np.float64] | None = None

    @property
    def limit(self) -> float:
        """The share of them that may be called manipulated."""
        return TARGET_FPR if self.degradation == "none" else DEGRADED_FPR


def above(values: NDArray[np.float64], share: float) -> float:
    """The lowest threshold that at most this share of the values reach."""
    if not len(values):
        return 0.0
    allowed = min(int(share * len(values)), len(values) - 1)
    highest_outside = float(np.sort(values)[::-1][allowed])
    # Rounded up, so that the figure in the file keeps what was promised.
    return min(1.0, math.floor(highest_outside / _STEP + 1) * _STEP)


def generated_thresholds(reals: Sequence[Reals]) -> tuple[float, float]:
    """Threshold and doubt of "wholly generated" that keep their promises on every set and degradation."""
    found = []
    for share in (GENERATED_FPR, DOUBTED_FPR):
        each = [
            above(r.generated, MARGIN * share * (1 if r.degradation == "none" else 2))
            for r in reals
            if r.generated is not None
        ]
        found.append(max(each, default=1.0))
    threshold, doubt = found
    # At a probability of less than a half it must not be said, however few reals reach it.
    return max(threshold, 0.5), min(max(doubt, 0.2), max(threshold, 0.5))


def manipulated_threshold(reals: Sequence[Reals], generated: float | None) -> float:
    """The lowest fused probability from which faces may be called manipulated, those called generated included."""
    found = 0.5
    for each in reals:
        values = each.fused
        if generated is not None and each.generated is not None:
            values = np.where(each.generated >= generated, np.inf, values)
        share = MARGIN * each.limit
        if np.isinf(values).mean() > share:
            raise ValueError(f"too many reals of {each.set}, {each.degradation}, are called generated")
        found = max(found, above(values, share))
    return min(found, 0.9999)
