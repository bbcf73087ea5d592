"""The predictor gives what the plain networks give, however many faces come at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.detect import predictor as predictor_module
from ml.detect.crops import Crops
from ml.detect.folding import NotFoldable, fold
from ml.detect.predictor import Predictor
from ml.networks.detectors import logit

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from ml.detect.check import Checker


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


def test_an_unknown_layer_is_called_as_keras_has_it() -> None:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.SeparableConv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    batch = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    served = Predictor({"other": model}).logits(batch)
    assert np.abs(served - np.asarray(model(batch / np.float32(255.0)))).max() < 1e-5


def test_a_layer_that_is_used_twice_is_served_unfolded() -> None:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((16, 16, 3))
    twice = keras.layers.Conv2D(3, 3, padding="same")
    x = keras.layers.GlobalAveragePooling2D()(twice(twice(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    with pytest.raises(NotFoldable, match="used 2 times"):
        fold(model)
    batch = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    assert np.abs(Predictor({"a": model}).logits(batch) - np.asarray(model(batch / np.float32(255.0)))).max() < 1e-5


def test_batch_norm_behind_and_before_every_kind_of_neighbour() -> None:
    import keras

    keras.utils.set_random_seed(2)
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)  # goes into the kernel
    y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = keras.layers.BatchNormalization(scale=False)(y)  # stands behind an activation
    x = keras.layers.Add()([x, y])
    pooled = keras.layers.MaxPooling2D(2)(keras.layers.BatchNormalization(center=False)(x))
    x = keras.layers.Conv2D(4, 1)(x)
    x = keras.layers.Concatenate()([keras.layers.Flatten()(pooled), keras.layers.Flatten()(x)])
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    rng = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            few = [rng.normal(size=4) for _ in layer.get_weights()[:-1]]
            layer.set_weights([*few, rng.uniform(0.2, 2, 4)])
    batch = rng.random((4, 16, 16, 3), dtype=np.float32)
    assert np.abs(np.asarray(fold(model)(batch)) - np.asarray(model(batch))).max() < 1e-5


def test_detectors_of_several_views_and_outputs_run_as_one(full_checker: Checker) -> None:
    served = full_checker.predictor
    assert [(view.share, view.size) for view in served.views] == [(1.2, 256), (1.2, 128)]
    random = np.random.default_rng(4)
    crops = Crops({v: random.integers(0, 256, (5, v.size, v.size, 3), dtype=np.uint8) for v in served.views})
    look = served.look(crops)
    assert look.logits.shape == (5, 4)
    assert look.boundary is not None
    assert look.boundary.shape == (5, 32, 32)
    for column, name in enumerate(served.names):
        answer = served.models[name](crops.stacks[served.view[name]] / np.float32(255), training=False)
        plain = np.asarray(logit(answer))[:, 0]
        assert look.logits[:, column] == pytest.approx(plain, rel=1e-3, abs=1e-3 * np.abs(plain).max())
        if name == "boundary":
            seam = 0.5 + 0.5 * np.tanh(0.5 * np.asarray(answer["boundary"], np.float64)[..., 0])
            assert np.abs(look.boundary - seam).max() < 0.01
    with pytest.raises(ValueError, match="several ways"):
        served.logits(crops.shown)
    none = served.look(crops[:0])
    assert none.logits.shape == (0, 4)


def test_chunks_do_not_show(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = crops(7)
    whole = predictor.logits(batch)
    monkeypatch.setattr(predictor_module, "CHUNK", 3)
    assert np.abs(predictor.logits(batch) - whole).max() < 1e-4
