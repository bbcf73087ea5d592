from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_workerheartbeat")]

    operations = [
        migrations.AddField("job", "error_params", models.JSONField(blank=True, default=dict)),
    ]
