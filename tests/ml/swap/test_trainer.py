"""Training learns, can be stopped at any step, and goes on as if it had not been."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.networks.swap.swap_config import Family
from ml.swap.trainer import Recipe, Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork
    from ml.swap.face_set import FaceSet

QUICK = Recipe(steps=40, batch=4, rate=3e-3, look_steps=10, preview_seconds=0.0)


class Stopped(Exception):
    pass


def silent(stage: str, done: int, total: int) -> None:
    assert stage == "train"
    assert 0 <= done <= total


def test_the_loss_falls_and_a_strip_shows_how(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    strips: list[NDArray[np.uint8]] = []
    trainer = Trainer(small_network(), {"a": (faces[:10], faces[10:])}, tmp_path, QUICK)
    history = trainer.train(silent, strips.append)
    assert [look.step for look in history] == [10, 20, 30, 40]
    assert history[-1].loss < 0.8 * history[0].loss
    assert history[-1].val < history[0].val
    assert len(strips) > 2
    assert strips[-1].shape == (2 * 32, 4 * 32, 3)
    assert np.abs(strips[-1][:, :32].astype(int) - strips[-1][:, 64:96]).max() == 0  # without targets: the source again
    with (tmp_path / "history.csv").open(newline="") as file:
        assert [int(line["step"]) for line in csv.DictReader(file)] == [10, 20, 30, 40]


def test_a_run_stopped_anywhere_ends_with_the_weights_of_one_that_was_not(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    recipe = Recipe(steps=12, batch=2, rate=1e-3, last_rate=1e-4, look_steps=4)
    split = {"a": (faces[:10], faces[10:])}
    whole = small_network()
    Trainer(whole, split, tmp_path / "whole", recipe).train(silent)

    def stop_at(step: int) -> Callable[[str, int, int], None]:
        def report(stage: str, done: int, total: int) -> None:
            if done == step:
                raise Stopped

        return report

    for step in (5, 8):
        with pytest.raises(Stopped):
            Trainer(small_network(), split, tmp_path / "parts", recipe).train(stop_at(step))
    parts = small_network()
    last = Trainer(parts, split, tmp_path / "parts", recipe)
    assert last.step == 8
    last.train(silent)
    for name, model in whole.models().items():
        for mine, theirs in zip(model.get_weights(), parts.models()[name].get_weights(), strict=True):
            assert np.allclose(mine, theirs, rtol=0, atol=1e-6), name


def test_frozen_shared_parts_do_not_move(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    network = small_network()
    before = [w for model in network.shared.values() for w in model.get_weights()]
    own = network.own["a"]["decoder"].get_weights()
    recipe = Recipe(steps=2, batch=2, rate=1e-2, freeze_shared=True, look_steps=1)
    Trainer(network, {"a": (faces[:10], faces[10:])}, tmp_path, recipe).train(silent)
    after = [w for model in network.shared.values() for w in model.get_weights()]
    assert all(np.array_equal(x, y) for x, y in zip(before, after, strict=True))
    moved = zip(own, network.own["a"]["decoder"].get_weights(), strict=True)
    assert any(not np.array_equal(x, y) for x, y in moved)


@pytest.mark.parametrize("family", [Family.DF, Family.LIAE])
def test_two_people_learn_at_once_in_either_family(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path, family: Family
) -> None:
    trainer = Trainer(
        small_network(("a", "b"), family),
        {"a": (faces[:5], faces[5:6]), "b": (faces[6:11], faces[11:])},
        tmp_path,
        Recipe(steps=2, batch=2, look_steps=1),
    )
    assert len(trainer.train(silent)) == 2
    assert trainer.strip().shape == (32, 128, 3)


def test_a_run_that_gets_no_better_ends_early(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    recipe = Recipe(steps=50, batch=2, rate=1e-12, look_steps=1, patience=2)
    history = Trainer(small_network(), {"a": (faces[:10], faces[10:])}, tmp_path, recipe).train(silent)
    assert len(history) < 20


def test_what_cannot_be_trained_is_refused(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="none"):
        Trainer(small_network(), {"a": (faces[:0], faces)}, tmp_path, QUICK)
    with pytest.raises(ValueError, match="no part"):
        recipe = Recipe(steps=1, freeze_shared=True)
        Trainer(small_network(("a", "b"), Family.LIAE), {"a": (faces[:5], faces[5:])}, tmp_path, recipe)
