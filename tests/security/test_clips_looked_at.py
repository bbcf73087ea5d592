"""Ways to hide in a clip: behind another beginning, between the frames looked at, by cutting the first one off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from enhancement.exchange import EnhanceJobRequest
from enhancement.handlers import filming
from generation.handlers import targets
from jobs.errors import PersonError
from ml.media.video import VideoLimits
from ml.provenance import invisible_mark
from ml.provenance.perceptual_hash import perceptual_hash
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MARK = "0123456789ab"


@pytest.fixture
def frames() -> list[NDArray[np.uint8]]:
    return clips.astronaut_frames(count=11, width=256, height=192, side=180, drift=20)


def origin_of(shown: list[NDArray[np.uint8]], folder: Path, **changes: Any) -> tuple[str, str, bool]:
    path = folder / "clip.mp4"
    path.write_bytes(clips.encoded(shown))
    told: dict[str, Any] = {"task": "upscale", "methods": ("compact",), "job": "j", "kind": "k", "mark": MARK}
    told |= {"site": "Unmask", "authority": folder, "networks": folder, "scale": 2}
    found: Any = SimpleNamespace(provenance={})
    return filming._origin(EnhanceJobRequest(path=path, **told, **changes), found, VideoLimits())


def test_a_clip_that_was_taken_down_is_known_behind_another_beginning(
    frames: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    black = [np.zeros_like(frames[0])] * 6
    with pytest.raises(PersonError, match="taken down"):
        origin_of(black + frames, tmp_path, blocked=(perceptual_hash(frames[0]),))
    looks = bytes.fromhex(perceptual_hash(frames[0]))
    assert origin_of(black + frames, tmp_path, looks=looks) == ("", "", True)
    assert origin_of(black + frames, tmp_path) == ("", "", False)


def test_what_was_generated_is_known_without_its_first_frame(frames: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    marked = [invisible_mark.write(each, MARK) if number % 5 == 0 else each for number, each in enumerate(frames)]
    _looks, mark, generated = origin_of(marked[1:], tmp_path)
    assert (mark, generated) == (MARK, True)


def test_who_is_shown_for_a_moment_is_looked_at_too(frames: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    path, plain = tmp_path / "clip.mp4", clips.faceless_frames(count=60, width=256, height=192)
    path.write_bytes(clips.encoded([*plain[:25], *frames[:5], *plain[30:]]))
    spread, chance = targets.shown_in(path, VideoLimits())
    assert len(chance) == targets.BY_CHANCE
    apart = [np.abs(picture.astype(int) - frames[0].astype(int)).mean() for picture in spread]
    assert min(apart) < 15, "the scene of five frames is not among them"
    assert np.abs(spread[0].astype(int) - plain[0].astype(int)).mean() < 15  # the looks are those of the first


def test_nobody_knows_which_frames_are_looked_at_by_chance() -> None:
    def kept() -> list[int]:
        chance = targets._ByChance(4)
        for number in range(200):
            pixels = np.full((16, 16, 3), number, np.uint8)
            chance(av.VideoFrame.from_ndarray(pixels, format="rgb24"), number / 25, 0)
        return [int(picture[0, 0, 0]) for picture in chance.pictures]

    runs = [kept() for _ in range(6)]
    assert {len(set(run)) for run in runs} == {4}
    assert len({tuple(run) for run in runs}) > 1
    assert max(max(run) for run in runs) > 50  # from all over it, not from its beginning
