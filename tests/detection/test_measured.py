"""Figures on the pages are those of the evaluation's own tables: rounded, not cut off, and never typed in."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from detection.templatetags import measured
from detection.templatetags.measured import DASH, degradation_words, figure, in_hundred
from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import SettingsWrapper

OURS = REPOSITORY / "docs" / "evaluation" / "detectors.json"
SOMETIMES: dict[str, Any] = {
    "targets": [
        {"name": "Aim one", "wanted": "at least .985", "reached": 0.9871, "held": True},
        {"name": "Aim two", "wanted": "at least .80", "reached": 0.7123, "held": False},
        {"name": "Aim three", "wanted": "at least .5", "reached": None, "held": None},
    ],
    "fusion": {"sets": [{"set": "s", "auc_fitted": 0.9111, "auc_cross_validated": 0.9022}]},
    "false_alarms": [{"degradation": "blur 1.5", "set": "s", "reals": 446, "over_threshold": 0.03, "limit": 0.05}],
    "blends": {
        "rows": [
            {"detector": "boundary", "kind": "all", "pairs": 300, "auc": 0.9613, "auc_low": 0.94, "auc_high": 0.98}
        ],
        "map": [{"kind": "all", "pairs": 300, "average_precision": 0.6644, "chance": 0.11}],
        "outside": {"pairs": 200, "auc": 0.5012, "inside_auc": 0.9512},
    },
    "generated": {
        "rows": [{"detector": "synthesis", "protocol": "as they are", "generator": "g9", "faces": 7, "auc": 0.9348}]
    },
    "claims": [
        {"claim": "confident", "paper": "Over 80 %", "detector": "fused", "set": "s", "share": 0.8432, "of": 410},
        {
            "claim": "turned",
            "paper": "Turned faces",
            "detector": "fused",
            "set": "s",
            "frontal": 0.9811,
            "three-quarter": 0.9722,
            "profile": None,
            "faces": {"frontal": 500, "three-quarter": 300},
        },
    ],
    "weights": {"boundary": "2026.12.24"},
    "reliability": [
        {
            "detector": "fused",
            "bins": [
                {"probability": 0.0444, "share": 0.0333, "faces": 300},
                {"probability": 0.5, "share": None, "faces": 0},
                {"probability": 0.9, "share": 0.85, "faces": 75},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("value", "shown"), [(0.70096, "0.701"), (0.9199, "0.920"), (0.0249, "0.025"), (0.5, "0.500"), (None, DASH)]
)
def test_figures_are_rounded(value: float | None, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.08678, "8.7"), (0.0314, "3.1"), (0.5978, "60"), (0.0, "0"), (0.09951, "10"), (None, DASH)]
)
def test_shares_are_rounded(share: float | None, shown: str) -> None:
    assert in_hundred(share) == shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", "as it is"),
        ("jpeg 30", "saved at JPEG quality 30"),
        ("down 1.5x", "made 1.5 times smaller"),
        ("blur 1.5", "blurred, sigma 1.5 px"),
        ("noise 5", "with noise of 5 grey levels"),
        ("invented later", "invented later"),
    ],
)
def test_degradations_have_words(name: str, words: str) -> None:
    assert degradation_words(name) == words


def told(label: str, pictures: int, degradation: str = "none", **levels: float) -> dict[str, Any]:
    return {"degradation": degradation, "set": "s", "label": label, "pictures": pictures, "levels": levels}


def test_the_summary_counts_every_picture_once() -> None:
    evaluation = {
        "abstentions": [
            told("real", 300, likely_manipulated=0.02, likely_authentic=0.58, inconclusive=0.4),
            told("real", 100, likely_manipulated=0.10, likely_authentic=0.40, inconclusive=0.3, not_applicable=0.2),
            told("swap", 50, likely_manipulated=0.6, inconclusive=0.4),
            told("real", 400, "jpeg 30", likely_manipulated=0.03),
            told("real", 400, "blur 1.5", likely_manipulated=0.09),
        ]
    }
    real, swap = measured.in_short(evaluation)
    assert (real["label"], real["pictures"]) == ("real", 400)
    assert real["likely_manipulated"] == pytest.approx(0.04)
    assert real["likely_authentic"] == pytest.approx(0.535)
    assert real["unclear"] == pytest.approx(0.425)
    assert (swap["likely_manipulated"], swap["likely_authentic"]) == (0.6, 0.0)
    assert measured.worst_spoiling(evaluation) == {"name": "blur 1.5", "share": pytest.approx(0.09)}


def test_bins_of_size_stand_in_their_order() -> None:
    rows = [
        {"detector": "fused", "set": name, "size": size, "reals": 1, "fakes": 1}
        for name, size in (("a", "80-119 px"), ("a", "from 180 px"), ("b", "0-79 px"), ("b", "120-179 px"))
    ]
    table = measured.by_size({"paired_sets": ["a", "b"], "sizes": rows})
    assert [line["name"] for line in table["lines"]] == ["0-79 px", "80-119 px", "120-179 px", "from 180 px"]
    assert [cell and cell["set"] for cell in table["lines"][0]["cells"]] == [None, "b"]


def page(client: Client, settings: SettingsWrapper, folder: Path, evaluation: dict[str, Any]) -> str:
    settings.EVALUATION_DIR = folder
    (folder / "detectors.json").write_text(json.dumps(evaluation))
    answer = client.get(reverse("detection:method"))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_has_the_figures_of_the_shipped_evaluation(
    client: Client, settings: SettingsWrapper, tmp_path: Path
) -> None:
    evaluation = json.loads(OURS.read_text(encoding="utf-8"))
    text = page(client, settings, tmp_path, evaluation)
    assert evaluation["made"] in text
    assert evaluation["weights_version"] in text
    assert evaluation["thresholds_version"] in text
    for row in evaluation["sets"]:
        if row["detector"] == "fused" and row["set"] in evaluation["paired_sets"]:
            assert f"AUC {figure(row['auc'])} ({figure(row['auc_low'])} to {figure(row['auc_high'])})" in text
    for table in ("degradations", "sizes", "yaws"):
        assert f">{figure(next(r['auc'] for r in evaluation[table] if r['detector'] == 'fused'))}<" in text
    real = measured.in_short(evaluation)[0]
    assert f"about <strong>{in_hundred(real['likely_manipulated'])}</strong> are called manipulated" in text


def test_another_evaluation_gives_another_page(client: Client, settings: SettingsWrapper, tmp_path: Path) -> None:
    evaluation = json.loads(OURS.read_text(encoding="utf-8"))
    for row in evaluation["sets"]:
        row["auc"] = 0.1234
    assert "AUC 0.123 (" in page(client, settings, tmp_path, evaluation)


def test_newer_tables_are_shown_where_they_are(client: Client, settings: SettingsWrapper, tmp_path: Path) -> None:
    evaluation = {**json.loads(OURS.read_text(encoding="utf-8")), **SOMETIMES}
    text = page(client, settings, tmp_path, evaluation)
    for part in (
        "0.987", "0.712", ">held<", ">missed<", "not measured",
        "0.911", "0.902",
        "blurred, sigma 1.5 px",
        "0.961", "0.664", "an AUC of 0.501 on 200 pairs", "reaches 0.951",
        "g9", "0.935",
        "of 410 correct detections, 84 in 100", "0.981", "0.972", "500 faces",
        "2026.12.24",
        'points="4.44,96.67 90.0,15.0"', 'cx="90.0%" cy="15.0%" r="5.0"',
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("missing", ["everything", *SOMETIMES, "sets", "paired_sets", "abstentions", "yaws", "data"])
def test_a_missing_table_takes_only_its_own_section_away(
    client: Client, settings: SettingsWrapper, tmp_path: Path, missing: str
) -> None:
    evaluation = copy.deepcopy({**json.loads(OURS.read_text(encoding="utf-8")), **SOMETIMES})
    evaluation = {"made": "today"} if missing == "everything" else evaluation
    evaluation.pop(missing, None)
    assert str(evaluation["made"]) in page(client, settings, tmp_path, evaluation)
