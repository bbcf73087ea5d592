"""What is not yours does not exist: lists, links, sockets. Every address by itself: test_addresses.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import reverse

from detection import services
from detection.models import Check
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor_client(db: None) -> Client:
    return Client()


@pytest.fixture(params=["member", "visitor"])
def owned(
    request: pytest.FixtureRequest, ada: User, ada_client: Client, visitor_client: Client
) -> tuple[Client, Check]:
    if request.param == "member":
        return ada_client, factories.finished(factories.queued(factories.requester(ada)))
    owner = factories.visitor_with_session(visitor_client)
    return visitor_client, factories.finished(factories.queued(owner))


@pytest.mark.parametrize("who", ["nobody", "other visitor", "other member", "reviewer"])
def test_lists_hold_ones_own_only(who: str, owned: tuple[Client, Check], ben_client: Client) -> None:
    owner, check = owned
    stranger = ben_client if who == "other member" else Client()
    if who == "reviewer":
        stranger.force_login(factories.reviewer())
    if who == "other visitor":
        factories.visitor_with_session(stranger)
    for address in ("/", "/checks/", "/api/v1/checks"):
        assert str(check.pk) in owner.get(address).content.decode()
        assert str(check.pk) not in stranger.get(address).content.decode()


def test_a_visitors_check_is_not_a_members_with_the_same_browser_key(ada: User) -> None:
    """A member's rows carry no session key, and a visitor's no owner: neither can be asked for as the other."""
    check = factories.queued(factories.requester(ada))
    assert check.session_key == ""
    assert not Check.objects.owned_by(factories.requester(session_key="")).exists()
    assert not Check.objects.owned_by(factories.requester()).exists()
    visitors = factories.queued(factories.requester(session_key="k"))
    Check.objects.filter(pk=visitors.pk).update(owner=ada)
    assert not Check.objects.owned_by(factories.requester(session_key="k")).exists()


def test_a_link_opens_one_check_only(ada: User, client: Client) -> None:
    first = factories.finished(factories.queued(factories.requester(ada)))
    second = factories.finished(factories.queued(factories.requester(ada)))
    token = services.share_check(first)
    for picture, expected in ((first.display, 200), (second.display, 404), (first.original, 404)):
        address = reverse("detection:shared_file", args=[token, picture.pk, picture.public_name])
        assert factories.status(client, address) == expected
    assert factories.status(client, first.get_absolute_url()) == 404
    assert factories.status(client, reverse("jobs:state", args=[first.job_id])) == 404
    assert factories.status(client, first.display.url) == 404


def test_signing_out_leaves_nothing_to_the_next_person(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    ada_client.post(reverse("account_logout"))
    assert factories.status(ada_client, check.get_absolute_url()) == 404
    assert ada_client.get("/checks/").context["page_obj"].paginator.count == 0


@pytest.mark.django_db(transaction=True)
class TestSockets:
    @staticmethod
    async def first_message(check: Check, client: Client | None, origin: str = "http://testserver") -> object:
        from deepfake_site.asgi import application

        headers = [(b"host", b"testserver"), (b"origin", origin.encode())]
        if client is not None and "sessionid" in client.cookies:
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        socket = WebsocketCommunicator(application, f"/ws/jobs/{check.job_id}/", headers)
        connected, _code = await socket.connect(timeout=5)
        if not connected:
            return "refused"
        message = await socket.receive_output(timeout=5)
        await socket.disconnect()
        return message

    @pytest.fixture
    def queued(self, ada: User) -> Check:
        return factories.queued(factories.requester(ada))

    async def test_the_owner_is_told(self, queued: Check, ada_client: Client) -> None:
        message = await self.first_message(queued, ada_client)
        assert message["type"] == "websocket.send"
        assert str(queued.job_id) in message["text"]

    @pytest.mark.parametrize("who", ["nobody", "other member"])
    async def test_others_are_told_nothing(self, queued: Check, ben_client: Client, who: str) -> None:
        message = await self.first_message(queued, ben_client if who == "other member" else None)
        assert message == "refused" or message["type"] == "websocket.close"

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "https://testserver", "http://testserver:81", "null", ""]
    )
    async def test_not_from_a_foreign_page(self, queued: Check, ada_client: Client, origin: str) -> None:
        assert await self.first_message(queued, ada_client, origin) == "refused"
