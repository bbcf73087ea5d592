"""Facts of an XMP packet. It is XML from a stranger: no document type, no entities, bounded depth, size and length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from ml.provenance.plain_text import plain
from ml.provenance.source_type import SourceType, source_type

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 20_000
VALUES_KEPT: Final = 40
TEXT_KEPT: Final = 400

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_XMP: Final = "http://ns.adobe.com/xap/1.0/ "
_EVENT: Final = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent# "
_WANTED: Final = {
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ DigitalSourceType": "source_type",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ DigitalSourcetype": "source_type",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ AISystemUsed": "ai_system",
    "http://purl.org/dc/terms/ provenance": "remote_manifest",
    _XMP + "CreatorTool": "creator_tool",
    "http://ns.adobe.com/photoshop/1.0/ Credit": "credit",
    _EVENT + "softwareAgent": "software",
    _EVENT + "action": "action",
}


@dataclass(frozen=True, slots=True)
class XmpFacts:
    """`software` are the programs of the edit history, in order, each once; `events` how many entries it has."""

    source_type: SourceType | None = None
    ai_system: str = ""
    remote_manifest: str = ""
    creator_tool: str = ""
    credit: str = ""
    software: tuple[str, ...] = ()
    events: int = 0
    readable: bool = True


class _Refused(Exception):
    pass


def read_xmp(packet: bytes) -> XmpFacts:
    """What the packet says; `readable` is False for one that is too large, damaged or not plain. Raises nothing."""
    packet = packet.strip(b"\0 \t\r\n")
    if not packet:
        return XmpFacts()
    if len(packet) > MAX_BYTES:
        return XmpFacts(readable=False)
    reading = _Reading()
    readable = True
    try:
        reading.parser.Parse(packet, True)
    except (_Refused, expat.ExpatError, ValueError, LookupError):
        # What was read before the damage is still what the file says.
        readable = False
    kept = reading.kept
    first = {name: values[0] for name, values in kept.items() if values}
    return XmpFacts(
        source_type=source_type(first.get("source_type", "")),
        ai_system=plain(first.get("ai_system", "")),
        remote_manifest=plain(first.get("remote_manifest", ""), 200),
        creator_tool=plain(first.get("creator_tool", "")),
        credit=plain(first.get("credit", "")),
        software=tuple(dict.fromkeys(name for value in kept.get("software", []) if (name := plain(value)))),
        events=len(kept.get("action", [])),
        readable=readable,
    )


class _Reading:
    """One pass of the parser over one packet. A property may be an attribute, an element, or a list in an element."""

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}
        self._depth = 0
        self._elements = 0
        self._inside: list[tuple[str, int]] = []
        self._text = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _Refused
        for key, value in attributes.items():
            if wanted := _WANTED.get(key):
                self._keep(wanted, value)
        if wanted := _WANTED.get(name):
            self._inside.append((wanted, self._depth))
            self._text = ""
            if resource := attributes.get(_RDF + "resource"):
                self._keep(wanted, resource)

    def _characters(self, text: str) -> None:
        if self._inside and len(self._text) < TEXT_KEPT:
            self._text += text[:TEXT_KEPT]

    def _end(self, _name: str) -> None:
        if self._inside and self._inside[-1][1] == self._depth:
            wanted, _ = self._inside.pop()
            self._keep(wanted, self._text)
            self._text = ""
        self._depth -= 1

    def _keep(self, wanted: str, value: str) -> None:
        values = self.kept.setdefault(wanted, [])
        if value.strip() and len(values) < VALUES_KEPT:
            values.append(value.strip()[:TEXT_KEPT])
