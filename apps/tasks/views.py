"""The pages of tasks and the fragments that keep them up to date: each finds, calls the service, answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget, trigger_client_event

from apps.accounts.permissions import may_write
from apps.audit.refusals import refuse
from apps.queues import environments, names, pauses
from apps.queues.models import Worker
from apps.tasks import clones, examples, live, neighbours, output_sheet, services, sheet
from apps.tasks.drafts import Refused
from apps.tasks.forms import TaskForm, selection
from apps.tasks.models import Kind, Task
from apps.tasks.neighbours import Trail
from apps.tasks.priority_form import PriorityForm
from apps.tasks.window import number_in
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_htmx.middleware import HtmxDetails

    from apps.tasks.live import Tag

Said = tuple[int, str]  # a level of django.contrib.messages, and a sentence
MOST_REFUSALS = 3


class SignedInRequest(HttpRequest):
    """What every view here gets: apps.accounts lets nobody else through."""

    user: User
    htmx: HtmxDetails


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def create(request: SignedInRequest) -> HttpResponse:
    posted = request.method == "POST"
    if not may_write(request.user):
        if posted:
            refuse("task.create", user=request.user)
        raise PermissionDenied
    alone = "alone" in request.POST or not request.htmx  # on a page of its own, not in a dialog
    # Another kind was chosen without script. No redirect: the address could not hold what was typed.
    saves = posted and "choose" not in request.POST
    kinds = {kind.name: kind for kind in Kind.objects.all()}
    typed = request.POST if posted else request.GET
    unserved = Worker.objects.without(kinds.values())
    wanted = number_in(request.GET.get("from", ""))
    like, queues, user = clones.original(request.user, wanted), names.known(), request.user
    origin = like.pk if like else _origin(request)
    form = TaskForm(kinds, typed, bound=saves, like=like, unserved=unserved, queues=queues, user=user, origin=origin)
    if form.is_bound and (created := form.save(request.user)):
        return _created(request, created, alone=alone)
    form.look_over()
    form.focus()
    template = "tasks/_create.html" if request.htmx else "tasks/create.html"
    pause = pauses.current().get(form.waits_in)
    no_sandbox = form.chosen and form.chosen.runs_code and environments.nobody_shuts_in(form.chosen.name)
    context = {"form": form, "kinds": form.open, "alone": alone, "pause": pause, "no_sandbox": no_sandbox}
    context["gone"] = None if like else wanted
    return render(request, template, context, status=422 if saves else 200)


@require_safe
def example(request: SignedInRequest, name: str) -> HttpResponse:
    found = examples.find(name)
    if not found:
        raise Http404
    return HttpResponse(found.code, content_type="text/plain; charset=utf-8")


@require_POST
def again(request: SignedInRequest) -> HttpResponse:
    """The form with the input of the one task that was selected."""
    try:
        number, *others = selection(request.POST.getlist("number"))
    except Refused as refused:
        return _answer(request, "edited", [], [problem.message for problem in refused.problems], status=422)
    if others:
        return _answer(request, "edited", [], ["Choose one task to edit and run again."], status=422)
    address = f"{reverse('tasks:create')}?{urlencode({'from': number})}"
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


@require_POST
def retry(request: SignedInRequest) -> HttpResponse:
    return _act(request, services.retry, "retried")


@require_POST
def cancel(request: SignedInRequest) -> HttpResponse:
    return _act(request, services.cancel, "cancelled", question="cancel")


@require_POST
def delete(request: SignedInRequest) -> HttpResponse:
    return _act(request, services.delete, "deleted", question="delete")


@require_POST
def priority(request: SignedInRequest) -> HttpResponse:
    """Asks which, until it is told one that there is."""
    form = PriorityForm(request.POST if "priority" in request.POST else None)
    if not form.is_valid():
        return _ask_priority(request, form)
    wanted = form.cleaned_data["priority"]
    response = _act(request, partial(services.set_priority, priority=wanted), f"given priority {wanted}")
    return trigger_client_event(response, "answered") if request.htmx else response


@require_safe
@gzip_page
def task(request: SignedInRequest, number: int) -> HttpResponse:
    attempt = number_in(request.GET.get("attempt", ""))
    try:
        shown, tag = sheet.look(request.user, number, attempt)
    except Task.DoesNotExist:
        raise Http404 from None
    context = _sheet(request, shown, tag, attempt, with_output=True)
    beside = neighbours.find(context["trail"], number, request.user)
    return render(request, "tasks/task.html", {**context, "neighbours": beside})


@require_safe
@gzip_page
def task_changes(request: SignedInRequest, number: int) -> HttpResponse:
    """What of the task's page has changed since the browser's tag was made; usually 304."""
    before, attempt = live.Tag.decode(request.htmx.ptag), number_in(request.GET.get("attempt", ""))
    if before and before.holds(sheet.view_of(request.user, number, attempt)):
        return HttpResponseNotModified()
    try:
        shown, tag = sheet.look(request.user, number, attempt)
    except Task.DoesNotExist:
        # Into the title too, which htmx leaves alone as long as nothing is swapped.
        return reswap(render(request, "tasks/_gone.html", {"number": number}, status=404), "innerHTML")
    if before and before.parts == tag.parts:
        return live.tagged(HttpResponseNotModified(), tag)
    difference = sheet.changes(tag, before)
    context = {**_sheet(request, shown, tag, attempt, with_output=difference.output), "changes": difference}
    return live.tagged(render(request, "tasks/_task_changes.html", context), tag)


def _sheet(
    request: SignedInRequest, shown: sheet.Sheet, tag: Tag, attempt: int | None, *, with_output: bool
) -> dict[str, Any]:
    trail = Trail.of(request.GET, zone_of(request))
    address = reverse("tasks:task_changes", args=[shown.task.pk])
    query = "&".join(filter(None, (f"attempt={attempt}" if attempt else "", trail.query)))
    printed = output_sheet.look(shown.output_of) if with_output and shown.output_of else None
    return {
        "sheet": shown,
        "task": shown.task,
        "trail": trail,
        "back": trail.back(shown.task.pk),
        "cause_cap": sheet.CAUSE_CAP,
        "output": printed,
        "live": live.element(f"{address}?{query}" if query else address, tag),
    }


def _origin(request: SignedInRequest) -> int | None:
    """What the form says that it was filled in from, unless that is gone: it is no reason to refuse what was typed."""
    original = clones.original(request.user, number_in(request.POST.get("cloned_from", "")))
    return original.pk if original else None


def _created(request: SignedInRequest, created: Task, *, alone: bool) -> HttpResponse:
    """Back to the table with a toast; the toast alone when the form stood in the table's dialog."""
    level, text = ("info", "was created already") if created.existed else ("success", "created")
    if not alone:
        context = {"task": created, "level": level, "text": f"Task {created.pk} {text}."}
        response = render(request, "tasks/_created.html", context, status=200 if created.existed else 201)
        return trigger_client_event(response, "task-created", {"number": created.pk})
    messages.add_message(request, getattr(messages, level.upper()), f"Task {created.pk} {text}.")
    return HttpResponseClientRedirect(reverse("tasks:list")) if request.htmx else redirect("tasks:list")


