"""Programs by the names that they leave in files: what kind of program each is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ml.provenance.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(StrEnum):
    GENERATOR = "generator"
    FACE_EDITOR = "face_editor"
    EDITOR = "editor"
    OTHER = "other"


_KNOWN: Final = (
    (
        Kind.GENERATOR,
        r"stable ?diffusion|sdxl|comfyui|automatic1111|invokeai|novelai|midjourney|dall[·\-\s]?e|openai|chatgpt|firefly"
        r"|imagen\b|google ai|gemini|bing image creator|ideogram|leonardo\.ai|flux\.?1|black forest labs|fooocus"
        r"|drawthings|grok|playground ai|nightcafe|runway|sora\b|veo\b",
    ),
    (
        Kind.FACE_EDITOR,
        r"faceapp|facetune|reface|faceswap|deepfacelab|roop\b|facefusion|youcam|beautyplus|meitu|b612|snow\b",
    ),
    (
        Kind.EDITOR,
        r"photoshop|lightroom|camera raw|gimp|affinity|pixelmator|capture one|darktable|rawtherapee|luminar|snapseed"
        r"|picsart|canva|paint\.net|picasa|acdsee|photoscape|fotor|pixlr|vsco|polarr|imagemagick|krita|premiere"
        r"|after effects|final cut|davinci|capcut|imovie|inshot|kinemaster",
    ),
)
_PATTERNS: Final = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _KNOWN)


@dataclass(frozen=True, slots=True)
class Software:
    """A program that a file names, and where in the file."""

    name: str
    kind: Kind
    where: str


def kind_of(name: str) -> Kind:
    """What kind of program a name stands for; OTHER for one that is not known here, a camera's firmware among them."""
    for kind, pattern in _PATTERNS:
        if pattern.search(name):
            return kind
    return Kind.OTHER


def named(names: Iterable[tuple[str, str]]) -> tuple[Software, ...]:
    """Each program once, from (name, where) pairs, at most twelve."""
    found: dict[str, Software] = {}
    for written, where in names:
        name = plain(written, 80)
        if name:
            found.setdefault(name.lower(), Software(name, kind_of(name), where))
    return tuple(found.values())[:12]
