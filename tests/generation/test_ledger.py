"""The ledger only grows: by model, by query set, by SQL; and whoever changes it all the same is found out."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from generation import ledger
from generation.ledger import AppendOnly, LedgerEntry
from tests.generation import making as do

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def three_lines() -> list[LedgerEntry]:
    return [ledger.append("tested", number_of=index) for index in range(3)]


def unguarded(statement: str, *parameters: Any) -> None:
    """What somebody who owns the database could do."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER generation_ledger_no_update")
            cursor.execute("DROP TRIGGER generation_ledger_no_delete")
        else:
            cursor.execute("DROP TRIGGER generation_ledger_no_change ON generation_ledgerentry")
        cursor.execute(statement, parameters)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda line: line.save(),
        lambda line: line.delete(),
        lambda line: LedgerEntry.objects.update(event="nothing"),
        lambda line: LedgerEntry.objects.all().delete(),
        lambda line: LedgerEntry.objects.filter(pk=line.pk).update(body="{}"),
        lambda line: LedgerEntry.objects.bulk_update([line], ["body"]),
        lambda line: LedgerEntry.objects.bulk_create([line]),
        lambda line: LedgerEntry.objects.update_or_create(number=1, defaults={"event": "nothing"}),
    ],
)
def test_the_model_refuses(attempt: Callable[[LedgerEntry], object]) -> None:
    line = three_lines()[0]
    with pytest.raises(AppendOnly):
        attempt(line)
    assert list(ledger.faults()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE generation_ledgerentry SET event = 'nothing'",
        "UPDATE generation_ledgerentry SET hash = previous WHERE number = 2",
        "DELETE FROM generation_ledgerentry WHERE number = 3",
        "DELETE FROM generation_ledgerentry",
    ],
)
def test_the_database_refuses_whatever_program_asks(statement: str) -> None:
    three_lines()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        LedgerEntry.objects.all()._raw_delete(using="default")
    assert LedgerEntry.objects.count() == 3


COLUMNS = "id, number, created, event, job_ref, body, previous, hash"


@pytest.mark.parametrize(
    "instead",
    [
        "id, number, created, 'nothing', job_ref, body, previous, hash",
        "id + 7, number, created, event, job_ref, '{}', previous, hash",
        "id + 7, number + 7, created, event, job_ref, '{}', previous, hash || '0'",
        "id, number + 7, created, event, job_ref, '{}', previous || '0', hash || '0'",
    ],
)
def test_no_line_is_put_in_the_place_of_another(instead: str) -> None:
    """SQLite's REPLACE asks no trigger before it deletes what is in the way."""
    lines = [(line.pk, line.number, line.hash) for line in three_lines()]
    verb = "REPLACE INTO" if connection.vendor == "sqlite" else "INSERT INTO"
    statement = f"{verb} generation_ledgerentry ({COLUMNS}) SELECT {instead} FROM generation_ledgerentry"  # noqa: S608
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{statement} WHERE number = 2")
    assert [(line.pk, line.number, line.hash) for line in LedgerEntry.objects.order_by("number")] == lines


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE generation_ledgerentry SET body = replace(body, '\"number_of\":1', '\"number_of\":7') WHERE number = 2",
        "UPDATE generation_ledgerentry SET event = 'other' WHERE number = 3",
        "DELETE FROM generation_ledgerentry WHERE number = 2",
        "DELETE FROM generation_ledgerentry WHERE number = 1",
    ],
)
def test_changes_behind_the_triggers_are_found(statement: str) -> None:
    three_lines()
    call_command("verify_ledger", stdout=io.StringIO())
    unguarded(statement)
    assert list(ledger.faults())
    with pytest.raises(CommandError, match="broken"):
        call_command("verify_ledger", stderr=io.StringIO())


def test_a_cut_off_end_is_found_by_a_hash_that_was_noted() -> None:
    head = three_lines()[-1].hash
    call_command("verify_ledger", head=head, stdout=io.StringIO())
    unguarded("DELETE FROM generation_ledgerentry WHERE number = 3")
    call_command("verify_ledger", stdout=io.StringIO())  # the rest is whole in itself
    with pytest.raises(CommandError):
        call_command("verify_ledger", head=head, stderr=io.StringIO())


def test_a_line_belongs_to_the_transaction_that_it_tells_of() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        ledger.append("undone")
        raise RuntimeError
    assert not LedgerEntry.objects.exists()


def test_who_made_what_from_what_when_and_with_what(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    out = io.StringIO()
    call_command("export_ledger", stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    previous = ledger.GENESIS
    for line in lines:
        assert line["previous"] == previous
        previous = ledger.chained(line["previous"], line["body"])
        assert line["hash"] == previous
    told = json.loads(lines[-1]["body"])
    assert (told["event"], told["kind"], told["job"]) == ("made", "mirror", str(generation.job_id))
    assert told["actor"] == ledger.actor_of(ada)
    assert told["consents"] == [str(generation.consent_id)]
    assert told["inputs"] == {"target": generation.inputs.get().sha256}
    assert told["outputs"] == {"result": generation.result.sha256}
    assert told["weights"] == {"none": "0" * 64}
    assert ada.email not in out.getvalue()
