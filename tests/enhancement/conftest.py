from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from tests.detection import factories as people

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User


@pytest.fixture(autouse=True)
def _places_of_one_test(media_root: Path, settings: Any, tmp_path: Path) -> None:
    """Every test of this folder starts with an empty storage, an authority of its own and no imported network."""
    settings.GENERATION_AUTHORITY_DIR = tmp_path / "authority"
    settings.ENHANCEMENT_NETWORKS_DIR = tmp_path / "networks"


@pytest.fixture
def ada(db: None) -> User:
    return people.member("ada@example.org")


@pytest.fixture
def ben(db: None) -> User:
    return people.member("ben@example.org")


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
