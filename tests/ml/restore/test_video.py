"""Videos, frame by frame: as long, as fast, as upright and as loud as before, and larger."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from ml.errors import MediaError
from ml.restore.command import main
from ml.restore.task import Task
from ml.restore.video import VideoRequest, run
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.provenance.sealing import Clip


class Seal:
    """Takes the frames and keeps them."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self.clip: Clip | None = None

    def __call__(self, clip: Clip) -> str:
        self.clip = clip
        self.frames = list(clip.frames)
        return "sealed"


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def small(count: int = 6) -> list[NDArray[np.uint8]]:
    return [
        np.asarray(cv2.resize(each, (96, 64), interpolation=cv2.INTER_AREA)) for each in clips.astronaut_frames(count)
    ]


def opened(path: Path) -> tuple[Fraction, list[NDArray[np.uint8]], list[str], int]:
    with av.open(str(path)) as film:
        names = [stream.codec_context.name for stream in film.streams.audio]
        rate = Fraction(film.streams.video[0].average_rate or 0)
        frames = [np.asarray(frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]
    samples = 0
    with av.open(str(path)) as film:
        if film.streams.audio:
            samples = sum(frame.samples for frame in film.decode(audio=0))
    return rate, frames, names, samples


def test_frames_are_enlarged_at_the_same_rate_and_told(tmp_path: Path) -> None:
    path = kept(tmp_path / "a.mp4", clips.encoded(small(), rate=12, quality="4"))
    seal, told = Seal(), []
    result = run(VideoRequest(path), lambda *stage: told.append(stage), seal)
    assert (result.sealed, result.method, result.frames) == ("sealed", "compact", 6)
    assert (result.width, result.height) == (192, 128)
    assert seal.clip is not None
    assert (seal.clip.rate, seal.clip.audio, seal.clip.count) == (Fraction(12), None, 6)
    assert [each for each in told if each[0] == "enhance"] == [("enhance", done, 6) for done in range(7)]
    for before, after in zip(small(), seal.frames, strict=True):
        assert after.shape == (128, 192, 3)
        near = cv2.resize(before, (192, 128), interpolation=cv2.INTER_CUBIC)
        assert np.abs(after.astype(int) - near).mean() < 8


def test_a_turned_video_comes_out_upright_and_a_generated_one_stays_so(tmp_path: Path) -> None:
    from ml.provenance.source_statement import packet, with_box

    lying = [np.ascontiguousarray(np.rot90(frame)) for frame in small()]
    said = packet("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
    path = kept(tmp_path / "a.mp4", with_box(clips.rotated(clips.encoded(lying)), said))
    seal = Seal()
    result = run(VideoRequest(path), lambda *_: None, seal)
    assert {frame.shape for frame in seal.frames} == {(128, 192, 3)}
    near = cv2.resize(small()[0], (192, 128), interpolation=cv2.INTER_CUBIC)
    assert np.abs(seal.frames[0].astype(int) - near).mean() < 10
    assert result.source_type == "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("codec", "form", "after"), [("aac", "mp4", "aac"), ("libopus", "webm", "opus"), ("pcm_s16le", "mov", "aac")]
)
def test_sound_is_kept_in_the_file_that_the_command_writes(
    codec: str, form: str, after: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept(tmp_path / f"a.{form}", clips.with_sound(small(10), codec=codec, form=form))
    out = tmp_path / "out.mp4"
    assert main([str(path), str(out), "--task", "upscale", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["frames"], answer["has_sound"], answer["source_type"]) == (10, True, "algorithmicallyEnhanced")
    rate, frames, names, samples = opened(out)
    assert (rate, len(frames), frames[0].shape) == (Fraction(20), 10, (128, 192, 3))
    assert [name.removeprefix("lib") for name in names] == [after]
    assert abs(samples - 24_000) < 3_000
    assert b"algorithmicallyEnhanced" in out.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, "out.mp4"]


def test_a_signed_video_names_its_parent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import c2pa

    large = [np.asarray(cv2.resize(each, (240, 180))) for each in small(3)]
    path = kept(tmp_path / "a.mp4", clips.encoded(large))
    out = tmp_path / "out.mp4"
    assert main([str(path), str(out), "--task", "upscale", "--sign", str(tmp_path / "authority")]) == 0
    assert "3 frames of 480 x 360 px, without sound" in capsys.readouterr().out
    read = json.loads(c2pa.Reader("video/mp4", io.BytesIO(out.read_bytes())).json())
    manifest = read["manifests"][read["active_manifest"]]
    assert "algorithmicallyEnhanced" in json.dumps(manifest)
    assert len(manifest["ingredients"]) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": Task.FACE}, "take videos: none"),
        ({"method": "lanczos"}, "take videos: compact"),
        ({"scale": 3}, "enlarges by 2 and 4"),
    ],
)
def test_what_videos_are_not_made_with(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = kept(tmp_path / "a.mp4", clips.encoded(small(2)))
    seal = Seal()
    with pytest.raises(MediaError, match=words):
        run(VideoRequest(path, **options), lambda *_: None, seal)
    assert seal.clip is None


def test_frames_that_nothing_plays_are_refused(tmp_path: Path) -> None:
    wide = [np.zeros((560, 1920, 3), np.uint8)] * 2
    path = kept(tmp_path / "a.mp4", clips.encoded(wide))
    with pytest.raises(MediaError, match=r"7680 x 2240 px; at most 8\.3 million"):
        run(VideoRequest(path, scale=4), lambda *_: None, Seal())


def test_a_stop_and_a_bad_name_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept(tmp_path / "a.mp4", clips.encoded(small()))

    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("enhance", 2):
            raise KeyboardInterrupt

    seal = Seal()
    with pytest.raises(KeyboardInterrupt):
        run(VideoRequest(path), stop, seal)
    assert seal.frames == []
    for out in ("out.png", "missing/out.mp4", "a.mp4"):
        assert main([str(path), str(tmp_path / out), "--task", "upscale"]) == 1
    assert "end it in .mp4" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["a.mp4"]
