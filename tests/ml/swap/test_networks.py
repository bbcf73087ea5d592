"""The networks have their authors' sizes, and paint what they should in every form."""

from __future__ import annotations

import numpy as np
import pytest

from ml import runtime

runtime.configure()

import keras  # noqa: E402  (the backend is chosen first)

from ml.networks.swap import (  # noqa: E402
    DF_128,
    LIAE_128,
    ORIGINAL_64,
    SWAP_96,
    Family,
    SwapConfig,
    build_swap_network,
)


@pytest.mark.parametrize(
    ("config", "counts"),
    [
        (ORIGINAL_64, {"shared": 69_662_976, "a": 6_199_747, "b": 6_199_747}),
        (DF_128, {"shared": 19_266_432, "a": 19_136_000, "b": 19_136_000}),
        (LIAE_128, {"shared": 68_713_856, "a": 0, "b": 26_249_472}),
    ],
    ids=["original-64", "DF-128", "LIAE-128"],
)
def test_full_size_networks_have_the_published_parameter_counts(
    config: SwapConfig, counts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the shapes are asked for: drawing two hundred million random numbers is not.
    monkeypatch.setattr(
        keras.initializers.GlorotUniform, "__call__", lambda _, shape, dtype: keras.ops.zeros(shape, dtype)
    )
    assert build_swap_network(config).count_params() == counts


def test_the_shipped_network_has_a_decoder_of_about_two_million() -> None:
    counts = build_swap_network(SWAP_96, ("a",)).count_params()
    assert counts["shared"] < 5_000_000
    assert 1_500_000 < counts["a"] < 2_500_000


SMALL = [
    SwapConfig(Family.ORIGINAL, 32, 4, 16, 4),
    SwapConfig(Family.ORIGINAL, 32, 4, 16, 4, mask=4),
    SwapConfig(Family.DF, 64, 4, 16, 4),
    SwapConfig(Family.DF, 64, 4, 16, 4, mask=4),
    SwapConfig(Family.DF, 64, 4, 16, 4, mask=4, doubled=True),
    SwapConfig(Family.DF, 64, 4, 16, 4, mask=4, doubled=True, unfolded=8),
    SwapConfig(Family.LIAE, 32, 4, 16, 4),
    SwapConfig(Family.LIAE, 64, 4, 16, 4, mask=4, doubled=True),
]


@pytest.mark.parametrize("config", SMALL, ids=lambda c: f"{c.family}-{c.size}-{c.mask}-{c.doubled}-{c.unfolded}")
def test_every_form_paints_faces_and_masks_of_its_size(config: SwapConfig) -> None:
    network = build_swap_network(config)
    images = np.random.default_rng(1).random((2, config.size, config.size, 3), np.float32)
    painted = {name: network.paint(images, name) for name in network.identities}
    for face, mask in painted.values():
        assert tuple(face.shape) == (2, config.size, config.size, 3)
        assert 0 <= float(np.min(face)) <= float(np.max(face)) <= 1
        assert (mask is None) is (config.mask is None)
        if mask is not None:
            assert tuple(mask.shape) == (2, config.size, config.size, 1)
    assert not np.allclose(painted["a"].face, painted["b"].face)


def test_identities_share_the_encoder_and_nothing_else() -> None:
    network = build_swap_network(SMALL[3], ("ann", "bob", "cy"))
    assert set(network.models("bob")) == {"encoder", "inter", "bob/decoder"}
    assert len(network.models()) == 5
    with pytest.raises(KeyError):
        network.paint(np.zeros((1, 64, 64, 3), np.float32), "dan")


def test_impossible_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        SwapConfig(Family.DF, 60, 4, 16, 4)
    with pytest.raises(ValueError, match="multiple of 32"):
        SwapConfig(Family.DF, 48, 4, 16, 4, doubled=True)
    with pytest.raises(ValueError, match="doubled"):
        SwapConfig(Family.ORIGINAL, 64, 4, 16, 4, doubled=True)
    with pytest.raises(ValueError, match="at least one"):
        SwapConfig(Family.DF, 64, 0, 16, 4)
    with pytest.raises(ValueError, match="exactly two"):
        build_swap_network(SMALL[6], ("a", "b", "c"))
    with pytest.raises(ValueError, match="each once"):
        build_swap_network(SMALL[2], ("a", "a"))
