"""What the memory of minutes costs when a million tasks came and ended in one: `python -m tests.benchmarks.minutes`."""

import time
from collections.abc import Callable
from datetime import timedelta

from tests.benchmarks import report
from tests.benchmarks.rows import filled


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    told = report.Report("minutes", options)
    with filled(options.database, options.tasks):
        from django.db import connection

        from apps.queues import minutes
        from apps.queues.models import Minute
        from apps.tasks.clock import database_now

        told.table(f"{options.database}: seconds", "what is counted", "took")
        told.row("seven days", _seconds(lambda: [None for _ in iter(minutes.remember, False)]))
        minute = minutes.minute_of(database_now()) - timedelta(minutes=2)
        at = connection.ops.adapt_datetimefield_value(minute + timedelta(seconds=30))
        with connection.cursor() as cursor:
            moved = "UPDATE tasks_task SET created_at = %s, started_at = %s, finished_at = %s"
            cursor.execute(f"{moved} WHERE finished_at IS NOT NULL", [at] * 3)
        Minute.objects.filter(at__gte=minute).delete()
        told.row("the minute of all of them", _seconds(minutes.remember))
        assert Minute.objects.filter(at=minute, created__gt=0).exists()
        told.row("the next one", _seconds(minutes.remember))
    told.save()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
