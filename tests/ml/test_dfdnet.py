"""DFDNet answers as its authors' implementation does, whatever form its files come in."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.dfdnet import DFDNET_512, PARTS, DFDNet, DFDNetConfig
from ml.networks.dfdnet.component_dictionary import ComponentDictionary, _nearest
from tests.ml import reference_vectors as vectors
from tests.ml.torch_state import spectral, state_of
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from pathlib import Path

TINY = DFDNetConfig.of(256, 1)
MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
PLACES = np.array([[70, 90, 110, 130], [140, 88, 185, 131], [110, 120, 141, 160], [90, 165, 170, 220]], np.float32)

Entries = dict[tuple[int, str], np.ndarray]


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    """A made-up network of one feature, under spectral normalisation where the authors have it."""
    model = DFDNet(TINY, entries=1)
    state = {"vgg_extractor.mean": MEAN, "vgg_extractor.std": DEVIATION} | state_of(model)
    random = np.random.default_rng(7)
    for name in [name for name in state if name.endswith("weight")]:
        shape = state[name].shape
        state[name] = (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        plain = name.startswith("vgg_extractor") or ".body." in name or name == "upsample4.4.weight"
        if not plain:
            spectral(state, name)
    return state


@pytest.fixture(scope="module")
def entries() -> Entries:
    random = np.random.default_rng(4)
    answer: Entries = {}
    for scale in TINY.scales:
        for part in PARTS:
            side = TINY.entry_side(scale, part)
            shape = (3, TINY.channels(scale), side, side)
            answer[scale, part] = random.standard_normal(shape).astype(np.float32)
    return answer


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (2, 256, 256, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, state: dict[str, np.ndarray], entries: Entries) -> DFDNet:
    path = write_zip(tmp_path_factory.mktemp("dfdnet") / "net.pth", Plain({"params": state, "dict": tables(entries)}))
    read = read_checkpoint("dfdnet", path, size=256)
    assert isinstance(read, DFDNet)
    return read


@pytest.fixture(scope="module")
def restored(model: DFDNet, faces: np.ndarray) -> np.ndarray:
    answer = np.asarray(model(faces[:1], PLACES))
    assert 0.005 < answer.std() < 0.5  # neither faded out nor clipped by the tanh: differences would not show
    return answer


def tables(entries: Entries) -> Plain:
    """Arrange entries as BasicSR's dictionary file."""
    scales = sorted({scale for scale, _ in entries}, reverse=True)
    parts = {scale: [part for have, part in entries if have == scale] for scale in scales}
    return Plain({str(scale): Plain({part: entries[scale, part] for part in parts[scale]}) for scale in scales})


def authors_name(name: str) -> str:
    """Turn BasicSR's name of an entry into the authors' own."""
    vgg = [index for index, letter in enumerate("crcrp" * 2 + "crcrcrcrp" * 3) if letter == "c"]
    convs = [f"conv{block}_{i}" for block, count in enumerate((2, 2, 4, 4, 4), 1) for i in range(1, count + 1)]
    name = name.replace("vgg_extractor.mean", "VggExtract.RGB_mean").replace("vgg_extractor.std", "VggExtract.RGB_std")
    if match := re.match(r"vgg_extractor\.vgg_net\.(conv\d_\d)\.(.*)", name):
        return f"VggExtract.model.features.{vgg[convs.index(match[1])]}.{match[2]}"
    for part, short in zip(PARTS, ("le", "re", "no", "mo"), strict=True):
        name = name.replace(f"attn_blocks.{part}_", f"{short}_")
    if match := re.match(r"multi_scale_dilation\.conv_blocks\.(\d)\.(.*)", name):
        return f"MSDilate.conv{int(match[1]) + 1}.{match[2]}"
    name = name.replace("multi_scale_dilation.conv_fusion", "MSDilate.convi").replace("upsample", "up")
    return name.replace("scale_block", "ScaleModel1").replace("shift_block", "ShiftModel1").replace("body", "Model")


