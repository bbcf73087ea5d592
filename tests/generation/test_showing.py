"""Who else sees what was made: by a link, or everybody once two people say so; and how it goes again, at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation import services, showing
from generation.ledger import LedgerEntry, faults
from generation.models import Generation
from jobs import retention
from jobs.models import Artifact, Job
from tests.detection import factories
from tests.generation import making as do
from tests.generation import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def piece(generation: Generation) -> list[str]:
    """Every address at which everybody might see it."""
    return [
        reverse("generation:public_piece", args=[generation.pk]),
        reverse("generation:public_file", args=[generation.result_id, "result.jpg"]),
        reverse("generation:public_file", args=[generation.poster_id, "poster.jpg"]),
    ]


def statuses(generation: Generation, client: Client | None = None) -> set[int]:
    return {factories.status(client or Client(), address) for address in piece(generation)}


def listed(generation: Generation) -> bool:
    return str(generation.pk) in Client().get("/create/public/").content.decode()


# --- Everybody --------------------------------------------------------------------------------------------------------
def test_it_takes_two(ada: User, ada_client: Client) -> None:
    (generation,) = rows.finished(ada, 1)
    admin = factories.administrator()
    assert not showing.approve(generation, admin)  # nobody asked
    assert statuses(generation) == {404}
    ada_client.post(reverse("generation:want_public", args=[generation.pk]))
    assert statuses(generation) == {404}
    assert not listed(generation)
    ada.user_permissions.add(*Permission.objects.filter(codename="approve_generation"))
    type(ada).objects.filter(pk=ada.pk).update(is_staff=True)
    assert b'value="approve"' not in ada_client.get(reverse("generation:waiting")).content
    told = ada_client.post(reverse("generation:decide", args=[generation.pk]), {"word": "demo"}, follow=True)
    assert b"It takes two" in told.content  # whoever is both is still one
    assert statuses(generation) == {404}
    assert showing.approve(generation, admin)
    assert statuses(generation) == {200}
    assert listed(generation)
    page = Client().get(piece(generation)[0]).content.decode()
    assert ada.email not in page
    assert ada.get_username() not in page
    assert reverse("generation:takedown") in page


@pytest.mark.parametrize("fields", [{"public_approved": True}, {"demo": True}, {"public_approved": True, "demo": True}])
def test_the_database_refuses_what_only_one_wants(ada: User, fields: dict[str, bool]) -> None:
    (generation,) = rows.finished(ada, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Generation.objects.filter(pk=generation.pk).update(**fields)


def leave(how: str, generation: Generation, owner: User, admin: User) -> None:
    generation.refresh_from_db()
    if how == "taken back":
        showing.withdraw_public(generation)
    elif how == "refused after all":
        showing.refuse(generation, admin)
    elif how == "deleted":
        services.delete_own(generation)
    elif how == "consent withdrawn":
        services.revoke_consent(generation.consent)
    elif how == "taken down":
        services.take_down(generation.job_id, by=admin)
    elif how == "account closed":
        type(owner).objects.filter(pk=owner.pk).update(is_active=False)
    else:
        owner.delete()


WAYS = (
    "taken back",
    "refused after all",
    "deleted",
    "consent withdrawn",
    "taken down",
    "account closed",
    "account deleted",
)


@pytest.mark.parametrize("how", WAYS)
def test_every_way_out_is_at_once(how: str, ada: User) -> None:
    admin = factories.administrator()
    (generation,) = rows.public(ada, admin, 1, demo=True)
    token = showing.share(generation)
    addresses = piece(generation)
    assert {factories.status(Client(), address) for address in addresses} == {200}
    leave(how, generation, ada, admin)
    assert {factories.status(Client(), address) for address in addresses} == {404}
    assert not listed(generation)
    assert str(generation.pk) not in Client().get("/create/").content.decode()
    by_link = factories.status(Client(), reverse("generation:shared", args=[token]))
    assert by_link == (200 if how in ("taken back", "refused after all") else 404)
    assert list(faults()) == []


def test_nothing_of_it_stays_in_a_browser(ada: User) -> None:
    (generation,) = rows.public(ada, factories.administrator(), 1)
    for address in piece(generation):
        answer = Client().get(address)
        assert "no-cache" in answer["Cache-Control"]
        b"".join(answer.streaming_content if answer.streaming else ())


def test_no_other_file_is_served_to_everybody(ada: User) -> None:
    (generation,) = rows.public(ada, factories.administrator(), 1)
    other = Artifact.store(role="comparison", data=b"x", content_type="image/jpeg", suffix=".jpg", job=generation.job)
    original = Artifact.store(
        role=Artifact.ORIGINAL, data=b"y", content_type="image/jpeg", suffix=".jpg", job=generation.job
    )
    token = showing.share(generation)
    for artifact in (other, original):
        for address in ("public_file", "shared_file"):
            args: list[Any] = [artifact.pk, artifact.public_name]
            args = args if address == "public_file" else [token, *args]
            assert factories.status(Client(), reverse(f"generation:{address}", args=args)) == 404
    Generation.objects.filter(pk=generation.pk).update(result=original)  # a row written by hand
    assert factories.status(Client(), reverse("generation:public_file", args=[original.pk, "original.jpg"])) == 404


def test_a_refusal_holds_and_a_change_of_mind_is_free(ada: User) -> None:
    admin = factories.administrator()
    (generation,) = rows.finished(ada, 1)
    showing.want_public(generation)
    showing.withdraw_public(generation)
    assert not showing.approve(generation, admin)
    showing.want_public(generation)
    assert showing.approve(generation, admin)
    showing.withdraw_public(generation)
    showing.want_public(generation)
    assert showing.is_waiting(generation)
    assert showing.refuse(generation, admin)
    with pytest.raises(showing.NotToBeShown):
        showing.want_public(generation)
    events = [entry.event for entry in LedgerEntry.objects.all()]
    assert events == ["shown", "hidden"]


def test_what_is_shown_stays_and_what_it_was_made_from_goes(ada: User) -> None:
    admin = factories.administrator()
    (generation,) = rows.finished(ada, 1)
    part = Artifact.store(
        role=Artifact.ORIGINAL, data=b"y", content_type="image/jpeg", suffix=".jpg", job=generation.job
    )
    showing.want_public(generation)
    showing.approve(generation, admin)
    month = timezone.now() - timedelta(days=1)
    Job.objects.exclude(purge_after=None).update(purge_after=month)
    Artifact.objects.exclude(purge_after=None).update(purge_after=month)
    retention.purge_due(lambda *_: None)
    assert statuses(generation) == {200}
    assert not Artifact.objects.filter(pk=part.pk).exists()
    showing.withdraw_public(generation)
    generation.job.refresh_from_db()
    assert generation.job.purge_after is not None
    assert generation.job.purge_after > timezone.now()


# --- By a link --------------------------------------------------------------------------------------------------------
def test_links_expire_and_are_taken_back(ada: User, ada_client: Client) -> None:
    (generation,) = rows.finished(ada, 1)
    ada_client.post(reverse("generation:share", args=[generation.pk]))
    generation.refresh_from_db()
    first = str(generation.share_token)
    address = reverse("generation:shared", args=[first])
    file = reverse("generation:shared_file", args=[first, generation.result_id, "result.jpg"])
    assert [factories.status(Client(), each) for each in (address, file)] == [200, 200]
    assert first in ada_client.get(reverse("generation:result", args=[generation.pk])).content.decode()
    second = showing.share(generation)
    assert factories.status(Client(), address) == 404
    ada_client.post(reverse("generation:unshare", args=[generation.pk]))
    assert factories.status(Client(), reverse("generation:shared", args=[second])) == 404
    third = showing.share(generation)
    Generation.objects.update(share_expires=timezone.now() - timedelta(seconds=1))
    assert factories.status(Client(), reverse("generation:shared", args=[third])) == 404


def test_a_link_opens_one_piece_only(ada: User) -> None:
    (one,), (two,) = rows.finished(ada, 1), rows.finished(ada, 1)
    token = showing.share(one)
    args = [token, two.result_id, "result.jpg"]
    assert factories.status(Client(), reverse("generation:shared_file", args=args)) == 404
    assert factories.status(Client(), reverse("generation:result", args=[one.pk])) == 302


# --- The desk ---------------------------------------------------------------------------------------------------------
ASKING: tuple[tuple[str, Callable[[Client, Generation], int]], ...] = (
    ("list", lambda client, _one: factories.status(client, reverse("generation:waiting"))),
    (
        "word",
        lambda client, one: factories.status(
            client, reverse("generation:decide", args=[one.pk]), "post", data={"word": "approve"}
        ),
    ),
)


@pytest.mark.parametrize("ask", ASKING, ids=lambda each: each[0])
@pytest.mark.parametrize("who", ["visitor", "member", "owner", "staff without the word", "reviewer", "administrator"])
def test_only_those_who_may_decide(who: str, ask: Any, ada: User, ben: User) -> None:
    (generation,) = rows.finished(ada, 1)
    showing.want_public(generation)
    client = Client()
    if who == "staff without the word":
        client.force_login(factories.member("sam@example.org", is_staff=True))
    elif who != "visitor":
        people = {"member": ben, "owner": ada}
        client.force_login(people.get(who) or getattr(factories, who)())
    may = who in ("reviewer", "administrator")
    status = ask[1](client, generation)
    assert status == ({"list": 200, "word": 302}[ask[0]] if may else 404)
    assert Generation.objects.public().exists() is (may and ask[0] == "word")


def test_the_desk_decides_by_page_and_by_admin(ada: User) -> None:
    client = Client()
    client.force_login(factories.administrator())
    first, second, third = rows.finished(ada, 3)
    for each in (first, second):
        showing.want_public(each)
    page = client.get(reverse("generation:waiting")).content.decode()
    assert first.title in page
    assert third.title not in page
    client.post(reverse("generation:decide", args=[first.pk]), {"word": "demo"})
    client.post(reverse("generation:decide", args=[second.pk]), {"word": "refuse"})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.public_approved, first.demo, second.public_approved, second.public_wanted) == (
        True,
        True,
        False,
        False,
    )
    assert str(first.pk) in Client().get("/create/").content.decode()
    assert b"Nothing waits" in client.get(reverse("generation:waiting")).content
    change = reverse("admin:generation_generation_changelist")
    showing.want_public(third)
    assert third.title in client.get(change, {"public": "waiting"}).content.decode()
    for action, expected in (("approve", (True, False)), ("make_example", (True, True)), ("refuse", (False, False))):
        client.post(change, {"action": action, "_selected_action": [str(third.pk)]})
        third.refresh_from_db()
        assert (third.public_approved, third.demo) == expected
    assert third.share_token is None
    assert client.get(reverse("admin:generation_generation_change", args=[first.pk])).status_code == 200


@pytest.mark.slow
def test_a_real_piece_is_public_as_it_was_sealed(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    showing.want_public(generation)
    assert showing.approve(generation, factories.administrator())
    address = reverse("generation:public_file", args=[generation.result_id, generation.result.public_name])
    served = b"".join(Client().get(address).streaming_content)
    assert served == factories.content(generation.result)
    from ml.provenance.verification import verify

    assert verify(served, "image/jpeg", tmp_path / "authority").job == str(generation.job_id)
