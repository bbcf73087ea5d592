"""SQLite's REPLACE takes a line out without asking the trigger that guards against deleting: refused when it comes in."""

from django.db import migrations

TABLE = "generation_ledgerentry"
GUARD = f"""CREATE TRIGGER generation_ledger_no_replace BEFORE INSERT ON {TABLE}
    WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR number = NEW.number
                 OR previous = NEW.previous OR hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":  # PostgreSQL has no REPLACE, and its upsert is an update
        schema_editor.execute(GUARD)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER generation_ledger_no_replace")


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_galleries")]
    operations = [migrations.RunPython(guard, unguard)]