@vectors.needs_vectors
def test_agrees_with_the_authors(tmp_path: Path) -> None:
    rule, named, arrays = vectors.rule(), vectors.names("dfdnet_names.json"), vectors.arrays("dfdnet_open.npz")
    state: dict[str, np.ndarray] = {"vgg_extractor.mean": MEAN, "vgg_extractor.std": DEVIATION}
    for name, shape in named["state_dict"].items():
        if name.endswith("weight_orig"):
            base = name.removesuffix("_orig")
            drawn = rule.draw_spectral(base, tuple(shape), vectors.SALT)
            state |= {f"{base}{suffix}": value for suffix, value in drawn.items()}
        elif name not in state and not name.endswith(("weight_u", "weight_v")):
            state[name] = rule.draw(name, tuple(shape), vectors.SALT).astype(np.float32)
    dictionary = {
        scale: Plain(
            {part: rule.draw_dictionary(int(scale), part, tuple(shape), vectors.SALT) for part, shape in table.items()}
        )
        for scale, table in named["dictionary"].items()
    }
    write_zip(tmp_path / "DFDNet_dict_512.pth", Plain(dictionary))
    model = read_checkpoint("dfdnet", write_legacy(tmp_path / "DFDNet_official.pth", Plain({"params": state})))
    assert model.config == DFDNET_512
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert round(trained / 1e6, 1) == 93.3
    answer = np.asarray(model(arrays["input"].astype(np.float32), arrays["part_locations"]))
    assert vectors.difference(answer[:, ::2, ::2], arrays["output_every_2nd"]) < 5e-3


FORMS = ("a .pth beside", "a .npz beside", "rows in .npy beside", "the authors' folders", "named", "a folder with both")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_files_reads_to_the_same_network(
    tmp_path: Path, form: str, state: dict[str, np.ndarray], entries: Entries, faces: np.ndarray, restored: np.ndarray
) -> None:
    path, options = tmp_path / "net_G.pth", {}
    if form == "a .pth beside":
        write_zip(tmp_path / "DFDNet_dict_512.pth", tables(entries))
    elif form == "a .npz beside":
        np.savez(tmp_path / "dictionary.npz", **{f"{scale}/{part}": value for (scale, part), value in entries.items()})
    elif form == "rows in .npy beside":
        for (scale, part), value in entries.items():
            np.save(tmp_path / f"{part}_{scale}_center.npy", value.reshape(3, -1))
    elif form == "the authors' folders":
        state = {authors_name(name): value for name, value in state.items()}
        state["VggExtract.model.classifier.0.bias"] = np.zeros(5, np.float32)
        path = tmp_path / "checkpoints" / "facefh_dictionary" / "latest_net_G.pth"
        path.parent.mkdir(parents=True)
        (tmp_path / "DictionaryCenter512").mkdir()
        for (scale, part), value in entries.items():
            np.save(tmp_path / "DictionaryCenter512" / f"{part}_{scale}_center.npy", value)
    elif form == "named":
        (tmp_path / "elsewhere").mkdir()
        options["dictionary"] = write_legacy(tmp_path / "elsewhere" / "parts.pth", tables(entries))
    else:
        write_zip(tmp_path / "parts.dict.pth", tables(entries))
    write_legacy(path, state if form == "the authors' folders" else Plain({"params": state}))
    read = read_checkpoint("dfdnet", tmp_path if form == "a folder with both" else path, size=256, **options)
    assert np.allclose(np.asarray(read(faces[:1], PLACES)), restored, atol=1e-5)


def test_faces_of_a_batch_have_places_of_their_own(model: DFDNet, faces: np.ndarray, restored: np.ndarray) -> None:
    moved = PLACES + 9
    both = np.asarray(model([faces, np.stack([PLACES, moved])]))
    assert np.allclose(both[:1], restored, atol=1e-5)
    assert np.allclose(both[1:], np.asarray(model(faces[1:], moved)), atol=1e-5)


def test_the_dictionary_matters_only_around_the_parts(model: DFDNet, faces: np.ndarray, restored: np.ndarray) -> None:
    nowhere = np.tile(np.array([300, 300, 400, 400], np.float32), (4, 1))
    plain = np.asarray(model(faces[:1], nowhere))
    changed = np.abs(plain - restored).max(-1)[0]
    # Ten times what the comparisons of this file let pass.
    assert changed[90:220, 70:185].max() > 1e-4 and changed[:8].max() < changed.max() / 20
    empty = np.asarray(model(faces[:1], np.zeros((4, 4), np.float32)))
    assert np.array_equal(empty, plain)
    # A part that reaches over the edge is cut at the edge.
    over = np.asarray(model(faces[:1], np.array([[-40, -40, 40, 40], *nowhere[1:]], np.float32)))
    cut = np.asarray(model(faces[:1], np.array([[0, 0, 40, 40], *nowhere[1:]], np.float32)))
    assert np.array_equal(over, cut)


