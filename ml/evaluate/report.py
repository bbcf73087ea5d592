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
        "## Per degradation: AUC",
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
