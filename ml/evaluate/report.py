"""The tables as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

_SHARES = ("acc", "acc real", "acc fake", "FPR", "TPR")


def markdown(result: Mapping[str, Any]) -> str:
    """The whole evaluation (the content of the JSON file) as one Markdown page."""
    data, labels = result["data"], result["detectors"]
    own = [name for name in labels if not name.startswith("authors_")]
    parts = [
        "# Detectors, measured",
        f"Made {result['made']} by `{result['command']}` in {result['seconds']:.0f} s on {result['device']}. "
        f"Weights {result['weights_version']}, thresholds {result['thresholds_version']}, data {data['name']} "
        f"({data['rows']} pictures, fingerprint `{data['fingerprint']}`).",
        *[f"- {note}" for note in result["notes"]],
        *_targets(result),
        "## Per set",
        "AUC with its 95 % interval (whole groups resampled). Accuracy at probability .5, on all, on reals and on "
        "fakes; false alarms (FPR) and hits (TPR) at the shipped threshold.",
        _table(
            ["detector", "set", "reals", "fakes", "AUC", "95 %", "AP", "EER", *_SHARES],
            [
                [
                    labels[r["detector"]], r["set"], r["reals"], r["fakes"], r["auc"],
                    f"{_cell(r['auc_low'])} to {_cell(r['auc_high'])}" if r["auc_low"] is not None else None,
                    r["ap"], r["eer"], r["accuracy"], r["accuracy_real"], r["accuracy_fake"], r["fpr"], r["tpr"],
                ]
                for r in result["sets"]
            ],
        ),
        "## Per manipulation",
        _table(
            ["detector", "manipulation", "against reals of", "fakes", "AUC", "AP", "acc fake", "TPR"],
            [
                [
                    labels[r["detector"]], r["manipulation"], r["against"], r["fakes"], r["auc"], r["ap"],
                    r["accuracy_fake"], r["tpr"],
                ]
                for r in result["manipulations"]
            ],
        ),
        *_generated(result),
        *_blends(result),
        "## Per degradation: AUC",
        "After a degradation a fixed part of the faces is measured, of each set and class the same number.",
        *[_degradations(result, name, "auc") for name in result["paired_sets"]],
        "## Per degradation: real faces called manipulated (FPR at the shipped threshold)",
        *[_degradations(result, name, "fpr", own) for name in result["sets_with_reals"]],
        "## Calibration",
        _table(
            ["detector", "temperature", "bias", "ECE before", "ECE after"],
            [
                [labels[r["detector"]], r["temperature"], r["bias"], r["ece_before"], r["ece_after"]]
                for r in result["calibration"]
            ],
        ),
        *_fusion(result),
        *_false_alarms(result),
        *_claims(result),
        "## What the product says",
        "Share of pictures per level. An abstention is a picture that is inconclusive or not applicable.",
        _abstentions(result["abstentions"]),
        "## By face size (width in the source picture)",
        _binned(result, "size", "sizes", own),
        "## By turn of the head",
        _binned(result, "yaw", "yaws", own),
        "## Fakes of one set against reals of another: AUC",
        _table(
            ["detector", "fakes of", "reals of", "AUC"],
            [
                [labels[r["detector"]], r["fakes"], r["reals"], r["auc"]]
                for r in result["cross"]
                if r["detector"] in own
            ],
        ),
        "## No face found",
        _table(
            ["set", "label", "pictures", "without a face"],
            [[r["set"], r["label"], r["pictures"], r["missing"]] for r in result["no_face"]],
        ),
    ]  # fmt: skip
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def _targets(result: Mapping[str, Any]) -> list[str]:
    rows = [[r["name"], r["wanted"], r["reached"], "yes" if r["held"] else "no"] for r in result["targets"]]
    return ["## What was wanted", _table(["figure", "wanted", "reached", "holds"], rows)] if rows else []


def _interval(row: Row) -> str | None:
    return None if row["auc_low"] is None else f"{_cell(row['auc_low'])} to {_cell(row['auc_high'])}"


def _title(result: Mapping[str, Any], row: Row) -> str:
    return str({"sharpness": "sharpness alone", **result["detectors"]}.get(row["detector"], row["detector"]))


def _generated(result: Mapping[str, Any]) -> list[str]:
    found = result["generated"]
    if not found["rows"]:
        return []
    return [
        "## Wholly generated faces",
        f"Faces of {', '.join(found['generators'])}, which no detector was trained on, against real faces of all sets: "
        "as they are, and after each was brought to the face size of a real, saved as often and blurred until it was "
        "no sharper. TPR and FPR at each detector's threshold.",
        _table(
            ["detector", "protocol", "generated", "reals", "AUC", "95 %", "TPR", "FPR"],
            [
                [
                    _title(result, r), r["protocol"], r["faces"], r["reals"], r["auc"], _interval(r), r.get("tpr"),
                    r.get("fpr"),
                ]
                for r in found["rows"]
            ],
        ),
    ]  # fmt: skip


def _blends(result: Mapping[str, Any]) -> list[str]:
    found = result["blends"]
    if not found:
        return []
    parts = [
        "## Held-out blends",
        f"Real faces of these sets, blended anew ({found['pairs']} pairs), each against the picture that it was "
        f"blended into; in the last column both were saved as JPEG {found['saved']}.",
        _table(
            ["detector", "kind", "pairs", "AUC", "95 %", "AUC, saved"],
            [[_title(result, r), r["kind"], r["pairs"], r["auc"], _interval(r), r["auc_saved"]] for r in found["rows"]],
        ),
    ]
    if found["map"]:
        parts += [
            "Boundary map: average precision of its cells, the pictures without a seam included.",
            _table(
                ["kind", "pairs", "average precision", "by chance"],
                [[r["kind"], r["pairs"], r["average_precision"], r["chance"]] for r in found["map"]],
            ),
        ]
    if found["outside"]:
        outside = found["outside"]
        parts.append(
            f"Of {outside['pairs']} pairs, degraded as in training, the boundary detector was shown only what lies "
            f"outside the mask: AUC {outside['auc']:.3f} (whole: {outside['inside_auc']:.3f}). Nothing but chance "
            "should be seen there: the two pictures differ only inside."
        )
    return parts


def _fusion(result: Mapping[str, Any]) -> list[str]:
    found = result["fusion"]
    if not found["sets"]:
        return []
    weights = ", ".join(f"{result['detectors'].get(n, n)} {w:.3f}" for n, w in found["weights"].items())
    return [
        "## Fusion: fitted and held out",
        f"Weights of the calibrated logits: {weights}; offset {found['offset']:.3f}. Held out: fitted on three "
        "quarters of the groups and measured on the rest, five times over; the threshold too.",
        _table(
            ["set", "AUC fitted", "AUC held out", "FPR fitted", "FPR held out"],
            [
                [r["set"], r["auc_fitted"], r["auc_cross_validated"], r["fpr_fitted"], r["fpr_cross_validated"]]
                for r in found["sets"]
            ],
        ),
        "Of the faces whose score alone would call them authentic, fakes are: "
        + "; ".join(
            f"{_cell(found['dissent'][key]['fakes'])} of {found['dissent'][key]['faces']} {words}"
            for key, words in (
                ("without", "that no detector of swaps speaks against"),
                ("with", f"that one gives at least {found['dissent']['limit']:.2f}, which are not called authentic"),
            )
        )
        + ".",
    ]


def _false_alarms(result: Mapping[str, Any]) -> list[str]:
    return [
        "## Real faces called manipulated, against what is allowed",
        "Over the threshold: by the fusion, or as wholly generated. Called so: after abstentions, where measured.",
        _table(
            ["degradation", "set", "reals", "over the threshold", "called manipulated", "allowed"],
            [
                [r["degradation"], r["set"], r["reals"], r["over_threshold"], r["called_manipulated"], r["limit"]]
                for r in result["false_alarms"]
            ],
        ),
    ]


def _claims(result: Mapping[str, Any]) -> list[str]:
    sure = [r for r in result["claims"] if r["claim"] == "confident"]
    turned = [r for r in result["claims"] if r["claim"] == "turned"]
    return [
        "## Two claims of the paper",
        "Over 80 % confidence on its correct detections: of the faces that are told right at .5, the share on which "
        "the answer is surer than .8.",
        _table(
            ["detector", "set", "told right", "surer than .8"],
            [[_title(result, r), r["set"], r["of"], r["share"]] for r in sure],
        ),
        "Turned faces are easier: AUC by the turn of the head (number of faces).",
        _table(
            ["detector", "set", "frontal", "three-quarter", "profile"],
            [
                [
                    _title(result, r), r["set"],
                    *[f"{_cell(r[x])} ({r['faces'][x]})" for x in ("frontal", "three-quarter", "profile")],
                ]
                for r in turned
            ],
        ),
    ]  # fmt: skip


def _degradations(result: Mapping[str, Any], name: str, figure: str, only: Sequence[str] | None = None) -> str:
    kinds = list(dict.fromkeys(r["degradation"] for r in result["degradations"]))
    rows: list[list[Any]] = []
    for detector, title in result["detectors"].items():
        if only is not None and detector not in only:
            continue
        found = {
            r["degradation"]: r[figure]
            for r in result["degradations"]
            if r["detector"] == detector and r["set"] == name
        }
        if found:
            rows.append([title, *[found.get(kind) for kind in kinds]])
    return f"{name}:\n\n" + _table(["detector", *kinds], rows)


def _abstentions(rows: Sequence[Row]) -> str:
    levels = ("likely_manipulated", "inconclusive", "likely_authentic", "not_applicable")
    return _table(
        ["degradation", "set", "label", "pictures", *[level.replace("_", " ") for level in levels], "abstained"],
        [
            [r["degradation"], r["set"], r["label"], r["pictures"], *[r["levels"].get(x, 0.0) for x in levels],
            r["abstained"]] for r in rows
        ],
    )  # fmt: skip


def _binned(result: Mapping[str, Any], key: str, table: str, only: Sequence[str]) -> str:
    return _table(
        ["detector", "set", key, "reals", "fakes", "AUC", "acc real", "acc fake", "FPR"],
        [
            [
                result["detectors"][r["detector"]], r["set"], r[key], r["reals"], r["fakes"], r["auc"],
                r["accuracy_real"], r["accuracy_fake"], r["fpr"],
            ]
            for r in result[table]
            if r["detector"] in only
        ],
    )  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
