"""IPTC's digital source types: what a file, or a signed manifest, says that it is.

Source: http://cv.iptc.org/newscodes/digitalsourcetype/ and the terms that C2PA adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.provenance.plain_text import plain

WORDS = {
    "digitalCapture": "captured by a camera from real life",
    "computationalCapture": "captured by a camera and put together by its software",
    "negativeFilm": "digitised from a negative",
    "positiveFilm": "digitised from a slide",
    "print": "digitised from a print",
    "minorHumanEdits": "a photograph with minor edits",
    "humanEdits": "a photograph edited by people",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "digitalArt": "digital art",
    "digitalCreation": "made by a person with software",
    "softwareImage": "made by software",
    "dataDrivenMedia": "drawn from data",
    "virtualRecording": "recorded from a virtual scene",
    "screenCapture": "a screen capture",
    "composite": "put together from several pictures",
    "compositeCapture": "put together from several camera captures",
    "compositeSynthetic": "put together, with synthetic parts",
    "compositeWithTrainedAlgorithmicMedia": "edited with generative AI",
    "trainedAlgorithmicMedia": "created by generative AI",
    "trainedAlgorithmicData": "data created by generative AI",
    "algorithmicMedia": "created by an algorithm without trained data",
    "empty": "begun from an empty canvas",
}
GENERATED = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"})
# Spellings that are in use besides IPTC's own: a prefix or a misspelling changes nothing about what is meant.
_VOCABULARIES = ("cv.iptc.org/newscodes/digitalsourcetype/", "c2pa.org/digitalsourcetype/")
_BY_LOWER = {code.lower(): code for code in WORDS} | {
    "compositedwithtrainedalgorithmicmedia": "compositeWithTrainedAlgorithmicMedia"
}


@dataclass(frozen=True, slots=True)
class SourceType:
    """`code` is IPTC's where it is known, else what the file wrote; `words` say it in plain English."""

    code: str
    words: str
    says_generated: bool


def source_type(value: object) -> SourceType | None:
    """The source type that a URI, a QCode such as `digsrctype:print`, or a bare code names; None for no text."""
    written = plain(value, 200)
    if not written:
        return None
    lower = written.lower().split("://", 1)[-1]
    for vocabulary in _VOCABULARIES:
        lower = lower.removeprefix("www.").removeprefix(vocabulary)
    lower = lower.removeprefix("digsrctype:").strip("/")
    code = _BY_LOWER.get(lower)
    if code is None:
        return SourceType(written, f"\N{LEFT DOUBLE QUOTATION MARK}{written}\N{RIGHT DOUBLE QUOTATION MARK}", False)
    return SourceType(code, WORDS[code], code in GENERATED)
