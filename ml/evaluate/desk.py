"""``python -m ml evaluate desk EXPORT.zip``: the shipped detectors on faces that people judged at the review desk.

The archive is what ``manage.py export_desk`` writes. Every crop goes through the whole check, as an upload would; a
crop whose day in the column ``delete_after`` is over is left out. What lies on a desk was flagged or reported, so these
figures are about hard pictures, not about all.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ml import runtime
from ml.errors import MediaError
from ml.evaluate import metrics
from ml.faces.face import overlap

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ml.detect.check import Checker
    from ml.detect.result import FaceFinding

    Box = tuple[int, int, int, int]

LABELS: Final = ("real", "swap")
NAME: Final = re.compile(r"crops/\d{1,9}\.png")
LARGEST_INDEX: Final = 64 * 1024 * 1024
LARGEST_CROP: Final = 64 * 1024 * 1024
COLUMNS: Final = frozenset({"path", "label", "group", "face_x0", "face_y0", "face_x1", "face_y1", "delete_after"})
FUSED: Final = "fused"


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One crop of the archive. label: "real" or "swap", as people judged; box: the face in pixels of the crop;
    machine_level: what the detectors had said then, "" where it is not told."""

    name: str
    label: str
    group: str
    box: Box
    machine_level: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what the detectors say of its face now. `probabilities` are by detector, the fused one among them;
    empty where the face could not be judged."""

    row: DeskRow
    level: str
    probabilities: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("archive", type=Path, help="the ZIP file that manage.py export_desk wrote")
    parser.add_argument("--json", type=Path, help="write all figures here")


def run(options: argparse.Namespace) -> int:
    """Measure; returns the process's exit code."""
    runtime.configure()
    from ml.detect.check import checker

    try:
        with zipfile.ZipFile(options.archive) as archive:
            rows, past = read_index(archive, datetime.now(UTC))
            judged = [judge(archive, row, checker()) for row in rows]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"{options.archive.name}: {error}\n")
        return 2
    figures = tables(judged) | {
        "archive": options.archive.name,
        "past_their_day": past,
        "weights": checker().weights_version,
        "thresholds": checker().calibration.version,
        "date": datetime.now(UTC).date().isoformat(),
    }
    sys.stdout.write("\n".join(_in_words(figures)) + "\n")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def read_index(archive: zipfile.ZipFile, now: datetime) -> tuple[list[DeskRow], int]:
    """The rows that may still be used, and how many are past their day.

    Raises ValueError that names the line and what is wrong with it.
    """
    rows, past = [], 0
    reader = csv.DictReader(io.StringIO(_member(archive, "index.csv", LARGEST_INDEX).decode("utf-8")))
    if missing := COLUMNS - set(reader.fieldnames or ()):
        raise ValueError(f"index.csv lacks the columns {', '.join(sorted(missing))}")
    for number, line in enumerate(reader, start=2):
        try:
            row, until = _row(line)
        except (TypeError, ValueError) as error:
            raise ValueError(f"index.csv, line {number}: {error}") from error
        if until is not None and until <= now:
            past += 1
        else:
            rows.append(row)
    if not rows:
        raise ValueError("it holds no crop that may still be used" + (f"; {past} are past their day" if past else ""))
    return rows, past


def _row(line: dict[str, str]) -> tuple[DeskRow, datetime | None]:
    if not NAME.fullmatch(line["path"] or ""):
        raise ValueError(f"{line['path']!r} is no crop of an archive")
    if line["label"] not in LABELS:
        raise ValueError(f"label {line['label']!r} is none of {', '.join(LABELS)}")
    x0, y0, x1, y1 = (int(line[name]) for name in ("face_x0", "face_y0", "face_x1", "face_y1"))
    until = datetime.fromisoformat(line["delete_after"]) if line["delete_after"] else None
    if until is not None and until.tzinfo is None:
        raise ValueError("delete_after has no time zone")
    row = DeskRow(line["path"], line["label"], line["group"] or "", (x0, y0, x1, y1), line.get("machine_level") or "")
    return row, until


