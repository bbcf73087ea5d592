from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User


@pytest.fixture(autouse=True)
def _files_of_one_test(media_root: Path) -> None:
    """Every test of this folder starts with an empty storage, and leaves none behind."""


@pytest.fixture
def ada(db: None) -> User:
    return factories.member("ada@example.org")


@pytest.fixture
def ben(db: None) -> User:
    return factories.member("ben@example.org")


@pytest.fixture
def ada_client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def ben_client(ben: User) -> Client:
    client = Client()
    client.force_login(ben)
    return client
