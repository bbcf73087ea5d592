"""Reports of a check: what is in them, who gets them, and what a hostile name cannot do to them."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from detection import pictures, services, wording
from detection.models import ApiToken, Check, FaceFinding
from detection.report.as_pdf import render
from detection.report.contents import Contents, caveat, gather
from detection.report.fonts import marked
from jobs.models import Artifact
from tests.detection import factories
from tests.live_site import REPOSITORY, site_environment

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from detection.exchange import CheckJobResult

pytestmark = pytest.mark.django_db
FORMS = ("json", "pdf")
HOSTILE = (
    '"; filename="run.exe',
    "line\r\nSet-Cookie: a=b",
    "<b>bold</b> & <img src='file:///etc/passwd'/>",
    "\u202egpj.exe",
    "写真 фото صورة 사진 😀 e\u0301",
    "x" * 199,
    "<font name='nothing'>",
)


def noise(seed: int) -> bytes:
    """A face's worth of JPEG that no other face shares."""
    buffer = io.BytesIO()
    spots = random.Random(seed).randbytes(64 * 64 * 3)  # noqa: S311
    Image.frombytes("RGB", (64, 64), spots).resize((256, 256)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def done(owner: User, result: CheckJobResult = factories.RESULT, name: str = "photo.jpg") -> Check:
    return factories.finished(factories.queued(factories.requester(owner), name), result)


def contents_of(check: Check) -> Contents:
    return gather(check, pictures.for_owner, "http://testserver", private=True)


def words(pdf: bytes) -> str:
    """The text of an uncompressed PDF: what stands in its show-text operators."""
    shown = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)
    return " ".join(re.sub(rb"\\([()\\])", rb"\1", each).decode("latin-1") for each in shown)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def test_json_has_the_verdict_and_what_made_it(ada: User, ada_client: Client) -> None:
    check = done(ada)
    answer = ada_client.get(reverse("detection:report_json", args=[check.pk]))
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    told = answer.json()
    assert told["format"] == "unmask-report/1"
    assert told["caveat"] == caveat()
    assert told["check"]["name"] == "photo.jpg"
    assert told["original"]["sha256"] == hashlib.sha256(factories.jpeg()).hexdigest()
    verdict = told["verdict"]
    assert (verdict["level"], verdict["probability"], verdict["interval"]) == ("likely_manipulated", 0.91, [0.82, 0.96])
    assert verdict["band"] == [0.4, 0.6]
    assert told["made_with"]["weights"] == "weights-test"
    assert told["made_with"]["thresholds"] == "thresholds-test"
    assert [face["number"] for face in told["faces"]] == [1, 2]
    crop = told["faces"][0]["pictures"]["crop"]
    assert factories.status(ada_client, crop.removeprefix("http://testserver")) == 200


def test_pdf_has_the_same_in_words_that_can_be_selected(ada: User) -> None:
    check = done(ada)
    pdf = render(contents_of(check), compressed=False)
    text = words(pdf)
    for part in (
        "Likely manipulated",
        "91 %",
        "82 and 96 %",
        "This is not proof.",
        "photo.jpg",
        hashlib.sha256(factories.jpeg()).hexdigest(),
        "weights-test",
        "thresholds-test",
        "40 and 60 %",
        "MesoInception-4 94 %",
        "Face size: 40 px",
        "Provenance",
        "http://testserver",
        f"Page 1 of {pages(pdf)}",
    ):
        assert part in text, part
    assert b"/DisplayDocTitle true" in pdf
    assert b"/Lang (en" in pdf
    assert pdf.count(b"/Subtype /Image") >= 3  # the picture, and what is shown of the faces
    assert re.search(rb"/MediaBox \[ 0 0 595\.\d+ 841\.\d+ \]", pdf)


def test_reports_are_not_there_before_the_verdict(ada: User, ada_client: Client) -> None:
    failed = factories.failed(factories.queued(factories.requester(ada)))
    for check in (failed, factories.queued(factories.requester(ada))):
        for form in FORMS:
            assert ada_client.get(reverse(f"detection:report_{form}", args=[check.pk])).status_code == 404
            assert ada_client.get(reverse(f"api:check_report_{form}", args=[check.pk])).status_code == 404


