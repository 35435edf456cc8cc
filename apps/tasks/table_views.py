"""The page of the table, what of it has changed, what completes a search, and how somebody wants to see it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.api.keyset import Place
from apps.tasks import columns, completions, live, neighbours, sweeps, table
from apps.tasks.clock import ticks_and_now
from apps.tasks.matching import SORTED
from apps.tasks.models import TableLook
from apps.tasks.orders import NEWEST_FIRST, ORDERS, word
from apps.tasks.search import LONGEST
from apps.tasks.views import next_page
from apps.tasks.window import Window, number_in
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from datetime import datetime

    from apps.tasks.live import Tag
    from apps.tasks.table import Table
    from apps.tasks.views import SignedInRequest

CONSTANTS = {
    "count_cap": table.COUNT_CAP,
    "news_cap": table.NEWS_CAP,
    "longest_search": LONGEST,
}


@require_safe
@gzip_page
@vary_on_headers("HX-Request")
def task_list(request: SignedInRequest) -> HttpResponse:
    """For HTMX the parts that a search changes; of a mistaken one only what is wrong with it.

    `at`: the task that is to be in sight, whatever page of the list it is on by now.
    """
    if at := number_in(request.GET.get("at", "")):
        return HttpResponseRedirect(_where(request, at))
    wanted = _look(request)
    window = replace(Window.of(request.GET, zone_of(request)), columns=columns.known(wanted.columns))
    if request.htmx and window.mistake:
        return render(request, "tasks/_search_mistake.html", {"window": window})
    holds_back = window.order == NEWEST_FIRST and not window.is_first
    window = replace(window, seen=table.newest(request.user) if holds_back else None)
    shown, tag = live.look(window, request.user)
    context = _table(shown, tag)
    if not request.htmx:
        whole = {**context, "look": wanted, "under_way": sweeps.under_way(request.user)}
        return render(request, "tasks/list.html", whole)
    response = render(request, "tasks/_searched.html", context)
    response["X-Address"] = f"{reverse('tasks:list')}{_query(window.listed)}"
    return response


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    """What of the table has changed since the browser's tag was made; usually 304."""
    zone = zone_of(request)
    window, before, at = Window.of(request.GET, zone), live.Tag.decode(request.htmx.ptag), ticks_and_now()
    view = live.view_of(window, request.user)
    if before and before.holds(view, at):
        return HttpResponseNotModified()
    answer = live.answer(view, before, at, zone, lambda: _difference(request, window, before, at))
    return live.tagged(HttpResponseNotModified() if answer.body is None else HttpResponse(answer.body), answer.tag)


def _difference(request: SignedInRequest, window: Window, before: Tag | None, at: tuple[int, datetime]) -> live.Answer:
    """It may depend on nothing but the view, the zone and what the browser has."""
    shown, tag = live.look(window, request.user, at)
    if not (difference := live.changes(shown, tag, before)):
        return live.Answer(tag, None)
    html = render_to_string("tasks/_changes.html", {**_table(shown, tag), "changes": difference}, request)
    return live.Answer(tag, html.encode())


