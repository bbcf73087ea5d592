"""The ledger refuses changes in the database itself, whatever program asks."""

from django.db import migrations

TABLE = "generation_ledgerentry"

SQLITE = (
    f"""CREATE TRIGGER generation_ledger_no_update BEFORE UPDATE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    f"""CREATE TRIGGER generation_ledger_no_delete BEFORE DELETE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION generation_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
    f"""CREATE TRIGGER generation_ledger_no_change BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION generation_ledger_refuse()""",
)
UNDO = {
    "sqlite": ("DROP TRIGGER generation_ledger_no_update", "DROP TRIGGER generation_ledger_no_delete"),
    "postgresql": (
        f"DROP TRIGGER generation_ledger_no_change ON {TABLE}",
        "DROP FUNCTION generation_ledger_refuse()",
    ),
}
DO = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def run(statements, schema_editor):
    try:
        wanted = statements[schema_editor.connection.vendor]
    except KeyError:
        raise NotImplementedError("the ledger is guarded on SQLite and PostgreSQL only") from None
    for statement in wanted:
        schema_editor.execute(statement)


def guard(apps, schema_editor):
    run(DO, schema_editor)


def unguard(apps, schema_editor):
    run(UNDO, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
