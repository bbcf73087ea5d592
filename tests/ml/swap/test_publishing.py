"""From aligned faces to a shipped person, by the very commands: everybody, the people, and what becomes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.faces import Face
from ml.swap import identity as identities
from ml.swap.face_set import FaceSet
from ml.swap.people import load
from ml.swap.reposing import Pose, repose
from ml.training import swap, swap_people, swap_publish
from ml.weights import store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapConfig


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> SwapConfig:
    """The commands train the shape that is shipped; here one of few channels stands in for it."""
    from ml.networks import swap as networks
    from ml.networks.swap import Family, SwapConfig

    small = SwapConfig(Family.DF, 32, 4, 8, 4, mask=2)
    monkeypatch.setattr(networks, "SWAP_96", small)
    return small


def test_a_person_is_trained_published_and_loaded(
    tmp_path: Path,
    tiny: SwapConfig,
    astronaut: NDArray[np.uint8],
    astronaut_file: Path,
    face: Face,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    for yaw in (-8.0, -3.0, 0.0, 4.0, 9.0, 12.0):
        picture, points = repose(astronaut, face.landmarks, Pose(yaw=yaw))
        made.append((picture, Face(face.box, points, 1.0, face.yaw - yaw, face.pitch, 0.0)))
    faces = FaceSet.of(made, tiny.size)
    faces[:5].save(tmp_path / "faces.npz")
    faces[5:].save(tmp_path / "val.npz")
    common = ["--faces", str(tmp_path / "faces.npz"), "--val", str(tmp_path / "val.npz")]
    first, run = tmp_path / "first", tmp_path / "run"
    assert swap.main([*common, "--out", str(first), "--steps", "30", "--batch", "2"]) == 0

    sitter = swap_people.Sitter("ann", "Ann", astronaut_file.name, "A woman who went to space.")
    for module in (swap_people, swap_publish):
        monkeypatch.setattr(module, "PEOPLE", (sitter,))
    learned = [*common, "--start", str(first / "everybody.identity"), "--portraits", str(astronaut_file.parent)]
    learned += ["--out", str(run), "--turned", "4", "--paired", "4", "--steps", "30", "--batch", "2"]
    assert swap_people.main(learned) == 0
    history = (run / "history.csv").read_text(encoding="utf-8").splitlines()
    assert history[1].startswith("30,")

    manifest, static = tmp_path / "weights" / "manifest.json", tmp_path / "static"
    (manifest.parent / "cards").mkdir(parents=True)
    ship = ["--run", str(run), "--static", str(static), "--manifest", str(manifest)]
    assert swap_publish.main(ship) == 0
    assert swap_publish.main(["card", *ship, "--first", str(first)]) == 0
    known = store.entries(manifest)
    card = (manifest.parent / "cards" / "swap.md").read_text(encoding="utf-8")
    for entry in known.values():
        assert entry.sha256 in card
        assert (manifest.parent / entry.file).is_file()
    with Image.open(static / "people" / "ann.webp") as picture:
        band = np.asarray(picture)[256:]
        assert picture.size[0] == 256
        assert band.min() < 20 < 235 < band.max()  # black, with white letters, below the face
        assert b"trainedAlgorithmicMedia" in picture.info["xmp"]

    monkeypatch.setattr("ml.weights.entries", lambda: known)
    load_arrays = store.load_arrays
    monkeypatch.setattr(store, "load_arrays", lambda name: load_arrays(name, manifest))
    identities._shared_part.cache_clear()
    listed = manifest.parent / "people" / "catalog.json"
    ann = load("ann", listed)
    identities._shared_part.cache_clear()
    assert (ann.name, ann.config, ann.about["synthetic"]) == ("Ann", tiny, True)
    whole = identities.Identity.load(run / "ann.identity")
    assert all(np.array_equal(ann.arrays[key], whole.arrays[key]) for key in whole.arrays)
    (line,) = json.loads(listed.read_text(encoding="utf-8"))
    assert line["picture"] == "people/ann.webp"
