"""The desk as reviewers use it, by plain forms; and what everybody else sees of a person's verdict."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from detection import services
from detection.desk import claims, judgements
from detection.desk.codes import Reason, Verdict
from detection.models import Check, Flag, ReviewItem
from detection.report.as_pdf import render
from jobs.models import Job
from tests.detection import factories, test_video
from tests.detection.test_report import contents_of
from tests.detection.test_report import words as words_of_pdf

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.http import HttpResponse
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
DESK = "/review/"


@pytest.fixture
def desk(rita: User) -> Client:
    client = Client()
    client.force_login(rita)
    return client


def of(name: str, check: Check) -> str:
    return reverse(f"detection:desk_{name}", args=[check.pk])


def judged(check: Check, user: User, verdict: Verdict = Verdict.AUTHENTIC) -> None:
    claims.claim(check.pk, user)
    judgements.judge(check.pk, user, verdict)


def words(page: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def many(count: int) -> list[Check]:
    found = []
    for number in range(count):
        owner = factories.requester(session_key=f"visitor-{number}")
        check = factories.finished(factories.queued(owner, f"picture-{number}.jpg"))
        services.report_check(check, owner, "wrong_verdict")
        found.append(check)
    return found


# --- The queue --------------------------------------------------------------------------------------------------------
def test_most_urgent_first(desk: Client) -> None:
    mild, grave = many(2)
    services.report_check(grave, factories.requester(session_key="visitor-1"), "minor")
    page = desk.get(DESK)
    assert [item.pk for item in page.context["page_obj"]] == [grave.pk, mild.pk]
    assert "It shows a minor" in words(page)
    old = timezone.now() - timedelta(days=3)
    ReviewItem.objects.filter(pk=mild.pk).update(flagged=old)
    assert [item.pk for item in desk.get(DESK, {"order": "oldest"}).context["page_obj"]] == [mild.pk, grave.pk]


def test_filters(desk: Client, rita: User) -> None:
    first, second, third = many(3)
    Flag.objects.create(item=second.review, reason=Reason.OWN_OUTPUT, weight=60)
    Check.objects.filter(pk=third.pk).update(media="video", level="inconclusive")

    def listed(**query: str) -> set[Any]:
        return {item.pk for item in desk.get(DESK, query).context["page_obj"]}

    assert listed() == {first.pk, second.pk, third.pk}
    assert listed(reason="own_output") == {second.pk}
    assert listed(level="inconclusive") == {third.pk} == listed(media="video")
    assert listed(reason="own_output", media="video") == set()
    assert listed(reason="no such reason", page="-3") == {first.pk, second.pk, third.pk}, "nonsense is no filter"
    judged(first, rita)
    assert listed(state="settled") == {first.pk} == listed(state="mine")
    assert listed() == {second.pk, third.pk}
    assert listed(state="closed") == set()
    page = desk.get(DESK)
    assert page.context["counts"] == {"waiting": 2, "settled": 1}


@pytest.mark.parametrize("query", [{}, {"reason": "reported"}, {"level": "likely_manipulated"}, {"state": "settled"}])
def test_queries_do_not_grow_with_the_queue(
    query: dict[str, str], desk: Client, rita: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(25) as captured:
            assert desk.get(DESK, query).status_code == 200
        return len(captured)

    desk.get(DESK)
    for check in many(2):
        judged(check, rita)
    few_open = many(2)
    few = queries()
    for number in range(40):
        job = Job.objects.create(kind="check", owner_key=f"session:more-{number}")
        level = few_open[0].level
        check = Check.objects.create(job=job, session_key=f"more-{number}", title="another", level=level)
        settled = {"state": "settled", "verdict": "unsure", "decided": timezone.now()} if number % 2 else {}
        item = ReviewItem.objects.create(subject=check, urgency=number, **settled)
        Flag.objects.create(item=item, reason=Reason.REPORTED, weight=number)
    assert queries() == few


# --- One item ---------------------------------------------------------------------------------------------------------
def test_take_judge_and_go_on(desk: Client, rita: User, rolf: User) -> None:
    first, second = many(2)
    taken = desk.post(reverse("detection:desk_next"))
    assert taken.url == of("item", first)
    page = desk.get(taken.url)
    assert page.context["held"]
    assert {"authentic", "manipulated", "unsure"} == set(
        re.findall(r'name="verdict" value="(\w+)"', page.content.decode())
    )
    other = Client()
    other.force_login(rolf)
    theirs = other.get(taken.url)
    assert not theirs.context["held"]
    assert "rita is looking at it" in words(theirs)
    assert 'name="verdict"' not in theirs.content.decode()
    after = desk.post(of("judge", first), {"verdict": "authentic", "note": "The agency's own."})
    assert after.url == of("item", second), "the next one is in one's hands at once"
    page = desk.get(after.url)
    assert "picture-0.jpg: Authentic" in words(page), "with the way back in sight"
    back = desk.post(reverse("detection:desk_undo", args=[page.context["recent"][0].pk]))
    assert back.url == of("item", first)
    assert desk.get(back.url).context["held"]
    assert ReviewItem.objects.get(pk=second.pk).claimed_by is None
    history = words(desk.get(back.url))
    assert "(taken back)" in history
    assert "The agency's own." in history.replace("&#x27;", "'")


def test_skipping_goes_on_and_comes_round(desk: Client) -> None:
    first, second = many(2)
    desk.post(reverse("detection:desk_next"))
    assert desk.post(of("skip", first)).url == of("item", second)
    end = desk.post(of("skip", second))
    assert end.url == DESK
    assert any("skipped" in str(message) for message in get_messages(end.wsgi_request))
    assert desk.post(reverse("detection:desk_next")).url == of("item", first)
    assert desk.post(of("release", first)).url == DESK
    assert not ReviewItem.objects.exclude(claimed_by=None).exists()


def test_what_is_missing_is_said_and_nothing_is_lost(desk: Client, ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    services.report_check(check, factories.requester(ada), "harmful")
    desk.post(of("claim", check))
    page = desk.post(of("judge", check), {"verdict": "manipulated", "note": "my long note"})
    assert page.status_code == 400
    assert "Say what becomes of the reports, too." in words(page)
    assert "my long note" in page.content.decode()
    assert desk.post(of("judge", check), {"note": "x", "reports": "upheld"}).status_code == 400
    assert desk.post(of("judge", check), {"verdict": "perhaps", "reports": "upheld"}).status_code == 400
    assert desk.post(of("judge", check), {"verdict": "manipulated", "reports": "upheld"}).status_code == 302
    assert check.reports.get().status == "upheld"


def test_a_verdict_on_what_is_somebody_elses_by_now(desk: Client, rolf: User, reported: Check) -> None:
    desk.post(of("claim", reported))
    ReviewItem.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    claims.claim(reported.pk, rolf)
    assert desk.post(of("renew", reported)).json() == {"held": False}
    late = desk.post(of("judge", reported), {"verdict": "authentic"})
    assert late.url == of("item", reported)
    assert any("Nothing was written" in str(message) for message in get_messages(late.wsgi_request))
    assert Check.objects.get().human is None
    desk.post(of("claim", reported))
    assert ReviewItem.objects.get().claimed_by == rolf


def test_why_it_cannot_be_taken_up(desk: Client, rita: User, rolf: User, settings: SettingsWrapper) -> None:
    own = factories.finished(factories.queued(factories.requester(rita)))
    services.report_check(own, factories.requester(rita), "other")
    assert desk.get(of("item", own)).context["why_not"] == "own"
    settings.DETECTION_REVIEWERS = 2
    (check,) = many(1)
    judged(check, rita)
    page = desk.get(of("item", check))
    assert page.context["why_not"] == "judged"
    other = Client()
    other.force_login(rolf)
    theirs = other.get(of("item", check))
    assert theirs.context["why_not"] == ""
    assert "Authentic" not in words(theirs).split("What was done with it")[1].split("Unmask")[0], "they judge unseen"
    judged(check, rolf, Verdict.MANIPULATED)
    assert other.get(of("item", check)).context["why_not"] == "escalated"
    judged_now = desk.get(DESK, {"state": "escalated"})
    assert [item.pk for item in judged_now.context["page_obj"]] == [check.pk]


def test_all_evidence_is_on_the_page(desk: Client, ada: User) -> None:
    look = "8f3a5c7e91b2d4f6"
    provenance = {"version": 1, "media": "picture", "summary": "", "manifest": None, "metadata": {"is_empty": True}}
    result = replace(factories.RESULT, perceptual_hash=look, provenance=provenance, faces=(
        replace(factories.FACE, boundary_jpeg=factories.jpeg("navy", (32, 32))),
    ))  # fmt: skip
    earlier = factories.finished(factories.queued(factories.requester(session_key="x"), "copy.jpg"), result)
    check = factories.finished(factories.queued(factories.requester(ada)), result)
    services.report_check(check, factories.requester(ada), "wrong_verdict", "<b>Look</b> closer")
    html = desk.get(of("item", check)).content.decode()
    face = check.faces.get()
    for picture in (check.display, face.crop, face.gradcam, face.boundary):
        assert picture.url in html
    assert f"{check.original.url}?download" in html
    assert "&lt;b&gt;Look&lt;/b&gt; closer" in html
    assert "MesoInception-4" in html
    assert "Where it comes from" in html
    assert "copy.jpg" in html
    assert earlier.get_absolute_url() in html
    assert 'id="hatch"' in html, "the scale with its inconclusive band"


def test_a_video_has_its_timeline(desk: Client, ada: User) -> None:
    check = test_video.finished(test_video.submitted(factories.requester(ada)))
    services.report_check(check, factories.requester(ada), "other")
    html = desk.get(of("item", check)).content.decode()
    assert "data-timeline" in html


# --- What everybody else sees ----------------------------------------------------------------------------------------
@pytest.fixture
def shown(reported: Check, ada_client: Client) -> Callable[[], dict[str, str]]:
    """The owner's page, the shared page, the list, and the front page, as text."""

    def pages() -> dict[str, str]:
        token = services.share_check(Check.objects.get(pk=reported.pk))
        return {
            "own": words(ada_client.get(reported.get_absolute_url())),
            "shared": words(Client().get(reverse("detection:shared", args=[token]))),
            "list": words(ada_client.get("/checks/")),
            "front": words(ada_client.get("/")),
        }

    return pages


