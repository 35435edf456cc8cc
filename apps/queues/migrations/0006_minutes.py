from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0005_pauses_and_orders"),
    ]

    operations = [
        migrations.CreateModel(
            name="Minute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("queue", models.CharField(max_length=100)),
                ("created", models.PositiveIntegerField()),
                ("finished", models.PositiveIntegerField()),
                ("failed", models.PositiveIntegerField()),
                ("cancelled", models.PositiveIntegerField()),
                ("waits", models.JSONField(default=dict)),
                ("runs", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("at", "queue"), name="minute_once")],
            },
        ),
    ]
