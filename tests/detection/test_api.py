"""The API as a program meets it: tokens and cookies, limits, errors, and the same verdict as the page's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from detection.models import ApiToken, Check
from jobs.models import Artifact
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpResponse
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
CHECKS = "/api/v1/checks"


@pytest.fixture
def token(ada: User) -> str:
    return ApiToken.issue(ada, "laptop")[1]


@pytest.fixture
def program() -> Client:
    """No cookies of anybody, and CSRF as strict as it is for browsers."""
    return Client(enforce_csrf_checks=True)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def send(
    client: Client, headers: dict[str, str] | None = None, name: str = "photo.jpg", data: bytes | None = None
) -> HttpResponse:
    return client.post(CHECKS, {"file": factories.upload(name, data)}, headers=headers or {})


def error_of(answer: HttpResponse) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "id"}
    assert body["error"]["message"]
    return body["error"]


def test_from_upload_to_verdict_with_a_token(program: Client, token: str, ada: User) -> None:
    accepted = send(program, bearer(token))
    assert accepted.status_code == 202
    told = accepted.json()
    assert accepted["Location"] == f"{CHECKS}/{told['id']}"
    assert told["state"] == told["job"]["state"] == "queued"
    assert told["level"] is None
    check = factories.finished(Check.objects.get(owner=ada))
    told = program.get(accepted["Location"], headers=bearer(token)).json()
    assert told["level"] == "likely_manipulated"
    assert told["probability"] == check.probability
    assert told["interval"] == [0.82, 0.96]
    assert told["url"] == f"http://testserver{check.get_absolute_url()}"
    assert told["not_checked"] == ["provenance"]
    assert (told["weights_version"], told["thresholds_version"]) == ("weights-test", "thresholds-test")
    assert told["device"] == "CPU (tests)"
    assert told["seconds"] == pytest.approx(0.12)
    assert told["job"]["fraction"] == 1.0
    shown = told["faces"][0].pop("pictures")
    prefix = f"http://testserver{CHECKS}/{told['id']}/pictures/"
    assert all(shown[name].startswith(prefix) for name in ("crop", "gradcam"))
    assert shown["boundary"] is None
    assert (told["media"], told["duration"], told["people"], told["timeline"]) == ("picture", None, [], [])
    assert told["band"] == [0.4, 0.6]
    assert told["faces"][0] == {
        "box": [10, 8, 50, 48],
        "probability": 0.91,
        "level": "likely_manipulated",
        "detectors": {"meso4": 0.88, "mesoinception4": 0.94},
        "quality": {"face_px": 40, "sharpness": 61.5, "compression": "low"},
        "yaw": -12.5,
        "reason": "",
        "reason_code": "",
    }
    assert [face["level"] for face in told["faces"]] == ["likely_manipulated", "likely_authentic"]


def test_page_and_api_give_the_same_answer(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    told = ada_client.get(f"{CHECKS}/{check.pk}").json()
    shown = ada_client.get(check.get_absolute_url())
    assert shown.context["check"].level == told["level"]
    assert shown.context["check"].percent == round(100 * told["probability"])
    assert f"{round(100 * told['probability'])} %" in shown.content.decode()
    assert [(face.level, face.probability, face.detectors) for face in shown.context["faces"]] == [
        (face["level"], face["probability"], face["detectors"]) for face in told["faces"]
    ]
    assert shown.context["job"] == told["job"]


def test_a_visitor_finds_the_check_by_the_cookie(program: Client) -> None:
    accepted = send(program)
    assert accepted.status_code == 202
    assert "sessionid" in program.cookies
    assert program.get(accepted["Location"]).status_code == 200
    assert Client().get(accepted["Location"]).status_code == 404
    assert program.get("/checks/").context["page_obj"].paginator.count == 1
    assert program.delete(accepted["Location"]).status_code == 204


def test_delete(program: Client, token: str, ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert program.delete(f"{CHECKS}/{check.pk}", headers=bearer(token)).status_code == 204
    assert not Check.objects.exists()
    assert not Artifact.objects.exists()
    assert error_of(program.delete(f"{CHECKS}/{check.pk}", headers=bearer(token)))["code"] == "not_found"


def test_a_members_cookie_needs_the_csrf_token(program: Client, ada: User) -> None:
    program.force_login(ada)
    check = factories.queued(factories.requester(ada))
    for answer in (send(program), program.delete(f"{CHECKS}/{check.pk}")):
        assert answer.status_code == 403
        assert error_of(answer)["code"] == "forbidden"
    assert Check.objects.count() == 1
    page = program.get("/").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    headers = {"X-CSRFToken": found[1]}
    assert send(program, headers).status_code == 202
    assert program.delete(f"{CHECKS}/{check.pk}", headers=headers).status_code == 204


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://testserver:81", "null"])
def test_a_form_of_another_site_takes_no_visitors_session_away(program: Client, origin: str) -> None:
    """A browser sends it without cookies; a session in the answer would take the place of the one that it holds."""
    answer = send(program, {"Origin": origin})
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "forbidden"
    assert "sessionid" not in answer.cookies
    assert not Check.objects.exists()


@pytest.mark.parametrize("origin", ["http://testserver", "https://other.example"])
def test_own_pages_and_trusted_ones_may_send(program: Client, settings: SettingsWrapper, origin: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example"]
    assert send(program, {"Origin": origin}).status_code == 202


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YTpi", "nonsense"])
def test_a_wrong_token_is_refused_even_with_a_good_cookie(ada_client: Client, header: str) -> None:
    for answer in (
        ada_client.get(CHECKS, headers={"Authorization": header}),
        send(ada_client, {"Authorization": header}),
    ):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert error_of(answer)["code"] == "unauthorized"
    assert not Check.objects.exists()


def test_revoked_tokens_and_inactive_owners_are_refused(program: Client, token: str, ada: User) -> None:
    assert program.get(CHECKS, headers=bearer(token)).status_code == 200
    ada.is_active = False
    ada.save()
    assert program.get(CHECKS, headers=bearer(token)).status_code == 401
    ada.is_active = True
    ada.save()
    ApiToken.objects.get().revoke()
    assert program.get(CHECKS, headers=bearer(token)).status_code == 401


def test_only_a_hash_of_a_token_is_kept(token: str) -> None:
    held = ApiToken.objects.get()
    assert token not in str(vars(held))
    assert token.startswith(held.prefix)
    assert len(held.prefix) < len(token) / 3
    assert held.last_used is None


def test_use_is_recorded_but_not_at_every_request(
    program: Client, token: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    before = timezone.now()
    program.get(CHECKS, headers=bearer(token))
    used = ApiToken.objects.get().last_used
    assert used is not None
    assert used >= before
    program.get(CHECKS, headers=bearer(token))
    assert ApiToken.objects.get().last_used == used


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("x.jpg", b"", 400, "empty"),
        ("x.jpg", factories.jpeg()[:-20], 400, "truncated"),
        ("x.jpg", b"plain words", 415, "not_an_image"),
        ("x.gif", b"GIF89a" + b"\0" * 40, 415, "unsupported_media"),
    ],
)
def test_refused_files(program: Client, token: str, name: str, data: bytes, status: int, code: str) -> None:
    answer = send(program, bearer(token), name, data)
    assert answer.status_code == status
    assert error_of(answer)["code"] == code


def test_too_large(program: Client, settings: SettingsWrapper) -> None:
    settings.JOBS_PICTURE_BYTES = 100
    answer = send(program)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
    settings.JOBS_PICTURE_BYTES = 10_000_000
    settings.JOBS_PICTURE_PIXELS = 100
    answer = send(program)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_many_pixels")


def test_quota(program: Client, token: str, settings: SettingsWrapper) -> None:
    settings.JOBS_WAITING_MEMBER = 1
    assert send(program, bearer(token)).status_code == 202
    answer = send(program, bearer(token))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert error_of(answer)["code"] == "too_many_requests"
    settings.JOBS_GLOBAL_CAP = 1
    answer = send(program)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert error_of(answer)["code"] == "busy"


@pytest.mark.parametrize("body", [{}, {"photo": SimpleUploadedFile("x.jpg", b"x")}, {"file": "a string"}])
def test_without_the_file_field(program: Client, body: dict[str, Any]) -> None:
    answer = program.post(CHECKS, body)
    assert answer.status_code == 400
    assert "file" in error_of(answer)["message"]


def test_a_bug_answers_with_a_number_that_is_in_the_log(
    program: Client, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("detection.services.submit_check", broken)
    program.raise_request_exception = False
    answer = send(program, bearer(token))
    assert answer.status_code == 500
    error = error_of(answer)
    assert error["code"] == "internal"
    assert "secret detail" not in answer.content.decode()
    assert any(error["id"] in record.getMessage() for record in caplog.records)


def test_list_is_ones_own_in_pages(
    program: Client, token: str, ada: User, ben: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.queued(factories.requester(ben))
    for number in range(3):
        factories.finished(factories.queued(factories.requester(ada), f"{number}.jpg"))
    with django_assert_max_num_queries(4):
        told = program.get(CHECKS, headers=bearer(token)).json()
    assert [item["name"] for item in told["items"]] == ["2.jpg", "1.jpg", "0.jpg"]
    assert (told["count"], told["page"], told["pages"]) == (3, 1, 1)
    assert program.get(f"{CHECKS}?page=x", headers=bearer(token)).status_code == 400


def test_not_found(program: Client, token: str) -> None:
    answer = program.get(f"{CHECKS}/{uuid4()}", headers=bearer(token))
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


def test_a_failed_check_tells_its_error(ada: User, ada_client: Client) -> None:
    check = factories.failed(factories.queued(factories.requester(ada)))
    told = ada_client.get(f"{CHECKS}/{check.pk}").json()
    assert told["state"] == "failed"
    assert told["job"]["error"] == {"code": "truncated", "message": "This picture is incomplete.", "id": "0badcafe"}


def test_openapi_page_uses_our_own_files_under_the_policy_of_all_pages(client: Client) -> None:
    page = client.get("/api/docs")
    html = page.content.decode()
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    assert all(source.startswith("/static/") for source in sources)
    assert not re.search(r"<script(?![^>]*(src=|application/json))", html)
    assert page["Content-Security-Policy"] == client.get("/")["Content-Security-Policy"]
    schema = client.get("/api/openapi.json").json()
    one = f"{CHECKS}/{{check_id}}"
    under = {f"{one}/report.json", f"{one}/report.pdf", f"{one}/pictures/{{picture_id}}"}
    assert {path for path in schema["paths"] if path.startswith(CHECKS)} == {CHECKS, one, *under}
    upload = schema["paths"][CHECKS]["post"]
    assert set(upload["responses"]) >= {"202", "400", "401", "403", "413", "415", "429", "503"}
    assert "multipart/form-data" in upload["requestBody"]["content"]


class TestTokenPage:
    ADDRESS = "/account/tokens/"

    def test_is_for_members(self, client: Client) -> None:
        assert client.get(self.ADDRESS).url.startswith("/accounts/login/")

    def test_shows_a_new_token_once(self, ada_client: Client, program: Client) -> None:
        made = ada_client.post(self.ADDRESS, {"name": "laptop"})
        secret = made.context["new_token"]
        assert secret in made.content.decode()
        assert secret not in ada_client.get(self.ADDRESS).content.decode()
        assert program.get(CHECKS, headers=bearer(secret)).status_code == 200
        assert ada_client.post(self.ADDRESS, {"name": ""}).status_code == 400
        assert ApiToken.objects.count() == 1

    def test_revokes_ones_own_only(self, ada: User, ada_client: Client, ben_client: Client, token: str) -> None:
        held = ApiToken.objects.get(owner=ada)
        address = f"{self.ADDRESS}{held.pk}/revoke"
        assert ben_client.post(address).status_code == 404
        assert ben_client.get(self.ADDRESS).content.decode().count(held.prefix) == 0
        assert ApiToken.owner_of(token) == ada
        assert ada_client.post(address).status_code == 302
        assert ApiToken.owner_of(token) is None
