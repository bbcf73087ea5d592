"""What is said of the methods where no network is loaded is what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.provenance import invisible_mark
from ml.restore import catalogue, methods
from ml.restore.canvas import Canvas
from ml.restore.enhance import EnhanceRequest, run
from ml.restore.task import Task

if TYPE_CHECKING:
    from pathlib import Path

MARK = "0123456789ab"


def test_the_file_is_the_program() -> None:
    """Where this fails a method was added or changed: run `python -m ml.restore.catalogue`."""
    assert catalogue.PATH.read_text(encoding="utf-8") == catalogue.written()


def test_every_method_that_is_named_can_be_made_ready() -> None:
    canvas = Canvas(np.full((24, 24, 3), 128, np.uint8))
    told = json.loads(catalogue.PATH.read_text(encoding="utf-8"))
    assert {task["name"] for task in told["tasks"]} <= {task.value for task in Task}
    for task in told["tasks"]:
        assert [method["name"] for method in task["methods"]] == list(methods.names(Task(task["name"])))
        for method in task["methods"]:
            for scale in method["scales"] or [None]:
                ready = methods.ready(method["name"], Task(task["name"]), scale, None, canvas)
                assert ready.generative is method["generative"]


def enhanced(tmp_path: Path, pixels: np.ndarray, **options: object) -> tuple[Path, str]:
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    wanted = EnhanceRequest(path, Task.UPSCALE, tmp_path, ("bicubic",), mark=MARK, **options)
    result = run(wanted, lambda stage, done, total: None).results[0]
    return result.path, result.source_type


def test_what_is_known_to_be_generated_says_so_and_carries_the_mark(tmp_path: Path, astronaut: np.ndarray) -> None:
    path, source_type = enhanced(tmp_path, astronaut[::2, ::2], generated=True)
    assert source_type == "compositeWithTrainedAlgorithmicMedia"
    assert invisible_mark.read(np.asarray(Image.open(path)), cropped=False) == MARK


def test_a_plainly_enhanced_photograph_is_left_unmarked(tmp_path: Path, astronaut: np.ndarray) -> None:
    path, source_type = enhanced(tmp_path, astronaut[::2, ::2])
    assert source_type == "algorithmicallyEnhanced"
    assert invisible_mark.read(np.asarray(Image.open(path)), cropped=False) is None


def test_sixteen_bits_keep_their_finer_steps_beside_the_mark() -> None:
    from ml.restore.canvas import marked

    deep = np.random.default_rng(5).integers(0, 65536, (192, 192, 3), np.uint16)
    deep = np.asarray(np.repeat(np.repeat(deep[::16, ::16], 16, 0), 16, 1) // 2 + 16000 + deep // 64, np.uint16)
    canvas = marked(Canvas(deep), MARK)
    assert canvas.colour.dtype == np.uint16
    assert invisible_mark.read(canvas.bytes8(), cropped=False) == MARK
    change = canvas.colour.astype(np.int64) - deep
    assert np.abs(change).max() > 0
    assert not (change % 257).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (64, 64)])
def test_too_small_for_a_mark(size: tuple[int, int]) -> None:
    from ml.restore.canvas import marked

    pixels = np.full((*size, 3), 90, np.uint8)
    assert np.array_equal(marked(Canvas(pixels), MARK).colour, pixels)
