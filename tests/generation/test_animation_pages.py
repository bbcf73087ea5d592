"""The animation wizard and its API: what a mistake costs, whose files may be used, what is said when it is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from detection.models import ApiToken
from generation import services, texts
from generation.animation import DRIVER, NAME, PORTRAIT
from generation.consents import Consent, TermsAcceptance
from generation.models import Generation
from generation.refusals import Refused
from jobs import lifecycle
from jobs.models import Artifact, Job
from tests import clips
from tests.detection import factories
from tests.generation import animating as moving
from tests.generation import making as do

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
START = "/create/animate/"
GO = "/create/animate/go/"
STATED = {
    "portrait-relation": "myself",
    "portrait-version": texts.consent("myself").version,
    "portrait-people": "1",
    "portrait-agreed": "on",
}
SETTINGS = {
    "motion": "relative",
    "movement": "1.2",
    "framing": "square",
    "best_start": "on",
    "restore_faces": "on",
    "title": "Nodding",
}


@pytest.fixture(scope="module")
def driving() -> bytes:
    return clips.encoded(clips.astronaut_frames(12))


def photo(data: bytes) -> SimpleUploadedFile:
    return factories.upload("me.jpg", data)


def begun(client: Client, data: bytes, **more: Any) -> str:
    """Where the second step is."""
    answer = client.post(START, {"portrait": photo(data), "driver": moving.MOTION, **more})
    assert answer.status_code == 302, answer.context["form"].errors
    return str(answer["Location"])


# --- The wizard -------------------------------------------------------------------------------------------------------
def test_from_a_portrait_to_a_queued_job(ada: User, ada_client: Client, astronaut_jpeg: bytes) -> None:
    page = ada_client.get(START).content.decode()
    for slug in ("nod", "turn", "blink", "speak"):
        assert f'value="motion:{slug}"' in page
    second = begun(ada_client, astronaut_jpeg)
    page = ada_client.get(second).content.decode()
    assert texts.consent("myself").body[:40] in page
    assert "driver-relation" not in page  # a drawn path: nobody to ask for it
    answer = ada_client.post(second, {**STATED, **SETTINGS, "affirmed": "on"})
    generation = Generation.objects.get()
    assert answer["Location"] == reverse("generation:result", args=[generation.pk])
    assert (generation.kind, generation.title, generation.consent.relation) == (NAME, "Nodding", "myself")
    wanted = {
        "motion": "relative",
        "movement": 1.2,
        "framing": "square",
        "best_start": True,
        "restore_faces": True,
        "network": "",
    }
    assert generation.job.params["options"] == wanted
    assert set(generation.inputs.values_list("role", flat=True)) == {PORTRAIT, DRIVER}
    page = ada_client.get(answer["Location"]).content.decode()
    assert f'data-socket="/ws/jobs/{generation.job_id}/"' in page
    assert str(generation.pk) in ada_client.get("/create/gallery/").content.decode()


def test_a_mistake_costs_nothing_that_was_right(ada_client: Client, astronaut_jpeg: bytes, driving: bytes) -> None:
    answer = ada_client.post(START, {"portrait": photo(astronaut_jpeg), "driver": "clip"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Choose your driving clip." in page
    (kept,) = re.findall(r'name="kept_portrait" value="([^"]+)"', page)
    assert "me.jpg" in page
    wrong = SimpleUploadedFile("driver.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n")
    answer = ada_client.post(START, {"kept_portrait": kept, "driver": "clip", "clip": wrong})
    assert answer.status_code == 400
    assert "playlist" in answer.content.decode()
    clip = SimpleUploadedFile("driver.mp4", driving, "video/mp4")
    answer = ada_client.post(START, {"kept_portrait": kept, "driver": "clip", "clip": clip})
    assert answer.status_code == 302
    told = parse_qs(urlsplit(answer["Location"]).query)
    assert told["portrait"] == [kept]
    assert Artifact.objects.count() == 2
    second = answer["Location"]
    answer = ada_client.post(second, {**STATED, **SETTINGS, "affirmed": "on"})  # nothing stated of the driver
    assert answer.status_code == 400
    assert answer.context["steps"][1].form.errors
    assert 'value="Nodding"' in answer.content.decode()
    assert not Consent.objects.exists(), "half of the statements were recorded"
    of_driver = {name.replace("portrait", "driver"): value for name, value in STATED.items()}
    assert ada_client.post(second, {**STATED, **of_driver, **SETTINGS, "affirmed": "on"}).status_code == 302
    back = ada_client.get(second, follow=True)  # the files belong to a job now
    assert "once more" in back.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"affirmed": ""},
        {"portrait-agreed": ""},
        {"portrait-relation": "nobody"},
        {"portrait-people": "0"},
        {"movement": "9"},
        {"movement": "nan"},
        {"motion": "sideways"},
        {"framing": ""},
        {"title": "x" * 201},
    ],
    ids=str,
)
def test_the_second_step_refuses(wrong: dict[str, str], ada_client: Client, astronaut_jpeg: bytes) -> None:
    second = begun(ada_client, astronaut_jpeg)
    answer = ada_client.post(second, {**STATED, **SETTINGS, "affirmed": "on", **wrong})
    assert answer.status_code == 400
    assert not Job.objects.exists()
    assert not Consent.objects.exists()
    assert Artifact.objects.filter(job=None).count() == 1  # what was sent is still there


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"driver": moving.MOTION}, "Choose a portrait."),
        ({"driver": "motion:no-such", "portrait": "photo"}, "Choose one of the movements"),
        ({"portrait": "photo"}, "Choose one of the movements"),
        ({"driver": moving.MOTION, "portrait": "clip"}, "must be a picture"),
        ({"driver": "clip", "portrait": "photo", "clip": "photo"}, "must be a clip"),
        ({"driver": moving.MOTION, "portrait": "empty"}, "empty"),
    ],
)
def test_the_first_step_says_what_is_wrong(
    sent: dict[str, str], words: str, ada_client: Client, astronaut_jpeg: bytes, driving: bytes
) -> None:
    def files() -> dict[str, Any]:
        return {
            "photo": photo(astronaut_jpeg),
            "clip": SimpleUploadedFile("driver.mp4", driving),
            "empty": SimpleUploadedFile("me.jpg", b""),
        }

    told = {name: files().get(value, value) if name != "driver" else value for name, value in sent.items()}
    answer = ada_client.post(START, told)
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_nobody_goes_on_with_another_persons_files(
    ada: User, ben: User, ada_client: Client, client: Client, astronaut_jpeg: bytes
) -> None:
    second = begun(ada_client, astronaut_jpeg)
    client.force_login(ben)
    assert client.get(second).status_code == 302
    assert client.post(second, {**STATED, **SETTINGS, "affirmed": "on"})["Location"] == START
    kept = parse_qs(urlsplit(second).query)["portrait"][0]
    answer = client.post(START, {"kept_portrait": kept, "driver": moving.MOTION})
    assert answer.status_code == 400
    assert "me.jpg" not in answer.content.decode()
    shown = moving.portrait(ada, astronaut_jpeg)
    for portrait, driver in (("x", moving.MOTION), (shown.pk, shown.pk), (shown.pk, "x"), (shown.pk, "")):
        assert ada_client.get(GO, {"portrait": portrait, "driver": driver})["Location"] == START


def test_what_stands_in_the_way_is_said_first(
    ada: User, ada_client: Client, astronaut_jpeg: bytes, settings: Any
) -> None:
    second = begun(ada_client, astronaut_jpeg)
    settings.GENERATION_DAILY_QUOTA = 0
    assert "come back tomorrow" in ada_client.get(START).content.decode()
    answer = ada_client.post(START, {"portrait": photo(astronaut_jpeg), "driver": moving.MOTION})
    assert answer.status_code == 429
    answer = ada_client.post(second, {**STATED, **SETTINGS, "affirmed": "on"})
    assert answer.status_code == 429
    assert not Consent.objects.exists()
    settings.GENERATION_DAILY_QUOTA = 5
    TermsAcceptance.objects.all().delete()
    page = ada_client.get(second).content.decode()
    (terms,) = re.findall(r'href="(/create/terms/\?next=[^"]+)"', page)
    agreed = {"version": texts.terms().version, "agreed": "on"}
    assert ada_client.post(terms.replace("&amp;", "&"), agreed)["Location"] == second
    TermsAcceptance.objects.all().delete()
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        answer = ada_client.post(f"{reverse('generation:terms')}?next={elsewhere}", agreed)
        assert answer["Location"] == reverse("generation:terms")
        TermsAcceptance.objects.all().delete()


def test_again(
    ada: User, ben: User, ada_client: Client, astronaut_jpeg: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.animate.animate.run", moving.still_engine)
    made = moving.submitted(ada, astronaut_jpeg, movement=1.5, framing="square")
    job = moving.claimed(made)
    lifecycle.succeed(job.pk, job.attempt, moving.run(job, tmp_path / "work"))
    page = ada_client.get(reverse("generation:result", args=[made.pk])).content.decode()
    (again,) = set(re.findall(rf'href="({START}\?again=[^"]+)"', page))
    assert "portrait.jpg" in ada_client.get(again).content.decode()
    second = ada_client.post(again, {"driver": "motion:blink"})["Location"]
    page = ada_client.get(second).content.decode()
    assert 'value="1.5"' in page
    assert "portrait-relation" not in page, "what was stated about this very file holds"
    answer = ada_client.post(second, {**SETTINGS, "affirmed": "on"})
    assert answer.status_code == 302
    newest = Generation.objects.exclude(pk=made.pk).get()
    assert newest.consent == made.consent
    assert newest.inputs.get(role=DRIVER).identity == "motion:blink"
    services.delete_own(made)
    assert newest.inputs.get(role=PORTRAIT).artifact is not None  # a file of its own
    stranger = Client()
    stranger.force_login(ben)
    assert "portrait.jpg" not in stranger.get(again).content.decode()


def test_the_result_page_tells_what_was_measured(
    ada: User,
    ada_client: Client,
    astronaut_jpeg: bytes,
    driving: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ml.animate.animate.run", moving.still_engine)
    made = moving.submitted(ada, astronaut_jpeg, driving, restore_faces=True)
    job = moving.claimed(made)
    lifecycle.succeed(job.pk, job.attempt, moving.run(job, tmp_path / "work"))
    made.refresh_from_db()
    page = ada_client.get(reverse("generation:result", args=[made.pk])).content.decode()
    outputs = {each.role: each for each in Artifact.objects.filter(job=job.pk)}
    for role in ("result", "comparison", "before"):
        assert outputs[role].url in page, role
    assert f'poster="{outputs["poster"].url}"' in page
    assert outputs["original"].url not in page
    assert "What the detectors here say of it" in page
    assert "drawn anew by the face restorer" in page
    assert "A signed statement says: made with AI" in page
    assert factories.status(ada_client, outputs["comparison"].url) == 200
    Generation.objects.update(facts={"score": {"after": {"level": "x", "probability": "y"}}, "cautions": ["pose_gap"]})
    assert ada_client.get(reverse("generation:result", args=[made.pk])).status_code == 200


# --- The API ----------------------------------------------------------------------------------------------------------
def spoken(user: User) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(user, 'tests')[1]}"}


def asked(data: bytes, **changes: Any) -> dict[str, Any]:
    told = {"portrait": photo(data), "relation": "myself", "version": texts.consent("myself").version}
    whole = {**told, "affirmed": "true", "driver": moving.MOTION, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def test_a_program_animates(
    ada: User, ben: User, client: Client, astronaut_jpeg: bytes, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ml.animate.animate.run", moving.still_engine)
    speaks = spoken(ada)
    assert {each["driver"] for each in client.get("/api/v1/motions", **speaks).json()} >= {moving.MOTION}
    assert client.get("/api/v1/motion-networks").json() == []
    words = client.get("/api/v1/statements", **speaks).json()
    assert {each["relation"] for each in words} == set(Consent.Relation.values)
    answer = client.post("/api/v1/animations", asked(astronaut_jpeg, title="By program", movement="1.5"), **speaks)
    assert answer.status_code == 202, answer.content
    location = answer["Location"]
    assert answer.json()["state"] == "queued"
    assert not Generation.objects.get().job.params["options"]["restore_faces"], "it was not asked for"
    job = moving.claimed(Generation.objects.get())
    lifecycle.succeed(job.pk, job.attempt, moving.run(job, tmp_path / "work"))
    told = client.get(location, **speaks).json()
    assert told["state"] == "succeeded"
    assert [each["role"] for each in sorted(told["files"], key=lambda each: each["role"])] == ["poster", "result"]
    assert told["facts"]["score"]["after"]["level"]
    result = next(each for each in told["files"] if each["role"] == "result")
    data = b"".join(client.get(result["url"], **speaks).streaming_content)
    assert data == factories.content(Generation.objects.get().result)
    listed = client.get("/api/v1/creations?kind=animation&q=program", **speaks).json()
    assert [each["id"] for each in listed["items"]] == [told["id"]]
    for method in ("get", "delete"):
        assert getattr(client, method)(location, **spoken(ben)).status_code == 404
    original = Artifact.objects.get(job=job.pk, role="original")
    private = reverse("api:creation_file", args=[told["id"], original.pk])
    assert client.get(private, **speaks).status_code == 404
    assert client.delete(location, **speaks).status_code == 204
    assert client.get(location, **speaks).status_code == 404
    assert not Artifact.objects.filter(job=job.pk).exists()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"affirmed": "false"}, 400, "not_affirmed"),
        ({"affirmed": None}, 400, "invalid"),
        ({"relation": "nobody"}, 400, "no_consent"),
        ({"version": "0"}, 400, "no_consent"),
        ({"relation": None}, 400, "invalid"),
        ({"driver": "motion:no-such"}, 404, "unknown_identity"),
        ({"driver": None}, 404, "unknown_identity"),
        ({"movement": "9"}, 400, "settings"),
        ({"motion": "sideways"}, 400, "settings"),
        ({"framing": "round"}, 400, "settings"),
        ({"network": "gone.fomm.npz"}, 400, "settings"),
        ({"people": "0"}, 400, "no_consent"),
        ({"portrait": SimpleUploadedFile("me.jpg", b"no picture")}, 415, "not_an_image"),
    ],
    ids=str,
)
def test_what_a_program_is_refused(
    changes: dict[str, Any], status: int, code: str, ada: User, client: Client, astronaut_jpeg: bytes
) -> None:
    answer = client.post("/api/v1/animations", asked(astronaut_jpeg, **changes), **spoken(ada))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Job.objects.exists()


def test_a_program_states_who_is_in_its_clip(ada: User, client: Client, astronaut_jpeg: bytes, driving: bytes) -> None:
    def clip() -> SimpleUploadedFile:
        return SimpleUploadedFile("driver.mp4", driving)

    speaks = spoken(ada)
    for changes in ({"clip": clip(), "driver": None}, {"clip": clip(), "clip_relation": "myself"}):
        answer = client.post("/api/v1/animations", asked(astronaut_jpeg, **changes), **speaks)
        assert answer.status_code in (400, 404), answer.content
        assert not Job.objects.exists()
    told = asked(astronaut_jpeg, clip=clip(), clip_relation="written_consent", driver=None)
    assert client.post("/api/v1/animations", told, **speaks).status_code == 202
    assert Generation.objects.get().inputs.get(role=DRIVER).consent.relation == "written_consent"


def test_programs_without_an_account_make_nothing(client: Client, astronaut_jpeg: bytes) -> None:
    answer = client.post("/api/v1/animations", asked(astronaut_jpeg))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
    assert client.get("/api/v1/creations").status_code == 401
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()


def test_a_consent_of_an_upload_that_another_made(ada: User, ben: User, astronaut_jpeg: bytes) -> None:
    shown = moving.portrait(ben, astronaut_jpeg)
    with pytest.raises(Refused):
        do.consented(ada, shown)
