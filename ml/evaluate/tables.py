"""The tables: flat rows of figures, ready for JSON, Markdown and pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.detect.quality import turn
from ml.detect.verdict import Evidence, judge, untouched
from ml.evaluate import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration
    from ml.evaluate.rows import EvaluationRow
    from ml.evaluate.scoring import Scores
    from ml.evaluate.subjects import Subject

SIZES = ((0, 80), (80, 120), (120, 180), (180, 100_000))
"""Bins of the face's width in pixels where it was photographed (as far as the index tells, else as found)."""

FUSED = "fused"


class Tables:
    """Figures over one set of subjects.

    subjects: faces; probabilities: by degradation, by detector, float64 (faces,), each calibrated where it can be;
    thresholds: by detector, the probability from which it says manipulated. index: by degradation, which subjects the
    probabilities are of; of all where it is not given.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        probabilities: Mapping[str, Mapping[str, NDArray[np.float64]]],
        thresholds: Mapping[str, float],
        index: Mapping[str, NDArray[np.intp]] | None = None,
    ) -> None:
        self._index = index or {}
        self._subjects = subjects
        self._probabilities = probabilities
        self._thresholds = thresholds
        self._labels = np.array([s.row.manipulated for s in subjects])
        self._sets = np.array([s.row.set for s in subjects])
        self._kinds = np.array([s.row.label for s in subjects])
        self._groups = np.array([s.row.group for s in subjects])

    def paired_sets(self) -> list[str]:
        """The sets that hold real and swapped faces, in which alone an AUC says something."""
        names = sorted(set(self._sets.tolist()))
        return [n for n in names if {"real", "swap"} <= set(self._kinds[self._sets == n].tolist())]

    def paired(self) -> NDArray[np.bool_]:
        """Which subjects belong to those sets."""
        return np.isin(self._sets, self.paired_sets())

    def sets(self) -> list[dict[str, Any]]:
        """Per detector and set; "all" pools the sets that hold both classes."""
        rows = []
        for detector in self._probabilities["none"]:
            for name in sorted(set(self._sets.tolist())):
                rows.append({"detector": detector, "set": name} | self._figures(detector, self._sets == name))
            rows.append({"detector": detector, "set": "all"} | self._figures(detector, self.paired()))
        return rows

    def manipulations(self) -> list[dict[str, Any]]:
        """Per detector and kind of fake, against the reals of its own set, or of all sets where it has none."""
        rows = []
        fakes = sorted({(s.row.set, s.row.label) for s in self._subjects if s.row.manipulated})
        for detector in self._probabilities["none"]:
            for name, label in fakes:
                own = (self._sets == name) & (self._labels == 0)
                reals = own if own.any() else self._labels == 0
                chosen = reals | ((self._sets == name) & (self._kinds == label))
                against = name if own.any() else "all reals"
                rows.append(
                    {"detector": detector, "manipulation": f"{name} ({label})", "against": against}
                    | self._figures(detector, chosen)
                )
        return rows

    def degradations(self) -> list[dict[str, Any]]:
        """Per detector, degradation and set that holds both classes; also the false alarms on sets of reals alone."""
        rows = []
        for degradation, by_detector in self._probabilities.items():
            for detector in by_detector:
                for name in sorted(set(self._sets.tolist())):
                    figures = self._figures(detector, self._sets == name, degradation, interval=False)
                    rows.append({"detector": detector, "degradation": degradation, "set": name} | figures)
        return rows

    def sizes(self) -> list[dict[str, Any]]:
        """Per detector, set and bin of native face width."""
        widths = np.array([s.row.native_face_px or s.face_px for s in self._subjects])
        bins = [
            (f"{low}-{high - 1} px" if high < SIZES[-1][1] else f"from {low} px", (widths >= low) & (widths < high))
            for low, high in SIZES
        ]
        return self._binned("size", bins)

    def yaws(self) -> list[dict[str, Any]]:
        """Per detector, set and turn of the head: frontal under 20 degrees, three-quarter under 45, profile."""
        turns = np.array([turn(s.yaw) for s in self._subjects])
        return self._binned("yaw", [(name, turns == name) for name in ("frontal", "three-quarter", "profile")])

    def cross(self) -> list[dict[str, Any]]:
        """AUC of the fakes of one set against the reals of another: far from the others where scores shift by set."""
        rows = []
        for detector in self._probabilities["none"]:
            for fakes in sorted(set(self._sets[self._labels == 1].tolist())):
                for reals in sorted(set(self._sets[self._labels == 0].tolist())):
                    chosen = ((self._sets == fakes) & (self._labels == 1)) | (
                        (self._sets == reals) & (self._labels == 0)
                    )
                    values = self._probabilities["none"][detector][chosen]
                    rows.append(
                        {
                            "detector": detector,
                            "fakes": fakes,
                            "reals": reals,
                            "auc": _number(metrics.auc(self._labels[chosen], values)),
                        }
                    )
        return rows

    def _binned(self, key: str, bins: Sequence[tuple[str, NDArray[np.bool_]]]) -> list[dict[str, Any]]:
        rows = []
        for detector in self._probabilities["none"]:
            for name in self.paired_sets():
                for title, inside in bins:
                    chosen = (self._sets == name) & inside
                    if chosen.any():
                        rows.append({"detector": detector, key: title, "set": name} | self._figures(detector, chosen))
        return rows

    def _figures(
        self, detector: str, chosen: NDArray[np.bool_], degradation: str = "none", interval: bool = True
    ) -> dict[str, Any]:
        index = self._index.get(degradation)
        # What was measured of the chosen subjects, and where it stands among the probabilities.
        place = chosen if index is None else chosen[index]
        rows = np.flatnonzero(chosen) if index is None else index[place]
        labels = self._labels[rows]
        values = self._probabilities[degradation][detector][place]
        said = values >= self._thresholds[detector]
        real, fake = labels == 0, labels == 1
        both = bool(real.any() and fake.any())
        figures: dict[str, Any] = {
            "reals": int(real.sum()),
            "fakes": int(fake.sum()),
            "auc": _number(metrics.auc(labels, values)),
            "ap": _number(metrics.average_precision(labels, values) if both else math.nan),
            "eer": _number(metrics.equal_error_rate(labels, values)),
            "accuracy": _number(float(np.mean((values >= 0.5) == fake))),
            "accuracy_real": _number(float(np.mean(values[real] < 0.5)) if real.any() else math.nan),
            "accuracy_fake": _number(float(np.mean(values[fake] >= 0.5)) if fake.any() else math.nan),
            "fpr": _number(float(np.mean(said[real])) if real.any() else math.nan),
            "tpr": _number(float(np.mean(said[fake])) if fake.any() else math.nan),
        }
        if interval:
            low, high = metrics.auc_interval(labels, values, self._groups[rows].tolist())
            figures |= {"auc_low": _number(low), "auc_high": _number(high)}
        return figures


def abstentions(
    subjects: Sequence[Subject],
    missing: Sequence[EvaluationRow],
    scores: Mapping[str, Scores],
    calibration: Calibration,
) -> list[dict[str, Any]]:
    """What the product says of every picture, by degradation, set and class: the shares of each level and reason."""
    rows = []
    for degradation, found in scores.items():
        if not found.reencoded:
            continue
        said: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for number, subject in enumerate(subjects[i] for i in found.index):
            verdict = untouched(float(found.face_px[number]), calibration) or judge(
                _evidence(found, number, calibration),
                float(found.sharpness[number]),
                calibration,
            )
            said.setdefault((subject.row.set, subject.row.label), []).append((str(verdict.level), str(verdict.reason)))
        for row in missing if degradation == "none" else ():
            said.setdefault((row.set, row.label), []).append(("not_applicable", "no_face"))
        for (name, label), verdicts in sorted(said.items()):
            levels, reasons = [v[0] for v in verdicts], [v[1] for v in verdicts]
            rows.append(
                {
                    "degradation": degradation,
                    "set": name,
                    "label": label,
                    "pictures": len(verdicts),
                    "levels": _shares(levels),
                    "reasons": _shares(reasons),
                    "abstained": _number(sum(v in {"inconclusive", "not_applicable"} for v in levels) / len(levels)),
                }
            )
    return rows


def _evidence(scores: Scores, number: int, calibration: Calibration) -> Evidence:
    known = [name for name in scores.reencoded if name in calibration.detectors]
    plain, mirrored, reencoded = (
        {name: float(look[name][number]) for name in known}
        for look in (scores.plain, scores.mirrored, scores.reencoded)
    )
    return Evidence(plain, mirrored, reencoded)


def _shares(values: Sequence[str]) -> dict[str, float]:
    return {value: round(values.count(value) / len(values), 4) for value in sorted(set(values))}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
