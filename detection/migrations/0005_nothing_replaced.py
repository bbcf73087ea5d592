"""SQLite's REPLACE puts a line in the place of another without asking the trigger that guards against editing."""

from django.db import migrations

TABLE = "detection_judgemententry"
GUARD = f"""CREATE TRIGGER detection_trail_no_replace BEFORE INSERT ON {TABLE}
    WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":  # PostgreSQL has no REPLACE, and its upsert is an update
        schema_editor.execute(GUARD)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER detection_trail_no_replace")


class Migration(migrations.Migration):
    dependencies = [("detection", "0004_desk_rules")]
    operations = [migrations.RunPython(guard, unguard)]
