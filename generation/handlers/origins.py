"""What any reader finds in a finished file: its manifest, its source statement, its marks. Read, not remembered."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generation.exchange import SealedOutput


def origin_of(output: SealedOutput) -> dict[str, Any]:
    """`facts["provenance"]` of a result page, as the check of a file tells it: plain values."""
    from ml.media import decode
    from ml.provenance import invisible_mark
    from ml.provenance.reading import read_provenance

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made{output.suffix}"
        path.write_bytes(output.data)
        if output.content_type.startswith("video/"):
            return dict(read_provenance(path).as_dict())
        pixels = decode(path).pixels
        return dict(read_provenance(path, pixels).as_dict() | invisible_mark.facts(pixels))