@pytest.mark.parametrize("form", FORMS)
def test_strangers_find_nothing(ada: User, ben_client: Client, client: Client, form: str) -> None:
    check = done(ada)
    for stranger in (ben_client, client):
        assert stranger.get(reverse(f"detection:report_{form}", args=[check.pk])).status_code == 404
        assert stranger.get(reverse(f"api:check_report_{form}", args=[check.pk])).status_code == 404
        assert stranger.get(reverse(f"detection:shared_report_{form}", args=["guess"])).status_code == 404


def test_a_shared_report_says_what_the_shared_page_says(ada: User, client: Client) -> None:
    check = done(ada, name="my-neighbour-on-holiday.jpg")
    token = services.share_check(check)
    told = client.get(reverse("detection:shared_report_json", args=[token]))
    text = told.content.decode()
    assert "my-neighbour" not in text
    assert str(check.pk) not in text
    assert ada.email not in text
    assert "/files/" not in text
    assert "/api/" not in text
    face = told.json()["faces"][0]["pictures"]["crop"].removeprefix("http://testserver")
    assert factories.status(client, face) == 200
    pdf = client.get(reverse("detection:shared_report_pdf", args=[token]))
    assert pdf.content.startswith(b"%PDF-")
    contents = gather(check, pictures.for_link(token), "http://testserver", private=False)
    assert "my-neighbour" not in words(render(contents, compressed=False))

    Check.objects.update(share_expires=timezone.now())
    for form in FORMS:
        assert client.get(reverse(f"detection:shared_report_{form}", args=[token])).status_code == 404


def test_programs_get_reports_and_pictures_by_their_token(ada: User, ben: User, client: Client) -> None:
    check = done(ada)
    token, other = ({"Authorization": f"Bearer {ApiToken.issue(user, 'x')[1]}"} for user in (ada, ben))
    told = client.get(f"/api/v1/checks/{check.pk}", headers=token).json()
    assert told["report"] == f"http://testserver/api/v1/checks/{check.pk}/report.json"
    report = client.get(told["report"].removeprefix("http://testserver"), headers=token)
    assert report.json()["faces"][0]["pictures"] == told["faces"][0]["pictures"]
    for address in filter(None, told["faces"][0]["pictures"].values()):
        path = address.removeprefix("http://testserver")
        picture = client.get(path, headers=token)
        assert b"".join(picture.streaming_content).startswith(b"\xff\xd8")
        assert client.get(path, headers=other).status_code == 404
        assert client.get(path).status_code == 404
    pdf = client.get(f"/api/v1/checks/{check.pk}/report.pdf", headers=token)
    assert pdf["Content-Type"] == "application/pdf"
    for hidden in (check.original_id, UUID(int=0)):
        assert client.get(reverse("api:check_picture", args=[check.pk, hidden]), headers=token).status_code == 404


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", FORMS)
def test_names_do_no_harm(ada: User, ada_client: Client, name: str, form: str) -> None:
    check = done(ada)
    Check.objects.filter(pk=check.pk).update(title=name)
    answer = ada_client.get(reverse(f"detection:report_{form}", args=[check.pk]))
    assert answer.status_code == 200
    assert re.fullmatch(rf'attachment; filename="unmask-report-[0-9a-f]{{8}}\.{form}"', answer["Content-Disposition"])
    if form == "json":
        assert json.loads(answer.content)["check"]["name"] == name


def test_letters_without_a_font_are_owned_up_to(ada: User) -> None:
    assert marked("صورة.jpg") == "[?].jpg"
    assert marked("a<b>&\u202e\x00c") == "a&lt;b&gt;&amp;c"
    assert marked("写真") == '<font name="STSong-Light">写真</font>'
    assert marked("Żółć") == "Żółć"
    check = done(ada)
    check.title = "صورة.jpg"
    text = words(render(contents_of(check), compressed=False))
    assert "[?].jpg" in text
    assert "Not every letter can be shown everywhere" in text


