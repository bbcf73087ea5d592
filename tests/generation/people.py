"""A catalogue of one built-in person with the weights of chance: noise that goes through all that a swap does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SLUG = "nobody-2"
NAME = "Nobody the Second"


def make_catalog(folder: Path) -> Path:
    """Write the person's file and the catalogue that names it; returns the latter."""
    from ml import runtime

    runtime.configure()
    import keras

    from ml.networks.swap import Family, SwapConfig, build_swap_network
    from ml.swap.identity import Identity

    keras.utils.set_random_seed(7)
    network = build_swap_network(SwapConfig(Family.DF, 32, 8, 16, 8, mask=4), (SLUG,))
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = Identity.of(network, SLUG, NAME, {"synthetic": True}).save(folder / f"{SLUG}.identity")
    line = {
        "slug": SLUG,
        "name": NAME,
        "file": f"{SLUG}.identity",
        "sha256": sha256,
        "picture": "",
        "about": "Made by chance, for tests.",
    }
    path = folder / "catalog.json"
    path.write_text(json.dumps([line]), encoding="utf-8")
    return path
