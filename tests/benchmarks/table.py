"""What the table of tasks costs among a million: `python -m tests.benchmarks.table [--database postgresql]`.

Fills a database of its own and asks for pages as staff, as somebody who owns a third and as one who owns a thousandth.
Prints the median and the worst of each, whole pages with all their parts, from the request to the answer within the web
process; and those above 100 ms once more at the end. Then what a poll of the first page costs there: nothing has
changed, and three of its rows have.
"""

import time
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.bench import median
from tests.benchmarks.poll import OpenTable
from tests.benchmarks.rows import filled

REPEATS = 9
POLLS = 200
WORDS = ("created", "name", "kind", "status", "started", "finished", "ran", "value", "priority", "queue", "worker")
ASKED = [
    "", "status=FAILED", "q=status:FINISHED", "q=status:CANCELLED,FAILED", "q=-status:FINISHED", "q=kind:noop",
    "q=kind:report.monthly", "q=nightly", "q=99990", "q=name:none-such", "q=error:convergence", "q=error:none-such",
    "q=queue:default", "q=queue:gpu", "q=worker:host-3", "q=worker:none", "q=created:1h", "q=created:>3d",
    "q=created:>365d", "q=finished:1h", "q=ran:>800s", "q=value:>14000", "q=number:<500", "q=by:bob", "q=by:sam",
    "q=reason:ERROR", "q=reason:TIMEOUT", "q=status:FAILED+kind:report", "q=status:FAILED+nightly+-worker:host-3",
    *(f"sort={sign}{word}" for word in WORDS for sign in ("", "-")),
    "q=status:FAILED&sort=-ran", "q=kind:sde&sort=name", "q=kind:sde&sort=-value", "q=nightly&sort=-value",
    "q=nächtlich", "q=error:schön",
]  # fmt: skip
DEEP = [
    "", "sort=created", "sort=-kind", "sort=-status", "sort=-started", "sort=finished", "sort=-ran", "sort=value",
    "sort=name", "q=status:FINISHED", "q=kind:sde", "q=nightly", "q=worker:none", "q=status:FAILED&sort=-ran",
]  # fmt: skip


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    told, slow = report.Report("table", options), list[report.Cell]()
    told.table(f"{options.database}, {options.tasks:,} tasks: ms", "address", "who", "rows", "median", "worst")
    with filled(options.database, options.tasks) as people:
        from django.test import Client

        for person in people.values():
            client = Client(headers={"host": "localhost"})
            client.force_login(person)
            for query in ASKED:
                slow += _measure(told, client, f"{person}", query)
            for query in DEEP:
                slow += _measure(told, client, f"{person} deep", _deep(query, person, options.tasks))
        told.table("Above 100 ms", "address")
        for address in slow:
            told.row(address)
        told.table("Polls of the first page", "what has changed", "median", "worst", "bytes")
        _polls(told, OpenTable(people["sam"]))
    told.save()


def _measure(told: report.Report, client: Any, who: str, query: str) -> list[str]:
    """Its address when it takes too long."""
    took, rows = zip(*(_ask(client, query) for _ in range(REPEATS)), strict=True)
    told.row(f"/tasks/?{query}", who, rows[0], median(list(took)), max(took))
    return [f"/tasks/?{query} ({who})"] if median(list(took)) > 100 else []


def _ask(client: Any, query: str) -> tuple[float, int]:
    started = time.perf_counter()
    response = client.get(f"/tasks/?{query}")
    took = (time.perf_counter() - started) * 1000
    assert response.status_code == 200, query
    return took, response.content.count(b"<tr id=")


def _polls(told: report.Report, browser: OpenTable) -> None:
    from apps.tasks.clock import tick
    from apps.tasks.models import Task

    shown = list(Task.objects.order_by("-pk").values_list("pk", flat=True)[:3])
    for what, expected, renames in (("nothing", "304", False), ("three rows", "200", True)):
        polls = []
        for nth in range(POLLS):
            if renames:
                Task.objects.filter(pk__in=shown).update(name=f"name {nth}")
                tick(shown)
            polls.append(browser.poll())
            assert polls[-1][0].startswith(expected)
        _, sizes, took = zip(*polls, strict=True)
        told.row(what, median(list(took)), max(took), max(sizes))


def _deep(query: str, person: Any, count: int) -> str:
    """A page from the middle of the list."""
    from django.http import QueryDict

    from apps.tasks.matching import matching
    from apps.tasks.window import Window

    window = Window.of(QueryDict(query))
    column = "pk" if window.order.by_number else window.order.column
    rows = matching(window.query, person).all.filter(pk__gte=count // 2, **{f"{column}__isnull": False})
    row = rows.order_by("pk").values_list("pk", column).first()
    if not row:
        return query
    from urllib.parse import urlencode

    from apps.api.keyset import Place

    return urlencode({**window.listed, "after": window.order.written(Place(*row))}) if row else query


if __name__ == "__main__":
    main()
