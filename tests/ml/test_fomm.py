"""The First Order Motion Model answers as its authors' implementation does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from keras import ops

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.fomm import SLIM_128, SLIMMER_128, FirstOrderMotion, Keypoints, MotionConfig, normalise
from ml.networks.fomm.blocks import gaussian_kernel
from ml.networks.fomm.geometry import Warp, coordinate_grid, inverse_2x2
from ml.networks.fomm.keypoints import hull_area
from tests.ml import reference_vectors as vectors
from tests.ml.fomm_states import TINY, torch_states
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from pathlib import Path

    from ml.networks.fomm import Generated


def authors_checkpoint() -> Plain:
    """The weights behind the vectors, as the authors save them."""
    states: dict[str, dict[str, np.ndarray]] = {"generator": {}, "kp_detector": {}}
    for name, shape in vectors.names("fomm_names.json").items():
        if name.endswith("num_batches_tracked"):
            value = np.array(7)
        elif name.endswith("down.weight"):
            value = np.tile(gaussian_kernel(4), (3, 1, 1, 1))
        else:
            value = vectors.rule().draw(name, tuple(shape), vectors.SALT).astype(np.float32)
        part, _, rest = name.partition(".")
        states[part][rest] = value
    optimizer = Plain({"state": Plain({}), "param_groups": [Plain({"lr": 2e-4, "betas": (0.5, 0.999)})]})
    return Plain({**states, "optimizer_generator": optimizer, "epoch": 97})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FirstOrderMotion:
    path = tmp_path_factory.mktemp("fomm") / "vox-cpk.pth.tar"
    read = read_checkpoint("fomm", write_legacy(path, authors_checkpoint()))
    path.unlink()
    assert isinstance(read, FirstOrderMotion)
    return read


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return vectors.arrays("fomm_open.npz")


@pytest.fixture(scope="module")
def keypoints(model: FirstOrderMotion, arrays: dict[str, np.ndarray]) -> dict[str, Keypoints]:
    return {name: model.keypoints(arrays[name]) for name in ("source", "driving", "driving_initial")}


@pytest.fixture(scope="module")
def generated(model: FirstOrderMotion, arrays: dict[str, np.ndarray], keypoints: dict[str, Keypoints]) -> Generated:
    return model.explain(arrays["source"], keypoints["source"], keypoints["driving"])


@vectors.needs_vectors
class TestAgainstTheAuthors:
    """Largest absolute difference over the standard deviation of the authors' answer."""

    def test_sizes(self, model: FirstOrderMotion) -> None:
        counts = {"keypoint_detector": 14_215_368, "dense_motion": 37_730_268, "generator": 7_845_123}
        assert model.count_params() == counts

    @pytest.mark.parametrize("name", ["source", "driving"])
    def test_keypoints(self, arrays: dict[str, np.ndarray], keypoints: dict[str, Keypoints], name: str) -> None:
        assert vectors.difference(keypoints[name].value, arrays[f"{name}_keypoints"]) < 1e-3
        assert vectors.difference(keypoints[name].jacobian, arrays[f"{name}_jacobians"]) < 1e-3

    def test_relative_motion(self, arrays: dict[str, np.ndarray], keypoints: dict[str, Keypoints]) -> None:
        moved = FirstOrderMotion.normalise(keypoints["source"], keypoints["driving"], keypoints["driving_initial"])
        assert vectors.difference(moved.value, arrays["normalized_keypoints"]) < 1e-3
        assert vectors.difference(moved.jacobian, arrays["normalized_jacobians"]) < 1e-3

    def test_flow(self, arrays: dict[str, np.ndarray], generated: Generated) -> None:
        assert vectors.difference(generated.mask.mean((1, 2)), arrays["mask_mean"]) < 1e-3
        assert vectors.difference(generated.occlusion, arrays["occlusion"]) < 5e-3
        assert vectors.difference(generated.deformed[:, ::4, ::4], arrays["deformed"]) < 5e-3

    def test_picture(self, arrays: dict[str, np.ndarray], generated: Generated) -> None:
        assert vectors.difference(generated.prediction, arrays["prediction"]) < 5e-3

    def test_picture_by_relative_motion(
        self, model: FirstOrderMotion, arrays: dict[str, np.ndarray], keypoints: dict[str, Keypoints]
    ) -> None:
        moved = model.normalise(keypoints["source"], keypoints["driving"], keypoints["driving_initial"])
        picture = model.generate(arrays["source"], keypoints["source"], moved)
        assert vectors.difference(picture, arrays["prediction_relative"]) < 5e-3


