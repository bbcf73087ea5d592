"""Figures of merit for scores of two classes; label 1 = manipulated, a higher score = more manipulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int_] | NDArray[np.bool_]
    Scores = NDArray[np.float64]


def auc(labels: Labels, scores: Scores) -> float:
    """Area under the ROC curve, ties counted half; NaN unless both classes are there."""
    labels = np.asarray(labels).astype(bool)
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))
