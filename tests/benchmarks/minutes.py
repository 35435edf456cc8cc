"""What the memory of minutes costs when a million tasks came and ended in one: `python -m tests.benchmarks.minutes`."""

import argparse
import time
from datetime import timedelta

from tests.benchmarks.rows import filled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with filled(options.database, options.tasks):
        from django.db import connection

        from apps.queues import minutes
        from apps.queues.models import Minute
        from apps.tasks.clock import database_now

        print("caught up with seven days", _seconds(lambda: [None for _ in iter(minutes.remember, False)]))
        minute = minutes.minute_of(database_now()) - timedelta(minutes=2)
        at = connection.ops.adapt_datetimefield_value(minute + timedelta(seconds=30))
        with connection.cursor() as cursor:
            moved = "UPDATE tasks_task SET created_at = %s, started_at = %s, finished_at = %s"
            cursor.execute(f"{moved} WHERE finished_at IS NOT NULL", [at] * 3)
        Minute.objects.filter(at__gte=minute).delete()
        print("a minute of a million", _seconds(minutes.remember))
        print(Minute.objects.filter(at=minute).values("created", "finished", "failed", "cancelled"))
        print("and the next", _seconds(minutes.remember))


def _seconds(work: object) -> str:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return f"{time.perf_counter() - started:.2f} s"


if __name__ == "__main__":
    main()
