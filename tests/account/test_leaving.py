"""A member with everything in use deletes the account: nothing of it is left, and nothing of anybody else is gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import models
from django.test import Client
from django.urls import reverse

from deepfake_site.account import holdings, leaving
from generation.ledger import LedgerEntry, actor_of, faults
from jobs.models import Artifact, Job, MadeOutput
from tests.account.everything import STAY, WORD, going_along, leading_to_user, use_everything
from tests.detection import factories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.states import JobState

pytestmark = pytest.mark.django_db

# Tables that name things by number for good, and say nothing else of them (docs/safeguards.md).
OUTLIVE = {"generation.LedgerEntry", "jobs.MadeOutput", "detection.JudgementEntry", "enhancement.Parent"}


def texts(row: models.Model) -> Iterator[str]:
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, bytes | memoryview):
            yield bytes(value).decode("utf-8", "replace")
        elif isinstance(value, dict | list):
            yield json.dumps(value, default=str)
        elif value is not None and not isinstance(value, bool | int | float):
            yield str(value)


def traces(words: set[str], numbers: set[str], user_pk: int) -> dict[str, list[str]]:
    """Every row of every table that holds one of the words, or one of the numbers where numbers may not stay, or that
    points to the account."""
    found: dict[str, list[str]] = {}
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        sought = words if label in OUTLIVE else words | numbers
        links = [f.attname for f in model._meta.concrete_fields if f.related_model is get_user_model()]
        for row in model._base_manager.all():
            whole = "\n".join(texts(row))
            hits = [word for word in sought if word in whole]
            hits += [link for link in links if getattr(row, link) == user_pk]
            if isinstance(row, Session) and row.get_decoded().get("_auth_user_id") == str(user_pk):
                hits.append("signed in")
            if hits:
                found.setdefault(label, []).append(f"{row.pk}: {hits}")
    return found


def stored(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_nothing_is_left(
    ada: User,
    ben: User,
    ada_client: Client,
    astronaut_jpeg: bytes,
    tmp_path: Path,
    media_root: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    theirs = use_everything(ada, ada_client, ben, astronaut_jpeg, tmp_path / "work")
    bens = holdings.of(ben)
    pk, email = ada.pk, ada.email
    own = holdings.of(ada).own
    assert set(own) == going_along(), "a table of the account's that this test has no row of"
    words = {WORD, email, f"user:{pk}", ada_client.session.session_key}
    numbers = {str(row.pk) for rows in own.values() for row in rows if len(str(row.pk)) > 30}
    numbers |= {number.replace("-", "") for number in numbers}
    before = traces(words, numbers, pk)
    assert {"auth.User", "detection.Check", "detection.Report", "jobs.Artifact", "generation.Consent"} <= set(before)
    assert {"admin.LogEntry", "sessions.Session", "account.EmailConfirmation"} <= set(before)
    lines = [(line.number, line.hash) for line in LedgerEntry.objects.all()]
    assert any("consent-evidence" in path for path in stored(media_root))

    cache.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = ada_client.post(reverse("member:leave"), {"password": factories.PASSWORD})
    assert (answer.status_code, answer.url) == (302, "/")

    assert traces(words, numbers, pk) == {}
    kept = {str(name) for name in Artifact.objects.values_list("file", flat=True)}
    assert stored(media_root) == kept, "a file without a row, or a row without its file"
    assert kept
    # Of others everything is there: rows, files, and the fact that somebody reported one of them.
    after = holdings.of(ben)
    assert {m: len(rows) for m, rows in after.own.items()} == {m: len(rows) for m, rows in bens.own.items()}
    report = theirs.reports.get()
    assert (report.reporter, report.comment, report.reason) == (None, "", "harmful")
    # The ledger goes on, without a name.
    assert [(line.number, line.hash) for line in LedgerEntry.objects.all()][: len(lines)] == lines
    assert list(faults()) == []
    last = LedgerEntry.objects.last()
    assert last is not None
    assert (last.event, last.facts["actor"]) == ("account_deleted", actor_of(User(pk=pk)))
    assert not MadeOutput.objects.filter(withdrawn=None, kind="mirror").exists()
    (letter,) = mail.outbox
    assert letter.to == [email]
    assert ada_client.get(reverse("member:profile")).status_code == 302


def test_every_link_that_is_cut_has_been_thought_about() -> None:
    cut = {
        (model._meta.label, field.name)
        for model, field in leading_to_user()
        if field.remote_field.on_delete is not models.CASCADE
    }
    assert cut == STAY


def test_work_under_way_is_stopped(ada: User, ada_client: Client) -> None:
    running = factories.claimed(factories.queued(factories.requester(ada)))
    waiting = factories.queued(factories.requester(ada))
    stopped: list[Any] = []
    cancel = leaving.lifecycle.cancel

    def noting(job_id: Any) -> JobState:
        stopped.append(job_id)
        return cancel(job_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaving.lifecycle, "cancel", noting)
        leaving.delete_account(ada)
    assert set(stopped) == {waiting.job_id, running.pk}
    assert not Job.objects.exists()
    from jobs import lifecycle

    with pytest.raises(lifecycle.LeaseLost):  # the worker that still has it publishes nothing
        lifecycle.succeed(running.pk, running.attempt, factories.RESULT)
    assert not Artifact.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"password": ""}, {"password": "not this one"}])
def test_not_without_the_password(sent: dict[str, str], ada: User, ada_client: Client) -> None:
    cache.clear()
    assert ada_client.get(reverse("member:leave")).status_code == 200
    answer = ada_client.post(reverse("member:leave"), sent)
    assert answer.status_code == 400
    assert User.objects.filter(pk=ada.pk).exists()


def test_guessing_is_limited(ada: User, ada_client: Client) -> None:
    cache.clear()
    for number in range(15):
        ada_client.post(reverse("member:leave"), {"password": f"guess {number}"})
    answer = ada_client.post(reverse("member:leave"), {"password": factories.PASSWORD})
    assert answer.status_code == 400
    assert User.objects.filter(pk=ada.pk).exists()
    cache.clear()


def test_the_last_administrator_stays(db: None) -> None:
    root = User.objects.create_superuser("root", "root@example.org", factories.PASSWORD)
    client = Client()
    client.force_login(root)
    cache.clear()
    answer = client.post(reverse("member:leave"), {"password": factories.PASSWORD})
    assert answer.status_code == 400
    assert "only administrator" in answer.content.decode()
    User.objects.create_superuser("next", "next@example.org", factories.PASSWORD)
    assert client.post(reverse("member:leave"), {"password": factories.PASSWORD}).status_code == 302
    assert not User.objects.filter(pk=root.pk).exists()


def test_it_cannot_be_done_from_another_site(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post(reverse("member:leave"), {"password": factories.PASSWORD}).status_code == 403
    assert User.objects.filter(pk=ada.pk).exists()
