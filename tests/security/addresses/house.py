"""Who asks, and what belongs to whom: made once, since every question is rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import Group, Permission
from django.test import Client

from generation import permissions, texts
from generation import services as making
from jobs.requester import Requester
from tests.detection import factories
from tests.generation import making as do

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from detection.models import Check
    from generation.models import Generation

SECRET: Final = "quetzalcoatl"


@dataclass(frozen=True, slots=True)
class House:
    """`owner` owns everything here, as a member or (None) as a visitor; `requester` is the owner either way."""

    owner: User | None
    requester: Requester
    check: Check  # finished, with two faces
    generation: Generation | None  # queued; visitors make nothing
    cookies: dict[str, str]  # session keys by person
    SECRET: str = SECRET

    def client(self, person: str) -> Client:
        """A fresh browser with that person's session in it."""
        client = Client(raise_request_exception=False)
        if self.cookies[person]:
            client.cookies["sessionid"] = self.cookies[person]
        return client

    @property
    def member(self) -> User:
        assert self.owner is not None, "visitors have no such thing"
        return self.owner

    def words(self) -> list[str]:
        """What strangers must not read."""
        mine = [SECRET, str(self.check.pk), str(self.check.job_id)]
        if self.owner is not None:
            mine.append(self.owner.email)
        if self.generation is not None:
            mine += [str(self.generation.pk), str(self.generation.job_id)]
        return mine


def member(email: str) -> User:
    user = factories.member(email)
    user.groups.add(Group.objects.get(name="member"))
    making.accept_terms(user, texts.terms().version)
    return user


def session_of(user: User | None) -> str:
    client = Client()
    if user is None:
        return str(factories.visitor_with_session(client).session_key)
    client.force_login(user)
    return client.cookies["sessionid"].value


def build() -> tuple[House, House]:
    """The member's house and the visitor's, with the same strangers around them."""
    permissions.grant(Group, Permission)
    ada, ben = member("ada.own@example.org"), member("ben@example.org")
    around = {
        "visitor": session_of(None),
        "other": session_of(ben),
        "reviewer": session_of(factories.reviewer()),
        "administrator": session_of(factories.administrator()),
    }
    factories.queued(Requester(user=ben, session_key=None), "bens.jpg")
    key = session_of(None)
    mine, visitors = Requester(user=ada, session_key=None), Requester(user=None, session_key=key)
    return (
        House(
            ada,
            mine,
            factories.finished(factories.queued(mine, f"{SECRET}.jpg")),
            do.submitted(ada, factories.jpeg()),
            {**around, "owner": session_of(ada)},
        ),
        House(
            None,
            visitors,
            factories.finished(factories.queued(visitors, f"{SECRET}.jpg")),
            None,
            {**around, "owner": key},
        ),
    )
