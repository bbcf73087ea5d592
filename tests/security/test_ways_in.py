"""Ways in that two clicks, long words and letters of no alphabet might open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from detection.models import ApiToken
from generation import services, swaps, uploads
from generation.models import Generation
from generation.refusals import Reason, Refused
from jobs.errors import QuotaExceeded
from jobs.models import Artifact
from tests.detection import factories
from tests.generation import making as do
from tests.generation.conftest import ada, ada_client, ben, house

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

__all__ = ["ada", "ada_client", "ben", "house"]
pytestmark = pytest.mark.django_db


def test_two_clicks_take_a_file_once(ada: User) -> None:
    """Both requests have read the file as waiting; the second finds it taken, and the first keeps it."""
    artifact = do.uploaded(ada, factories.jpeg())
    consent = do.consented(ada, artifact)
    stale = Artifact.objects.get(pk=artifact.pk)
    first = services.submit_generation(do.requester(ada), do.wish(artifact, consent))
    with pytest.raises(Refused) as refused:
        services.submit_generation(do.requester(ada), do.wish(stale, consent))
    assert refused.value.reason is Reason.FILE_IN_USE
    assert Artifact.objects.get(pk=artifact.pk).job_id == first.job_id
    assert Generation.objects.count() == 1


def test_files_that_wait_for_a_second_step_are_counted(ada: User, ada_client: Client, settings: Any) -> None:
    """The first step takes a file in and makes no job: asked for again and again, it would fill the disk."""
    settings.JOBS_WAITING_MEMBER = 2
    told = {"person": swaps.people(do.requester(ada))[0].value}
    answers = [
        ada_client.post(reverse("generation:swap"), {**told, "target": factories.upload()}).status_code
        for _ in range(3)
    ]
    assert answers == [302, 302, 429]
    assert Artifact.objects.filter(owner=ada).count() == 2
    with pytest.raises(QuotaExceeded):
        uploads.copied(Artifact.objects.first(), do.requester(ada))


def test_nobody_hands_over_a_file_of_somebody_elses(ada: User, ben: User) -> None:
    """By a call of the service: not into their own work, nor out of the other's, whose row stays as it was."""
    theirs = do.uploaded(ada, factories.jpeg())
    mine = do.uploaded(ben, factories.content(theirs))
    with pytest.raises(Refused):
        services.submit_generation(do.requester(ben), do.wish(theirs, do.consented(ben, mine)))
    theirs.refresh_from_db()
    assert (theirs.owner, theirs.job) == (ada, None)


def test_a_title_has_no_letters_that_turn_others_around(ada: User) -> None:
    artifact = do.uploaded(ada, factories.jpeg())
    title = "mine\x00 \u202egnp.elif\u2066 \x1b[2J" + "x" * 300
    made = services.submit_generation(do.requester(ada), do.wish(artifact, do.consented(ada, artifact), title=title))
    assert made.title.startswith("mine gnp.elif [2Jxxx")
    assert len(made.title) == 200
    assert made.job.params["title"] == made.title
    assert swaps.learning(name="a\x00\u202e" * 99)["person"] == "a" * 60


@pytest.mark.parametrize("relation", ["x" * 5000, "myself\x00", "../terms/1", "", "MYSELF"])
def test_a_program_that_states_nonsense_is_told_so(relation: str, ada: User, client: Client) -> None:
    _row, secret = ApiToken.issue(ada, "tests")
    told = {
        "target": factories.upload(),
        "person": swaps.people(do.requester(ada))[0].value,
        "relation": relation,
        "version": "1",
        "affirmed": "true",
    }
    answer = client.post(reverse("api:swaps"), told, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("no_consent", "invalid")
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    "address", ["/", "/create/", "/api/v1/checks", "/accounts/password/reset/", "/create/takedown/"]
)
def test_no_other_name_of_the_site_is_answered_to(
    address: str, ada: User, client: Client, mailoutbox: list[Any]
) -> None:
    """Links in mails and in the API are made of the name that was asked for."""
    assert client.get(address, headers={"Host": "evil.example"}).status_code == 400
    client.post(address, {"email": ada.email}, headers={"Host": "evil.example"})
    client.post(address, {"email": ada.email}, headers={"X-Forwarded-Host": "evil.example"})
    assert all("evil.example" not in mail.body for mail in mailoutbox)
