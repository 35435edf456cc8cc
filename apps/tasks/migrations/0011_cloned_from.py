from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0010_changes")]

    operations = [migrations.AddField(model_name="task", name="cloned_from", field=models.BigIntegerField(null=True))]