def _act(
    request: SignedInRequest, service: Callable[..., services.Act], done: str, *, question: str = ""
) -> HttpResponse:
    """Has the service act on the tasks that were selected.

    `done`: what has happened to them then. `question`: the act that a page without script asks about first.
    """
    try:
        numbers = selection(request.POST.getlist("number"))
    except Refused as refused:
        return _answer(request, done, [], [problem.message for problem in refused.problems], status=422)
    if question and not request.htmx and "confirmed" not in request.POST:
        return _confirm(request, question, numbers)
    act = service(user=request.user, numbers=numbers)
    said = _said(len(act.done), done, refused=bool(act.refused))
    status = 200 if said else 403 if act.forbidden else 409
    return _answer(request, done, said, list(act.refused.values()), status=status)


def _ask_priority(request: SignedInRequest, form: PriorityForm) -> HttpResponse:
    try:
        numbers = selection(request.POST.getlist("number"))
    except Refused as refused:
        problems = [problem.message for problem in refused.problems]
        return _answer(request, "given another priority", [], problems, status=422)
    context = {"form": form, "numbers": numbers, "next": next_page(request)}
    template = "tasks/_priority.html" if request.htmx else "tasks/priority.html"
    response = render(request, template, context, status=422 if form.is_bound else 200)
    return reswap(retarget(response, "#more"), "innerHTML")


def _confirm(request: SignedInRequest, act: str, numbers: list[int]) -> HttpResponse:
    context = {"act": act, "warning": f"tasks/warning/_{act}.html", "numbers": numbers, "next": next_page(request)}
    return render(request, "tasks/confirm.html", context)


def _said(count: int, done: str, *, refused: bool) -> list[Said]:
    if not count:
        return [] if refused else [(messages.INFO, f"No longer there: nothing was {done}.")]
    return [(messages.SUCCESS, f"{count} task{'' if count == 1 else 's'} {done}.")]


def _answer(request: SignedInRequest, done: str, said: list[Said], refusals: list[str], *, status: int) -> HttpResponse:
    """What an act did and what it refused: toasts for HTMX; else the table again, or a page when nothing was done."""
    if not (request.htmx or said):
        context = {"done": done, "refusals": refusals, "next": next_page(request)}
        return render(request, "tasks/refused.html", context, status=status)
    for level, text in [*said, *((messages.WARNING, refusal) for refusal in _few(refusals))]:
        messages.add_message(request, level, text)
    if not request.htmx:
        return HttpResponseRedirect(next_page(request))
    # Of what was refused too: it is not what the page shows, which may be paused.
    return trigger_client_event(render(request, "_toasts.html", status=status), "tasks-changed")


def _few(refusals: list[str]) -> list[str]:
    """As many as have room on the screen."""
    rest = len(refusals) - MOST_REFUSALS
    return refusals if rest <= 0 else [*refusals[: MOST_REFUSALS - 1], f"And {rest + 1:,} more like that."]


def next_page(request: SignedInRequest) -> str:
    """The page that the form was sent from; a foreign address, or what is none of ours, is nothing to go to."""
    address = request.POST.get("next", "")
    ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours else reverse("tasks:list")