@pytest.fixture(scope="module")
def tiny() -> FirstOrderMotion:
    return FirstOrderMotion(TINY)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).random((3, 64, 64, 3)).astype(np.float32)


def test_any_size_goes_through_a_checkpoint_and_back(
    tmp_path: Path, tiny: FirstOrderMotion, pictures: np.ndarray
) -> None:
    back = read_checkpoint("fomm", write_zip(tmp_path / "x.pth", Plain(torch_states(tiny))), size=64)
    assert back.config == TINY
    ours, theirs = tiny.keypoints(pictures), back.keypoints(pictures)
    assert np.array_equal(ours.value, theirs.value) and np.array_equal(ours.jacobian, theirs.jacobian)
    answer = back.generate(pictures[:1], Keypoints(ours.value[:1], ours.jacobian[:1]), ours)
    assert answer.shape == (3, 64, 64, 3)
    expected = tiny.generate(pictures[:1], Keypoints(ours.value[:1], ours.jacobian[:1]), ours)
    assert np.array_equal(answer, expected)


def test_one_source_and_many_frames_is_the_same_as_one_by_one(tiny: FirstOrderMotion, pictures: np.ndarray) -> None:
    found = tiny.keypoints(pictures)
    source = Keypoints(found.value[:1], found.jacobian[:1])
    features = tiny.source_features(pictures[:1])
    together = tiny.generate(pictures[:1], source, found, features=features)
    for index in range(3):
        one = Keypoints(found.value[index : index + 1], found.jacobian[index : index + 1])
        alone = tiny.generate(pictures[:1], source, one)
        assert np.allclose(together[index], alone[0], atol=1e-5)
    with pytest.raises(ValueError, match="2 sources cannot be moved to 3"):
        tiny.generate(pictures[:2], source, found)
    with pytest.raises(ValueError, match=r"pictures must be \(N, 64, 64, 3\)"):
        tiny.keypoints(np.zeros((1, 32, 64, 3), np.float32))


def test_a_fresh_detector_starts_from_identity_jacobians(tiny: FirstOrderMotion, pictures: np.ndarray) -> None:
    assert np.allclose(tiny.keypoints(pictures).jacobian, np.eye(2), atol=1e-6)


def test_no_motion_leaves_the_source_where_it_is(tiny: FirstOrderMotion) -> None:
    ramp = np.tile(coordinate_grid(64, 64)[None, :, :, [0, 1, 1]] / 2 + 0.5, (2, 1, 1, 1))
    found = tiny.keypoints(ramp)
    still = tiny.explain(ramp, found, found)
    # The flow has half the side, and resizing it moves its ends by up to half a pixel of 63.
    assert np.abs(still.deformed - ramp).max() < 0.6 / 63
    assert np.abs(still.deformation - coordinate_grid(32, 32)).max() < 1e-5
    assert np.allclose(still.mask.sum(-1), 1, atol=1e-5)


def test_slim_sizes_are_the_same_code() -> None:
    for config, millions in ((SLIM_128, 7.9), (SLIMMER_128, 2.5)):
        total = sum(FirstOrderMotion(config).count_params().values())
        assert round(total / 1e6, 1) == millions
    with pytest.raises(ValueError, match="cannot be halved"):
        MotionConfig(size=200)
    with pytest.raises(ValueError, match="too few"):
        MotionConfig(size=16, shrink=4, levels=2)