def test_twenty_faces_take_several_pages_and_little_space(
    ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    faces = tuple(
        replace(factories.FACE, crop_jpeg=noise(i), gradcam_jpeg=noise(100 + i), boundary_jpeg=noise(200 + i))
        for i in range(20)
    )
    check = done(ada, replace(factories.RESULT, faces=faces))
    with django_assert_max_num_queries(5):
        pdf = render(contents_of(Check.objects.for_page().get(pk=check.pk)))
    assert pages(pdf) >= 3
    assert len(pdf) < 700_000  # of noise; of faces it is half
    plain = render(contents_of(check), compressed=False)
    assert plain.count(b"/Subtype /Image") == 1 + 2 * 20
    assert "20. Likely manipulated" in words(plain)


def test_pictures_that_are_gone_are_left_out(ada: User) -> None:
    check = done(ada)
    for artifact in Artifact.objects.filter(job=check.job).exclude(role=Artifact.ORIGINAL):
        artifact.file.storage.delete(artifact.file.name)
    pdf = render(contents_of(check), compressed=False)
    assert b"/Subtype /Image" not in pdf
    assert "Likely manipulated" in words(pdf)


def test_a_check_without_a_face_has_a_report(ada: User) -> None:
    nothing = replace(
        factories.RESULT,
        level="not_applicable",
        probability=None,
        interval=None,
        reason_code="no_face",
        faces=(),
        display_jpeg=None,
        not_checked=(),
    )
    text = words(render(contents_of(done(ada, nothing)), compressed=False))
    assert "Could not be judged" in text
    assert "No face was found" in text
    assert "Probability" not in text


VIDEO = replace(
    factories.RESULT,
    reason_code="suspicious_moments",
    duration=9.5,
    people=(
        {
            "index": 0,
            "level": "likely_manipulated",
            "probability": 0.91,
            "interval": [0.8, 0.95],
            "reason_code": "above_threshold",
            "reason": "",
            "frames": 17,
            "usable": 16,
            "share_over": 0.75,
            "first": 0.0,
            "last": 9.2,
            "box": [10, 8, 50, 48],
            "detectors": {"meso4": 0.88},
            "worst": [{"t": 4.25, "probability": 0.97}, {"t": 6.0, "probability": 0.96}],
        },
        {
            "index": 1,
            "level": "inconclusive",
            "probability": None,
            "interval": None,
            "reason_code": "too_few_frames",
            "reason": "",
            "frames": 2,
            "usable": 0,
            "share_over": 0.0,
            "first": 4.25,
            "last": 4.5,
            "box": [55, 8, 90, 40],
            "detectors": {},
            "worst": [],
        },
    ),
    timeline=(
        {"t": 0.0, "people": {"0": 0.2}, "scene_cut": False},
        {"t": 4.25, "people": {"0": 0.97, "1": 0.1}, "scene_cut": True},
        {"t": 9.0, "people": {}, "scene_cut": False},
    ),
    provenance={
        "version": 1,
        "media": "video",
        "summary": "A signed manifest tells how this video came about.",
        "perceptual_hash": "0123456789abcdef",
        "manifest": {
            "state": "valid",
            "signer": "Example Studio",
            "trusted": None,
            "title": "Grandmother.mp4",
            "history": [
                {"action": "c2pa.created", "software": "Painter 3", "when": "2026-11-01", "description": "for Max"}
            ],
        },
        "metadata": {"camera": "Camera 7", "software": [{"name": "Lavf"}], "is_empty": False},
    },
)
PRIVATE = ("Grandmother", "for Max", "Camera 7", "0123456789abcdef")


def test_a_video_has_its_people_its_course_and_its_origin(ada: User, ada_client: Client) -> None:
    check = done(ada, VIDEO)
    Check.objects.update(media="video")
    check.refresh_from_db()
    text = words(render(contents_of(check), compressed=False))
    for part in (
        "the most suspicious person was altered: 91 %",
        "at some moments the score is as high",
        "Over time",
        "Person by person",
        "Worst moments",
        "4.2 s, 6.0 s",
        "9.5 s",
        "A signed statement that holds",
        "Example Studio",
        "anybody could have signed by this name",
        "Painter 3",
        "Lavf",
        *PRIVATE[:3],
    ):
        assert part in text, part
    told = ada_client.get(reverse("api:check", args=[check.pk])).json()
    assert told["people"][0]["worst"] == [{"t": 4.25, "probability": 0.97}, {"t": 6.0, "probability": 0.96}]
    assert told["timeline"][1] == {"t": 4.25, "people": {"0": 0.97, "1": 0.1}, "scene_cut": True}
    assert (told["media"], told["duration"], told["frames"], told["preview"]) == ("video", 9.5, [], None)
    told = ada_client.get(reverse("detection:report_json", args=[check.pk])).json()
    assert told["people"][0]["worst"][0]["t"] == 4.25
    assert told["timeline"][1]["people"]["1"] == 0.1
    assert told["provenance"]["manifest"]["signer"] == "Example Studio"
    page = ada_client.get(check.get_absolute_url()).content.decode()
    assert "probability that the most suspicious person was altered" in page


def test_a_link_tells_of_the_origin_what_the_shared_page_tells(ada: User, client: Client) -> None:
    token = services.share_check(done(ada, VIDEO))
    told = client.get(reverse("detection:shared_report_json", args=[token])).content.decode()
    check = Check.objects.get(share_token=token)
    contents = gather(check, pictures.for_link(token), "http://testserver", private=False)
    shown = words(render(contents, compressed=False))
    for text in (told, shown):
        assert "Example Studio" in text
        assert "Painter 3" in text
        assert [part for part in PRIVATE if part in text] == []


def test_every_reason_and_every_detector_has_words() -> None:
    """Of this site, so that they can be translated; what the detectors wrote is for codes that came later."""
    from ml.detect.calibration import Calibration
    from ml.detect.people import VIDEO_SENTENCES
    from ml.detect.verdict import Reason

    codes = {reason.value for reason in Reason} | {str(code) for code in VIDEO_SENTENCES}
    assert codes <= set(wording.REASONS)
    assert set(Calibration.load().weights) <= set(wording.DETECTORS)
    assert wording.reason("invented_later", "As the detectors wrote it.") == "As the detectors wrote it."


@pytest.mark.parametrize(
    ("quality", "reason", "trust"),
    [
        (
            {"face_px": 300, "sharpness": 0.4, "jpeg_quality": 92, "turn": "frontal", "yaw": 3},
            "",
            "good good good good",
        ),
        (
            {"face_px": 100, "sharpness": 0.1, "jpeg_quality": 60, "turn": "profile", "yaw": 60},
            "",
            "less less less less",
        ),
        ({"face_px": 60, "sharpness": 0.01, "jpeg_quality": 30}, "", "little little little good"),
        ({"face_px": 40, "sharpness": 0.4}, "face_too_small", "little good unknown good"),
        ({}, "", "unknown good"),
    ],
)
def test_quality_says_how_far_it_lowers_trust(quality: dict[str, float], reason: str, trust: str) -> None:
    rows = wording.judgements(FaceFinding(quality=quality, reason_code=reason, yaw=0))
    assert " ".join(row.trust for row in rows) == trust
    weak = {"little": "do not lean", "less": "less well"}
    expected = next((words for word, words in weak.items() if word in trust.split()), "Nothing here speaks against")
    assert expected in wording.trust_in(rows)


def test_making_one_loads_no_inference(tmp_path: Path) -> None:
    program = """
import json, sys
import django
django.setup()
from detection.report import as_pdf
as_pdf.letters()
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""
    environment = site_environment(tmp_path, {"DJANGO_SETTINGS_MODULE": "deepfake_site.settings"})
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "reportlab" in loaded
    assert not loaded & {"tensorflow", "keras", "cv2", "mediapipe", "numpy", "matplotlib"}
