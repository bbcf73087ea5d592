"""The networks are the published ones, and the authors' weights give the authors' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from ml.importers.mesonet import read
from ml.networks.mesonet import build, build_meso4, build_mesoinception4

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("make", "parameters"), [(build_meso4, 27_977), (build_mesoinception4, 28_615)])
def test_the_networks_have_the_published_number_of_trainable_parameters(make: object, parameters: int) -> None:
    model = make()  # type: ignore[operator]
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == parameters
    assert model.input_shape == (None, 256, 256, 3)
    assert model.output_shape == (None, 1)


def test_ours_end_in_a_logit_and_the_authors_in_a_sigmoid() -> None:
    pictures = np.random.default_rng(1).random((3, 256, 256, 3), np.float32)
    for name in ("meso4", "mesoinception4"):
        ours, theirs = build(name), build(name, sigmoid=True)
        theirs.set_weights(ours.get_weights())
        logits = np.asarray(ours(pictures))
        assert np.asarray(theirs(pictures)) == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)
    with pytest.raises(ValueError, match="no such network"):
        build("xception")


def test_the_fused_normalisation_trains_as_the_keras_one_does() -> None:
    from ml.training.fused import FusedBatchNormalization

    random = np.random.default_rng(2)
    for channels in (8, 11):
        inputs = random.normal(3, 2, (4, 9, 7, channels)).astype(np.float32)
        plain, fused = keras.layers.BatchNormalization(), FusedBatchNormalization()
        plain.build(inputs.shape)
        fused.build(inputs.shape)
        weights = [random.normal(1, 0.2, w.shape).astype(np.float32) for w in plain.weights]
        weights[3] = np.abs(weights[3])
        plain.set_weights(weights)
        fused.set_weights(weights)
        expected = np.asarray(plain(inputs, training=True))
        assert np.asarray(fused(inputs, training=True)) == pytest.approx(expected, abs=1e-4)
        # TensorFlow follows the unbiased variance (n / (n - 1)), Keras the biased one: 252 values a channel here.
        for mine, keras_own in zip(fused.get_weights(), plain.get_weights(), strict=True):
            assert mine == pytest.approx(keras_own, rel=1e-3)
        assert np.asarray(fused(inputs)) == pytest.approx(np.asarray(plain(inputs)), abs=2e-2)


EXPECTED = {
    "Meso4_DF": {"df00204": 0.0414, "df01254": 0.0487, "real00240": 0.9897, "real00772": 0.9977},
    "MesoInception_DF": {"df00204": 0.0262, "df01254": 0.0010, "real00240": 1.0, "real00772": 1.0},
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_authors_weights_give_the_authors_answers(name: str, shared_data: Path) -> None:
    folder = shared_data / "reference" / "mesonet"
    if not folder.is_dir():
        pytest.skip(f"the authors' weights are not in {folder}")
    imported = read(folder / f"{name}.h5")
    assert imported.network == ("meso4" if name.startswith("Meso4") else "mesoinception4")
    assert len(imported.sha256) == 64
    for stem, expected in EXPECTED[name].items():
        with Image.open(next(folder.glob(f"**/{stem}.jpg"))) as picture:
            small = picture.convert("RGB").resize((256, 256), Image.Resampling.NEAREST)
        logit = float(np.asarray(imported.model(np.asarray(small, np.float32)[None] / 255))[0, 0])
        # Imported networks answer P(manipulated), the authors' numbers are P(real).
        assert 1 / (1 + np.exp(logit)) == pytest.approx(expected, abs=1e-3)


def test_a_file_that_is_no_mesonet_is_refused_by_name(tmp_path: Path) -> None:
    junk = tmp_path / "junk.h5"
    junk.write_bytes(b"not hdf5 at all")
    with pytest.raises(ValueError, match=r"junk\.h5 is no HDF5 file"):
        read(junk)
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    small.save_weights(tmp_path / "small.weights.h5")
    with pytest.raises(ValueError, match=r"kernels; MesoNet has 6"):
        read(tmp_path / "small.weights.h5")


def test_an_imported_sigmoid_is_turned_at_the_border(tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    authors = build("meso4", sigmoid=True)
    path = tmp_path / "theirs.h5"
    _save_as_keras_2(authors, path)
    pictures = np.random.default_rng(4).random((2, 256, 256, 3), np.float32)
    manipulated = 1 / (1 + np.exp(-np.asarray(read(path).model(pictures))))
    assert manipulated == pytest.approx(1 - np.asarray(authors(pictures)), abs=1e-5)


def _save_as_keras_2(model: keras.Model, path: Path) -> None:
    """Write weights in the layout of the authors' files: a group a layer, its arrays named in attributes."""
    with h5py.File(path, "w") as file:
        layers = [layer for layer in model.layers if layer.weights]
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.1.5"
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights] if layer in layers else []
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name] = weight
