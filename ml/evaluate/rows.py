"""The rows to measure on: a CSV of pictures with labels."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LABELS = ("real", "swap", "synthetic")


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One picture: where it is, what it is, and what must not be counted as independent.

    label: "real", "swap" or "synthetic". group: pictures of one group (frames of one video, say) stand or fall
    together. native_face_px: width of the face where the picture comes from, None when not told. nose: a point in the
    face that is meant, in pixels, None for the largest face.
    """

    path: Path
    name: str
    label: str
    set: str
    group: str
    native_face_px: float | None
    nose: tuple[float, float] | None

    @property
    def manipulated(self) -> int:
        """1 for a swapped or synthetic face, 0 for a real one."""
        return int(self.label != "real")


def read_rows(index: Path, root: Path | None = None, split: str | None = None) -> list[EvaluationRow]:
    """Read a CSV with the columns path, label, set, group (and split, native_face_px, x2, y2 where it has them).

    Paths are relative to ``root``, by default the CSV's folder. With ``split`` only its rows are taken; without, all.
    Raises ValueError that names the line and what is wrong with it, OSError when the file cannot be read.
    """
    base = index.parent if root is None else root
    rows = []
    with index.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"path", "label", "set", "group"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{index.name} lacks the columns {', '.join(sorted(missing))}")
        for number, line in enumerate(reader, start=2):
            if split is not None and line.get("split", split) != split:
                continue
            if line["label"] not in LABELS:
                allowed = ", ".join(LABELS)
                raise ValueError(f"{index.name}, line {number}: label {line['label']!r} is none of {allowed}")
            try:
                native = float(line["native_face_px"]) if line.get("native_face_px") else None
                nose = (float(line["x2"]), float(line["y2"])) if line.get("x2") and line.get("y2") else None
            except ValueError as error:
                raise ValueError(f"{index.name}, line {number}: {error}") from error
            rows.append(
                EvaluationRow(
                    base / line["path"], line["path"], line["label"], line["set"], line["group"], native, nose
                )
            )
    if not rows:
        raise ValueError(f"{index.name} has no rows" + (f" of the split {split}" if split else ""))
    return rows


def fingerprint(rows: Sequence[EvaluationRow]) -> str:
    """A short hash over paths, labels and groups: names the data in every table."""
    text = "\n".join(sorted(f"{row.name},{row.label},{row.set},{row.group}" for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