FAULTS = {
    "no generator": "no generator and kp_detector",
    "an entry is missing": r"lacks hourglass\.decoder\.up_blocks\.1\.norm\.running_var",
    "a shape is wrong": r"final\.weight has the shape",
    "an entry too many": r"such as extra\.weight",
    "another depth": "differ in depth|numbered",
    "an odd kernel": "shrunk by a kernel of 7",
    "not finite": "not finite",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_checkpoint_is_refused_by_name(tmp_path: Path, tiny: FirstOrderMotion, fault: str) -> None:
    states = torch_states(tiny)
    generator, detector = states["generator"], states["kp_detector"]
    if fault == "no generator":
        del states["generator"]
    elif fault == "an entry is missing":
        del generator["dense_motion_network.hourglass.decoder.up_blocks.1.norm.running_var"]
    elif fault == "a shape is wrong":
        generator["final.weight"] = generator["final.weight"][:, :, :5, :5]
    elif fault == "an entry too many":
        generator["extra.weight"] = np.ones(3, np.float32)
    elif fault == "another depth":
        generator["dense_motion_network.hourglass.encoder.down_blocks.2.conv.weight"] = np.ones(
            (8, 8, 3, 3), np.float32
        )
    elif fault == "an odd kernel":
        detector["down.weight"] = np.ones((3, 1, 7, 7), np.float32)
    elif fault == "not finite":
        detector["kp.bias"] = np.full(3, np.inf, np.float32)
    path = write_zip(tmp_path / "broken.pth.tar", Plain({**states, "epoch": 1}))
    with pytest.raises(CheckpointError, match=rf"broken\.pth\.tar: .*({FAULTS[fault]})"):
        read_checkpoint("fomm", path, size=64)


def test_a_size_that_does_not_fit_the_networks(tmp_path: Path, tiny: FirstOrderMotion) -> None:
    path = write_zip(tmp_path / "x.pth", Plain(torch_states(tiny)))
    with pytest.raises(CheckpointError, match="cannot be halved"):
        read_checkpoint("fomm", path, size=30)


def test_relative_motion_by_hand() -> None:
    square = np.array([[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [0, 0]]], np.float32)
    eye = np.tile(np.eye(2, dtype=np.float32), (1, 5, 1, 1))
    source, start = Keypoints(square, 2 * eye), Keypoints(square / 2, 4 * eye)
    driving = Keypoints(square / 2 + 0.1, 8 * eye)
    moved = normalise(source, driving, start)
    assert np.allclose(moved.value, square + 0.2, atol=1e-6)  # the source is twice as large
    assert np.allclose(moved.jacobian, 4 * eye)
    plain = normalise(source, driving, start, adapt_scale=False)
    assert np.allclose(plain.value, square + 0.1, atol=1e-6)
    absolute = normalise(source, driving, start, relative=False, relative_jacobian=False)
    assert np.allclose(absolute.value, driving.value) and np.allclose(absolute.jacobian, driving.jacobian)
    line = Keypoints(np.linspace(0, 1, 10, dtype=np.float32).reshape(1, 5, 2), eye)
    assert np.isfinite(normalise(source, line, line).value).all()


def test_hull_area() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [1, 1], [1, 0], [0.5, 1.5]], float)
    assert hull_area(square) == 4
    assert hull_area(square[[0, 4, 2]]) == 0 and hull_area(square[:2]) == 0 and hull_area(square[[3, 3, 3]]) == 0


def test_warp() -> None:
    picture = np.random.default_rng(0).random((2, 5, 7, 3)).astype(np.float32)
    grid = np.tile(coordinate_grid(5, 7), (2, 1, 1, 1))
    assert np.allclose(np.asarray(Warp()([picture, grid])), picture, atol=1e-5)
    halfway = np.asarray(Warp()([picture, grid + np.array([1 / 6, 0], np.float32)]))
    assert np.allclose(halfway[:, :, :-1], (picture[:, :, 1:] + picture[:, :, :-1]) / 2, atol=1e-5)
    assert np.allclose(halfway[:, :, -1], picture[:, :, -1] / 2, atol=1e-5)  # the other half lies outside: zero
    for nowhere in (3.0, -9.0, np.inf, -np.inf, np.nan):
        assert np.array_equal(np.asarray(Warp()([picture, np.full_like(grid, nowhere)])), np.zeros_like(picture))


def test_inverse() -> None:
    matrices = np.random.default_rng(0).standard_normal((4, 3, 2, 2)).astype(np.float32)
    inverted = np.asarray(ops.convert_to_numpy(inverse_2x2(matrices)))
    assert np.allclose(inverted @ matrices, np.eye(2), atol=1e-3)
