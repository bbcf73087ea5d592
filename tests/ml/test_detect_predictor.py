"""The predictor gives what the plain networks give, however many faces come at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.detect import predictor as predictor_module
from ml.detect.folding import NotFoldable, fold
from ml.detect.predictor import Predictor

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray


def crops(count: int, seed: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 256, 256, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 8, 33])
def test_folded_logits_are_the_plain_networks(
    count: int, predictor: Predictor, random_models: dict[str, keras.Model]
) -> None:
    batch = crops(count)
    plain = np.concatenate(
        [np.asarray(model(batch.astype(np.float32) / 255.0, training=False)) for model in random_models.values()],
        axis=1,
    )
    assert plain.std() > 0 or count == 1
    assert np.abs(predictor.logits(batch) - plain).max() < 1e-4


def test_both_networks_are_folded(random_models: dict[str, keras.Model]) -> None:
    for model in random_models.values():
        fold(model)


def test_a_face_scores_the_same_in_any_company(predictor: Predictor) -> None:
    batch = crops(9)
    alone = np.concatenate([predictor.logits(batch[i : i + 1]) for i in range(9)])
    assert np.abs(predictor.logits(batch) - alone).max() < 1e-4


def test_the_same_batch_gives_the_same_bits(predictor: Predictor) -> None:
    batch = crops(3)
    assert np.array_equal(predictor.logits(batch), predictor.logits(batch))


def test_any_number_of_faces_is_traced_once(random_models: dict[str, keras.Model]) -> None:
    fresh = Predictor({"meso4": random_models["meso4"]})
    for count in (1, 2, 5, 40):
        assert fresh.logits(crops(count)).shape == (count, 1)
    assert fresh._forward.experimental_get_tracing_count() == 1


def test_no_faces_and_wrong_arrays(predictor: Predictor) -> None:
    assert predictor.logits(crops(0)).shape == (0, 2)
    for wrong in (crops(1).astype(np.float32), crops(1)[:, :128], crops(1)[0]):
        with pytest.raises(ValueError, match="expected uint8"):
            predictor.logits(wrong)
    with pytest.raises(ValueError, match="at least one"):
        Predictor({})


def test_an_unknown_layer_is_served_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.SeparableConv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    with pytest.raises(NotFoldable, match="SeparableConv2D"):
        fold(model)
    batch = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    served = Predictor({"other": model}).logits(batch)
    assert np.abs(served - np.asarray(model(batch / np.float32(255.0)))).max() < 1e-5


def test_batch_norm_that_no_pool_follows_and_strided_convolutions() -> None:
    import keras

    keras.utils.set_random_seed(2)
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="valid")(inputs)
    x = keras.layers.BatchNormalization()(x)
    pooled = keras.layers.MaxPooling2D(2)(x)
    both = keras.layers.Concatenate()([keras.layers.Flatten()(pooled), keras.layers.Flatten()(x)])
    model = keras.Model(inputs, keras.layers.Dense(1)(both))
    rng = np.random.default_rng(5)
    model.layers[2].set_weights([rng.normal(size=4), rng.normal(size=4), rng.normal(size=4), rng.uniform(0.2, 2, 4)])
    batch = rng.random((4, 16, 16, 3), dtype=np.float32)
    assert np.abs(np.asarray(fold(model)(batch)) - np.asarray(model(batch))).max() < 1e-5
    strided = keras.Model(inputs, keras.layers.Conv2D(1, 3, strides=2)(inputs))
    with pytest.raises(NotFoldable, match="strided"):
        fold(strided)


def test_chunks_do_not_show(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = crops(7)
    whole = predictor.logits(batch)
    monkeypatch.setattr(predictor_module, "CHUNK", 3)
    assert np.abs(predictor.logits(batch) - whole).max() < 1e-4