def test_the_verdict_of_people_stands_above_the_machines(
    shown: Callable[[], dict[str, str]], reported: Check, rita: User
) -> None:
    before = shown()
    assert all("Judged" not in text for text in before.values())
    judged(reported, rita)
    for name, text in shown().items():
        assert "Judged authentic" in text, name
        assert "rita" not in text, name
        if name in {"own", "shared"}:
            assert "A reviewer of this site judged it authentic on" in text
            assert "That holds over what the detectors say." in text
            assert text.index("Judged authentic") < text.index("What the detectors said") < text.index("91 %")
            assert "Likely manipulated" in text


def test_taken_back_it_is_gone_everywhere(shown: Callable[[], dict[str, str]], reported: Check, rita: User) -> None:
    judged(reported, rita)
    judgements.undo(judgements.recent(rita)[0].pk, rita)
    assert all("Judged" not in text and "Likely manipulated" in text for text in shown().values())


def test_reports_and_the_api_say_it_too(reported: Check, rita: User, ada_client: Client) -> None:
    before = ada_client.get(f"/api/v1/checks/{reported.pk}").json()
    assert (before["level"], before["machine_level"], before["human"]) == (
        "likely_manipulated", "likely_manipulated", None,
    )  # fmt: skip
    judged(reported, rita)
    told = ada_client.get(f"/api/v1/checks/{reported.pk}").json()
    assert (told["level"], told["machine_level"], told["probability"]) == (
        "likely_authentic", "likely_manipulated", 0.91,
    )  # fmt: skip
    human = told["human"]
    assert (human["verdict"], human["role"], human["people"], human["overrides"]) == ("authentic", "reviewer", 1, True)
    assert human["judged"].startswith(str(timezone.now().year))
    assert ada_client.get("/api/v1/checks").json()["items"][0]["level"] == "likely_authentic"
    report = json.loads(ada_client.get(reverse("detection:report_json", args=[reported.pk])).content)
    assert report["verdict"]["level"] == "likely_authentic"
    assert report["verdict"]["machine_level"] == "likely_manipulated"
    assert report["human"]["sentence"].startswith("A reviewer of this site judged it authentic on")
    assert ada_client.get(reverse("detection:report_pdf", args=[reported.pk])).content.startswith(b"%PDF-")
    pdf = render(contents_of(Check.objects.for_page().get(pk=reported.pk)), compressed=False)
    text = words_of_pdf(pdf)
    assert "A reviewer of this site judged it authentic on" in text
    assert text.index("Judged authentic") < text.index("What the detectors said") < text.index("Likely manipulated")
    assert b"/Subject (Judged authentic)" in pdf


