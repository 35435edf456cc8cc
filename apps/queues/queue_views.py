"""The page of queues, the fragments that keep it up to date, and what can be done with a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.permissions import may_operate
from apps.queues import acts, queue_table, services
from apps.queues.figures import COUNT_CAP
from apps.queues.limits_form import LimitsForm
from apps.tasks.rosters import Roster

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest

PAGE = "queues:list"


ROSTER = Roster(
    folder="queues",
    name="queues",
    row="queues/_queue.html",
    look=queue_table.look,
    view_of=queue_table.view_of,
    changes="queues:changes",
    constants={"cap": COUNT_CAP, "not_allowed": services.NOT_ALLOWED},
)


@require_safe
@gzip_page
def queue_list(request: SignedInRequest) -> HttpResponse:
    return ROSTER.page(request)


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    return ROSTER.poll(request)


@require_POST
def pause(request: SignedInRequest, name: str) -> HttpResponse:
    def act() -> str:
        fresh = services.pause_queue(user=request.user, name=name)
        return f"Queue {name} is paused: nothing of it begins." if fresh else f"Queue {name} was paused already."

    return acts.answer(request, PAGE, act)


@require_POST
def resume(request: SignedInRequest, name: str) -> HttpResponse:
    def act() -> str:
        fresh = services.resume_queue(user=request.user, name=name)
        return f"Queue {name} goes on." if fresh else f"Queue {name} was not paused."

    return acts.answer(request, PAGE, act)


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: SignedInRequest, name: str) -> HttpResponse:
    row = queue_table.row(name)
    if row is None:
        raise Http404
    form = LimitsForm(request.POST if request.method == "POST" else None, limits=row.limits)
    if form.is_bound and (saved := form.save(request.user, name)) is not None:
        said = f"At most {saved} of the queue {name} from now on." if saved else f"The queue {name} has no limits."
        return acts.answer(request, PAGE, lambda: said)
    context = {"queue": row, "form": form, "may_operate": may_operate(request.user)}
    context |= {"not_allowed": services.NOT_ALLOWED}
    status = (422 if context["may_operate"] else 403) if form.is_bound else 200
    return render(request, "queues/limits.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def purge(request: SignedInRequest, name: str) -> HttpResponse:
    """Asks for the queue's name to be typed; purges when it was."""
    typed = request.POST.get("typed", "").strip()
    if request.method == "POST" and typed == name:
        return acts.answer(request, PAGE, lambda: _purged(name, services.purge_queue(user=request.user, name=name)))
    row = queue_table.row(name)
    if row is None:
        raise Http404
    is_wrong = request.method == "POST"
    context = {"queue": row, "typed": typed[:100], "is_wrong": is_wrong, "may_operate": may_operate(request.user)}
    context |= {"not_allowed": services.NOT_ALLOWED, "cap": COUNT_CAP}
    return render(request, "queues/purge.html", context, status=422 if is_wrong else 200)


def _purged(name: str, purge: services.Purge) -> str:
    tasks = "1 task of the queue {} is" if purge.cancelled == 1 else "{count:,} tasks of the queue {} are"
    said = f"{tasks.format(name, count=purge.cancelled)} cancelled."
    if not purge.cancelled:
        said = f"Nothing waited in the queue {name}."
    more = f"{purge.left:,}" if purge.left <= services.LEFT_CAP else f"More than {services.LEFT_CAP:,}"
    return f"{said} {more} still wait: purge it once more." if purge.left else said
