"""What crosses between the site and the inference process: plain types only, so that neither side imports the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """One consent as the manifest states it, a number and no name. `people`: how many shown people it covers."""

    id: str
    role: str
    relation: str
    version: str
    people: int


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What every generating handler is given beside its own task. Without consents it is not made."""

    job: str
    kind: str
    mark: str
    site: str
    authority: Path
    terms: str
    consents: tuple[ConsentFact, ...]
    blocked_hashes: tuple[str, ...] = ()
    blocked_faces: tuple[tuple[str, bytes], ...] = ()  # (method, float32 little-endian)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """`files` by role lie in a folder that the inference process can read; `identities` by role are built-in people,
    who stand in `catalog`; `learned` by role are files of people whom the member has taught. `work`: a folder in which
    the next attempt finds what this one leaves. `video`: bytes, seconds, pixels and frames that a clip may have.
    `networks`: the folder of those that the operator has imported. `taught_from`: what the people of `learned` were
    taught from, while it is kept: to look once more who is shown there."""

    safeguards: Safeguards
    files: dict[str, Path]
    identities: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    learned: dict[str, Path] = field(default_factory=dict)
    work: Path | None = None
    catalog: Path | None = None
    video: tuple[int, float, int, int] | None = None
    networks: Path | None = None
    taught_from: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedOutput:
    """A finished file with its band, its invisible mark and its signed manifest. Nothing else is published."""

    data: bytes
    content_type: str
    suffix: str
    width: int
    height: int
    perceptual_hash: str = ""
    role: str = "result"


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """The outputs, the main one first; `weights` is name -> sha256 of what made them; `seen` is role -> perceptual hash
    of what it was made from; `facts` is what the result page tells beside it (JSON: numbers, words, lists).

    Two files stay with the owner: `before`, a JPEG of what was given, and `learned`, weights that know a person."""

    outputs: tuple[SealedOutput, ...]
    weights: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    device: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    before: bytes = b""
    learned: bytes = b""


@dataclass(frozen=True, slots=True)
class Portraits:
    """Faces of people who asked never to be swapped: files by the number of their request."""

    files: tuple[tuple[str, Path], ...]