@require_safe
def completed(request: SignedInRequest) -> HttpResponse:
    """What may stand where somebody types. `at`: how many characters stand before the caret."""
    text = request.GET.get("q", "")[:LONGEST]
    at = number_in(request.GET.get("at", "")) or 0
    return render(request, "tasks/_completions.html", {"found": completions.of(text, min(at, len(text)), request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def look(request: SignedInRequest) -> HttpResponse:
    """How dense the rows stand and which columns there are; remembered for this person, in whichever browser."""
    if request.method == "POST":
        _remember(request)
        return HttpResponseRedirect(next_page(request))
    wanted = _look(request)
    context = {
        "look": wanted,
        "shown": columns.known(wanted.columns),
        "all_columns": [(name, column.label, column.always) for name, column in columns.COLUMNS.items()],
        "next": request.htmx.current_url_abs_path or reverse("tasks:list"),
    }
    return render(request, "tasks/_look.html" if request.htmx else "tasks/look.html", context)


def _where(request: SignedInRequest, task: int) -> str:
    window = neighbours.window_with(task, Window.of(request.GET, zone_of(request)), request.user)
    return f"{reverse('tasks:list')}{_query(window.parameters)}#task-{task}"


def _remember(request: SignedInRequest) -> None:
    density = request.POST.get("density", "")
    chosen = {
        "density": density if density in TableLook.Density.values else TableLook.Density.USUAL,
        "columns": [] if "usual" in request.POST else list(columns.known(request.POST.getlist("column"))),
    }
    TableLook.objects.update_or_create(user=request.user, defaults=chosen)


def _look(request: SignedInRequest) -> TableLook:
    return TableLook.objects.filter(user=request.user).first() or TableLook(user=request.user)


def _table(shown: Table, tag: Tag) -> dict[str, Any]:
    """What the whole page and its parts are made of; functions make what only some parts need."""
    window = shown.window
    # What the first page holds back is the browser's to say, poll by poll.
    polled = replace(window, seen=None) if window.is_first else window
    address = f"{reverse('tasks:changes')}{_query(polled.parameters)}"
    return {
        "table": shown,
        "window": window,
        "heads": lambda: [_head(window, name) for name in window.columns],
        "strip": partial(_strip, shown),
        "trail": urlencode(window.trail),
        "pages": _pages(shown),
        "bounds": _bounds(shown),
        "live": live.element(address, tag),
        **CONSTANTS,
    }


def _head(window: Window, name: str) -> dict[str, str]:
    """A column's head: where its link leads, and how the table is ordered by it now."""
    column = columns.COLUMNS[name]
    if not column.order:
        return {"name": name, "label": column.label}
    ordered = column.order == word(window.order).removeprefix("-")
    is_told = name == "id" and "created" in window.columns  # by the other head of the same order
    # What no worker has had yet has an empty name there: from "z" on those that one has had come first.
    begins_with_most = column.order not in {"name", "kind", "status", "queue"}
    turned = window.order.turned if ordered else replace(ORDERS[column.order], descending=begins_with_most)
    return {
        "name": name,
        "label": column.label,
        "address": _query(replace(window, order=turned).listed) or "?",
        "sorted": ("descending" if window.order.descending else "ascending") if ordered and not is_told else "",
    }


def _strip(shown: Table) -> list[dict[str, Any]]:
    """The statuses with their counts; each link keeps whatever else is searched for."""
    window = shown.window
    counts = [("", "All", shown.total), *((status, status.label, count) for status, count in shown.counts.items())]
    return [
        {
            "status": status,
            "label": label,
            "count": count,
            "address": _query(replace(window, text=window.query.asking("status", status or None)).listed),
            "is_chosen": window.status == (status or None) and not (window.query.of("status") and not window.status),
        }
        for status, label, count in counts
        if count or status != "CANCELLED" or window.status == status
    ]


def _pages(shown: Table) -> dict[str, str]:
    window = shown.window
    places = {"before": shown.newer, "after": shown.older}
    found = {
        name: _query({**window.listed, name: window.order.written(place)}) for name, place in places.items() if place
    }
    return {**found, "first": _query(window.listed) or "?"}


def _bounds(shown: Table) -> str:
    """How far it was looked, where that is not everywhere."""
    looked_at = shown.matching.looked_at
    if shown.end is None:
        return ""
    if shown.window.order.by_number:
        ends_here = Place(shown.end) in {shown.older, shown.newer}
        return f"Looked through {looked_at:,} tasks, as far as number {shown.end}." if ends_here else ""
    what = f"the {looked_at:,} newest tasks" if shown.is_laborious else f"the {SORTED:,} newest of these tasks"
    return f"Ordered are {what}, those from number {shown.end} on. A narrower search leaves none out."


def _query(parameters: dict[str, Any]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""
