"""From scores to the file: every table of the evaluation, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.detect.verdict import dissent
from ml.evaluate import blends, generated, metrics
from ml.evaluate.bench import UNSEEN_GENERATORS, probabilities, told
from ml.evaluate.claims import claims, targets
from ml.evaluate.fit import GENERATED, paired, real_faces
from ml.evaluate.fusion import Fusion, fit_fusion, held_out_logits
from ml.evaluate.rows import fingerprint
from ml.evaluate.scoring import PROMISED
from ml.evaluate.tables import Tables, abstentions
from ml.evaluate.thresholds import Reals, manipulated_threshold
from ml.weights import weights_version
from ml.weights.store import entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration
    from ml.evaluate.bench import Bench
    from ml.evaluate.rows import EvaluationRow

    Values = NDArray[np.float64]
    Curves = dict[str, tuple[NDArray[np.int_], Values]]


@dataclass(slots=True, eq=False)
class Evaluation:
    """The content of the JSON file, and the curves that are drawn: by file name, title and curves."""

    result: dict[str, Any]
    rocs: dict[str, tuple[str, Curves]]
    reliability: Curves


def evaluate(bench: Bench, rows: Sequence[EvaluationRow], data: str, calibration: Calibration) -> Evaluation:
    """All tables and curves, with this calibration."""
    by_degradation = probabilities(bench, calibration)
    plain = by_degradation["none"]
    thresholds = dict.fromkeys(plain, calibration.manipulated) | dict.fromkeys(bench.authors, 0.5)
    if calibration.generated is not None:
        thresholds[calibration.generated.detector] = calibration.generated.threshold
    tables = Tables(bench.subjects, by_degradation, thresholds, {d: s.index for d, s in bench.scores.items()})
    labels, sets, _, use = paired(bench.subjects)
    said = abstentions(bench.subjects, bench.missing, bench.scores, calibration)
    blended = blends.measure(bench.subjects, bench.predictor, lambda raw: told(raw, calibration), bench.titles)
    reals = [s for s in bench.subjects if s.row.label == "real"]
    portraits = [*bench.further, *(s for s in bench.subjects if s.row.label == "synthetic")]
    synthetic = generated.measure(
        portraits, reals, bench.predictor, lambda raw: told(raw, calibration), thresholds, bench.titles
    )
    kinds = sorted({(row.set, row.label) for row in rows})
    paired_sets = tables.paired_sets()
    own = (*calibration.detectors, "fused")
    result: dict[str, Any] = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "data": {
            "name": data,
            "rows": len(rows),
            "faces": len(bench.subjects),
            "fingerprint": fingerprint(rows),
            "groups": len({row.group for row in rows}),
        },
        "weights_version": weights_version(),
        "weights": {name: entry.version for name, entry in entries().items() if name in calibration.detectors},
        "thresholds_version": calibration.version,
        "threshold": calibration.manipulated,
        "device": runtime.device_name(),
        "notes": _notes(bench),
        "detectors": {name: bench.titles.get(name, name) for name in plain},
        "paired_sets": paired_sets,
        "sets_with_reals": sorted({row.set for row in rows if row.label == "real"}),
        "sets": tables.sets(),
        "manipulations": tables.manipulations(),
        "degradations": tables.degradations(),
        "calibration": _calibration_rows(bench, calibration, plain, labels, use),
        "reliability": _reliability(plain, labels, use, own),
        "fusion": _fusion(bench, calibration),
        "false_alarms": _false_alarms(bench, calibration, said),
        "abstentions": said,
        "sizes": tables.sizes(),
        "yaws": tables.yaws(),
        "cross": tables.cross(),
        "blends": blended.figures,
        "generated": {
            "threshold": None if calibration.generated is None else calibration.generated.threshold,
            "generators": sorted({s.row.set for s in portraits}),
            "rows": synthetic.rows,
        },
        "claims": claims(bench.subjects, {name: plain[name] for name in own if name in plain}, paired_sets),
        "no_face": [
            {
                "set": name,
                "label": label,
                "pictures": sum((row.set, row.label) == (name, label) for row in rows),
                "missing": sum((row.set, row.label) == (name, label) for row in bench.missing),
            }
            for name, label in kinds
        ],
    }
    result["targets"] = targets(result)
    rocs: dict[str, tuple[str, Curves]] = {}
    for name in paired_sets:
        here = sets == name
        curves = {bench.titles.get(d, d): (labels[here], v[here]) for d, v in plain.items()}
        rocs[f"roc_{name}"] = (f"{name}: ROC", curves)
    if blended.curves:
        rocs["roc_blends"] = ("held-out blends: ROC", blended.curves)
    if synthetic.curves:
        rocs["roc_generated"] = ("generated faces, alike in size and sharpness: ROC", synthetic.curves)
    shown = {bench.titles[name]: (labels[use], plain[name][use]) for name in own if name != GENERATED and use.any()}
    return Evaluation(result, rocs, shown)


def _calibration_rows(
    bench: Bench,
    calibration: Calibration,
    after: Mapping[str, Values],
    labels: NDArray[np.int_],
    use: NDArray[np.bool_],
) -> list[dict[str, Any]]:
    if not use.any():
        return []
    plain = bench.scores["none"].plain
    fused = list(calibration.weights)
    before = {name: metrics.sigmoid(plain[name]) for name in (*fused, *bench.authors)}
    before["fused"] = metrics.sigmoid(np.mean([plain[name] for name in fused], axis=0))
    return [
        {
            "detector": name,
            "temperature": calibration.temperature.get(name),
            "bias": calibration.bias.get(name),
            "ece_before": round(metrics.expected_calibration_error(labels[use], values[use]), 4),
            "ece_after": None
            if name in bench.authors
            else round(metrics.expected_calibration_error(labels[use], after[name][use]), 4),
        }
        for name, values in before.items()
    ]


def _reliability(
    plain: Mapping[str, Values], labels: NDArray[np.int_], use: NDArray[np.bool_], own: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            "detector": name,
            "bins": [
                {"probability": round(mean, 4), "share": round(share, 4), "faces": count}
                for mean, share, count in metrics.reliability(labels[use], plain[name][use])
            ],
        }
        for name in own
        if name != GENERATED and name in plain and use.any()
    ]


def _fusion(bench: Bench, calibration: Calibration) -> dict[str, Any]:
    """The weights, and by set what the fusion reaches on the faces it was fitted on and on groups held out."""
    labels, sets, groups, use = paired(bench.subjects)
    made: dict[str, Any] = {
        "weights": dict(calibration.weights),
        "offset": calibration.offset,
        "dissent": _dissent(bench, calibration),
        "sets": [],
    }
    if len(set(labels[use].tolist())) < 2:
        return made
    y, of, group = labels[use], sets[use], groups[use]
    raw = {name: bench.scores["none"].plain[name][use] for name in calibration.weights}
    try:
        fitted = fit_fusion(y, raw, of).logits(raw)
    except ValueError:  # there is nothing in these faces to tell apart
        return made
    limit = _logit(calibration.manipulated)
    found: dict[str, list[tuple[float, float, int]]] = {}
    for logits, test in held_out_logits(y, raw, of, group):
        # The threshold too is that of the faces that were fitted on: here only as they are, not degraded.
        train = [Reals(n, "none", metrics.sigmoid(logits[~test & (of == n) & (y == 0)])) for n in sorted(set(of))]
        threshold = _logit(manipulated_threshold([each for each in train if len(each.fused)], None))
        for name in sorted(set(of)):
            here = test & (of == name)
            reals = here & (y == 0)
            area = metrics.auc(y[here], logits[here])
            if not np.isnan(area):
                share = float(np.mean(logits[reals] >= threshold))
                found.setdefault(name, []).append((area, share, int(here.sum())))
    for name, parts in found.items():
        here = of == name
        areas, shares, counts = (np.array(part) for part in zip(*parts, strict=True))
        made["sets"].append(
            {
                "set": name,
                "auc_fitted": round(metrics.auc(y[here], fitted[here]), 4),
                "auc_cross_validated": round(float(np.average(areas, weights=counts)), 4),
                "fpr_fitted": round(float(np.mean(fitted[here & (y == 0)] >= limit)), 4),
                "fpr_cross_validated": round(float(np.average(shares, weights=counts)), 4),
            }
        )
    return made


def _dissent(bench: Bench, calibration: Calibration) -> dict[str, Any]:
    """Of the faces whose score alone would call them authentic: how many are fakes, with a detector against or not."""
    labels, _, _, use = paired(bench.subjects)
    plain = {name: bench.scores["none"].plain[name] for name in calibration.weights}
    found: dict[str, list[int]] = {"with": [], "without": []}
    for number in np.flatnonzero(use).tolist():
        raw = {name: float(values[number]) for name, values in plain.items()}
        if metrics.sigmoid(np.array(calibration.fused_logit(raw))) <= calibration.authentic:
            against = dissent(raw, calibration) >= calibration.dissent
            found["with" if against else "without"].append(int(labels[number]))
    return {
        "limit": calibration.dissent,
        **{
            key: {"faces": len(fakes), "fakes": round(float(np.mean(fakes)), 4) if fakes else None}
            for key, fakes in found.items()
        },
    }


def _logit(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))


def _false_alarms(bench: Bench, calibration: Calibration, said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By degradation and set: reals with a score over a threshold, and reals that the product calls manipulated."""
    fusion = Fusion(
        calibration.temperature,
        {name: calibration.bias.get(name, 0.0) for name in calibration.detectors},
        calibration.weights,
        calibration.offset,
    )
    known = calibration.detectors
    temperature = {name: calibration.temperature[name] for name in known}
    rows = []
    for reals in real_faces(bench.subjects, bench.scores, fusion, temperature, fusion.bias):
        over = reals.fused >= calibration.manipulated
        if calibration.generated is not None and reals.generated is not None:
            over = over | (reals.generated >= calibration.generated.threshold)
        levels = [
            r["levels"].get("likely_manipulated", 0.0)
            for r in said
            if (r["degradation"], r["set"], r["label"]) == (reals.degradation, reals.set, "real")
        ]
        rows.append(
            {
                "degradation": reals.degradation,
                "set": reals.set,
                "reals": len(reals.fused),
                "over_threshold": round(float(over.mean()), 4),
                "called_manipulated": levels[0] if levels else None,
                "limit": reals.limit,
                "promised": reals.degradation in PROMISED,
            }
        )
    return rows


def _notes(bench: Bench) -> list[str]:
    notes = [
        "Sets that hold only reals or only synthetic faces give no AUC of their own and enter no pooled figure: "
        "there the look of the set would stand for the label.",
        "Absence of evidence is not evidence: a kind of manipulation that is not listed here was not measured.",
        "Temperatures, fusion and thresholds were fitted on these very faces. What the fusion reaches on faces held "
        "out stands in its own table; on other sets all figures can be worse.",
    ]
    if GENERATED in bench.own:
        notes.append(
            "The synthesis detector was trained on real faces as small generators made here render them. "
            f"It never saw pictures of {', '.join(UNSEEN_GENERATORS)}; 'fused' is the fusion of the other detectors."
        )
    if bench.authors:
        notes.append(
            "The authors' networks were trained on their whole data set, the frames of mesonet_filmtv included: their "
            "figures on that set are optimistic. They are uncalibrated; their threshold is .5."
        )
    return notes
