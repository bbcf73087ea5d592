"""A person is learned from a clip, and the work goes on where it was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.errors import MediaError
from ml.media import encode_jpeg
from ml.networks.swap.swap_config import Family, SwapConfig
from ml.swap import learn
from ml.swap.identity import Identity
from ml.swap.learn import LearnRequest, run
from ml.swap.trainer import Recipe
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Stopped(Exception):
    pass


def test_a_person_is_learned_stopped_and_learned_to_the_end(tmp_path: Path) -> None:
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    frames = clips.astronaut_frames(26, height=300, width=320, side=300, drift=16)
    source.write_bytes(clips.encoded(frames))
    target.write_bytes(clips.encoded([np.ascontiguousarray(frame[:, ::-1]) for frame in frames]))
    request = LearnRequest(
        (source,),
        (target,),
        tmp_path / "work",
        tmp_path / "ann.identity",
        "Ann",
        SwapConfig(Family.DF, 32, 4, 8, 4, mask=2),
        Recipe(steps=4, batch=2, look_steps=2, preview_seconds=0),
    )
    stages: list[str] = []

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "train" and done == 2:
            raise Stopped

    def follow(stage: str, done: int, total: int) -> None:
        stages.append(stage)

    with pytest.raises(Stopped):
        run(request, stop)
    assert not request.out.exists()
    strips: list[NDArray[np.uint8]] = []
    result = run(request, follow, strips.append)
    assert set(stages) == {"train"}  # the faces were kept
    assert (result.faces, result.about["steps"]) == (26, 4)
    assert [look.step for look in result.history] == [2, 4]
    assert len(result.about["sources"][0]) == 64
    read = Identity.load(result.out)
    assert (read.name, read.config) == ("Ann", request.config)
    assert strips[-1].shape[0] > 2 * 32
    assert strips[-1][-4:].max() > 200 or strips[-1][-20:].max() > 200  # the band's words

    begun = LearnRequest(
        (source,), (target,), tmp_path / "more", tmp_path / "more.identity", "Ann", request.config,
        Recipe(steps=1, batch=1, rate=1e-12, look_steps=1), start=result.out,
    )  # fmt: skip
    run(begun, follow)
    more = Identity.load(begun.out)
    assert all(np.allclose(more.arrays[key], read.arrays[key], atol=1e-3) for key in read.arrays)


def test_enough_keeps_what_was_learned_and_tells_the_losses(
    tmp_path: Path, astronaut_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two single pictures will do, turned and lit in many ways; whoever has seen enough gets what there is."""
    monkeypatch.setattr(learn, "TURNED", 20)
    request = LearnRequest(
        (astronaut_file,),
        (astronaut_file,),
        tmp_path / "work",
        tmp_path / "ann.identity",
        "Ann",
        SwapConfig(Family.DF, 32, 4, 8, 4, mask=2),
        Recipe(steps=50, batch=2, look_steps=2),
    )
    told: list[int] = []
    steps: list[int] = []

    def follow(stage: str, done: int, total: int) -> None:
        if stage == "train":
            steps.append(done)

    result = run(
        request, follow, enough=lambda: steps[-1:] == [4], looked=lambda history: told.append(history[-1].step)
    )
    assert result.about["steps"] == 5
    assert (result.faces, told, [look.step for look in result.history]) == (20, [2, 4], [2, 4, 5])
    assert Identity.load(request.out).about["best_val"] == min(round(look.val, 5) for look in result.history)
    again: list[int] = []
    run(request, follow, enough=lambda: True, looked=lambda history: again.append(history[-1].step))
    assert again == [5]  # what the run before has left of it


def test_a_picture_without_a_face_or_with_a_small_one_teaches_nothing(
    tmp_path: Path, faceless_jpeg: bytes, astronaut: NDArray[np.uint8]
) -> None:
    path = tmp_path / "picture.jpg"
    small = np.full((240, 320, 3), 120, np.uint8)
    small[60:180, 100:220] = astronaut[::4, ::4][:120, :120]
    for data, code in ((faceless_jpeg, "no_face"), (encode_jpeg(small), "face_too_small")):
        path.write_bytes(data)
        request = LearnRequest((path,), (path,), tmp_path / code, tmp_path / "out.identity", "Ann")
        with pytest.raises(MediaError) as refused:
            run(request, lambda *_: None)
        assert refused.value.code == code
        assert not request.out.exists()
