"""Every address that names a check, a job or a file, asked by everybody. What is not yours does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from detection import services
from detection.models import Check
from jobs.models import Artifact, Job
from tests.detection import factories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Address:
    """An address about one check: how it is asked, what its owner gets, and what a reviewer gets."""

    name: str
    method: str
    of: Callable[[Check], list[object]]
    owner: int
    reviewer: int


def pk(check: Check) -> list[object]:
    return [check.pk]


def job(check: Check) -> list[object]:
    return [check.job_id]


def artifact(which: str) -> Callable[[Check], list[object]]:
    def of(check: Check) -> list[object]:
        found = getattr(check, which) if hasattr(check, which) else getattr(check.faces.first(), which)
        return [found.pk, found.public_name]

    return of


def picture(check: Check) -> list[object]:
    return [check.pk, check.display_id]


ADDRESSES: Final = (
    Address("detection:result", "get", pk, 200, 200),
    Address("detection:delete", "post", pk, 302, 404),
    Address("detection:retry", "post", pk, 302, 404),
    Address("detection:share", "post", pk, 302, 404),
    Address("detection:unshare", "post", pk, 302, 404),
    Address("detection:report", "post", pk, 302, 302),
    Address("jobs:state", "get", job, 200, 200),
    Address("jobs:cancel", "post", job, 200, 200),
    Address("jobs:artifact", "get", artifact("display"), 200, 200),
    Address("jobs:artifact", "get", artifact("crop"), 200, 200),
    Address("jobs:artifact", "get", artifact("gradcam"), 200, 200),
    Address("jobs:artifact", "get", artifact("original"), 404, 200),
    Address("api:check", "get", pk, 200, 404),
    Address("api:check", "delete", pk, 204, 404),
    Address("detection:report_json", "get", pk, 200, 200),
    Address("detection:report_pdf", "get", pk, 200, 200),
    Address("api:check_report_json", "get", pk, 200, 404),
    Address("api:check_report_pdf", "get", pk, 200, 404),
    Address("api:check_picture", "get", picture, 200, 404),
)
OPEN_TO_ALL: Final = {
    "detection:check",
    "detection:history",  # one's own
    "detection:method",
    "detection:shared",  # by an unguessable token
    "detection:shared_file",
    "detection:shared_report_json",
    "detection:shared_report_pdf",
    "detection:tokens",  # one's own
    "detection:token_revoke",  # tests/detection/test_api.py
    "api:checks",  # one's own
}


def names(patterns: Iterable[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace or "") if part)
            yield from names(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}:{pattern.name}" if namespace else pattern.name


def test_no_address_is_forgotten_here() -> None:
    ours = {name for name in names(get_resolver().url_patterns) if name.startswith(("detection:", "jobs:", "api:"))}
    documents = {"api:openapi-json", "api:openapi-view", "api:api-root"}
    assert ours - documents == {address.name for address in ADDRESSES} | OPEN_TO_ALL


def ask(client: Client, address: Address, check: Check) -> int:
    data = {"data": {"reason": "other"}} if address.name == "detection:report" else {}
    return factories.status(client, reverse(address.name, args=address.of(check)), address.method, **data)


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


def ids(address: Address) -> str:
    return f"{address.method} {address.name} {getattr(address.of, '__qualname__', '')}"


@pytest.mark.parametrize("address", ADDRESSES, ids=ids)
def test_owner(address: Address, owned: tuple[Client, Check]) -> None:
    client, check = owned
    assert ask(client, address, check) == address.owner


@pytest.mark.parametrize("address", ADDRESSES, ids=ids)
@pytest.mark.parametrize("who", ["nobody", "other visitor", "other member"])
def test_strangers_find_nothing(address: Address, who: str, owned: tuple[Client, Check], ben_client: Client) -> None:
    _client, check = owned
    stranger = ben_client if who == "other member" else Client()
    if who == "other visitor":
        factories.queued(factories.visitor_with_session(stranger))
    assert ask(stranger, address, check) == 404
    check.refresh_from_db()
    assert check.level == "likely_manipulated"
    assert check.share_token is None
    assert not check.reports.exists()
    assert not Job.objects.filter(pk=check.job_id, cancel_requested=True).exists()
    assert Artifact.objects.filter(job=check.job).count() == 6


@pytest.mark.parametrize("address", ADDRESSES, ids=ids)
def test_reviewers_see_and_change_nothing(address: Address, owned: tuple[Client, Check]) -> None:
    _client, check = owned
    client = Client()
    client.force_login(factories.reviewer())
    assert ask(client, address, check) == address.reviewer
    assert Check.objects.filter(pk=check.pk, share_token=None).exists()


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
