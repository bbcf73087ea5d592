"""IPTC's DigitalSourceType as XMP, for readers that know no manifest. Unsigned by itself; the signature comes after."""

from __future__ import annotations

import struct
import uuid
from typing import Final

XMP_BOX: Final = uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
"""The box type of XMP in MP4 (XMP specification, part 3)."""


def packet(source_type: str) -> bytes:
    """An XMP packet that says the digital source type, a URI of IPTC's; nothing else."""
    if not source_type.startswith("http://cv.iptc.org/newscodes/digitalsourcetype/") or not source_type.isascii():
        raise ValueError("not a digital source type")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{source_type}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def with_box(mp4: bytes, xmp: bytes) -> bytes:
    """An MP4 with the packet in a box at its end: no offset of anything before it changes."""
    return mp4 + struct.pack(">I4s", 8 + 16 + len(xmp), b"uuid") + XMP_BOX + xmp
