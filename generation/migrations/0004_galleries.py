"""Galleries: a poster, the owner's wish and the staff's word, links; and who may give that word."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from generation import permissions


def grant(apps, schema_editor):
    config = apps.get_app_config("generation")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions.grant(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0003_permissions'),
        ('jobs', '0002_madeoutput'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='generation',
            options={'ordering': ['-created'], 'permissions': [('generate', 'Can make swaps, animations and portraits'), ('approve_generation', 'Can decide what the public gallery shows')], 'verbose_name': 'generation', 'verbose_name_plural': 'generations'},
        ),
        migrations.AddField(
            model_name='generation',
            name='demo',
            field=models.BooleanField(default=False, verbose_name='shown as an example'),
        ),
        migrations.AddField(
            model_name='generation',
            name='facts',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='generation',
            name='poster',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.artifact'),
        ),
        migrations.AddField(
            model_name='generation',
            name='public_approved',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='public_asked',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='public_decided',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='public_decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='generation',
            name='public_wanted',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='share_expires',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='share_token',
            field=models.CharField(blank=True, max_length=64, null=True, unique=True),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('public_approved', True)), fields=['-created'], name='generation_public'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('public_decided__isnull', True), ('public_wanted', True)), fields=['public_asked'], name='generation_waiting'),
        ),
        migrations.AddConstraint(
            model_name='generation',
            constraint=models.CheckConstraint(condition=models.Q(('public_approved', False), models.Q(('public_decided__isnull', False), ('public_wanted', True), ('withdrawn__isnull', True)), _connector='OR'), name='generation_public_by_two'),
        ),
        migrations.AddConstraint(
            model_name='generation',
            constraint=models.CheckConstraint(condition=models.Q(('demo', False), ('public_approved', True), _connector='OR'), name='generation_demo_is_public'),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
