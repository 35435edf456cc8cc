from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0007_causes_of_failures")]

    operations = [
        migrations.RemoveIndex(model_name="task", name="task_due"),
        migrations.AddField(
            model_name="task", name="priority", field=models.SmallIntegerField(db_default=0, default=0)
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("dispatch_at__isnull", False)),
                fields=["queue", "-priority", "dispatch_at", "id"],
                name="task_due",
            ),
        ),
        migrations.AddField(model_name="sweep", name="priority", field=models.SmallIntegerField(null=True)),
        migrations.AlterField(
            model_name="sweep",
            name="act",
            field=models.CharField(
                choices=[
                    ("retry", "Retry"),
                    ("cancel", "Cancel"),
                    ("delete", "Delete"),
                    ("priority", "Set priority of"),
                ],
                max_length=10,
            ),
        ),
    ]
