"""The trail refuses to be edited, the groups are granted what the desk adds, and what was reported before lies on it."""

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Min

from detection.desk import permissions

WEIGHTS = {"minor": 100, "without_consent": 80, "harmful": 70, "wrong_verdict": 40, "other": 30}
TABLE = "detection_judgemententry"
DO = {
    "sqlite": (
        f"""CREATE TRIGGER detection_trail_no_update BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION detection_trail_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        f"""CREATE TRIGGER detection_trail_no_update BEFORE UPDATE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION detection_trail_refuse()""",
    ),
}
UNDO = {
    "sqlite": ("DROP TRIGGER detection_trail_no_update",),
    "postgresql": (
        f"DROP TRIGGER detection_trail_no_update ON {TABLE}",
        "DROP FUNCTION detection_trail_refuse()",
    ),
}


def run(statements, schema_editor):
    for statement in statements.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


def guard(apps, schema_editor):
    run(DO, schema_editor)


def unguard(apps, schema_editor):
    run(UNDO, schema_editor)


def grant(apps, schema_editor):
    for config in apps.get_app_configs():
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    permissions.grant(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


def lay_on_desk(apps, schema_editor):
    """Reports that nobody has decided yet were kept for a person to look at: here they wait for one."""
    report, item = apps.get_model("detection", "Report"), apps.get_model("detection", "ReviewItem")
    flag, entry = apps.get_model("detection", "Flag"), apps.get_model("detection", "JudgementEntry")
    waiting = report.objects.filter(status="open").order_by().values("subject").annotate(since=Min("created"))
    for row in waiting:
        told = list(report.objects.filter(subject=row["subject"], status="open").values_list("reason", flat=True))
        weight = max(WEIGHTS[reason] for reason in told)
        made = item.objects.create(subject_id=row["subject"], urgency=weight, flagged=row["since"])
        detail = {"reports": len(told), "reasons": sorted(set(told))}
        flag.objects.create(item=made, reason="reported", weight=weight, detail=detail)
        entry.objects.create(check_ref=row["subject"], event="flagged", facts={"reasons": ["reported"]})


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("deepfake_site", "0001_roles"),
        ("detection", "0003_review_desk"),
    ]
    operations = [
        migrations.RunPython(guard, unguard),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunPython(lay_on_desk, migrations.RunPython.noop),
    ]
