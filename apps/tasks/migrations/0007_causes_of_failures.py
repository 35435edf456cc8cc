from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import migrations, models, transaction
from django.db.models import F

from apps.tasks import causes
from apps.tasks.batches import update_rows

if TYPE_CHECKING:
    from django.apps.registry import Apps

AT_ONCE = 500  # tracebacks may be long


def fill(apps: Apps, _editor: object) -> None:
    """Gives those that have failed before their causes. Begins where it was interrupted."""
    task_model, attempt_model = apps.get_model("tasks", "Task"), apps.get_model("tasks", "Attempt")
    failed = task_model.objects.filter(status="FAILED", cause=None).order_by("id")
    last = 0
    while tasks := dict(failed.filter(id__gt=last)[:AT_ONCE].values_list("id", "attempt")):
        last = max(tasks)
        with transaction.atomic():
            rows = [(key, task, tasks[task]) for task, key in _keys(attempt_model, tasks)]
            update_rows(task_model, ("id", "attempt"), ("cause",), rows, only_if="t.status = 'FAILED'")


def _keys(attempt_model: Any, tasks: dict[int, int]) -> list[tuple[int, str]]:
    attempts = attempt_model.objects.filter(task__in=tasks, number=F("task__attempt")).order_by("task_id")
    columns = ("task_id", "reason", "error_type", "error_message", "traceback")
    return [(task, causes.of(*rest).key) for task, *rest in attempts.values_list(*columns)]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("tasks", "0006_search_and_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="cause",
            field=models.CharField(max_length=16, null=True),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("cause__isnull", False)), fields=["cause", "finished_at"], name="task_cause"
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("cause__isnull", False)),
                fields=["created_by", "cause", "finished_at"],
                name="task_owner_cause",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