def _member(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ValueError(f"it holds no {name}") from None
    if info.file_size > largest:
        raise ValueError(f"{name} is larger than {largest // 2**20} MB")
    with archive.open(info) as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"{name} is larger than it says")
    return data


def judge(archive: zipfile.ZipFile, row: DeskRow, checker: Checker) -> Judged:
    """The whole check of one crop, and of its faces the one that was meant. Raises ValueError for a missing crop."""
    from ml.detect.check import CheckRequest

    data = _member(archive, row.name, LARGEST_CROP)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crop.png"
        path.write_bytes(data)
        try:
            result = checker.run(CheckRequest(path, renders=False), lambda *progress: None)
        except MediaError as error:
            raise ValueError(f"{row.name}: {error.message}") from error
    face = _meant(result.faces, row.box)
    if face is None:
        return Judged(row, "no_face", {})
    found = dict(face.detectors)
    if face.probability is not None:
        found[FUSED] = face.probability
    return Judged(row, face.level.value, found)


def _meant(faces: Sequence[FaceFinding], box: Box) -> FaceFinding | None:
    """The face that overlaps the box most, if any does by a third of their union."""
    best = max(faces, key=lambda face: overlap(face.box, box), default=None)
    return best if best is not None and overlap(best.box, box) >= 1 / 3 else None


def tables(judged: Sequence[Judged]) -> dict[str, Any]:
    """Levels by label, shares of false alarms and of finds, AUC by detector with its interval, and what has changed."""
    levels = {label: dict(Counter(each.level for each in judged if each.row.label == label)) for label in LABELS}
    told = [each for each in judged if each.row.machine_level]
    return {
        "crops": {label: sum(levels[label].values()) for label in LABELS},
        "levels": levels,
        "false_alarms": _share(levels["real"], "likely_manipulated"),
        "found": _share(levels["swap"], "likely_manipulated"),
        "missed": _share(levels["swap"], "likely_authentic"),
        "detectors": list(_detectors(judged)),
        "other_level_than_then": {
            "changed": sum(each.level != each.row.machine_level for each in told),
            "of": len(told),
        },
    }


def _share(levels: dict[str, int], level: str) -> float | None:
    whole = sum(levels.values())
    return round(levels.get(level, 0) / whole, 4) if whole else None


def _detectors(judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    names = sorted({name for each in judged for name in each.probabilities}, key=lambda name: (name != FUSED, name))
    for name in names:
        with_score = [each for each in judged if name in each.probabilities]
        labels = np.array([int(each.row.label != "real") for each in with_score])
        scores = np.array([each.probabilities[name] for each in with_score], np.float64)
        low, high = metrics.auc_interval(labels, scores, [each.row.group for each in with_score])
        yield {
            "detector": name,
            "faces": len(with_score),
            "auc": _number(metrics.auc(labels, scores)),
            "auc_low": _number(low),
            "auc_high": _number(high),
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _in_words(figures: dict[str, Any]) -> Iterator[str]:
    crops = figures["crops"]
    yield f"{crops['real']} faces judged authentic, {crops['swap']} judged manipulated; hard ones: all were flagged"
    if figures["past_their_day"]:
        yield f"{figures['past_their_day']} left out: past the day by which they must be deleted"
    for words, key in (
        ("authentic ones called manipulated", "false_alarms"),
        ("manipulated ones found", "found"),
        ("manipulated ones called authentic", "missed"),
    ):
        share = figures[key]
        yield f"{words:>36}  " + ("none to judge by" if share is None else f"{share:.1%}")
    for row in figures["detectors"]:
        known = "of one kind only" if row["auc"] is None else f"{row['auc']} ({row['auc_low']} to {row['auc_high']})"
        yield f"{row['detector']:>36}  AUC {known}, {row['faces']} faces"
    changed = figures["other_level_than_then"]
    yield f"{changed['changed']} of {changed['of']} have another level than when they were checked"
