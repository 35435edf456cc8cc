from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0009_roles_and_shares")]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("tick", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("changed", models.TextField()),
                ("gone", models.TextField()),
            ],
        ),
        migrations.AddField(
            model_name="clock", name="forgotten", field=models.BigIntegerField(db_default=0, default=0)
        ),
    ]
