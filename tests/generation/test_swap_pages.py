"""Swaps by page and by program: the wizard, its second thoughts, the API, and the ways round consent at both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlparse

import pytest
from django.urls import reverse

from detection.tokens import ApiToken
from generation import identities, services, swaps, texts
from generation.consents import Consent, TermsAcceptance
from generation.models import Generation
from generation.templatetags import lessons
from jobs import lifecycle
from jobs.models import Artifact, Job
from tests.detection import factories
from tests.generation import making as do

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db

START = "generation:swap"
AGREED = {"target-relation": "myself", "target-version": "1", "target-people": "1", "target-agreed": "on"}
SETTINGS = {
    "face": "largest", "colour": "reinhard", "mask": "hull", "blend": "alpha",
    "erode": "0.02", "feather": "0.08", "smoothing": "1", "settle": "2", "detail": "1",
}  # fmt: skip


@pytest.fixture(autouse=True)
def catalogue() -> Iterator[None]:
    identities.register(identities.Identity("nobody-2", "Nobody the Second", about="Made by chance."))
    yield
    identities.unregister("nobody-2")


def chosen(client: Client, **fields: Any) -> str:
    """The address of the second step."""
    answer = client.post(reverse(START), {"person": "nobody-2", "target": factories.upload(), **fields})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return str(answer["Location"])


def nothing_queued() -> bool:
    return not Job.objects.filter(kind__in=swaps.KINDS).exists() and not Generation.objects.exists()


# --- Pages ------------------------------------------------------------------------------------------------------------
def test_from_the_wizard_to_the_queue(ada: User, ada_client: Client) -> None:
    page = ada_client.get(reverse(START)).content.decode()
    assert "Nobody the Second" in page
    address = chosen(ada_client)
    assert "belongs to nobody" in ada_client.get(address).content.decode()
    answer = ada_client.post(address, {**AGREED, **SETTINGS, "affirmed": "on", "title": "First", "colour": "none"})
    generation = Generation.objects.get()
    assert answer["Location"] == reverse("generation:result", args=[generation.pk])
    assert (generation.kind, generation.title) == ("swap", "First")
    options = generation.job.params["options"]
    assert (options["colour"], options["smoothing"]) == ("none", 1.0)
    page = ada_client.get(answer["Location"]).content.decode()
    assert "data-lesson" not in page
    again = ada_client.get(reverse(START), {"again": str(generation.pk)}).content.decode()
    assert "is here" in again


def test_a_person_who_is_learned_first(ada: User, ada_client: Client, settings: Any) -> None:
    settings.GENERATION_LEARN_STEPS = 7
    settings.GENERATION_LEARN_MINUTES = 3.0
    address = chosen(ada_client, person="own", source=factories.upload("me.jpg", factories.jpeg("red")))
    page = ada_client.get(address).content.decode()
    assert "Learning the person" in page
    told = {**AGREED, **SETTINGS, "affirmed": "on", "name": "Ann", "minutes": "8", "keep": "on"}
    assert ada_client.post(address, told).status_code == 400  # nothing was said of the source
    assert nothing_queued()
    told |= {name.replace("target", "source"): value for name, value in AGREED.items()}
    answer = ada_client.post(address, told)
    generation = Generation.objects.get()
    assert generation.kind == "swap_own"
    options = generation.job.params["options"]
    assert (options["minutes"], options["steps"], options["person"], options["keep"]) == (3.0, 7, "Ann", True)
    page = ada_client.get(answer["Location"]).content.decode()
    assert "data-lesson" in page
    assert reverse("jobs:finish", args=[generation.job_id]) in page
    assert Consent.objects.count() == 2


def test_a_mistake_in_one_step_costs_no_file(ada: User, ada_client: Client) -> None:
    answer = ada_client.post(reverse(START), {"person": "own", "target": factories.upload()})
    assert answer.status_code == 400
    assert "Choose a clip or a picture of the person" in answer.content.decode()
    kept = Artifact.objects.get()
    assert str(kept.pk) in answer.content.decode()
    answer = ada_client.post(reverse(START), {"person": "nobody-2", "kept_target": str(kept.pk)})
    assert parse_qs(urlparse(answer["Location"]).query)["target"] == [str(kept.pk)]
    assert Artifact.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"person": "nobody-99"}, "Choose one of the people"),
        ({"person": "learned:0b9b7e6e-4e5f-4b5e-8f0e-2f9e5a1c0001"}, "Choose one of the people"),
        ({"target": ""}, "Choose the picture or clip"),
        ({"target": factories.upload("note.jpg", b"no picture")}, "JPEG"),
        ({"target": factories.upload("list.mp4", b"ffconcat version 1.0\nfile x.mp4\n")}, "playlist"),
    ],
)
def test_what_the_first_step_refuses(fields: dict[str, Any], words: str, ada: User, ada_client: Client) -> None:
    upload = fields.get("target")
    if upload:
        upload.seek(0)
    answer = ada_client.post(reverse(START), {"person": "nobody-2", "target": factories.upload(), **fields})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert nothing_queued()


def test_files_of_others_and_files_that_are_gone_are_not_found(ada: User, ben: User, ada_client: Client) -> None:
    theirs = do.uploaded(ben, factories.jpeg())
    go = reverse("generation:swap_go")
    for target, who in ((theirs.pk, "nobody-2"), ("x", "nobody-2"), (do.uploaded(ada, factories.jpeg()).pk, theirs.pk)):
        answer = ada_client.get(go, {"target": str(target), "who": str(who)})
        assert answer.status_code == 302
        assert answer["Location"] == reverse(START)


@pytest.mark.parametrize(
    "without", ["target-relation", "target-agreed", "target-version", "affirmed", "face", "feather"]
)
def test_the_second_step_wants_every_word(without: str, ada: User, ada_client: Client) -> None:
    told = {**AGREED, **SETTINGS, "affirmed": "on"}
    del told[without]
    answer = ada_client.post(chosen(ada_client), told)
    assert answer.status_code == 400
    assert nothing_queued()
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "purple"),
        ("erode", "0.5"),
        ("smoothing", "-1"),
        ("feather", "nan"),
        ("settle", "4"),
        ("target-version", "0"),
    ],
)
def test_the_second_step_takes_no_other_values(name: str, value: str, ada: User, ada_client: Client) -> None:
    answer = ada_client.post(chosen(ada_client), {**AGREED, **SETTINGS, "affirmed": "on", name: value})
    assert answer.status_code in (400, 403)
    assert nothing_queued()


def test_terms_come_first(ada: User, ada_client: Client) -> None:
    address = chosen(ada_client)
    TermsAcceptance.objects.all().delete()
    assert "accept the terms" in ada_client.get(reverse(START)).content.decode()
    assert ada_client.post(reverse(START), {"person": "nobody-2", "target": factories.upload()}).status_code == 409
    assert ada_client.post(address, {**AGREED, **SETTINGS, "affirmed": "on"}).status_code == 409
    assert nothing_queued()
    assert not Consent.objects.exists()


# --- The API ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def token(ada: User) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(ada, 'tests')[1]}"}


def asked(**fields: Any) -> dict[str, Any]:
    version = texts.consent("myself").version
    told = {"person": "nobody-2", "target": factories.upload(), "relation": "myself", "version": version}
    return {**told, "affirmed": "true", **fields}


def test_programs_swap_under_the_same_gate(ada: User, ben: User, client: Client, token: dict[str, str]) -> None:
    people = client.get("/api/v1/people", **token).json()
    assert {"person": "nobody-2", "name": "Nobody the Second", "about": "Made by chance.", "learned": False} in people
    answer = client.post("/api/v1/swaps", asked(title="By program", blend="seamless"), **token)
    assert answer.status_code == 202, answer.content
    made = answer.json()
    assert (made["kind"], made["state"], made["title"]) == ("swap", "queued", "By program")
    generation = Generation.objects.get()
    assert generation.job.params["options"]["blend"] == "seamless"
    assert answer["Location"] == f"/api/v1/creations/{generation.pk}"
    finish = client.post(f"{answer['Location']}/finish", **token)
    assert (finish.status_code, finish.json()["error"]["code"]) == (409, "nothing_to_finish")
    strangers = {"HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(ben, 'tests')[1]}"}
    assert client.post(f"{answer['Location']}/finish", **strangers).status_code == 404


def test_programs_have_somebody_learned_and_end_it_early(ada: User, client: Client, token: dict[str, str]) -> None:
    source = factories.upload("me.jpg", factories.jpeg("red"))
    told = asked(person="", source=source, source_relation="synthetic", minutes="1", name="Ann")
    answer = client.post("/api/v1/swaps", told, **token)
    assert answer.status_code == 202, answer.content
    generation = Generation.objects.get()
    assert generation.kind == "swap_own"
    assert generation.job.params["options"]["minutes"] == 1.0
    assert client.post(f"{answer['Location']}/finish", **token).status_code == 202
    assert Job.objects.get(pk=generation.job_id).enough_requested


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"relation": ""}, 400, "no_consent"),
        ({"relation": "nobody"}, 400, "no_consent"),
        ({"version": "0"}, 400, "no_consent"),
        ({"affirmed": "false"}, 400, "not_affirmed"),
        ({"person": "nobody-99"}, 404, "unknown_identity"),
        ({"person": ""}, 404, "unknown_identity"),
        ({"person": "nobody-2", "source": True, "source_relation": "myself"}, 404, "unknown_identity"),
        ({"person": "", "source": True}, 400, "no_consent"),
        ({"colour": "purple"}, 400, "settings"),
        ({"erode": "0.9"}, 400, "settings"),
        ({"people": "0"}, 400, "no_consent"),
        ({"target": factories.upload("note.jpg", b"no picture")}, 415, "not_an_image"),
    ],
)
def test_what_programs_are_refused(
    fields: dict[str, Any], status: int, code: str, ada: User, client: Client, token: dict[str, str]
) -> None:
    if fields.get("source") is True:
        fields = {**fields, "source": factories.upload("me.jpg", factories.jpeg("red"))}
    if "target" in fields:
        fields["target"].seek(0)
    answer = client.post("/api/v1/swaps", asked(**fields), **token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.content
    assert nothing_queued()


def test_visitors_and_foreign_tokens_get_nowhere(client: Client, db: None) -> None:
    assert client.post("/api/v1/swaps", asked()).status_code == 401
    assert client.post("/api/v1/swaps", asked(), HTTP_AUTHORIZATION="Bearer unmask_x").status_code == 401
    assert nothing_queued()


# --- Below the pages --------------------------------------------------------------------------------------------------
def test_options_from_outside_change_no_limit(ada: User, settings: Any) -> None:
    from generation.handlers import lessons as handler

    settings.GENERATION_LEARN_MINUTES = 99.0
    assert swaps.learning(500)["minutes"] == swaps.LONGEST_MINUTES == handler.LONGEST_MINUTES
    assert handler.minutes_of({"minutes": "inf"}) == handler.LONGEST_MINUTES
    assert handler.minutes_of({"minutes": -1}) == handler.SHORTEST_MINUTES
    assert handler.minutes_of({"minutes": {}}) == handler.LONGEST_MINUTES


def test_straight_at_the_lifecycle(ada: User, ben: User) -> None:
    """A taught person of another account, one that is none, and one with a file: there is no job."""
    target = do.uploaded(ada, factories.jpeg())
    consent = do.consented(ada, target)
    there = {"role": "target", "artifact": str(target.pk), "consent": str(consent.pk)}
    for source in (
        {"role": "source", "identity": "learned:x"},
        {"role": "source", "identity": "learned:0b9b7e6e-4e5f-4b5e-8f0e-2f9e5a1c0001"},
        {"role": "source", "identity": "learned:", "artifact": str(target.pk)},
        {"role": "source", "identity": "nobody-99"},
        {"role": "source"},
    ):
        for kind in swaps.KINDS:
            with pytest.raises(services.Refused):
                lifecycle.submit(kind, do.requester(ada), [target], {"inputs": [there, source], "affirmed": True})
    assert nothing_queued()


# --- The drawing ------------------------------------------------------------------------------------------------------
def test_the_curve_is_drawn_from_two_looks_on_and_takes_no_nonsense() -> None:
    for nothing in (None, [], [[1, 2, 3]], "x", [["a", 1, 2]] * 3, [[1, float("nan"), 1]] * 3):
        assert lessons.loss_curve(nothing) == {"points": ""}
    drawn = lessons.loss_curve([[50, 4.0, 3.5], [100, 2.0, 2.5], [150, 1.0, 2.0]])
    points = [tuple(map(float, point.split(","))) for point in drawn["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)  # a loss that falls goes down the page
    assert (drawn["last"], drawn["first_loss"], drawn["last_loss"]) == (150, 4.0, 1.0)
    assert json.dumps(drawn)
    flat = lessons.loss_curve([[1, 1.0, 1.0], [2, 1.0, 1.0]])
    assert "nan" not in flat["points"]
