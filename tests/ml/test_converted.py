"""Imported networks keep their answers in this project's own files, and ``python -m ml import`` says what a file is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.__main__ import main
from ml.importers import CheckpointError, read_checkpoint
from ml.networks.dfdnet import DFDNet
from ml.networks.fomm import FirstOrderMotion
from ml.networks.srvgg import build_srvgg
from tests.ml import reference_vectors as vectors
from tests.ml.test_dfdnet import DEVIATION, MEAN
from tests.ml.test_dfdnet import TINY as TINY_DFDNET
from tests.ml.test_fomm import TINY as TINY_MOTION
from tests.ml.test_fomm import torch_states
from tests.ml.test_rrdbnet import small_state as rrdbnet_state
from tests.ml.test_stylegan2 import small_state as stylegan2_state
from tests.ml.torch_state import state_of
from tests.ml.torch_writer import Plain, write_zip

if TYPE_CHECKING:
    from pathlib import Path

MESONET = vectors.DATA / "reference" / "mesonet" / "Meso4_DF.h5"


def srvgg_state() -> dict[str, np.ndarray]:
    model = build_srvgg(scale=2, features=4, convs=2)
    slopes = {f"body.{place}.weight": np.full(4, 0.1, np.float32) for place in (1, 3, 5)}
    return state_of(model) | slopes


def dfdnet_tree() -> Plain:
    state = {"vgg_extractor.mean": MEAN, "vgg_extractor.std": DEVIATION}
    model, random = DFDNet(TINY_DFDNET, entries=2), np.random.default_rng(0)
    shapes = {layer.name: (layer.count, layer.channels, layer.side, layer.side) for layer in model.dictionaries}
    tables: dict[str, Plain] = {str(scale): Plain({}) for scale in TINY_DFDNET.scales}
    for name, shape in shapes.items():
        part, _, scale = name.rpartition("_")
        tables[scale].items[part] = random.standard_normal(shape).astype(np.float32)
    return Plain({"params": state | state_of(model), "dict": Plain(tables)})


def answer(kind: str, model: Any) -> np.ndarray:
    """Ask a network something."""
    random = np.random.default_rng(0)
    if kind == "fomm":
        pictures = random.random((2, 64, 64, 3)).astype(np.float32)
        found = model.keypoints(pictures)
        return np.asarray(model.generate(pictures, found, type(found)(found.value[::-1], found.jacobian)))
    if kind == "dfdnet":
        places = np.array([[70, 90, 110, 130], [140, 88, 185, 131], [110, 120, 141, 160], [90, 165, 170, 220]])
        return np.asarray(model(random.random((1, 256, 256, 3)).astype(np.float32), places))
    if kind == "stylegan2":
        return np.asarray(model(random.standard_normal((2, 6))))
    return np.asarray(model(random.random((1, 8, 6, 3)).astype(np.float32)))


TREES: dict[str, Any] = {
    "rrdbnet": lambda: Plain({"params": rrdbnet_state(channels=12)}),
    "srvgg": srvgg_state,
    "fomm": lambda: Plain(torch_states(FirstOrderMotion(TINY_MOTION))),
    "dfdnet": dfdnet_tree,
    "stylegan2": lambda: Plain({"g_ema": stylegan2_state(), "latent_avg": np.ones(6, np.float32)}),
}
OPTIONS = {"fomm": ["--size", "64"], "dfdnet": ["--size", "256"]}


@pytest.mark.parametrize("kind", TREES)
def test_import_says_what_a_file_is_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    path = write_zip(tmp_path / "theirs.pth", TREES[kind]())
    assert main(["import", kind, str(path), *OPTIONS.get(kind, [])]) == 0
    said = capsys.readouterr().out
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = tmp_path / f"theirs.{kind}.npz"
    for part in ("theirs.pth", digest, f"{kind} (", "arrays right", str(kept)):
        assert part in said
    with np.load(kept, allow_pickle=False) as archive:
        about = json.loads(str(archive["about"]))
    assert about["kind"] == kind and about["sha256"] == digest and about["source"] == "theirs.pth"
    options = {"size": int(OPTIONS[kind][1])} if kind in OPTIONS else {}
    expected = answer(kind, read_checkpoint(kind, path, **options))
    assert expected.std() > 1e-3 and np.allclose(answer(kind, read_checkpoint(kind, kept)), expected, atol=1e-6)


def test_import_refuses_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_zip(tmp_path / "theirs.pth", srvgg_state())
    assert main(["import", "rrdbnet", str(path)]) == 2
    assert capsys.readouterr().err == "theirs.pth: it lacks conv_first.weight\n"
    assert main(["import", "srvgg", str(tmp_path / "nothing.pth")]) == 2
    assert "nothing.pth: it cannot be read" in capsys.readouterr().err
    assert main(["import", "srvgg", str(path), "--out", str(path)]) == 2
    assert "overwritten" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["import", "srvgg", str(path), "--size", "8"])
    assert "srvgg takes no --size" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_a_kept_file_that_was_tampered_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.npz"
    assert main(["import", "srvgg", str(write_zip(tmp_path / "x.pth", srvgg_state())), "--out", str(kept)]) == 0
    with pytest.raises(CheckpointError, match="holds 'srvgg'"):
        read_checkpoint("rrdbnet", kept)
    with np.load(kept) as archive:
        arrays = dict(archive)
    name = next(name for name in arrays if name.startswith("model/0001"))
    for change, fault in (({name: np.zeros(3, np.float32)}, "has the shape"), ({"about": np.array("{")}, "no network")):
        np.savez(kept, **(arrays | change))
        with pytest.raises(CheckpointError, match=fault):
            read_checkpoint("srvgg", kept)
    kept.write_bytes(b"PK")
    with pytest.raises(CheckpointError, match="no network"):
        read_checkpoint("srvgg", kept)


@pytest.mark.skipif(not MESONET.is_file(), reason="the published checkpoint is not here (../shared/data)")
def test_mesonet_is_read_by_the_same_door() -> None:
    assert read_checkpoint("mesonet", MESONET).network == "meso4"


def test_mesonet_faults_are_named_likewise(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(b"no")
    with pytest.raises(CheckpointError, match=r"^x\.h5: "):
        read_checkpoint("mesonet", path)
