"""The page of workers, the fragments that keep it up to date, and the packages that a worker has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from apps.queues import workers
from apps.queues.environments import Summary
from apps.queues.models import Environment, Worker
from apps.tasks import live
from apps.tasks.environments import Installed

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest

MOST_NAMES = 20
CONSTANTS = {"most_alive": workers.MOST_ALIVE, "most_lost": workers.MOST_LOST}


@require_safe
@gzip_page
def worker_list(request: SignedInRequest) -> HttpResponse:
    return render(request, "queues/workers.html", _page(*workers.look(request.user)))


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    """What of the workers has changed since the browser's tag was made; usually 304."""
    before = live.Tag.decode(request.htmx.ptag)
    if before and before.holds(workers.view_of(request.user)):
        return HttpResponseNotModified()
    table, tag = workers.look(request.user)
    if not (difference := workers.changes(table, tag, before)):
        return live.tagged(HttpResponseNotModified(), tag)
    context = {**_page(table, tag), "changes": difference}
    return live.tagged(render(request, "queues/_workers_changes.html", context), tag)


@require_safe
@gzip_page
def environment(request: SignedInRequest, digest: str) -> HttpResponse:
    """The packages of the workers that have these."""
    kept = Environment.objects.filter(digest=digest).first()
    if kept is None:
        raise Http404
    names = list(Worker.objects.alive().filter(environment=kept).order_by("name").values_list("name", flat=True))
    context = {**installed(kept), "names": names[:MOST_NAMES], "more": len(names[MOST_NAMES:])}
    return render(request, "queues/environment.html", context)


def installed(kept: Environment) -> dict[str, Any]:
    """For the fragment that shows it."""
    return {"installed": Installed.of(kept.data), "summary": Summary.of(kept.digest, kept.data)}


def _page(table: workers.Table, tag: live.Tag) -> dict[str, Any]:
    return {"workers": table, "live": live.element(reverse("workers:changes"), tag), **CONSTANTS}
