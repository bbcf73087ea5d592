"""Everything of one's own in one ZIP: all rows, all files, no secret, and no word that somebody else wrote."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from deepfake_site.account import holdings
from detection import services as checks
from jobs.models import Artifact
from tests.account.everything import WORD, use_everything
from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(
    ada: User, ben: User, client: Client, astronaut_jpeg: bytes, tmp_path: Path
) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    client.force_login(ada)
    assert client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD}).status_code == 302
    use_everything(ada, client, ben, astronaut_jpeg, tmp_path / "work")
    checks.report_check(ada.checks.exclude(level="").get(), factories.requester(ben), "other", "xylophone")
    answer = client.get(reverse("member:data"))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="unmask-')
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    pages = {
        name.removeprefix("data/").removesuffix(".json"): json.loads(archive.read(name))
        for name in archive.namelist()
        if name.startswith("data/")
    }
    return archive, pages


def test_all_rows_and_files_are_in_it(taken: tuple[zipfile.ZipFile, dict[str, Any]], ada: User) -> None:
    archive, pages = taken
    for model, rows in holdings.of(ada).own.items():
        assert {str(row["id"]) for row in pages[model._meta.label_lower] if "id" in row} >= {
            str(row.pk) for row in rows if any(field.name == "id" for field in model._meta.concrete_fields)
        }, model
    assert [row["comment"] for row in pages["detection.report"] if row["reason"] == "harmful"] == [f"{WORD}, as I said"]
    sums = {(artifact.size, artifact.public_name) for artifact in Artifact.objects.filter(owner=ada)}
    inside = {(info.file_size, info.filename.rpartition("/")[2]) for info in archive.infolist()}
    assert sums <= inside
    (letter,) = (name for name in archive.namelist() if name.startswith("files/generation.consent/"))
    assert archive.read(letter).startswith(b"%PDF")
    assert ada.email in archive.read("README.txt").decode()


def test_no_secret_and_nobody_elses_words(taken: tuple[zipfile.ZipFile, dict[str, Any]], ada: User) -> None:
    archive, pages = taken
    text = "\n".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".json"))
    for secret in ("token_hash", "session_key", "owner_key", "address_hash", ada.password, "xylophone", "ben@example"):
        assert secret not in text, secret
    assert "data" not in pages["mfa.authenticator"][0]
    assert "key" not in pages["account.emailconfirmation"][0]
    reporters = {row["reporter"] for row in pages["detection.report"]}
    assert reporters == {"you", "somebody else"}


def test_it_asks_for_the_password_of_who_did_not_just_sign_in(ada_client: Client) -> None:
    answer = ada_client.get(reverse("member:data"))
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/reauthenticate/")


def test_for_oneself_only(client: Client) -> None:
    assert client.get(reverse("member:data")).url.startswith("/accounts/login/")
