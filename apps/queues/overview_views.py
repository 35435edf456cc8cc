"""The overview: charts, health, balance; and the last hour in small, for above the table of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from apps.accounts.permissions import may_see_all
from apps.queues import charts, overview, spans
from apps.queues.figures import COUNT_CAP
from apps.queues.spans import HOUR, SPANS
from apps.tasks import live
from apps.tasks.clock import database_now
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from apps.queues.overview import Overview
    from apps.queues.spans import Span
    from apps.tasks.views import SignedInRequest


@require_safe
@gzip_page
def show(request: SignedInRequest) -> HttpResponse:
    span = _span(request)
    return render(request, "overview/overview.html", _page(span, *overview.look(span, zone_of(request))))


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    """What of it has changed since the browser's tag was made; usually 304."""
    span = _span(request)
    shown, tag = overview.look(span, zone_of(request))
    if not (difference := overview.changes(tag, live.Tag.decode(request.htmx.ptag))):
        return HttpResponseNotModified()
    context = {**_page(span, shown, tag), "changes": difference}
    return live.tagged(render(request, "overview/_overview_changes.html", context), tag)


@require_safe
@gzip_page
def hour(request: SignedInRequest) -> HttpResponse:
    """The last hour in small; nothing without data, or for whoever has only their own tasks in the table below it."""
    shown = charts.small(spans.past(HOUR, spans.reach(HOUR, database_now()))) if may_see_all(request.user) else None
    return render(request, "overview/_hour.html", {"hour": shown})


def _span(request: SignedInRequest) -> Span:
    """The last hour for whatever there is not."""
    return SPANS.get(request.GET.get("span", ""), HOUR)


def _page(span: Span, shown: Overview, tag: live.Tag) -> dict[str, Any]:
    element = live.element(f"{reverse('overview:changes')}?span={span.name}", tag)
    return {"overview": shown, "span": span, "spans": SPANS.values(), "live": element, "cap": COUNT_CAP}
