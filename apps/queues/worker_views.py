"""The page of workers, the fragments that keep it up to date, what can be done with a worker, and its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from apps.queues import acts, services, workers
from apps.queues.environments import Summary
from apps.queues.models import Environment, Worker
from apps.tasks.environments import Installed
from apps.tasks.models import WORKER_LENGTH
from apps.tasks.rosters import Roster

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.tasks.views import SignedInRequest

MOST_NAMES = 20
PAGE = "workers:list"
ROSTER = Roster(
    folder="queues",
    name="workers",
    parts=("summary", "notes"),
    row="queues/_worker.html",
    look=workers.look,
    view_of=workers.view_of,
    changes="workers:changes",
    constants={
        "most_alive": workers.MOST_ALIVE,
        "most_lost": workers.MOST_LOST,
        "not_allowed": services.NOT_ALLOWED,
    },
)


@require_safe
@gzip_page
def worker_list(request: SignedInRequest) -> HttpResponse:
    return ROSTER.page(request)


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    return ROSTER.poll(request)


@require_POST
def drain(request: SignedInRequest) -> HttpResponse:
    return _act(request, services.drain_worker, "Worker {name} is told to take nothing new.")


@require_POST
def stop(request: SignedInRequest) -> HttpResponse:
    name = request.POST.get("name", "")[:WORKER_LENGTH]
    asks = not request.htmx and "confirmed" not in request.POST
    if asks and services.find_worker(name):
        return render(request, "queues/stop.html", {"name": name})
    return _act(request, services.stop_worker, "Worker {name} is told to finish and leave.")


@require_POST
def resume(request: SignedInRequest) -> HttpResponse:
    return _act(request, services.resume_worker, "Worker {name} is told to take tasks again.")


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


def _act(request: SignedInRequest, service: Callable[..., Worker], said: str) -> HttpResponse:
    name = request.POST.get("name", "")[:WORKER_LENGTH]

    def act() -> str:
        return said.format(name=service(user=request.user, name=name).name)

    return acts.answer(request, PAGE, act)
