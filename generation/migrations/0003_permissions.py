"""The groups are granted what this app adds."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

from generation import permissions


def grant(apps, schema_editor):
    for config in apps.get_app_configs():
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    permissions.grant(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("deepfake_site", "0001_roles"),
        ("generation", "0002_append_only"),
        ("jobs", "0002_madeoutput"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
