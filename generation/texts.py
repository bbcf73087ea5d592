"""The texts that people agree to, as files: the name is the version, and what was agreed to is kept word by word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "agreements"


@dataclass(frozen=True, slots=True)
class Text:
    """One version of one text. `sha256` tells an edited text from the one that was agreed to under the same number."""

    version: str
    body: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def paragraphs(self) -> list[str]:
        return [part.strip() for part in self.body.split("\n") if part.strip()]


def _latest(names: list[str]) -> str:
    return max(names, key=int)


@cache
def terms() -> Text:
    """The terms in force: those of the highest number."""
    version = _latest([path.stem for path in (FOLDER / "terms").glob("*.txt")])
    return Text(version, (FOLDER / "terms" / f"{version}.txt").read_text(encoding="utf-8").strip())


@cache
def consent(relation: str) -> Text:
    """The statement in force for one relation to the person shown. Raises KeyError for an unknown relation."""
    version = _latest([path.name for path in (FOLDER / "consent").iterdir() if path.is_dir()])
    path = FOLDER / "consent" / version / f"{relation}.txt"
    if Path(relation).name != relation or not path.is_file():
        raise KeyError(relation)
    return Text(version, path.read_text(encoding="utf-8").strip())
