"""What the paper says of its detectors beside what was measured here, and what was wanted beside what was reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.detect.quality import turn
from ml.evaluate import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.subjects import Subject

SURE = 0.8

_TURNS = ("frontal", "three-quarter", "profile")


def claims(
    subjects: Sequence[Subject], probabilities: Mapping[str, NDArray[np.float64]], sets: Sequence[str]
) -> list[dict[str, Any]]:
    """Two claims of Afchar et al. (2018) on each of the sets, by detector; probabilities of the subjects as they are.

    "confident": of the faces that the detector gets right at probability .5, the share on which it is surer than .8 of
    its answer. "turned": the AUC by the turn of the head.
    """
    labels = np.array([s.row.manipulated for s in subjects])
    of = np.array([s.row.set for s in subjects])
    turns = np.array([turn(s.yaw) for s in subjects])
    rows: list[dict[str, Any]] = []
    for detector, values in probabilities.items():
        for name in sets:
            here = of == name
            right = here & ((values >= 0.5) == (labels == 1))
            sure = np.maximum(values, 1 - values) > SURE
            rows.append(
                {
                    "claim": "confident",
                    "paper": "over 80 % confidence on its correct detections",
                    "detector": detector,
                    "set": name,
                    "share": round(float(sure[right].mean()), 4) if right.any() else None,
                    "of": int(right.sum()),
                }
            )
            row: dict[str, Any] = {
                "claim": "turned",
                "paper": "turned faces are easier",
                "detector": detector,
                "set": name,
                "faces": {},
            }
            for each in _TURNS:
                chosen = here & (turns == each)
                area = metrics.auc(labels[chosen], values[chosen])
                row[each] = None if np.isnan(area) else round(area, 4)
                row["faces"][each] = int(chosen.sum())
            rows.append(row)
    return rows


def targets(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is wanted of the detectors beside what the other tables of the file say; only what was measured."""
    rows: list[dict[str, Any]] = []

    def add(name: str, wanted: str, reached: float | None, held: bool) -> None:
        if reached is not None:
            rows.append({"name": name, "wanted": wanted, "reached": reached, "held": held})

    def least(name: str, wanted: float, reached: float | None) -> None:
        add(name, f"at least {wanted}", reached, reached is not None and reached >= wanted)

    def most(name: str, wanted: float, reached: float | None) -> None:
        add(name, f"at most {wanted}", reached, reached is not None and reached <= wanted)

    sets = {row["set"]: row for row in result["sets"] if row["detector"] == "fused"}
    for name, wanted in (("openforensics", 0.985), ("mesonet_filmtv", 0.80)):
        if name in sets:
            least(f"fused AUC on {name}", wanted, sets[name]["auc"])
    for row in result["calibration"]:
        if row["detector"] == "fused":
            most("calibration error (ECE) of the fusion", 0.04, row["ece_after"])
    worst: dict[str, float] = {}
    for row in result["false_alarms"]:
        worst[row["degradation"]] = max(worst.get(row["degradation"], 0.0), row["over_threshold"])
    for degradation, share in worst.items():
        limit = next(r["limit"] for r in result["false_alarms"] if r["degradation"] == degradation)
        most(f"reals over the threshold, worst set, {degradation}", limit, share)
    blends = result.get("blends") or {}
    for row in blends.get("rows", ()):
        if row["detector"] == "boundary" and row["kind"] == "all":
            least("boundary detector's AUC on held-out blends", 0.95, row["auc"])
    for row in blends.get("map", ()):
        if row["kind"] == "all":
            least("boundary map's average precision", 0.6, row["average_precision"])
    outside = blends.get("outside") or {}
    if "auc" in outside:
        reached = outside["auc"]
        add("AUC outside the mask", "at chance, .45 to .55", reached, 0.45 <= reached <= 0.55)
    for row in (result.get("generated") or {}).get("rows", ()):
        if row["detector"] == "synthesis":
            least(f"synthetic faces, {row['protocol']}", 0.90, row["auc"])
    return rows
