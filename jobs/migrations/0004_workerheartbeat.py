from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_midway")]

    operations = [
        migrations.CreateModel(
            name="WorkerHeartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("host", models.CharField(max_length=40)),
                ("started", models.DateTimeField()),
                ("seen", models.DateTimeField(db_index=True)),
                ("device", models.CharField(blank=True, default="", max_length=120)),
                ("children", models.PositiveSmallIntegerField(default=0)),
                ("running", models.PositiveSmallIntegerField(default=0)),
                ("kinds", models.JSONField(default=list)),
                ("draining", models.BooleanField(default=False)),
            ],
            options={"verbose_name": "worker", "verbose_name_plural": "workers", "ordering": ("-seen",)},
        ),
    ]
