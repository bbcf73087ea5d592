"""What must not leave: weights that know a person, by whatever door everything of an account may be taken along."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from detection import services as checks
from jobs.models import Artifact
from tests.detection import factories
from tests.generation import rows
from tests.generation.conftest import ada, ada_client, ben, house

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

__all__ = ["ada", "ada_client", "ben", "house"]
pytestmark = pytest.mark.django_db


def test_ones_own_data_hold_no_weights_that_know_a_person(ada: User, client: Client) -> None:
    """With them anybody could paint that face elsewhere, without a mark and without a record of consent."""
    (generation,) = rows.finished(ada, 1)
    learned = Artifact.store(
        role=Artifact.LEARNED,
        data=b"PK\x03\x04 who they are",
        content_type="application/zip",
        suffix=".zip",
        job=generation.job,
    )
    client.force_login(ada)
    client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    answer = client.get(reverse("member:data"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert [name for name in archive.namelist() if str(learned.pk) in name] == []
    assert all(b"who they are" not in archive.read(name) for name in archive.namelist())
    told = {row["id"]: row for row in json.loads(archive.read("data/jobs.artifact.json"))}
    assert told[str(learned.pk)]["file"] is None  # that there are some is said all the same
    assert told[str(generation.result_id)]["file"] in archive.namelist()


def test_the_link_to_a_check_ends_with_the_account(ada: User, client: Client) -> None:
    """Closed by the staff, of a visitor it stays: nobody closes those."""
    check = factories.finished(factories.queued(factories.requester(ada)))
    visitors = factories.finished(factories.queued(factories.requester(session_key="k")))
    addresses = [reverse("detection:shared", args=[checks.share_check(each)]) for each in (check, visitors)]
    assert [factories.status(client, address) for address in addresses] == [200, 200]
    type(ada).objects.update(is_active=False)
    assert [factories.status(client, address) for address in addresses] == [404, 200]
