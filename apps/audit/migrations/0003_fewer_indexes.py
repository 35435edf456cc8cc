from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_refusals")]

    operations = [
        migrations.AlterField(model_name="entry", name="at", field=models.DateTimeField(db_default=Now())),
        migrations.RemoveIndex(model_name="entry", name="entry_act"),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                fields=["act", "id"], name="entry_act", condition=models.Q(("act", "task.create"), _negated=True)
            ),
        ),
    ]
