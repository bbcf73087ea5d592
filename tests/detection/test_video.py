"""A video's way through the site: taken in, judged, shown over time, shared, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from detection import handlers, services
from detection.exchange import FrameJobResult, VideoJobRequest
from detection.kinds import VIDEO, prepare_video
from detection.models import Check
from detection.templatetags.timeline import timeline_drawing
from jobs import lifecycle
from jobs.errors import IntakeError, PersonError
from jobs.models import Artifact
from tests import clips
from tests.detection import factories
from tests.ml.conftest import calibration, finder, predictor, random_checker, random_models  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from detection.exchange import CheckJobResult
    from jobs.models import Job
    from ml.detect.check import Checker

CLIP = clips.encoded(clips.faceless_frames(4, 64, 48))


def upload(data: bytes = CLIP, name: str = "clip.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="video/mp4")


def person(index: int, level: str, probability: float | None, **more: Any) -> dict[str, Any]:
    told = {
        "index": index, "level": level, "probability": probability, "interval": [0.7, 0.95], "reason_code": "x",
        "reason": f"Reason of person {index}.", "frames": 3, "usable": 3, "share_over": 0.33, "first": 0.0,
        "last": 4.0, "box": [1, 2, 30, 40], "detectors": {}, "worst": [{"t": 2.0, "probability": 0.91}],
    }  # fmt: skip
    return told | more


RESULT = replace(
    factories.RESULT,
    duration=5.0,
    people=(
        person(0, "likely_manipulated", 0.9),
        person(1, "likely_authentic", 0.05, worst=[], interval=[0.02, 0.1]),
    ),
    timeline=(
        {"t": 0.0, "people": {"0": 0.5, "1": 0.02}, "scene_cut": False},
        {"t": 2.0, "people": {"0": 0.91}, "scene_cut": False},
        {"t": 3.0, "people": {"1": 0.1}, "scene_cut": True},
        {"t": 4.0, "people": {"0": 0.85}, "scene_cut": False},
    ),
    frames=tuple(
        FrameJobResult(t, p, factories.jpeg("navy", (40, 30))) for t, p in ((0.0, 0.5), (2.0, 0.91), (4.0, None))
    ),
    faces=(factories.FACE, replace(factories.FACE, quality={"elsewhere": 1, "face_px": 50})),
    preview_mp4=clips.encoded(clips.faceless_frames(4, 64, 48)),
)


def submitted(owner: Any, data: bytes = CLIP, name: str = "clip.mp4") -> Check:
    return services.submit_check(owner, upload(data, name))


def claimed(check: Check) -> Job:
    job = lifecycle.claim("tests", [VIDEO])
    assert job is not None and job.pk == check.job_id
    return job


def finished(check: Check, result: CheckJobResult = RESULT) -> Check:
    job = claimed(check)
    lifecycle.succeed(job.pk, job.attempt, result)
    check.refresh_from_db()
    return check


@pytest.fixture
def mine(ada: User) -> Check:
    return finished(submitted(factories.requester(ada)))


def test_a_video_becomes_a_check_of_its_own_kind(ada: User, tmp_path: Path) -> None:
    check = submitted(factories.requester(ada))
    assert (check.media, check.job.kind, check.title) == (Check.Media.VIDEO, VIDEO, "clip.mp4")
    assert check.original is not None
    assert (check.original.content_type, check.original.width) == ("video/mp4", 64)
    request = prepare_video(claimed(check), tmp_path)
    assert request.path.read_bytes() == CLIP and request.path.suffix == ".mp4"
    assert (request.max_seconds, request.max_bytes, request.samples) == (60, 100 * 1024 * 1024, 40)


def test_one_form_takes_pictures_and_videos(ada_client: Client) -> None:
    files = [upload(), factories.upload(), upload(clips.PLAYLISTS["ffconcat"], "other.mp4")]
    answer = ada_client.post("/", {"files": files}, headers={"accept": "application/json"})
    assert answer.status_code == 202
    assert [Check.objects.get(pk=check["id"]).media for check in answer.json()["checks"]] == ["video", "picture"]
    (refused,) = answer.json()["errors"]
    assert (refused["name"], refused["code"]) == ("other.mp4", "not_a_video")
    assert "playlist" in refused["message"]


def test_the_api_takes_videos_too(ada_client: Client) -> None:
    accepted = ada_client.post("/api/v1/checks", {"file": upload()})
    assert accepted.status_code == 202, accepted.content
    assert Check.objects.get(pk=accepted.json()["id"]).media == "video"
    refused = ada_client.post("/api/v1/checks", {"file": upload(b"#EXTM3U\n", "a.mp4")})
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "not_a_video")


def test_a_refused_video_leaves_nothing_behind(ada: User, media_root: Path) -> None:
    for data in (b"", CLIP[: len(CLIP) // 2], clips.sound_only(), clips.with_outside_media(CLIP)):
        with pytest.raises(IntakeError):
            submitted(factories.requester(ada), data)
    assert not Check.objects.exists() and not Artifact.objects.exists()
    assert not [path for path in media_root.rglob("*") if path.is_file()]


def test_a_failed_video_check_is_tried_again_as_a_video(ada: User) -> None:
    check = submitted(factories.requester(ada))
    job = claimed(check)
    lifecycle.fail(job.pk, job.attempt, "internal", "Our fault.", "0badcafe")
    check.refresh_from_db()
    again = services.retry_check(check, factories.requester(ada))
    assert again.job.kind == VIDEO


def test_the_page_shows_people_over_time(mine: Check, ada_client: Client) -> None:
    page = ada_client.get(mine.get_absolute_url()).content.decode()
    assert "Reason of person 0." in page and "Reason of person 1." in page
    assert page.count('id="frame-') == 3 == page.count("data-seek=") - 1  # and one worst moment
    assert 'href="#frame-2" data-seek="2.0"' in page
    assert page.count('class="box__line"') == 1, "a person who is not in the frame shown has no box on it"
    assert page.count("<polyline") == 4 // 2  # halo and line; the cut and the gap leave one piece of one person
    preview = Artifact.objects.get(role="preview")
    assert f'src="{preview.url}"' in page
    assert factories.status(ada_client, preview.url) == 200
    assert factories.status(Client(), preview.url) == 404
    assert mine.original is not None
    assert factories.status(ada_client, mine.original.url) == 404, "the original stays evidence"


def test_whoever_has_the_link_sees_the_copy_and_not_the_original(mine: Check) -> None:
    token = services.share_check(mine)
    guest = Client()
    page = guest.get(f"/s/{token}/").content.decode()
    preview = Artifact.objects.get(role="preview")
    address = f"/s/{token}/{preview.pk}/preview.mp4"
    assert address in page
    assert factories.status(guest, address) == 200
    assert mine.original is not None
    assert factories.status(guest, f"/s/{token}/{mine.original.pk}/{mine.original.public_name}") == 404


def test_nobody_in_a_video_makes_a_page_too(ada: User, ada_client: Client) -> None:
    nobody = replace(RESULT, people=(), faces=(), timeline=(), frames=(), preview_mp4=None, level="not_applicable",
                     probability=None, interval=None)  # fmt: skip
    check = finished(submitted(factories.requester(ada)), nobody)
    page = ada_client.get(check.get_absolute_url())
    assert page.status_code == 200
    assert "<video" not in page.content.decode()


def test_deleting_takes_all_of_it(mine: Check, media_root: Path, django_capture_on_commit_callbacks: Any) -> None:
    assert len(list(media_root.rglob("*.mp4"))) == 2
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_check(mine)
    assert not [path for path in media_root.rglob("*") if path.is_file()]
    assert not Artifact.objects.exists()


def test_the_drawing_has_what_was_measured(mine: Check) -> None:
    drawn = timeline_drawing(mine, list(mine.frames.order_by("index")))
    first, second = drawn["people"]
    assert first["lines"] == ["0,500 400,90"]
    assert [dot["x"] for dot in first["dots"]] == [0, 400, 800]
    assert second["lines"] == []
    assert drawn["cuts"] == [600]
    assert first["worst"] == [{"seconds": 2.0, "percent": 91, "level": "likely_manipulated", "frame": 2}]
    assert [frame["level"] for frame in drawn["frames"]] == ["inconclusive", "likely_manipulated", "not_applicable"]
    assert drawn["band"] == {"y": 400, "high": 200}
    assert [row["cells"] for row in drawn["table"]] == [[50, 2], [91, None], [None, 10], [85, None]]


# --- The handler ------------------------------------------------------------------------------------------------------
def quiet(stage: str, done: int, total: int) -> None:
    pass


def request(path: Path) -> VideoJobRequest:
    return VideoJobRequest(path, 10**8, 60.0, 1920 * 1080, 500, samples=6, max_people=2)


@pytest.fixture
def here(random_checker: Checker, monkeypatch: pytest.MonkeyPatch) -> Checker:  # noqa: F811
    from ml.detect import check

    monkeypatch.setattr(check, "checker", lambda: random_checker)
    return random_checker


def test_the_handler_gives_plain_values_that_are_published(here: Checker, ada: User, tmp_path: Path) -> None:
    from jobs import wire

    path = tmp_path / "clip.mp4"
    path.write_bytes(clips.encoded(clips.astronaut_frames(8)))
    result = handlers.check_video(request(path), quiet)
    result = wire.loads(wire.dumps(result), {"detection"})  # refuses NumPy numbers and whatever else is of ml
    check = finished(submitted(factories.requester(ada)), result)
    (face,) = check.faces.all()
    assert (check.level, check.probability) == (face.level, face.probability)
    assert len(check.people) == 1 and 3 <= len(check.timeline) <= 6
    assert check.frames.count() == len(result.frames)
    assert check.duration == pytest.approx(1 / 3, abs=0.01)
    assert (check.width, check.height) == (320, 240)


@pytest.mark.parametrize("name", ["cut in the middle", "changing its size", "10,000 frames a second", "no frames"])
def test_what_only_the_decoder_finds_is_told_to_the_person(name: str, here: Checker, tmp_path: Path) -> None:
    make, code, words = clips.hostile()[name]
    path = tmp_path / "clip.mp4"
    path.write_bytes(make())
    with pytest.raises(PersonError) as refused:
        handlers.check_video(request(path), quiet)
    assert refused.value.code == code and words in refused.value.message
