"""The trainings learn in seconds, stop and go on exactly, and what they made can be shipped with a card."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from ml.training import natural, restorer, upscaler
from ml.training.restorer_run import best_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UPSCALER = ["--scale", "2", "--batch", "4", "--side", "16", "--features", "8", "--convs", "1", "--rate", "3e-3"]
RESTORER = ["--batch", "8", "--side", "16", "--features", "8", "--blocks", "1", "--rate", "1e-2"]
SCRIPTS = {"upscaler": (upscaler.main, UPSCALER), "restorer": (restorer.main, RESTORER)}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the research data's, of cuts of pictures that come with scikit-image."""
    from skimage import data

    root = tmp_path_factory.mktemp("natural")
    (root / "bsds500").mkdir()
    pictures = [data.astronaut(), data.coffee()[:, :512]]
    for number in range(6):
        cut = pictures[number % 2][40 * number : 40 * number + 120, 100:260]
        name = f"train_{number}.jpg" if number < 4 else f"test_{number}.jpg"
        Image.fromarray(cut).save(root / "bsds500" / name, quality=95)
    return root


def lines(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_short_run_learns_and_a_broken_one_ends_where_a_whole_one_does(
    script: str, photographs: Path, tmp_path: Path
) -> None:
    main, words = SCRIPTS[script]

    def train(name: str, steps: int) -> list[dict[str, str]]:
        out = tmp_path / name
        assert main([*words, "--data", str(photographs), "--out", str(out), "--steps", str(steps), "--look", "20"]) == 0
        return lines(out)

    whole = train("whole", 60)
    assert [line["step"] for line in whole] == ["20", "40", "60"]
    first, last = whole[0], whole[-1]
    if script == "upscaler":
        assert float(last["loss"]) < 0.9 * float(first["loss"])
    else:  # how strong its faults are changes from batch to batch, and the loss with it
        assert float(last["gain"]) > max(0.1, float(first["gain"]))
    # The same run, killed after step 40 and started again, ends with the very same weights.
    import ml.training.restorer_run as running

    plan, stopped = running.Plan.at, [0]

    def once(self: running.Plan, step: int) -> float:
        if step == 40 and not stopped[0]:
            stopped[0] = 1
            raise KeyboardInterrupt
        return plan(self, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.Plan, "at", once)
        with pytest.raises(KeyboardInterrupt):
            train("broken", 60)
    again = train("broken", 60)
    assert [line["loss"] for line in again] == [line["loss"] for line in whole]
    for one, other in zip(best_weights(tmp_path / "whole"), best_weights(tmp_path / "broken"), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert (tmp_path / "broken" / "history.md").read_text().count("From step") == 2


def test_a_folder_of_another_network_is_refused(photographs: Path, tmp_path: Path) -> None:
    data = ["--data", str(photographs), "--out", str(tmp_path), "--steps", "1"]
    upscaler.main([*UPSCALER, *data])
    with pytest.raises(ValueError, match="holds a run of compact_x2"):
        restorer.main([*RESTORER, *data])


def test_the_fourfold_upscaler_can_begin_with_the_twofold_ones_stack(photographs: Path, tmp_path: Path) -> None:
    from ml.networks.compact import build_compact

    upscaler.main([*UPSCALER, "--data", str(photographs), "--out", str(tmp_path), "--steps", "2"])
    model = build_compact(scale=4, features=8, convs=1)
    before = model.get_weights()
    upscaler.take_stack(model, best_weights(tmp_path))
    taken = best_weights(tmp_path)
    same = [np.array_equal(a, b) for a, b in zip(model.get_weights(), taken, strict=False) if a.shape == b.shape]
    assert len(same) == len(before) - 4
    assert all(same)
    with pytest.raises(ValueError, match="another stack"):
        upscaler.take_stack(build_compact(scale=4, features=12, convs=1), taken)


def test_splits_share_no_picture(photographs: Path) -> None:
    names: dict[str, set[str]] = {}
    for number in range(6, 12):
        (photographs / "bsds500" / f"test_{number}.jpg").write_bytes(
            (photographs / "bsds500" / "test_4.jpg").read_bytes()
        )
    for split in natural.SPLITS:
        names[split] = {path.name for path in natural.paths(photographs, split)}
    assert len(names["val"]) == 2
    assert not names["val"] & names["held_out"]
    assert not names["train"] & (names["val"] | names["held_out"])
    with pytest.raises(ValueError, match="no such split"):
        natural.paths(photographs, "test")
    with pytest.raises(FileNotFoundError):
        natural.paths(photographs / "bsds500", "train")


FAULTS: dict[str, Callable[[Any], Any]] = {
    "noise": lambda p: natural.noisy(p, 25, np.random.default_rng(1)),
    "jpeg": lambda p: natural.jpeg(p, 20),
    "blur": lambda p: natural.blurred(p, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_do_what_they_say(name: str, photographs: Path) -> None:
    picture = natural.clean(natural.paths(photographs, "train")[0]).astype(np.float32) / 255
    worse = FAULTS[name](picture)
    assert worse.shape == picture.shape
    assert worse.dtype == np.float32
    difference = worse - picture
    if name == "noise":
        assert float(difference.std() * 255) == pytest.approx(25, rel=0.05)
    else:
        assert 0.005 < np.abs(difference).mean() < 0.1
        assert abs(float(difference.mean())) < 0.01


def test_batches_are_the_same_for_the_same_step_and_aligned_with_their_truth(photographs: Path) -> None:
    files = natural.paths(photographs, "train")
    large = natural.Enlargements.read(files, 2, 8, 16, seed=5)
    (small,), truth = large.at(3)
    again, _ = large.at(3)
    assert np.array_equal(small, again[0])
    assert not np.array_equal(small, large.at(4)[0][0])
    assert truth.shape == (8, 32, 32, 3)
    means = truth.reshape(8, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    assert np.abs(means - small).mean() < 0.03, "every patch is turned as its truth is"
    faults = natural.Faults.read(files, 8, 16, seed=5)
    (worse, levels), clean = faults.at(0)
    assert worse.shape == clean.shape == (8, 16, 16, 3)
    assert (levels >= 0).all()
    assert (levels <= 1).all()
    kinds = [tuple(level > 0) for level in levels]
    assert kinds[:4] == [(True, False, False)] * 4
    assert kinds[4:6] == [(False, True, False)] * 2
    assert all(kind[2] for kind in kinds[6:])
    with pytest.raises(ValueError, match="no picture is large enough"):
        natural.Faults.read(files, 8, 400, seed=5)
    with pytest.raises(ValueError, match="no picture is large enough"):
        natural.Enlargements.read(files, 4, 8, 400, seed=5)


def test_a_run_is_shipped_with_its_card(photographs: Path, tmp_path: Path) -> None:
    from ml.restore import shipped
    from ml.training import restorer_publish
    from ml.weights import entries

    run, manifest = tmp_path / "run", tmp_path / "shipped" / "manifest.json"
    manifest.parent.mkdir()
    upscaler.main(["--scale", "2", "--data", str(photographs), "--out", str(run), "--steps", "1", "--side", "16"])
    where = ["--network", "compact_x2", "--run", str(run), "--manifest", str(manifest)]
    assert restorer_publish.main(["weights", *where, "--version", "1"]) == 0
    entry = entries(manifest)["compact_x2"]
    assert shipped.load("compact_x2", manifest).count_params() > 10_000
    assert json.loads((manifest.parent / "answers.json").read_text())["compact_x2"] == pytest.approx(
        shipped.answer(shipped.load("compact_x2", manifest)), abs=1e-4
    )
    figures = {"set": "Set5", "scale": 2, "psnr_y": 33.0, "ssim_y": 0.9, "perceptual": 0.1}
    evaluation = {
        "made": "today", "command": "a command", "device": "a machine", "faults": [], "pictures": 0,
        "weights": {"compact_x2": {"version": "1", "sha256": entry.sha256}},
        "upscale": [{**figures, "method": "bicubic"}, {**figures, "method": "compact", "psnr_y": 36.5}],
    }  # fmt: skip
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(evaluation))
    assert restorer_publish.main(["card", *where, "--evaluation", str(path)]) == 0
    card = (manifest.parent / entry.card).read_text()
    for word in ("## Data", "## Run", "## Figures", "## Known failures", entry.sha256, "3.50", "--scale 2"):
        assert word in card
    assert str(tmp_path) not in card
    evaluation["weights"] = {"compact_x2": {"version": "1", "sha256": "0"}}
    path.write_text(json.dumps(evaluation))
    with pytest.raises(ValueError, match="not of the shipped weights"):
        restorer_publish.main(["card", *where, "--evaluation", str(path)])
