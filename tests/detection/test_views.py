"""The pages, asked as browsers ask: forms and the script's JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from detection import services
from detection.models import Check, Report
from jobs import lifecycle
from jobs.models import Job
from jobs.snapshot import snapshot
from jobs.states import JobState
from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.http import HttpResponse
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def send(client: Client, *files: object, headers: dict[str, str] = JSON) -> HttpResponse:
    return client.post(reverse("detection:check"), {"files": list(files)}, headers=headers)


def page(client: Client, check: Check) -> HttpResponse:
    return client.get(check.get_absolute_url())


def test_the_script_is_told_of_every_file(client: Client) -> None:
    good, bad, other = factories.upload("a.jpg"), factories.upload("b.jpg", b"words"), factories.upload("c.jpg")
    answer = send(client, good, bad, other)
    assert answer.status_code == 202
    told = answer.json()
    assert [one["name"] for one in told["checks"]] == ["a.jpg", "c.jpg"]
    assert [(one["name"], one["code"]) for one in told["errors"]] == [("b.jpg", "not_an_image")]
    first = Check.objects.get(title="a.jpg")
    assert told["checks"][0]["url"] == first.get_absolute_url()
    assert told["checks"][0]["socket"] == f"/ws/jobs/{first.job_id}/"
    assert told["checks"][0]["job"]["state"] == "queued"
    assert first.session_key == client.session.session_key


def test_a_plain_form_is_sent_to_the_check_or_to_the_history(client: Client) -> None:
    one = send(client, factories.upload(), headers=HTML)
    assert one.status_code == 302
    assert one.url == Check.objects.get().get_absolute_url()
    several = send(
        client, factories.upload("a.jpg"), factories.upload("b.jpg"), factories.upload("c.txt", b"x"), headers=HTML
    )
    assert several.url == reverse("detection:history")
    assert any("c.txt" in str(message) for message in get_messages(several.wsgi_request))


@pytest.mark.parametrize(
    ("name", "data", "code", "status"),
    [
        ("x.jpg", b"", "empty", 400),
        ("x.jpg", b"plain words", "not_an_image", 415),
        ("x.jpg", b"GIF89a" + b"\0" * 40, "unsupported_media", 415),
        ("x.png", factories.jpeg(), "wrong_type", 415),
        ("x.jpg", factories.jpeg()[:-20], "truncated", 400),
    ],
)
@pytest.mark.parametrize("headers", [JSON, HTML])
def test_refusals_say_why(
    client: Client, name: str, data: bytes, code: str, status: int, headers: dict[str, str]
) -> None:
    answer = send(client, factories.upload(name, data), headers=headers)
    assert answer.status_code == status
    if headers is JSON:
        (error,) = answer.json()["errors"]
        assert error["code"] == code
        assert error["message"].endswith(".")
    else:
        assert answer.context["errors"][0].code == code
        assert answer.context["errors"][0].message in answer.content.decode().replace("&#x27;", "'")
    assert not Check.objects.exists()


def test_no_file_and_too_many_files(client: Client, settings: SettingsWrapper) -> None:
    nothing = client.post(reverse("detection:check"), {}, headers=JSON)
    assert nothing.status_code == 400
    assert nothing.json()["errors"][0]["code"] == "required"
    eleven = [factories.upload(f"{number}.jpg") for number in range(settings.DETECTION_FILES_AT_ONCE + 1)]
    too_many = send(client, *eleven)
    assert too_many.status_code == 400
    assert too_many.json()["errors"][0]["code"] == "too_many_files"
    shown = send(client, headers=HTML)
    assert shown.status_code == 400
    assert shown.content.decode().count(shown.context["errors"][0].message) == 1
    assert not Check.objects.exists()


def test_size_and_pixel_limits_are_the_settings(client: Client, settings: SettingsWrapper) -> None:
    settings.JOBS_PICTURE_PIXELS = 96 * 64 - 1
    answer = send(client, factories.upload())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_many_pixels")
    settings.JOBS_PICTURE_BYTES = len(factories.jpeg()) - 1
    answer = send(client, factories.upload())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")


@pytest.mark.parametrize("headers", [JSON, HTML])
def test_a_full_share_answers_429_and_a_full_site_503(
    client: Client, settings: SettingsWrapper, headers: dict[str, str]
) -> None:
    settings.JOBS_WAITING_VISITOR = 1
    partly = send(client, factories.upload("a.jpg"), factories.upload("b.jpg"))
    assert partly.status_code == 202
    assert partly.json()["errors"][0]["code"] == "too_many_requests"
    refused = send(client, factories.upload("c.jpg"), headers=headers)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    settings.JOBS_GLOBAL_CAP = 1
    refused = send(Client(), factories.upload("d.jpg"), headers=headers)
    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    assert Check.objects.count() == 1


def test_csrf_is_asked_of_every_form() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert send(strict, factories.upload()).status_code == 403
    check = factories.queued(factories.visitor_with_session(strict))
    for name in ("delete", "retry", "share", "unshare", "report"):
        assert strict.post(reverse(f"detection:{name}", args=[check.pk])).status_code == 403, name
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page(strict, check).content.decode())
    assert token is not None
    done = strict.post(reverse("detection:delete", args=[check.pk]), {"csrfmiddlewaretoken": token[1]})
    assert done.status_code == 302


def test_one_address_shows_stages_then_verdict(ada: User, ada_client: Client) -> None:
    check = factories.queued(factories.requester(ada))
    waiting = page(ada_client, check)
    assert waiting.status_code == 200
    assert waiting.context["job"]["state"] == "queued"
    assert waiting.context["refresh_seconds"]
    for stage in ("decode", "faces", "detectors", "explain", "verdict"):
        assert f'data-code="{stage}"' in waiting.content.decode()
    done = page(ada_client, factories.finished(check))
    html = done.content.decode()
    assert done.context["refresh_seconds"] is None
    assert "Likely manipulated" in html
    assert "91 %" in html
    assert html.count('id="face-') >= 2
    assert "weights-test" in html
    assert "thresholds-test" in html
    assert "CPU (tests)" in html
    assert check.original.pk.hex not in html.replace("-", "")
    assert "no-store" in done["Cache-Control"]


def test_the_pictures_of_a_page_are_served_to_its_owner(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    html = page(ada_client, check).content.decode()
    addresses = set(re.findall(r'src="(/files/[^"]+)"', html))
    assert len(addresses) == 5  # the picture, and two of each face
    for address in addresses:
        picture = ada_client.get(address)
        assert picture.status_code == 200
        assert b"".join(picture.streaming_content).startswith(b"\xff\xd8")
        assert picture["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in picture["Content-Security-Policy"]


def test_a_failed_check_says_what_happened_and_can_be_tried_again(ada: User, ada_client: Client) -> None:
    check = factories.failed(factories.queued(factories.requester(ada)))
    html = page(ada_client, check).content.decode()
    assert "This picture is incomplete." in html
    assert "0badcafe" in html
    assert reverse("detection:retry", args=[check.pk]) in html
    answer = ada_client.post(reverse("detection:retry", args=[check.pk]))
    assert answer.url == check.get_absolute_url()
    check.refresh_from_db()
    assert check.job.state == JobState.QUEUED


def test_retry_in_a_full_queue(ada: User, ada_client: Client, settings: SettingsWrapper) -> None:
    check = factories.failed(factories.queued(factories.requester(ada)))
    settings.JOBS_WAITING_MEMBER = 0
    answer = ada_client.post(reverse("detection:retry", args=[check.pk]))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    settings.JOBS_WAITING_MEMBER = 9
    check.refresh_from_db()
    factories.finished(services.retry_check(check, factories.requester(ada)))
    again = ada_client.post(reverse("detection:retry", args=[check.pk]))
    assert again.url == check.get_absolute_url()
    assert Job.objects.filter(state=JobState.QUEUED).count() == 0


def test_cancel_from_the_page(ada: User, ada_client: Client) -> None:
    check = factories.queued(factories.requester(ada))
    cancel = page(ada_client, check).context["cancel_url"]
    assert ada_client.post(cancel, headers=HTML).url == check.get_absolute_url()
    html = page(ada_client, check).content.decode()
    assert "You cancelled this check" in html
    assert reverse("detection:retry", args=[check.pk]) in html


def test_delete(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert ada_client.post(reverse("detection:delete", args=[check.pk])).url == reverse("detection:history")
    assert page(ada_client, check).status_code == 404
    assert ada_client.get(reverse("detection:delete", args=[check.pk])).status_code == 405


def test_share_shows_the_verdict_and_its_pictures_to_everybody(ada: User, ada_client: Client, client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada), name="secret-name.jpg"))
    assert page(ada_client, check).context["share_url"] == ""
    ada_client.post(reverse("detection:share", args=[check.pk]))
    link = page(ada_client, check).context["share_url"]
    assert link.startswith("http://testserver/s/")
    shown = client.get(link)
    html = shown.content.decode()
    assert shown.status_code == 200
    assert "Likely manipulated" in html
    assert ada.email not in html
    assert "noindex" in html
    assert "/files/" not in html
    pictures = set(re.findall(r'src="(/s/[^"]+)"', html))
    assert len(pictures) == 5
    for address in pictures:
        assert factories.status(client, address) == 200
    token = link.rstrip("/").rsplit("/", 1)[1]
    original = reverse("detection:shared_file", args=[token, check.original_id, check.original.public_name])
    assert client.get(original).status_code == 404

    ada_client.post(reverse("detection:unshare", args=[check.pk]))
    assert client.get(link).status_code == 404
    assert all(client.get(address).status_code == 404 for address in pictures)


def test_a_link_expires(ada: User, client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    token = services.share_check(check)
    address = reverse("detection:shared", args=[token])
    assert client.get(address).status_code == 200
    Check.objects.update(share_expires=timezone.now())
    assert client.get(address).status_code == 404
    assert client.get(reverse("detection:shared", args=["no-such-token"])).status_code == 404


def test_a_check_without_verdict_shows_nothing_through_its_link(ada: User, client: Client) -> None:
    token = services.share_check(factories.queued(factories.requester(ada)))
    assert client.get(reverse("detection:shared", args=[token])).status_code == 404


def test_report(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    address = reverse("detection:report", args=[check.pk])
    wrong = ada_client.post(address, {"reason": "because"})
    assert wrong.status_code == 400
    assert "reason" in wrong.context["report_form"].errors
    assert not Report.objects.exists()
    assert ada_client.post(address, {"reason": "wrong_verdict", "comment": "x" * 2001}).status_code == 400
    assert ada_client.post(address, {"reason": "wrong_verdict", "comment": "It is me."}).url == check.get_absolute_url()
    report = Report.objects.get()
    assert (report.subject, report.reporter, report.comment, report.status) == (check, ada, "It is me.", "open")
    assert page(ada_client, check).context["reported"] is True


def test_history_has_ones_own_newest_first(ada: User, ada_client: Client, ben: User) -> None:
    factories.queued(factories.requester(ben), "bens.jpg")
    for number in range(3):
        factories.queued(factories.requester(ada), f"{number}.jpg")
    shown = ada_client.get(reverse("detection:history"))
    assert [check.title for check in shown.context["page_obj"]] == ["2.jpg", "1.jpg", "0.jpg"]
    assert "bens.jpg" not in shown.content.decode()
    assert Client().get(reverse("detection:history")).context["page_obj"].paginator.count == 0


@pytest.mark.parametrize("name", ["detection:history", "detection:check"])
def test_queries_do_not_grow_with_the_history(
    name: str, ada: User, ada_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(12) as captured:
            assert ada_client.get(reverse(name)).status_code == 200
        return len(captured)

    factories.finished(factories.queued(factories.requester(ada)))
    ada_client.get(reverse(name))  # the first page of a session writes its line into the list of sessions
    few = queries()
    for _number in range(5):
        factories.finished(factories.queued(factories.requester(ada)))
    assert queries() == few


def test_queries_of_a_result_do_not_grow_with_its_faces(
    ada: User, ada_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    from dataclasses import replace

    def queries(faces: int) -> int:
        result = replace(factories.RESULT, faces=(factories.FACE,) * faces)
        check = factories.finished(factories.queued(factories.requester(ada)), result)
        with django_assert_max_num_queries(12) as captured:
            assert page(ada_client, check).status_code == 200
        return len(captured)

    ada_client.get("/")  # the first page of a session writes its line into the list of sessions
    assert queries(2) == queries(12)


def test_get_makes_no_session_and_writes_nothing(client: Client) -> None:
    for name in ("check", "history", "method"):
        assert client.get(reverse(f"detection:{name}")).status_code == 200
        assert "sessionid" not in client.cookies, name


def test_how_it_works_reads_the_evaluation(client: Client, tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.EVALUATION_DIR = tmp_path / "evaluation"
    assert client.get(reverse("detection:method")).context["evaluation"] is None
    settings.EVALUATION_DIR.mkdir()
    (settings.EVALUATION_DIR / "roc.svg").write_text("<svg/>")
    told = {"auc": 0.93}
    (settings.EVALUATION_DIR / "detectors.json").write_text(json.dumps(told))
    from detection import evaluation

    assert evaluation.read() == told
    assert evaluation.plots() == [{"name": "roc", "url": "/static/evaluation/roc.svg"}]


def test_unknown_check_is_not_found(ada_client: Client) -> None:
    assert ada_client.get(reverse("detection:result", args=[uuid4()])).status_code == 404


def test_deleted_while_running_ends_without_a_trace(ada: User, ada_client: Client) -> None:
    check = factories.queued(factories.requester(ada))
    job = factories.claimed(check)
    ada_client.post(reverse("detection:delete", args=[check.pk]))
    assert lifecycle.standing(job.pk, job.attempt) is lifecycle.Standing.CANCEL
    job.refresh_from_db()
    assert snapshot(job)["result_url"] == ""
