"""Videos at the door: which are taken, which refused, in what words, and in how much memory."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.errors import IntakeError, QuotaExceeded
from jobs.intake import accept_picture, accept_video, inspect_video, is_video
from jobs.models import Artifact
from tests import clips

from .conftest import submit, visitor

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES = clips.faceless_frames(3, 64, 48)
MP4 = clips.encoded(FRAMES)
WEBM = clips.encoded(FRAMES, form="webm", codec="libvpx")


def facts(data: bytes, name: str = "") -> Any:
    return inspect_video(io.BytesIO(data), len(data), name)


GOOD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "mp4": (lambda: MP4, "clip.mp4", "MP4"),
    "mp4 named mov": (lambda: MP4, "clip.MOV", "MP4"),
    "mov": (lambda: clips.encoded(FRAMES, form="mov"), "clip.mov", "MOV"),
    "webm": (lambda: WEBM, "clip.webm", "WebM"),
    "matroska": (lambda: clips.encoded(FRAMES, form="matroska"), "clip.mkv", "Matroska"),
    "in fragments": (
        lambda: clips.encoded(FRAMES, options={"movflags": "frag_keyframe+empty_moov"}), "clip.mp4", "MP4",
    ),
    "header first": (lambda: clips.encoded(FRAMES, options={"movflags": "frag_keyframe"}), "clip.mp4", "MP4"),
    "without a name": (lambda: MP4, "", "MP4"),
    "turned": (lambda: clips.rotated(MP4), "clip.mp4", "MP4"),
    "with a huge comment": (lambda: clips.encoded(FRAMES, metadata={"comment": "x" * 8_000_000}), "a.mp4", "MP4"),
    "stray bytes at the end": (lambda: MP4 + bytes(5), "clip.mp4", "MP4"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_videos_are_taken(name: str) -> None:
    make, filename, form = GOOD[name]
    found = facts(make(), filename)
    assert (found.format, found.width, found.height) == (form, 64, 48)
    assert found.seconds is None or found.seconds == pytest.approx(0.125, abs=0.05)


def long_webm() -> bytes:
    at = WEBM.index(b"\x44\x89\x88") + 3
    return clips.patched(WEBM, at, struct.pack(">d", 3_600_000.0))


def nested_boxes(depth: int) -> bytes:
    return b"".join(struct.pack(">I4s", 8 * (depth - level), b"trak") for level in range(depth))


def nested_webm(depth: int) -> bytes:
    """Track lists, each of which holds all that follow it."""
    body = b"".join(b"\x16\x54\xae\x6b\x01" + (12 * (depth - n - 1)).to_bytes(7, "big") for n in range(depth))
    return b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + body


def references(count: int, last: int) -> bytes:
    """A list of where the media lie: here, all but perhaps the last."""
    here = struct.pack(">I4sI", 12, b"url ", 1) * (count - 1) + struct.pack(">I4sI", 12, b"url ", last)
    return struct.pack(">I4sII", 16 + len(here), b"dref", 0, count) + here


BAD: dict[str, tuple[Callable[[], bytes], str, str, str]] = {
    "empty": (lambda: b"", "clip.mp4", "empty", "empty"),
    "text": (lambda: b"hello " * 50, "clip.mp4", "not_a_video", "not a video"),
    **{
        name: ((lambda text=text: text), "clip.mp4", "not_a_video", "playlist")
        for name, text in clips.PLAYLISTS.items()
    },
    "avi": (lambda: b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(60), "clip.avi", "unsupported_media", "an AVI video"),
    "gif": (lambda: b"GIF89a" + bytes(60), "clip.mp4", "unsupported_media", "a GIF"),
    "flash": (lambda: b"FLV\x01" + bytes(60), "clip.flv", "unsupported_media", "a Flash video"),
    "web page": (lambda: b"<!DOCTYPE html><p>hi", "clip.mp4", "unsupported_media", "a web page"),
    "heic": (lambda: b"\x00\x00\x00\x20ftypheic" + bytes(40), "clip.mp4", "unsupported_media", "a HEIC"),
    "webm named mp4": (lambda: WEBM, "clip.mp4", "wrong_type", "named .mp4, but it is a WebM video"),
    "mp4 named jpg": (lambda: MP4, "photo.jpg", "wrong_type", "named .jpg, but it is a MP4 video"),
    "sound only": (clips.sound_only, "clip.mp4", "no_video_stream", "only sound"),
    "outside media": (lambda: clips.with_outside_media(MP4), "clip.mov", "external_media", "another file"),
    "an hour": (lambda: clips.with_length(MP4, 3600), "clip.mp4", "too_long", "60 minutes; at most 60 seconds"),
    "an hour of webm": (long_webm, "clip.webm", "too_long", "60 minutes; at most 60 seconds"),
    "8K": (lambda: clips.with_size(MP4, 7680, 4320), "clip.mp4", "too_many_pixels", "7680 x 4320; at most 1080p"),
    "only a signature": (lambda: b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00", "clip.mp4", "truncated", "incomplete"),
    "a box within itself without end": (
        lambda: MP4[:8] + struct.pack(">I4s", 16, b"moov") * 400, "clip.mp4", "truncated", "incomplete",
    ),
    "boxes in boxes without end": (lambda: MP4 + nested_boxes(3000), "clip.mp4", "truncated", "damaged"),
    "elements in elements without end": (lambda: nested_webm(3000), "clip.webm", "truncated", "damaged"),
    "an address behind many references": (
        lambda: MP4 + references(1500, last=0), "clip.mp4", "external_media", "another file",
    ),
    "more references than any camera writes": (
        lambda: MP4 + references(25_000, last=1), "clip.mp4", "truncated", "damaged",
    ),
    "more boxes than any camera writes": (
        lambda: MP4 + struct.pack(">I4s", 8, b"free") * 25_000, "clip.mp4", "truncated", "incomplete",
    ),
    "a packed header": (
        lambda: MP4[:32] + struct.pack(">I4sI4s", 16, b"moov", 8, b"cmov"), "clip.mov", "unsupported_media", "old way",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_videos_are_refused_in_plain_words(name: str) -> None:
    make, filename, code, words = BAD[name]
    with pytest.raises(IntakeError) as refused:
        facts(make(), filename)
    assert refused.value.code == code
    assert words in refused.value.message
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("data", [MP4, WEBM], ids=["mp4", "webm"])
def test_a_video_that_ends_early_is_refused_wherever_it_was_cut(data: bytes) -> None:
    assert facts(data).width == 64
    for length in range(1, len(data) - 1, 7):
        with pytest.raises(IntakeError):
            facts(data[:length])


@given(st.sampled_from([MP4, WEBM]), st.integers(0, 100_000), st.binary(min_size=1, max_size=8))
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_taken_or_refused(data: bytes, at: int, noise: bytes) -> None:
    at %= len(data)
    try:
        facts(data[:at] + noise + data[at + len(noise) :])
    except IntakeError as refused:
        assert refused.message


def upload(data: bytes = MP4, name: str = "clip.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "video/mp4")


def test_pictures_and_videos_are_told_apart_by_their_bytes(astronaut_jpeg: bytes) -> None:
    assert is_video(upload())
    assert is_video(upload(name="photo.jpg")), "it is then refused for its name"
    assert is_video(upload(b"#EXTM3U", "list.mp4")), "a name that promises a video gets the answer of a video"
    assert not is_video(upload(astronaut_jpeg, "clip.mp4"))
    assert not is_video(upload(b"hello", "notes.txt"))


@pytest.mark.django_db
def test_an_accepted_video_is_kept_as_it_came(house: Any) -> None:
    artifact = accept_video(upload(name="C:\\me\\My clip\u202e.mp4"), visitor())
    artifact.refresh_from_db()
    assert (artifact.role, artifact.size, artifact.content_type) == ("original", len(MP4), "video/mp4")
    assert (artifact.width, artifact.height, artifact.original_name) == (64, 48, "My clip.mp4")
    assert artifact.sha256 == hashlib.sha256(MP4).hexdigest()
    assert artifact.purge_after is not None and artifact.public_name == "original.mp4"
    with artifact.file.open("rb") as stored:
        assert stored.read() == MP4


@pytest.mark.django_db
def test_a_hundred_megabytes_are_never_whole_in_memory(house: Any) -> None:
    filling = 90 * 1024 * 1024
    with TemporaryUploadedFile("clip.mp4", "video/mp4", 0, None) as file:
        file.write(MP4 + struct.pack(">I4s", 8 + filling, b"free"))
        file.truncate(len(MP4) + 8 + filling)
        file.size = len(MP4) + 8 + filling
        tracemalloc.start()
        try:
            artifact = accept_video(file, visitor())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert artifact.size == file.size
    assert peak < 8 * 1024 * 1024
    assert Path(artifact.file.path).stat().st_size == file.size


@pytest.mark.django_db
@pytest.mark.parametrize("announced", [True, False])
def test_a_video_that_is_too_large_is_not_read_to_its_end(house: Any, announced: bool) -> None:
    house.JOBS_VIDEO_BYTES = 100_000
    read: list[int] = []

    class Endless(SimpleUploadedFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            for _ in range(1000):
                read.append(1)
                yield bytes(64 * 1024)

    file = Endless("clip.mp4", MP4, "video/mp4")
    file.size = 65_536_000 if announced else 10
    with pytest.raises(IntakeError) as refused:
        accept_video(file, visitor())
    assert refused.value.code == "too_large"
    assert len(read) == (0 if announced else 2)


@pytest.mark.django_db
def test_pictures_keep_their_own_limit(house: Any, astronaut_jpeg: bytes) -> None:
    house.JOBS_PICTURE_BYTES = len(astronaut_jpeg) - 1
    with pytest.raises(IntakeError):
        accept_picture(upload(astronaut_jpeg, "photo.jpg"), visitor())


@pytest.mark.django_db
def test_a_refused_video_leaves_nothing_behind(house: Any) -> None:
    for make, name, _code, _words in BAD.values():
        with pytest.raises(IntakeError):
            accept_video(upload(make(), name), visitor())
    assert not Artifact.objects.exists()
    assert not list(Path(house.MEDIA_ROOT).rglob("*.*"))


@pytest.mark.django_db
def test_a_video_beyond_the_share_is_not_even_read(house: Any) -> None:
    house.JOBS_WAITING_VISITOR = 1
    submit()
    with pytest.raises(QuotaExceeded):
        accept_video(upload(), visitor())
