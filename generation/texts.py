"""The texts that people agree to, as files: the name is the version, and what was agreed to is kept word by word.

The English text is what counts, whatever language it was read in: its words and its hash are what a record keeps.
Translations lie beside it, `<name>.<language>.txt`, and are shown with the English text at hand.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import get_language

FOLDER: Final = Path(__file__).resolve().parent / "agreements"


@dataclass(frozen=True, slots=True)
class Text:
    """One version of one text. `sha256` tells an edited text from the one that was agreed to under the same number."""

    version: str
    body: str

    path: Path

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def paragraphs(self) -> list[str]:
        return _paragraphs(self.body)

    @property
    def is_translated(self) -> bool:
        return self.translated != self.body

    @property
    def translated(self) -> str:
        """In the reader's language; the English text where there is none."""
        return _read(self.path.with_suffix(f".{get_language() or settings.LANGUAGE_CODE}.txt")) or self.body

    @property
    def translated_paragraphs(self) -> list[str]:
        return _paragraphs(self.translated)


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n") if part.strip()]


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def english(folder: Path) -> list[Path]:
    """The binding texts of a folder: those whose name has no language in it."""
    return [path for path in sorted(folder.glob("*.txt")) if "." not in path.stem]


def _latest(names: list[str]) -> str:
    return max(names, key=int)


@cache
def terms() -> Text:
    """The terms in force: those of the highest number."""
    version = _latest([path.stem for path in english(FOLDER / "terms")])
    path = FOLDER / "terms" / f"{version}.txt"
    return Text(version, _read(path), path)


@cache
def consent(relation: str) -> Text:
    """The statement in force for one relation to the person shown. Raises KeyError for an unknown relation."""
    version = _latest([path.name for path in (FOLDER / "consent").iterdir() if path.is_dir()])
    path = FOLDER / "consent" / version / f"{relation}.txt"
    if path not in english(path.parent):
        raise KeyError(relation)
    return Text(version, _read(path), path)
