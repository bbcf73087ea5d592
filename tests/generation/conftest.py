"""A member who may make things, the test kind, an authority of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from generation import identities, permissions, services, texts
from jobs import kinds
from jobs.requester import Requester
from tests.detection import factories
from tests.generation.mirror import MIRROR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.contrib.auth.models import User


@pytest.fixture(autouse=True)
def house(media_root: Path, settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.GENERATION_AUTHORITY_DIR = tmp_path / "authority"
    settings.GENERATION_DAILY_QUOTA = 5
    kinds.register(MIRROR)
    identities.register(identities.Identity("nobody-1", "Nobody the First"))
    yield
    kinds.unregister(MIRROR.name)
    identities.unregister("nobody-1")


@pytest.fixture
def ada(db: None) -> User:
    return maker("ada@example.org")


@pytest.fixture
def ben(db: None) -> User:
    return maker("ben@example.org")


@pytest.fixture
def ada_client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def maker(email: str) -> User:
    """A member as a new account is, who has accepted the terms."""
    permissions.grant(Group, Permission)
    user = factories.member(email)
    user.groups.add(Group.objects.get(name="member"))
    services.accept_terms(user, texts.terms().version)
    return user


def of(user: User) -> Requester:
    return Requester(user=user, session_key=None)
