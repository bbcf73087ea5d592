from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.detection import factories
from tests.detection.conftest import _files_of_one_test, ada, ada_client, ben, ben_client

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from detection.models import Check

__all__ = ["_files_of_one_test", "ada", "ada_client", "ben", "ben_client"]


@pytest.fixture
def rita(db: None) -> User:
    return factories.reviewer()


@pytest.fixture
def rolf(db: None) -> User:
    return factories.reviewer("rolf@example.org")


@pytest.fixture
def adam(db: None) -> User:
    return factories.administrator()


@pytest.fixture
def reported(ada: User) -> Check:
    """Ada's picture, called manipulated, which she says is wrong."""
    from detection import services

    owner = factories.requester(ada)
    check = factories.finished(factories.queued(owner))
    services.report_check(check, owner, "wrong_verdict", "I took it myself.")
    return check
