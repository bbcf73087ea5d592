"""Whole conversions: pictures and clips, through a seal that looks at what it is given."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from ml.errors import MediaError
from ml.media import encode_png
from ml.provenance.sealing import Clip, Still
from ml.swap.clip_frames import ClipFrames, evenly
from ml.swap.convert import SwapRequest, run
from ml.swap.identity import Identity, IdentityError
from tests import clips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork


@pytest.fixture(scope="module")
def identity(small_network: Callable[..., SwapNetwork], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("identity") / "ann.identity"
    Identity.of(small_network(("a", "b")), "a", "Ann", {"steps": 0}).save(path)
    return path


class Seal:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self.clip: Clip | None = None

    def __call__(self, media: Still | Clip) -> str:
        if isinstance(media, Still):
            self.frames = [media.pixels]
        else:
            self.clip, self.frames = media, list(media.frames)
        return "sealed"


class Stopped(Exception):
    pass


def quiet(stage: str, done: int, total: int) -> None:
    assert stage in {"decode", "faces", "swap"}
    assert 0 <= done <= total


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_an_identity_file_gives_back_the_weights_and_nothing_is_unpickled(identity: Path, tmp_path: Path) -> None:
    read = Identity.load(identity)
    assert (read.name, read.about) == ("Ann", {"steps": 0})
    assert read.network().identities == ("person",)
    assert read.to_bytes() == identity.read_bytes()
    for wrong in (b"", b"PK\x03\x04 nothing", identity.read_bytes()[:2000]):
        with pytest.raises(IdentityError):
            Identity.load(kept(tmp_path / "wrong", wrong))
    with pytest.raises(IdentityError):
        run(SwapRequest(tmp_path / "none.png", tmp_path / "missing"), quiet, Seal())


def test_a_picture_is_swapped_and_handed_to_the_seal(
    identity: Path, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    seal = Seal()
    result = run(SwapRequest(kept(tmp_path / "a.png", encode_png(astronaut)), identity), quiet, seal)
    assert (result.sealed, result.frames, result.swapped) == ("sealed", 1, 1)
    (out,) = seal.frames
    assert out.shape == astronaut.shape
    assert np.array_equal(out[300:], astronaut[300:])
    assert not np.array_equal(out[80:180], astronaut[80:180])
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]  # nothing unmarked is written anywhere


def test_no_face_is_said_and_nothing_sealed(identity: Path, faceless_jpeg: bytes, tmp_path: Path) -> None:
    seal = Seal()
    films = kept(tmp_path / "b.mp4", clips.encoded(clips.faceless_frames(6)))
    for target in (kept(tmp_path / "a.jpg", faceless_jpeg), films):
        with pytest.raises(MediaError) as caught:
            run(SwapRequest(target, identity), quiet, seal)
        assert caught.value.code == "no_face"
    assert seal.frames == []


def test_a_clip_keeps_rate_length_and_sound_and_goes_on_from_its_faces(identity: Path, tmp_path: Path) -> None:
    frames = clips.astronaut_frames(10)
    target = kept(tmp_path / "a.mp4", with_sound(frames))
    seal = Seal()
    previews: list[NDArray[np.uint8]] = []
    request = SwapRequest(target, identity, work=tmp_path / "work")
    result = run(request, quiet, seal, previews.append)
    assert (result.frames, result.swapped, len(seal.frames)) == (10, 10, 10)
    assert seal.clip is not None
    assert seal.clip.rate == Fraction(20)
    assert seal.clip.audio == target
    assert seal.clip.count == 10
    assert previews
    assert (previews[0][-8:] < 60).mean() > 0.5  # the band
    given = [pixels for _, pixels in ClipFrames(target)]
    for before, after in zip(given, seal.frames, strict=True):
        assert np.array_equal(before[:, 300:], after[:, 300:])
        assert not np.array_equal(before, after)

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "faces":
            raise AssertionError("the faces were found before")
        if done == 4:
            raise Stopped

    again = Seal()
    with pytest.raises(Stopped):
        run(request, stop, again)
    run(request, quiet, again)
    assert all(np.array_equal(x, y) for x, y in zip(seal.frames, again.frames, strict=True))


def test_a_turned_clip_comes_out_upright(identity: Path, tmp_path: Path) -> None:
    upright = clips.astronaut_frames(4, width=240, height=320, drift=8)
    lying = clips.encoded([np.ascontiguousarray(np.rot90(frame)) for frame in upright])
    seal = Seal()
    run(SwapRequest(kept(tmp_path / "a.mp4", clips.rotated(lying)), identity), quiet, seal)
    assert {frame.shape for frame in seal.frames} == {(320, 240, 3)}
    assert np.abs(seal.frames[0][:40].astype(int) - upright[0][:40]).mean() < 6


def test_uneven_times_become_an_even_rate() -> None:
    def shown(times: list[float], rate: int) -> list[int]:
        return [n for number, n in evenly(times, Fraction(rate)) for _ in range(1)]

    assert shown([0, 0.1, 0.2, 0.3], 10) == [1, 1, 1, 1]
    assert shown([0, 0.1, 0.5, 0.6], 10) == [1, 4, 1, 1]
    assert shown([0, 0.05, 0.1, 0.15, 0.2], 10) == [1, 0, 1, 0, 1]
    assert shown([0], 10) == [1]
    assert shown([], 10) == []


def with_sound(frames: list[NDArray[np.uint8]]) -> bytes:
    import io

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        video: Any = out.add_stream("libx264", rate=20)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio: Any = out.add_stream("aac", rate=16_000)
        for pixels in frames:
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(video.encode())
        for i in range(8):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 16_000, 1024 * i
            out.mux(audio.encode(sound))
        out.mux(audio.encode())
    return buffer.getvalue()
