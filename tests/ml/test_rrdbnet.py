"""RRDBNet answers as the authors' implementation does, from each of the three layouts of its checkpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.rrdbnet import build_rrdbnet
from tests.ml import reference_vectors as vectors
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from pathlib import Path


def small_state(blocks: int = 2, features: int = 8, growth: int = 4, channels: int = 3) -> dict[str, np.ndarray]:
    """A made-up RRDBNet in the newest names, small enough to run at once."""
    shapes: dict[str, tuple[int, int]] = {"conv_first": (features, channels)}
    for block in range(blocks):
        for dense in (1, 2, 3):
            for conv in range(1, 6):
                out = features if conv == 5 else growth
                shapes[f"body.{block}.rdb{dense}.conv{conv}"] = (out, features + (conv - 1) * growth)
    shapes |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (features, features))
    shapes["conv_last"] = (3, features)
    random = np.random.default_rng(3)
    state: dict[str, np.ndarray] = {}
    for name, (out, into) in shapes.items():
        state[f"{name}.weight"] = (random.standard_normal((out, into, 3, 3)) / np.sqrt(into * 9)).astype(np.float32)
        state[f"{name}.bias"] = (0.1 * random.standard_normal(out)).astype(np.float32)
    return state


def trunk_name(name: str) -> str:
    """Turn a name of the newest layout into ESRGAN's of 2019."""
    name = re.sub(r"^body\.(\d+)\.rdb(\d)", r"RRDB_trunk.\1.RDB\2", name)
    name = name.replace("conv_body", "trunk_conv").replace("conv_up", "upconv")
    return name.replace("conv_hr", "HRconv")


def oldest_name(name: str, blocks: int = 2) -> str:
    """Turn a name of the newest layout into ESRGAN's of 2018."""
    places = {"conv_first": "0", "conv_body": f"1.sub.{blocks}", "conv_up1": "3", "conv_up2": "6"}
    places |= {"conv_hr": "8", "conv_last": "10"}
    name = re.sub(r"^body\.(\d+)\.rdb(\d)\.conv(\d)", r"model.1.sub.\1.RDB\2.conv\3.0", name)
    for new, old in places.items():
        name = name.replace(f"{new}.", f"model.{old}.")
    return name


LAYOUTS: dict[str, Any] = {
    "plain": lambda state: state,
    "params": lambda state: Plain({"params": state}),
    "params_ema before params": lambda state: Plain(
        {"params": {name: value + 1 for name, value in state.items()}, "params_ema": state}
    ),
    "DataParallel": lambda state: {f"module.{name}": value for name, value in state.items()},
    "RRDB_trunk": lambda state: {trunk_name(name): value for name, value in state.items()},
    "model.1.sub": lambda state: {oldest_name(name): value for name, value in state.items()},
    "model.1.sub, DataParallel": lambda state: {f"module.{oldest_name(name)}": value for name, value in state.items()},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_to_the_same_network(tmp_path: Path, layout: str) -> None:
    state = small_state()
    expected = read_checkpoint("rrdbnet", write_zip(tmp_path / "newest.pth", state))
    model = read_checkpoint("rrdbnet", write_legacy(tmp_path / "other.pth", LAYOUTS[layout](state)))
    picture = np.random.default_rng(0).random((1, 6, 5, 3), np.float32)
    answer = np.asarray(model(picture))
    assert answer.shape == (1, 24, 20, 3) and answer.std() > 0.01
    assert np.array_equal(answer, np.asarray(expected(picture)))


@pytest.mark.parametrize(("name", "parameters"), [("rrdbnet_x4", 16_697_987), ("rrdbnet_x2_6b", 4_472_963)])
@vectors.needs_vectors
def test_agrees_with_the_authors(tmp_path: Path, name: str, parameters: int) -> None:
    shapes, arrays = vectors.names("sr_names.json")[name], vectors.arrays("sr_open.npz")
    draw = vectors.rule().draw
    state = {key: draw(key, tuple(shape), vectors.SALT).astype(np.float32) for key, shape in shapes.items()}
    model = read_checkpoint("rrdbnet", write_zip(tmp_path / "x.pth", Plain({"params_ema": state})))
    assert model.count_params() == parameters
    assert vectors.difference(model(arrays[f"{name}/input"]), arrays[f"{name}/output"]) < 1e-3


def test_scales() -> None:
    for scale in (1, 2, 4):
        model = build_rrdbnet(scale=scale, features=4, blocks=1, growth=2)
        assert model(np.zeros((1, 8, 12, 3), np.float32)).shape == (1, 8 * scale, 12 * scale, 3)
    with pytest.raises(ValueError, match="power of two"):
        build_rrdbnet(scale=3)


def broken(state: dict[str, Any], fault: str) -> Any:
    """Break a state dict in one way."""
    if fault == "an entry is missing":
        del state["body.1.rdb2.conv3.bias"]
    elif fault == "a block is missing":
        state = {name: value for name, value in state.items() if not name.startswith("body.0.")}
    elif fault == "a shape is wrong":
        state["body.0.rdb1.conv2.weight"] = state["body.0.rdb1.conv2.weight"][:, :-1]
    elif fault == "an entry too many":
        state["body.0.rdb1.norm.weight"] = np.ones(8, np.float32)
    elif fault == "a block number in the millions":
        state["body.4000000.rdb1.conv1.weight"] = state["body.0.rdb1.conv1.weight"]
    elif fault == "two layouts at once":
        state["RRDB_trunk.0.RDB1.conv1.weight"] = state["body.0.rdb1.conv1.weight"]
    elif fault == "five channels in":
        state["conv_first.weight"] = np.zeros((8, 5, 3, 3), np.float32)
    elif fault == "ten thousand features":
        state["conv_first.weight"] = np.zeros((10_000, 3, 3, 3), np.float32)
    elif fault == "not a number":
        state["conv_last.bias"] = np.full(3, np.nan, np.float32)
    elif fault == "no tensors":
        return Plain({"params": "none"})
    elif fault == "a matrix for a convolution":
        state["conv_first.weight"] = np.zeros((8,), np.float32)
    return state


FAULTS = {
    "an entry is missing": r"lacks body\.1\.rdb2\.conv3\.bias",
    "a block is missing": r"lacks body\.0\.rdb1",
    "a shape is wrong": r"conv2\.weight has the shape \(4, 11, 3, 3\), this network needs \(4, 12, 3, 3\)",
    "an entry too many": r"1 entries that this network has not, such as body\.0\.rdb1\.norm\.weight",
    "a block number in the millions": r"4000001 blocks, 8 features",
    "ten thousand features": r"no convolution of such a network",
    "two layouts at once": "mixes layouts",
    "five channels in": "5 channels",
    "not a number": r"conv_last\.bias has values that are not finite",
    "no tensors": "neither plain named weights",
    "a matrix for a convolution": r"conv_first\.weight has the shape \(8,\)",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_checkpoint_is_refused_by_name(tmp_path: Path, fault: str) -> None:
    path = write_zip(tmp_path / "broken.pth", broken(small_state(), fault))
    with pytest.raises(CheckpointError, match=rf"broken\.pth: .*{FAULTS[fault]}"):
        read_checkpoint("rrdbnet", path)


def test_a_kind_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such kind"):
        read_checkpoint("pickle", tmp_path / "x.pth")