def test_wrong_inputs(model: DFDNet, faces: np.ndarray) -> None:
    with pytest.raises(ValueError, match="faces must be"):
        model(faces[:, :128], PLACES)
    with pytest.raises(ValueError, match="part locations must be"):
        model(faces, PLACES[:3])


def test_dictionary_takes_the_likest_entry_in_the_crops_statistics() -> None:
    random = np.random.default_rng(0)
    raw = random.standard_normal((5, 6, 6, 3)).astype(np.float32) * 3 + 1
    layer = ComponentDictionary(5, 6, 3)
    layer.set_entries(raw)
    crop = raw[3:4] * 0.5 + 7 + 0.05 * random.standard_normal((1, 6, 6, 3)).astype(np.float32)
    answer = np.asarray(layer(crop))
    assert np.allclose(answer, raw[3:4] * 0.5 + 7, atol=0.2)
    assert np.allclose(answer.mean((1, 2)), crop.mean((1, 2)), atol=1e-4)
    assert np.asarray(layer(np.tile(crop, (1, 2, 1, 1)))).shape == (1, 12, 6, 3)


def test_nearest_as_in_pytorch() -> None:
    assert _nearest(4, 6).tolist() == [0, 0, 1, 2, 2, 3] and _nearest(5, 2).tolist() == [0, 2]


BROKEN = {
    "a part is missing": r"lacks mouth at 32 pixels",
    "a shape is wrong": r"nose at 64 pixels has the shape \(3, 4, 5, 6\), not",
    "not finite": "not finite",
    "words": "not finite numbers",
    "no dictionary": "no dictionary of facial components lies in it or beside it",
    "a pickled array": "cannot be read",
    "a cut-off array": "cannot be read",
    "zeros for a spectral norm": "spectral norm of upsample4.0.weight is 0.0",
    "vectors of the wrong length": "vectors of the wrong length",
    "an entry too many": "such as extra.bias",
    "a hundred thousand features": "no convolution of such a network",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_files_are_refused_by_name(
    tmp_path: Path, fault: str, state: dict[str, np.ndarray], entries: Entries
) -> None:
    state, entries, victim = dict(state), dict(entries), tmp_path / "victim"
    if fault == "a part is missing":
        del entries[32, "mouth"]
    elif fault == "a shape is wrong":
        entries[64, "nose"] = np.zeros((3, 4, 5, 6), np.float32)
    elif fault == "not finite":
        entries[64, "nose"] = np.full_like(entries[64, "nose"], np.nan)
    elif fault == "words":
        entries[64, "nose"] = np.full(entries[64, "nose"].shape, "a")
    elif fault == "zeros for a spectral norm":
        state["upsample4.0.weight_u"] = np.zeros_like(state["upsample4.0.weight_u"])
    elif fault == "vectors of the wrong length":
        state["upsample4.0.weight_u"] = np.ones(7, np.float32)
    elif fault == "an entry too many":
        state["extra.bias"] = np.ones(1, np.float32)
    elif fault == "a hundred thousand features":
        state["vgg_extractor.vgg_net.conv1_1.weight"] = np.zeros((100_000, 3, 3, 3), np.float32)
    if fault != "no dictionary":
        for (scale, part), value in entries.items():
            np.save(tmp_path / f"{part}_{scale}_center.npy", value)
    if fault == "a pickled array":
        np.save(tmp_path / "nose_64_center.npy", np.array([Touch(victim)], object), allow_pickle=True)
    elif fault == "a cut-off array":
        file = tmp_path / "nose_64_center.npy"
        file.write_bytes(file.read_bytes()[:-20])
    path = write_zip(tmp_path / "net.pth", Plain({"params": state}))
    with pytest.raises(CheckpointError, match=BROKEN[fault]):
        read_checkpoint("dfdnet", path, size=256)
    assert not victim.exists()


class Touch:
    """Pickled, it would create a file when read back."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.victim}",)
