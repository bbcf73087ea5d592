"""StyleGAN2's generator answers as the authors' does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.stylegan2 import StyleGAN2, channels_at
from ml.networks.stylegan2_layers import enlarged
from tests.ml import reference_vectors as vectors
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from pathlib import Path

FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16  # with the gain of an enlargement, as it is saved
TOLERANCE = 1e-3  # largest difference over the deviation; measured: 2e-5


@vectors.needs_vectors
def test_agrees_with_the_authors(tmp_path: Path) -> None:
    arrays, state = vectors.arrays("stylegan2_open.npz"), {}
    for name, shape in vectors.names("stylegan2_names.json").items():
        drawn = vectors.rule().draw_stylegan2(name, tuple(shape), vectors.SALT)
        state[name] = FIR if drawn is None else drawn.astype(np.float32)
    tree = Plain({"g_ema": state, "latent_avg": arrays["truncation_latent"][0]})
    model = read_checkpoint("stylegan2", write_legacy(tmp_path / "x.pt", tree))
    assert model.size == 256 and np.array_equal(model.latent_average, arrays["truncation_latent"])
    w = model.mapping(arrays["z"])
    assert vectors.difference(w, arrays["w"]) < TOLERANCE
    picture = np.asarray(model.synthesis(w))
    assert vectors.difference(picture[:, ::2, ::2], arrays["image_every_2nd"]) < TOLERANCE
    truncated = np.asarray(model.synthesis(model.truncated(w, 0.7, model.latent_average)))
    assert vectors.difference(truncated[:, ::4, ::4], arrays["truncated_every_4th"]) < TOLERANCE


def small_state(size: int = 16, width: int = 8, style: int = 6, layers: int = 3) -> dict[str, np.ndarray]:
    """A made-up generator in the ports' names."""
    shapes: dict[str, tuple[int, ...]] = {"input.input": (1, width, 4, 4), "noises.noise_0": (1, 1, 4, 4)}
    for index in range(1, layers + 1):
        shapes |= {f"style.{index}.weight": (style, style), f"style.{index}.bias": (style,)}
    convs, colours = ["conv1"], ["to_rgb1"]
    side, index = 8, 0
    while side <= size:
        convs += [f"convs.{index}", f"convs.{index + 1}"]
        colours.append(f"to_rgbs.{index // 2}")
        shapes |= {f"noises.noise_{index + 1}": (1, 1, side, side), f"noises.noise_{index + 2}": (1, 1, side, side)}
        side, index = 2 * side, index + 2
    for name in convs:
        shapes |= {f"{name}.conv.weight": (1, width, width, 3, 3), f"{name}.noise.weight": (1,)}
        shapes[f"{name}.activate.bias"] = (width,)
    for name in colours:
        shapes |= {f"{name}.conv.weight": (1, 3, width, 1, 1), f"{name}.bias": (1, 3, 1, 1)}
    for name in convs + colours:
        shapes |= {f"{name}.conv.modulation.weight": (width, style), f"{name}.conv.modulation.bias": (width,)}
    random = np.random.default_rng(1)
    state = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    return state | {"convs.0.conv.blur.kernel": FIR, "to_rgbs.0.upsample.kernel": FIR}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.pt"


def test_small_generators_are_the_same_code(path: Path) -> None:
    model = read_checkpoint("stylegan2", write_zip(path, Plain({"g_ema": small_state()})))
    assert (model.size, model.style, model.styles, len(model.mapping_layers)) == (16, 6, 6, 3)
    z = np.random.default_rng(0).standard_normal((3, 6)).astype(np.float32)
    pictures = np.asarray(model(z))
    assert pictures.shape == (3, 16, 16, 3) and pictures.std() > 0.1
    assert np.allclose(pictures[1:2], np.asarray(model(z[1:2])), atol=1e-4)  # styles of a batch do not mix
    w = np.asarray(model.mapping(z))
    assert np.allclose(np.asarray(model.synthesis(np.repeat(w[:, None], 6, axis=1))), pictures, atol=1e-5)
    mean = model.mean_style(64)
    assert mean.shape == (1, 6) and np.allclose(np.asarray(model.truncated(w, 0.0, mean)), mean, atol=1e-6)
    assert np.allclose(np.asarray(model.truncated(w, 1.0, mean)), w, atol=1e-5)


def test_noise_and_wrong_inputs(path: Path) -> None:
    model = read_checkpoint("stylegan2", write_zip(path, small_state()))
    w = np.ones((1, 6), np.float32)
    sides = [4, 8, 8, 16, 16]
    silent = model.synthesis(w, [np.zeros((1, side, side, 1), np.float32) for side in sides])
    assert np.abs(np.asarray(silent) - np.asarray(model.synthesis(w))).max() > 0.1
    with pytest.raises(ValueError, match="5 noises are needed"):
        model.synthesis(w, [None])
    with pytest.raises(ValueError, match="styles must be"):
        model.synthesis(np.ones((1, 5), np.float32))
    with pytest.raises(ValueError, match="power of two"):
        StyleGAN2(100)


def test_channels_as_published() -> None:
    sides = (4, 32, 64, 128, 256, 512, 1024)
    assert [channels_at(side, 2) for side in sides] == [512, 512, 512, 256, 128, 64, 32]


def test_enlarging_keeps_a_constant_and_the_sum() -> None:
    flat = np.asarray(enlarged(np.ones((1, 5, 6, 2), np.float32)))
    assert flat.shape == (1, 10, 12, 2) and np.allclose(flat[:, 2:-2, 2:-2], 1)
    point = np.zeros((1, 5, 5, 1), np.float32)
    point[0, 2, 2] = 1
    assert np.isclose(np.asarray(enlarged(point)).sum(), 4)


FAULTS = {
    "an entry is missing": r"lacks noises\.noise_2",
    "a shape is wrong": r"convs\.1\.conv\.weight has the shape",
    "an entry too many": r"such as convs\.0\.extra",
    "another filter": r"another filter than \[1, 3, 3, 1\]",
    "convolutions in odd number": "are no StyleGAN2",
    "no mapping": r"lacks style\.1\.bias",
    "not finite": "not finite",
    "a million features": r"100000 channels at 4 pixels",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_checkpoints_are_refused_by_name(path: Path, fault: str) -> None:
    state = small_state()
    if fault == "an entry is missing":
        del state["noises.noise_2"]
    elif fault == "a shape is wrong":
        state["convs.1.conv.weight"] = state["convs.1.conv.weight"][..., :1]
    elif fault == "an entry too many":
        state["convs.0.extra"] = np.ones(2, np.float32)
    elif fault == "another filter":
        state["convs.0.conv.blur.kernel"] = np.ones((4, 4), np.float32)
    elif fault == "convolutions in odd number":
        state["convs.4.conv.weight"] = state["convs.3.conv.weight"]
    elif fault == "no mapping":
        state = {name: value for name, value in state.items() if not name.startswith("style.")}
    elif fault == "not finite":
        state["to_rgb1.bias"] = np.full((1, 3, 1, 1), np.inf, np.float32)
    elif fault == "a million features":
        state["conv1.activate.bias"] = np.zeros(100_000, np.float32)
    with pytest.raises(CheckpointError, match=rf"x\.pt: .*{FAULTS[fault]}"):
        read_checkpoint("stylegan2", write_zip(path, state))
