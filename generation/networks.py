"""Motion models of other authors that whoever runs this site has imported; the shipped one is there without a name.

`python -m ml import fomm FILE --out NETWORKS/NAME.fomm.npz` puts one into the folder of imported networks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.conf import settings

SUFFIX: Final = ".fomm.npz"
SHIPPED: Final = ""


def offered() -> list[str]:
    """The names of their files, in order."""
    folder = Path(settings.ENHANCEMENT_NETWORKS_DIR)
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name.lower().endswith(SUFFIX) and path.is_file())


def is_known(name: str) -> bool:
    return name == SHIPPED or name in offered()
