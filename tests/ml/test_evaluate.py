"""The figures are right on cases worked by hand, and the command measures faces as the product does."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from ml.detect.calibration import FORMAT, Calibration
from ml.detect.verdict import Level
from ml.evaluate import metrics
from ml.evaluate.__main__ import main
from ml.evaluate.degradations import DEGRADATIONS
from ml.evaluate.fit import fit
from ml.evaluate.rows import EvaluationRow, fingerprint, read_rows
from ml.evaluate.scoring import Scores
from ml.evaluate.subjects import Subject
from ml.evaluate.tables import Tables, abstentions
from ml.faces import Square

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cases(seed: int, count: int = 400, shift: float = 1.0) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    return labels, random.normal(0, 1, count) + shift * labels


def test_auc_and_average_precision_are_scikit_learns() -> None:
    labels, scores = cases(1)
    rounded = np.round(scores, 1)  # with many ties
    for values in (scores, rounded):
        assert metrics.auc(labels, values) == pytest.approx(roc_auc_score(labels, values))
        assert metrics.average_precision(labels, values) == pytest.approx(average_precision_score(labels, values))
    false_rate, true_rate = metrics.roc(labels, rounded)
    area = float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))
    assert area == pytest.approx(metrics.auc(labels, rounded))
    assert np.isnan(metrics.auc(np.zeros(4, int), np.arange(4.0)))
    assert metrics.auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])) == 1


def test_equal_error_rate() -> None:
    assert metrics.equal_error_rate(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx(0)
    assert metrics.equal_error_rate(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx(0.5)
    labels, scores = cases(2, 20_000, 2.0)
    assert metrics.equal_error_rate(labels, scores) == pytest.approx(0.1587, abs=0.01)  # Phi(-1)


def test_calibration_error_of_right_and_of_wrong_probabilities() -> None:
    random = np.random.default_rng(3)
    probabilities = random.random(50_000)
    labels = (random.random(50_000) < probabilities).astype(int)
    assert metrics.expected_calibration_error(labels, probabilities) < 0.01
    assert metrics.expected_calibration_error(np.array([0, 1]), np.array([0.9, 0.9])) == pytest.approx(0.4)
    table = metrics.reliability(np.array([0, 1, 1]), np.array([0.0, 0.05, 1.0]))
    assert table == [(pytest.approx(0.025), 0.5, 2), (1.0, 1.0, 1)]


def test_platt_finds_the_temperature_and_bias_that_were_put_in() -> None:
    random = np.random.default_rng(4)
    true = random.normal(0, 2, 40_000)
    labels = (random.random(40_000) < metrics.sigmoid(true)).astype(int)
    raw = true * 3 - 5  # so the true logit is (raw + 5) / 3
    temperature, bias = metrics.fit_platt(labels, raw)
    assert temperature == pytest.approx(3, rel=0.05)
    assert bias == pytest.approx(5, rel=0.05)
    with pytest.raises(ValueError, match="do not rise"):
        metrics.fit_platt(labels, -raw)


def test_frames_of_one_video_are_no_independent_evidence() -> None:
    labels, scores = cases(5, 200)
    alone = metrics.auc_interval(labels, scores, [str(i) for i in range(200)])
    few = metrics.auc_interval(labels, scores, [f"{label}{i % 5}" for i, label in enumerate(labels)])
    assert alone[0] < metrics.auc(labels, scores) < alone[1]
    assert alone == metrics.auc_interval(labels, scores, [str(i) for i in range(200)])  # the seed is fixed
    copied = np.tile(scores, 4)
    groups = [str(i) for i in range(200)] * 4
    same = metrics.auc_interval(np.tile(labels, 4), copied, groups)
    assert same[1] - same[0] == pytest.approx(alone[1] - alone[0], rel=0.35)  # copies do not make it surer
    assert few[0] < few[1]


def test_degradations_move_the_square_with_the_picture() -> None:
    random = np.random.default_rng(6)
    pixels = random.integers(0, 256, (90, 120, 3), np.uint8)
    square = Square(60, 45, 40)
    for name, change in DEGRADATIONS.items():
        changed, moved = change(pixels, square, np.random.default_rng(1))
        assert changed.dtype == np.uint8
        factor = changed.shape[0] / 90
        assert (moved.cx, moved.cy, moved.side) == pytest.approx((60 * factor, 45 * factor, 40 * factor), rel=0.02)
        assert np.array_equal(changed, pixels) == (name == "none")
    assert DEGRADATIONS["down 2x"](pixels, square, random)[0].shape == (45, 60, 3)
    flat = np.full((90, 120, 3), 128, np.uint8)
    assert DEGRADATIONS["noise 5"](flat, square, random)[0].astype(float).std() == pytest.approx(5, rel=0.05)


def test_rows_are_read_by_split_and_faults_are_named(tmp_path: Path) -> None:
    index = tmp_path / "index.csv"
    index.write_text("path,label,set,group,split,native_face_px\na.jpg,real,s,g,val,88\nb.jpg,swap,s,h,train,\n")
    (row,) = read_rows(index, split="val")
    assert (row.path, row.label, row.native_face_px, row.manipulated) == (tmp_path / "a.jpg", "real", 88, 0)
    both = read_rows(index, tmp_path / "elsewhere")
    assert both[1].path == tmp_path / "elsewhere" / "b.jpg"
    assert both[1].manipulated == 1
    assert fingerprint(both) == fingerprint(both[::-1]) != fingerprint(both[:1])
    index.write_text("path,label,set,group\na.jpg,fake,s,g\n")
    with pytest.raises(ValueError, match="line 2: label 'fake'"):
        read_rows(index)
    index.write_text("path,label\na.jpg,real\n")
    with pytest.raises(ValueError, match="lacks the columns group, set"):
        read_rows(index)
    assert main(["detectors", "--index", str(index)]) == 2
    assert main(["detectors", "--index", str(tmp_path / "none.csv")]) == 2


def subjects(count: int = 600) -> tuple[list[Subject], dict[str, Scores]]:
    """Faces of a paired set and of a set of reals alone, scored by two detectors of which one is twice as sure."""
    random = np.random.default_rng(7)
    made, truth = [], []
    for number in range(count):
        fake, lonely = number % 2 == 1, number % 6 == 0
        row = EvaluationRow(
            Path(f"{number}.png"), f"{number}.png", "swap" if fake else "real",
            "lonely" if lonely else "paired", f"g{number // 4}", float(40 + number % 200), None,
        )  # fmt: skip
        made.append(Subject(row, np.zeros((8, 8, 3), np.uint8), Square(4, 4, 8), 100.0, float(number % 60)))
        truth.append(random.normal(2.0 if fake else -2.0, 2.0))
    logits = np.array(truth)
    plain = {"a": logits + random.normal(0, 0.5, count), "b": 2 * logits + 3 + random.normal(0, 1, count)}
    again = {name: values + random.normal(0, 0.1, count) for name, values in plain.items()}
    sharp, sizes = random.uniform(0.1, 1, count), np.full(count, 100.0)
    none = Scores(plain, again, again, sharp, sizes, np.arange(count))
    half = np.arange(0, count, 2) + (np.arange(count // 2) % 2)  # every second face is measured after a degradation
    parts = [{name: values[half] for name, values in table.items()} for table in (plain, again)]
    soft = Scores({n: v - 0.3 for n, v in parts[0].items()}, parts[1], parts[1], sharp[half], sizes[half], half)
    return made, {"none": none, "blur 1.5": soft}


def test_what_is_fitted_is_calibrated_and_keeps_its_promises() -> None:
    faces, scores = subjects()
    content = fit(faces, scores, ("a", "b"), "2026.11.1", "drawn")
    calibration = Calibration.from_json(json.loads(json.dumps(content)))
    assert content["version"] == "2026.11.1"
    assert content["format"] == FORMAT
    assert calibration.generated is None
    assert all(weight >= 0 for weight in calibration.weights.values())
    assert 0 < calibration.disagreement <= 1
    assert calibration.temperature["b"] == pytest.approx(2 * calibration.temperature["a"], rel=0.2)
    paired = np.array([f.row.set == "paired" for f in faces])
    labels = np.array([f.row.manipulated for f in faces])[paired]
    fused = np.array([
        calibration.fused_logit({n: v[i] for n, v in scores["none"].plain.items()}) for i in range(len(faces))
    ])[paired]  # fmt: skip
    probabilities = metrics.sigmoid(fused)
    assert metrics.expected_calibration_error(labels, probabilities) < 0.06
    assert np.mean(probabilities[labels == 0] >= calibration.manipulated) <= content["target_fpr"]
    assert np.mean(probabilities[labels == 1] <= calibration.authentic) <= content["target_missed"] + 0.01
    assert calibration.authentic < calibration.manipulated
    lonely = [f for f in faces if f.row.set == "lonely"]
    with pytest.raises(ValueError, match="real and swapped"):
        fit(lonely, scores, ("a", "b"), "1", "drawn")


def test_tables_pool_only_sets_that_hold_both_classes() -> None:
    faces, scores = subjects()
    probabilities = {kind: {n: metrics.sigmoid(v) for n, v in s.plain.items()} for kind, s in scores.items()}
    tables = Tables(faces, probabilities, {"a": 0.5, "b": 0.5}, {kind: s.index for kind, s in scores.items()})
    rows = {(r["detector"], r["set"]): r for r in tables.sets()}
    assert tables.paired_sets() == ["paired"]
    assert rows["a", "all"]["reals"] == rows["a", "paired"]["reals"]
    assert rows["a", "lonely"]["auc"] is None
    assert rows["a", "lonely"]["fpr"] is not None
    assert rows["a", "paired"]["auc_low"] < rows["a", "paired"]["auc"] < rows["a", "paired"]["auc_high"]
    soft = {r["set"]: r for r in tables.degradations() if (r["detector"], r["degradation"]) == ("a", "blur 1.5")}
    here = [faces[i] for i in scores["blur 1.5"].index if faces[i].row.set == "paired"]
    assert soft["paired"]["reals"] + soft["paired"]["fakes"] == len(here) < len(faces) / 2
    labels = np.array([f.row.manipulated for f in here])
    place = np.array([faces[i].row.set == "paired" for i in scores["blur 1.5"].index])
    values = probabilities["blur 1.5"]["a"][place]
    assert soft["paired"]["auc"] == pytest.approx(roc_auc_score(labels, values), abs=1e-4)
    assert {r["degradation"] for r in tables.degradations()} == {"none", "blur 1.5"}
    assert sum(r["reals"] + r["fakes"] for r in tables.sizes() if r["detector"] == "a") == int(tables.paired().sum())
    assert {r["yaw"] for r in tables.yaws()} == {"frontal", "three-quarter", "profile"}
    assert {(r["fakes"], r["reals"]) for r in tables.cross()} == {("paired", "paired"), ("paired", "lonely")}


def test_abstentions_are_the_products_verdicts() -> None:
    faces, scores = subjects()
    calibration = Calibration.from_json(fit(faces, scores, ("a", "b"), "1", "drawn"))
    missing = [faces[0].row]
    rows = abstentions(faces, missing, scores, calibration)
    levels = {str(level) for level in Level}
    assert {r["degradation"] for r in rows} == {"none", "blur 1.5"}
    for row in rows:
        assert set(row["levels"]) <= levels
        assert sum(row["levels"].values()) == pytest.approx(1, abs=0.001)
    (lonely,) = [r for r in rows if (r["degradation"], r["set"], r["label"]) == ("none", "lonely", "real")]
    assert lonely["reasons"]["no_face"] == pytest.approx(1 / lonely["pictures"], abs=1e-4)


def test_the_command_measures_pictures_and_writes_everything(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    """On copies of one library picture there is nothing to tell apart: the AUC says so, and every file is written."""
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "set", "group"])
        for number in range(6):
            Image.fromarray(np.roll(astronaut, number, axis=1)).save(tmp_path / f"{number}.png")
            writer.writerow([f"{number}.png", "swap" if number % 2 else "real", "copies", f"g{number}"])
        Image.new("RGB", (96, 96), (200, 120, 40)).save(tmp_path / "empty.png")
        writer.writerow(["empty.png", "real", "copies", "g9"])
        writer.writerow(["not_there.png", "swap", "copies", "g10"])
    words = ["detectors", "--index", str(tmp_path / "index.csv"), "--quick", "--json", str(tmp_path / "out" / "d.json"),
             "--markdown", str(tmp_path / "out" / "d.md"), "--plots", str(tmp_path / "plots")]  # fmt: skip
    assert main(words) == 0
    result = json.loads((tmp_path / "out" / "d.json").read_text())
    assert result["data"]["rows"] == 8
    assert result["data"]["faces"] == 6
    assert {"meso4", "mesoinception4", "fused"} <= set(result["detectors"])
    assert result["generated"]["rows"] == []
    assert result["blends"]["rows"][0]["pairs"] == 12
    assert {row["claim"] for row in result["claims"]} == {"confident", "turned"}
    assert {row["name"] for row in result["targets"]} >= {"reals over the threshold, worst set, none"}
    assert {row["degradation"] for row in result["false_alarms"]} == {"none", "jpeg 50"}
    assert str(tmp_path) not in (tmp_path / "out" / "d.json").read_text()
    (real,) = [r for r in result["no_face"] if r["label"] == "real"]
    assert (real["pictures"], real["missing"]) == (4, 1)
    assert [r["missing"] for r in result["no_face"] if r["label"] == "swap"] == [1]
    (one,) = [r for r in result["sets"] if (r["detector"], r["set"]) == ("fused", "copies")]
    assert (one["reals"], one["fakes"]) == (3, 3)
    text = (tmp_path / "out" / "d.md").read_text()
    assert "## Per degradation" in text
    assert "MesoInception-4" in text
    drawing = (tmp_path / "plots" / "reliability.svg").read_text()
    assert "<svg" in drawing
    assert (tmp_path / "plots" / "roc_copies.svg").is_file()
    assert "#000000" not in drawing.split("</defs>")[-1]  # text and lines must be seen on dark ground too