def test_the_owner_is_told_that_people_may_look(client: Client) -> None:
    visitor = factories.visitor_with_session(client)
    inconclusive = replace(factories.RESULT, level="inconclusive", probability=0.5, interval=None, faces=())
    check = factories.finished(factories.queued(visitor), inconclusive)
    text = words(client.get(check.get_absolute_url()))
    assert "A reviewer of this site may look at this check." in text
    assert "no longer than" in text
    judged(check, factories.reviewer(), Verdict.UNSURE)
    text = words(client.get(check.get_absolute_url()))
    assert "may look at this check" not in text
    assert "People could not tell" in text
    assert "The detectors say the same." in text


def test_training_is_off_until_the_owner_says_yes(ada: User, ada_client: Client) -> None:
    plain = factories.queued(factories.requester(ada))
    assert plain.training_consent is None
    ada_client.post("/", {"files": factories.upload("yes.jpg"), "improve": "yes"})
    said = Check.objects.get(title="yes.jpg")
    assert said.training_consent is not None
    address = reverse("detection:training", args=[plain.pk])
    ada_client.post(address, {"allowed": "yes"})
    plain.refresh_from_db()
    assert plain.training_consent is not None
    ada_client.post(address, {"allowed": "no"})
    plain.refresh_from_db()
    assert plain.training_consent is None
    sent = ada_client.post("/api/v1/checks", {"file": factories.upload("api.jpg"), "improve": "true"})
    assert sent.status_code == 202
    assert Check.objects.get(title="api.jpg").training_consent is not None


def test_the_door_is_in_the_navigation_of_reviewers_only(desk: Client, ada_client: Client, client: Client) -> None:
    assert f'href="{DESK}"' in desk.get("/").content.decode()
    for person in (ada_client, client):
        assert f'href="{DESK}"' not in person.get("/").content.decode()
    assert client.get(DESK).url == f"/accounts/login/?next={DESK}"


def test_staff_without_the_role_stay_out(client: Client) -> None:
    client.force_login(factories.member("staff@example.org", is_staff=True))
    assert client.get(DESK).status_code == 403
    person = factories.reviewer("was@example.org")
    person.is_staff = False  # the second factor is asked of staff, so whoever is none stays out
    person.save()
    client.force_login(person)
    assert client.get(DESK).status_code == 403


def test_the_second_factor_stands_before_the_desk(desk: Client, settings: SettingsWrapper) -> None:
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    assert desk.get(DESK).url == "/accounts/2fa/totp/activate/"
