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
        migrations.CreateModel(
            name="BrokerLook",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("queue", models.CharField(blank=True, max_length=100)),
                ("ready", models.BigIntegerField(null=True)),
                ("consumers", models.PositiveIntegerField(default=0)),
                ("waiting", models.PositiveIntegerField(default=0)),
                ("overdue", models.PositiveIntegerField(default=0)),
                ("running", models.PositiveIntegerField(default=0)),
                ("looked_at", models.DateTimeField()),
            ],
        ),
    ]
