"""The shipped detectors on the labels of the review desk: an archive as the site writes it, and wrong ones."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from ml.evaluate import desk
from ml.evaluate.__main__ import main
from ml.evaluate.desk import DeskRow, Judged, overlap, read_index, tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LINE = {
    "path": "crops/00001.png", "label": "real", "set": "desk", "group": "a", "native_face_px": "120",
    "face_x0": "150", "face_y0": "70", "face_x1": "270", "face_y1": "220", "machine_level": "inconclusive",
    "machine_probability": "0.5", "delete_after": "2030-01-01T00:00:00+00:00",
}  # fmt: skip


def archive(path: Path, lines: list[Mapping[str, Any]], crops: Mapping[str, bytes]) -> Path:
    index = io.StringIO()
    writer = csv.DictWriter(index, list(LINE))
    writer.writeheader()
    writer.writerows(lines)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("index.csv", index.getvalue())
        for name, data in crops.items():
            file.writestr(name, data)
    return path


def rows_of(path: Path) -> tuple[list[DeskRow], int]:
    with zipfile.ZipFile(path) as file:
        return read_index(file, NOW)


def png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_face_is_checked_as_an_upload_would_be(
    tmp_path: Path, astronaut: NDArray[np.uint8], capsys: pytest.CaptureFixture[str]
) -> None:
    crop = png(astronaut[0:370, 20:440])
    lines = [
        LINE,
        {**LINE, "path": "crops/00002.png", "face_x0": "0", "face_y0": "300", "face_x1": "40", "face_y1": "340"},
    ]
    path = archive(tmp_path / "desk.zip", lines, {"crops/00001.png": crop, "crops/00002.png": crop})
    figures = tmp_path / "figures.json"
    assert main(["desk", str(path), "--json", str(figures)]) == 0
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert told["crops"] == {"real": 2, "swap": 0}
    assert told["levels"]["real"].pop("no_face") == 1, "the box of the second row is nobody's face"
    assert sum(told["levels"]["real"].values()) == 1
    assert {row["detector"] for row in told["detectors"]} >= {"fused", "boundary", "meso4"}
    assert all(row["faces"] == 1 and row["auc"] is None for row in told["detectors"])
    assert told["found"] is None
    assert told["weights"]
    out = capsys.readouterr().out
    assert "2 faces judged authentic, 0 judged manipulated" in out
    assert "none to judge by" in out


def test_what_is_past_its_day_is_left_out(tmp_path: Path) -> None:
    past = {**LINE, "path": "crops/00002.png", "delete_after": (NOW - timedelta(seconds=1)).isoformat()}
    rows, left = rows_of(archive(tmp_path / "desk.zip", [LINE, past], {}))
    assert ([row.name for row in rows], left) == (["crops/00001.png"], 1)
    with pytest.raises(ValueError, match="1 are past their day"):
        rows_of(archive(tmp_path / "past.zip", [past], {}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "../../etc/passwd"}, "line 2: .* is no crop"),
        ({"path": "/crops/1.png"}, "line 2: .* is no crop"),
        ({"label": "perhaps"}, "line 2: label 'perhaps'"),
        ({"face_x0": "left"}, "line 2: invalid literal"),
        ({"delete_after": "tomorrow"}, "line 2: Invalid isoformat"),
        ({"delete_after": "2030-01-01T00:00:00"}, "line 2: delete_after has no time zone"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, change: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rows_of(archive(tmp_path / "desk.zip", [{**LINE, **change}], {}))


def test_wrong_files_end_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = tmp_path / "nothing.zip"
    text = tmp_path / "text.zip"
    text.write_bytes(b"no archive")
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    columns = tmp_path / "columns.zip"
    with zipfile.ZipFile(columns, "w") as file:
        file.writestr("index.csv", "path,label\n")
    no_crop = archive(tmp_path / "crop.zip", [LINE], {})
    no_picture = archive(tmp_path / "picture.zip", [LINE], {"crops/00001.png": b"words"})
    for path, words in (
        (nothing, "No such file"),
        (text, "not a zip file"),
        (empty, "it holds no index.csv"),
        (columns, "index.csv lacks the columns"),
        (no_crop, "it holds no crops/00001.png"),
        (no_picture, "crops/00001.png: "),
    ):
        assert main(["desk", str(path)]) == 2, path.name
        assert words in capsys.readouterr().err
    monkeypatch.setattr(desk, "LARGEST_INDEX", 10)
    assert main(["desk", str(no_crop)]) == 2
    assert "index.csv is larger than" in capsys.readouterr().err


def test_figures_of_known_verdicts() -> None:
    def one(label: str, level: str, fused: float, then: str = "", group: str = "") -> Judged:
        return Judged(DeskRow("crops/1.png", label, group or level, (0, 0, 1, 1), then), level, {"fused": fused})

    told = tables(
        [
            one("real", "likely_manipulated", 0.9, "likely_manipulated"),
            one("real", "likely_authentic", 0.1, "inconclusive"),
            one("real", "inconclusive", 0.5),
            one("real", "likely_authentic", 0.2),
            one("swap", "likely_manipulated", 0.95, "likely_manipulated"),
            one("swap", "likely_authentic", 0.15, "likely_authentic"),
        ]
    )
    assert (told["false_alarms"], told["found"], told["missed"]) == (0.25, 0.5, 0.5)
    (fused,) = told["detectors"]
    assert fused["auc"] == round(5 / 8, 4), "five of the eight pairs of a swap and a real are in order"
    assert fused["auc_low"] <= fused["auc"] <= fused["auc_high"]
    assert told["other_level_than_then"] == {"changed": 1, "of": 4}


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 1 / 3), ((10, 0, 20, 10), 0.0), ((20, 20, 30, 30), 0)],
)
def test_overlap(other: tuple[int, int, int, int], expected: float) -> None:
    assert overlap((0, 0, 10, 10), other) == pytest.approx(expected)
