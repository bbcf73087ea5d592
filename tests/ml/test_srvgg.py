"""The compact upscaler answers as its authors' implementation does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage import data

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.pixel_shuffle import PixelShuffle, PixelUnshuffle, shuffle_order
from ml.networks.srvgg import build_srvgg
from tests.ml import reference_vectors as vectors
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = vectors.DATA / "reference" / "realesrgan" / "realesr-animevideov3.pth"


@vectors.needs_vectors
def test_agrees_with_the_authors(tmp_path: Path) -> None:
    shapes, arrays = vectors.names("sr_names.json")["srvgg_x4_32"], vectors.arrays("sr_open.npz")
    state = {
        name: vectors.rule().draw(name, tuple(shape), vectors.SALT, prelu=True).astype(np.float32)
        for name, shape in shapes.items()
    }
    model = read_checkpoint("srvgg", write_legacy(tmp_path / "x.pth", Plain({"params": state})))
    assert model.count_params() == 1_213_296
    answer = model(arrays["srvgg_x4_32/input"])
    assert vectors.difference(answer, arrays["srvgg_x4_32/output"]) < 1e-3


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published checkpoint is not here (../shared/data)")
def test_the_published_checkpoint_enlarges_a_picture_well() -> None:
    model = read_checkpoint("srvgg", PUBLISHED)
    assert model.count_params() == 621_424  # 16 convolutions in the body
    truth = data.astronaut()[:192, 128:320].astype(np.float32) / 255
    small = truth.reshape(48, 4, 48, 4, 3).mean((1, 3))
    answer = np.asarray(model(small[None]))[0]
    repeated = small.repeat(4, 0).repeat(4, 1)
    error, baseline = np.square(answer - truth).mean(), np.square(repeated - truth).mean()
    assert answer.shape == truth.shape and error < 0.9 * baseline


def test_broken_checkpoints(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    state = {
        "body.0.weight": random.standard_normal((8, 3, 3, 3)).astype(np.float32),
        "body.0.bias": np.zeros(8, np.float32),
        "body.1.weight": np.full(8, 0.25, np.float32),
        "body.2.weight": random.standard_normal((8, 8, 3, 3)).astype(np.float32),
        "body.2.bias": np.zeros(8, np.float32),
        "body.3.weight": np.full(8, 0.25, np.float32),
        "body.4.weight": random.standard_normal((12, 8, 3, 3)).astype(np.float32),
        "body.4.bias": np.zeros(12, np.float32),
    }
    path = tmp_path / "x.pth"
    model = read_checkpoint("srvgg", write_zip(path, state))
    assert model(np.zeros((1, 5, 7, 3), np.float32)).shape == (1, 10, 14, 3)
    for change in ({"body.4.weight": state["body.4.weight"][:11]}, {"body.9.weight": state["body.3.weight"]}):
        with pytest.raises(CheckpointError, match="no end of a compact upscaler"):
            read_checkpoint("srvgg", write_zip(path, state | change))
    with pytest.raises(CheckpointError, match=r"body\.3\.weight has the shape \(7,\)"):
        read_checkpoint("srvgg", write_zip(path, state | {"body.3.weight": np.ones(7, np.float32)}))
    with pytest.raises(CheckpointError, match=r"lacks body\.0\.weight"):
        read_checkpoint("srvgg", write_zip(path, {"conv_first.weight": state["body.0.weight"]}))


def test_shuffle_is_the_inverse_of_unshuffle_and_orders_as_said() -> None:
    x = np.random.default_rng(0).random((2, 6, 9, 5)).astype(np.float32)
    folded = np.asarray(PixelUnshuffle(3)(x))
    assert folded.shape == (2, 2, 3, 45)
    assert np.array_equal(folded[1, 1, 2, (1 * 3 + 2) * 5 + 4], x[1, 4, 8, 4])
    assert np.array_equal(np.asarray(PixelShuffle(3)(folded)), x)
    # PyTorch keeps the r*r places of one channel together.
    theirs = x.reshape(2, 2, 3, 3, 3, 5).transpose(0, 1, 3, 5, 2, 4).reshape(2, 2, 3, 45)
    assert np.array_equal(theirs[..., shuffle_order(3, 5)], folded)


def test_fresh_network_starts_from_the_enlarged_input() -> None:
    model = build_srvgg(scale=2, features=4, convs=2)
    model.get_layer("body.6").kernel.assign(np.zeros(model.get_layer("body.6").kernel.shape))
    x = np.random.default_rng(0).random((1, 4, 4, 3)).astype(np.float32)
    assert np.array_equal(np.asarray(model(x)), x.repeat(2, 1).repeat(2, 2))
