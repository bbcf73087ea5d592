"""Videos: good ones read as they are, hostile ones refused in a sentence, faces followed, people judged."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.detect.people import LEAST_FRAMES, Moment, judge_person, resampled_interval, trimmed_mean, worst_person
from ml.detect.verdict import Evidence, Level, Reason, Verdict
from ml.detect.video import run
from ml.detect.video_result import VideoRequest
from ml.errors import MediaError
from ml.media import video
from ml.media.sampling import Sampler
from ml.provenance import invisible_mark
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from ml.detect.calibration import Calibration
    from ml.detect.check import Checker

LIMITS = video.VideoLimits(frames=500)
HOSTILE = clips.hostile()


def quiet(stage: str, done: int, total: int) -> None:
    pass


def kept(folder: Path, data: bytes, name: str = "clip.mp4") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# --- Reading ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_plain_words(name: str, tmp_path: Path) -> None:
    make, code, words = HOSTILE[name]
    neighbour = kept(tmp_path, clips.encoded(clips.faceless_frames(4, 64, 48)), "neighbour.mp4")
    path = kept(tmp_path, make())
    with pytest.raises(MediaError) as refused:
        video.read(path, quiet, limits=LIMITS)
    assert refused.value.code == code
    assert words in refused.value.message
    assert refused.value.message.endswith(".")
    assert sorted(tmp_path.iterdir()) == sorted([neighbour, path]), "nothing is left behind"


@pytest.mark.parametrize(
    ("form", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("matroska", "libx264"), ("webm", "libvpx-vp9")]
)
def test_what_cameras_and_browsers_make_is_read(form: str, codec: str, tmp_path: Path) -> None:
    data = clips.encoded(clips.faceless_frames(24, 64, 48), form=form, codec=codec)
    clip = video.read(kept(tmp_path, data, "clip"), quiet)
    assert (clip.frames, clip.width, clip.height) == (24, 64, 48)
    assert clip.seconds == pytest.approx(1.0, abs=0.05)
    assert clip.has_sound is False
    assert [sample.pixels().shape for sample in clip.samples[:1]] == [(48, 64, 3)]


def test_a_video_is_turned_as_its_camera_noted(tmp_path: Path) -> None:
    lying = clips.encoded(clips.astronaut_frames(3))
    upright = video.read(kept(tmp_path, clips.rotated(lying)), quiet)
    assert (upright.width, upright.height) == (240, 320)
    plain = video.read(kept(tmp_path, lying), quiet).samples[0].pixels()
    assert np.array_equal(upright.samples[0].pixels(), np.rot90(plain, -1))


def test_times_are_those_of_the_frames(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.6, 0.7, 2.0, 2.05, 2.1, 5.0, 9.0]
    clip = video.read(kept(tmp_path, clips.encoded(clips.faceless_frames(10, 64, 48), times=times)), quiet)
    assert [sample.seconds for sample in clip.samples] == pytest.approx(times, abs=0.001)


def test_a_header_that_lies_about_the_length_is_not_believed(tmp_path: Path) -> None:
    data = clips.with_length(clips.encoded(clips.faceless_frames(24, 64, 48)), 3600)
    assert video.read(kept(tmp_path, data), quiet).seconds == pytest.approx(1.0, abs=0.05)


def test_a_huge_comment_is_passed_over(tmp_path: Path) -> None:
    data = clips.encoded(clips.faceless_frames(4, 64, 48), metadata={"comment": "x" * 8_000_000})
    assert len(data) > 8_000_000
    assert video.read(kept(tmp_path, data), quiet).frames == 4


def test_reading_can_be_stopped_in_the_middle(tmp_path: Path) -> None:
    path = kept(tmp_path, clips.encoded(clips.faceless_frames(64, 64, 48)))

    def stop(stage: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.read(path, stop)


SMALL = {
    "mp4": clips.encoded(clips.faceless_frames(6, 64, 48)),
    "webm": clips.encoded(clips.faceless_frames(6, 64, 48), form="webm", codec="libvpx"),
}


@given(st.sampled_from(sorted(SMALL)), st.integers(0, 100_000), st.binary(min_size=1, max_size=6))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_read_or_refused(tmp_path: Path, form: str, at: int, noise: bytes) -> None:
    data = SMALL[form]
    at %= len(data)
    path = kept(tmp_path, data[:at] + noise + data[at + len(noise) :])
    try:
        assert video.read(path, quiet, limits=LIMITS).samples
    except MediaError as refused:
        assert refused.message.endswith(".")


@pytest.mark.parametrize("rate", [5, 25, 60, 1000])
@pytest.mark.parametrize("seconds", [2, 12, 60])
def test_however_long_a_video_is_some_dozens_of_frames_are_kept(rate: int, seconds: int) -> None:
    sampler: Sampler[int] = Sampler(48, 4)
    flat = np.zeros((8, 8), np.uint8)
    most = 0
    for i in range(rate * seconds):
        sampler.take(i / rate, flat, lambda i=i: i)  # type: ignore[misc]
        most = max(most, len(sampler.samples()))
    found = [t for t, _ in sampler.samples()]
    assert most <= 48
    assert len(found) >= min(24, rate * seconds)
    assert found[0] == 0.0
    if rate > 5:
        steps = np.diff(found)
        assert steps.max() <= 2 * np.median(steps)


def test_the_first_frame_of_each_scene_is_kept_too() -> None:
    sampler: Sampler[int] = Sampler(4, 4)
    dark, light = np.full((36, 64), 30, np.uint8), np.full((36, 64), 200, np.uint8)
    for i in range(200):
        sampler.take(i / 20, light if 70 <= i < 130 else dark, lambda i=i: i)  # type: ignore[misc]
    assert sampler.cuts == [3.5, 6.5]
    assert {70, 130} <= {frame for _, frame in sampler.samples()}


# --- People -----------------------------------------------------------------------------------------------------------
def moment(probability: float | None, seconds: float = 0.0, reason: Reason = Reason.BETWEEN) -> Moment:
    """A frame whose two detectors agree on this probability, or that has none."""
    if probability is None:
        return Moment(seconds, Verdict(Level.NOT_APPLICABLE, Reason.TOO_SMALL), None, 20.0, 0.3)
    logit = math.log(probability / (1 - probability))
    raw = {"meso4": 2.0 * logit - 0.25, "mesoinception4": 1.5 * logit}  # undoes the calibration of the tests
    return Moment(seconds, Verdict(Level.INCONCLUSIVE, reason, probability), Evidence(raw, raw, raw), 100.0, 0.3)


def moments(*groups: tuple[int, float | None]) -> list[Moment]:
    return [moment(p, float(i)) for i, p in enumerate(p for count, p in groups for _ in range(count))]


M, I, A, N = Level.LIKELY_MANIPULATED, Level.INCONCLUSIVE, Level.LIKELY_AUTHENTIC, Level.NOT_APPLICABLE  # noqa: E741
TABLE: dict[str, tuple[list[Moment], Level, str]] = {
    "all high": (moments((20, 0.95)), M, "above_threshold"),
    "all low": (moments((20, 0.05)), A, "below_threshold"),
    "all between": (moments((20, 0.5)), I, "between_thresholds"),
    "one bad key frame among many": (moments((1, 0.999), (19, 0.05)), A, "below_threshold"),
    "two clean frames among many": (moments((2, 0.001), (18, 0.95)), M, "above_threshold"),
    "a manipulated part": (moments((4, 0.97), (16, 0.05)), I, "suspicious_moments"),
    "half and half": (moments((10, 0.97), (10, 0.03)), I, "unstable_over_time"),
    "mostly high, a third low": (moments((14, 0.999), (7, 0.1)), I, "unstable_over_time"),
    "too few": (moments((LEAST_FRAMES - 1, 0.95)), I, "too_few_frames"),
    "too few of many": (moments((30, None), (4, 0.05)), I, "too_few_frames"),
    "too small throughout": (moments((9, None)), N, "face_too_small"),
    "blurred throughout": ([moment(0.9, reason=Reason.BLURRED)] * 9, I, "blurred"),
}


@pytest.fixture
def judge(random_checker: Checker) -> Any:
    return random_checker.judge_face


@pytest.mark.parametrize("name", TABLE)
def test_a_person_is_judged_over_all_frames(name: str, calibration: Calibration, judge: Any) -> None:
    frames, level, code = TABLE[name]
    verdict = judge_person(frames, calibration, judge)
    assert (verdict.level, verdict.reason_code) == (level, code)
    assert verdict.reason.endswith(".")
    if verdict.probability is not None and verdict.interval is not None:
        low, high = verdict.interval
        assert 0 <= low <= verdict.probability <= high <= 1
        scores = [frame.verdict.probability or 0.0 for frame in frames]
        assert verdict.worst[0].verdict.probability == max(scores)
        assert verdict.share_over == pytest.approx(np.mean([s >= 0.8 for s in scores if s]), abs=1e-4)


def test_the_interval_narrows_with_steadiness_and_keeps_its_floor() -> None:
    steady = resampled_interval(np.full(40, 0.3), 0.3, floor=0.2)
    restless = resampled_interval(np.tile([0.05, 0.75], 20), 0.3, floor=0.2)
    few = resampled_interval(np.tile([0.05, 0.75], 3), 0.3, floor=0.2)
    width = [high - low for low, high in (steady, restless, few)]
    assert 0.05 < width[0] < width[1] < width[2]
    assert resampled_interval(np.tile([0.05, 0.75], 20), 0.3, floor=0.2) == restless, "the same video, the same answer"
    assert trimmed_mean(np.array([-100.0, *[1.0] * 8, 100.0])) == 1.0


def test_the_worst_person_decides(calibration: Calibration, judge: Any) -> None:
    people = [judge_person(moments((9, p)), calibration, judge) for p in (0.1, None, 0.95, 0.5)]
    assert worst_person(people) == 2
    assert worst_person(people[:2]) == 0
    assert worst_person([]) is None


# --- The whole check --------------------------------------------------------------------------------------------------
def checked(checker: Checker, path: Path, **wanted: Any) -> Any:
    return run(replace(VideoRequest(path, explain=True, samples=12), **wanted), quiet, checker)


def test_a_face_that_wanders_is_one_person(random_checker: Checker, tmp_path: Path) -> None:
    path = kept(tmp_path, clips.encoded(clips.astronaut_frames(24)))
    stages: list[str] = []
    result = run(VideoRequest(path, explain=True, samples=12), lambda s, d, t: stages.append(s), random_checker)
    (person,) = result.people
    assert person["frames"] == person["usable"] == len(result.timeline)
    assert (result.level.value, result.probability) == (person["level"], person["probability"])
    low, high = person["interval"]
    assert 0 <= low <= person["probability"] <= high <= 1
    assert all(row["people"].keys() == {"0"} for row in result.timeline)
    peak = max(row["people"]["0"] for row in result.timeline)
    assert person["worst"][0]["probability"] == peak
    assert list(dict.fromkeys(stages)) == ["decode", "provenance", "faces", "detectors", "explain", "verdict"]
    (face,) = result.faces
    assert face.crop_jpeg and face.gradcam_jpeg and result.display_jpeg
    assert face.quality["seconds"] == pytest.approx(person["worst"][0]["t"], abs=0.01)
    assert result.display_seconds == pytest.approx(person["worst"][0]["t"], abs=0.01)
    assert "elsewhere" not in face.quality
    x0, y0, x1, y1 = face.box
    assert 0 <= x0 < x1 <= 320 and 0 <= y0 < y1 <= 240
    assert 2 <= len(result.strip) <= 24
    assert all(shot.jpeg.startswith(b"\xff\xd8") for shot in result.strip)
    assert result.not_checked[0] == "Sound: the file has none."


def test_a_clip_that_was_made_here_is_known_by_its_mark(random_checker: Checker, tmp_path: Path) -> None:
    """Saved again by somebody else it has neither its manifest nor its bytes, and only some frames carry the mark."""
    plain = clips.faceless_frames(6, 480, 360)
    marked = [invisible_mark.write(frame, "0123456789ab") if n % 5 == 0 else frame for n, frame in enumerate(plain)]
    found = [
        checked(random_checker, kept(tmp_path, clips.encoded(frames, quality="23")), renders=False).provenance
        for frames in (marked, marked[1:], plain)
    ]
    assert [each.get("mark") for each in found] == ["0123456789ab", "0123456789ab", None]
    assert found[2]["media"] == "video"


def test_two_faces_at_once_are_two_people(random_checker: Checker, tmp_path: Path) -> None:
    frames = [np.concatenate([left, left[:, ::-1]], axis=1) for left in clips.astronaut_frames(12)]
    result = checked(random_checker, kept(tmp_path, clips.encoded(frames)))
    assert [person["index"] for person in result.people] == [0, 1]
    assert len(result.faces) == 2
    assert result.probability == max(person["probability"] for person in result.people)


def test_a_person_is_found_again_after_a_cut(random_checker: Checker, tmp_path: Path) -> None:
    frames = clips.astronaut_frames(12, drift=10)
    between = clips.faceless_frames(12)
    moved = [np.roll(frame, 60, axis=1) for frame in frames]
    path = kept(tmp_path, clips.encoded([*frames, *between, *moved]))
    result = checked(random_checker, path, samples=18)
    assert len(result.people) == 1
    assert sum(row["scene_cut"] for row in result.timeline) == 2
    assert [row["people"] for row in result.timeline if 0.55 < row["t"] < 0.95] == [{}] * sum(
        0.55 < row["t"] < 0.95 for row in result.timeline
    )


def test_a_face_that_flashes_by_is_dropped_and_said_so(random_checker: Checker, tmp_path: Path) -> None:
    frames = [*clips.faceless_frames(12), *clips.astronaut_frames(1), *clips.faceless_frames(12)]
    result = checked(random_checker, kept(tmp_path, clips.encoded(frames)), samples=25)
    assert (result.level, result.reason_code, result.people) == (Level.NOT_APPLICABLE, "no_steady_face", ())
    assert any("seen in one frame only" in note for note in result.not_checked)


def test_nobody_is_nobody(random_checker: Checker, tmp_path: Path) -> None:
    result = checked(random_checker, kept(tmp_path, clips.encoded(clips.faceless_frames(12))))
    assert (result.level, result.reason_code, result.faces) == (Level.NOT_APPLICABLE, "no_face", ())
    assert result.display_jpeg is not None


def test_a_check_stops_when_it_is_told_to(random_checker: Checker, tmp_path: Path) -> None:
    path = kept(tmp_path, clips.encoded(clips.astronaut_frames(12)))
    for wanted in ("faces", "detectors"):

        def stop(stage: str, done: int, total: int, wanted: str = wanted) -> None:
            if stage == wanted and done:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            run(VideoRequest(path, samples=6), stop, random_checker)


def test_the_copy_for_showing_is_small_silent_and_says_nothing(random_checker: Checker, tmp_path: Path) -> None:
    data = clips.encoded(clips.astronaut_frames(24), metadata={"comment": "where I live", "artist": "me"})
    result = checked(random_checker, kept(tmp_path, clips.rotated(data)))
    assert result.preview_mp4 is not None and b"where I live" not in result.preview_mp4
    copy = video.read(kept(tmp_path, result.preview_mp4, "copy.mp4"), quiet)
    assert (copy.width, copy.height, copy.has_sound) == (240, 320, False)
    assert copy.seconds == pytest.approx(1.0, abs=0.15)
    assert checked(random_checker, kept(tmp_path, data), renders=False, explain=False).preview_mp4 is None
