"""The page of failures by cause, the fragments that keep it up to date, a cause's page, and what can be done there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from apps.queues import acts
from apps.tasks import failure_acts, failure_table, failures, live
from apps.tasks.clock import database_now
from apps.tasks.failure_acts import Done, Shown
from apps.tasks.failures import COUNT_CAP, HOUR_CAP, MOST_CAUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.tasks.views import SignedInRequest

PAGE = "failures:list"
MOST_TASKS = 50
CONSTANTS = {"cap": COUNT_CAP, "hour_cap": HOUR_CAP, "most_causes": MOST_CAUSES}
WARNINGS = {
    "retry": "Each makes its next attempt, with its whole number of tries before it.",
    "delete": "They are removed for good, with their output, their files and all their attempts.",
}


@require_safe
@gzip_page
def failure_list(request: SignedInRequest) -> HttpResponse:
    return render(request, "failures/failures.html", _page(*failure_table.look(request.user)))


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    """What of the failures has changed since the browser's tag was made; usually 304."""
    before = live.Tag.decode(request.htmx.ptag)
    if before and before.holds(failure_table.view_of(request.user)):
        return HttpResponseNotModified()
    table, tag = failure_table.look(request.user)
    if not (difference := failure_table.changes(table, tag, before)):
        return live.tagged(HttpResponseNotModified(), tag)
    context = {**_page(table, tag), "changes": difference}
    return live.tagged(render(request, "failures/_failures_changes.html", context), tag)


@require_safe
@gzip_page
def group(request: SignedInRequest, cause: str) -> HttpResponse:
    """The newest tasks of one cause. Of one that has none any more the page says so: it may have been bookmarked."""
    found = failures.one(request.user, cause)
    columns = ("id", "name", "kind", "queue", "attempt", "finished_at")
    tasks = failures.of_cause(request.user, cause).order_by("-finished_at", "-id").only(*columns)[:MOST_TASKS]
    context = {"row": found and failure_table.Row(found), "tasks": tasks, "now": database_now()}
    return render(request, "failures/group.html", {**context, **CONSTANTS, "warnings": WARNINGS})


@require_POST
def retry(request: SignedInRequest, cause: str) -> HttpResponse:
    return _act(request, cause, "retry", failure_acts.retry, "retried")


@require_POST
def delete(request: SignedInRequest, cause: str) -> HttpResponse:
    return _act(request, cause, "delete", failure_acts.delete, "deleted")


def _act(request: SignedInRequest, cause: str, act: str, service: Callable[..., Done], done: str) -> HttpResponse:
    if not request.htmx and "confirmed" not in request.POST:
        return _confirm(request, cause, act)

    def carry_out() -> str:
        shown = Shown.decode(request.POST.get("shown", ""))
        try:
            return _said(service(user=request.user, cause=cause, shown=shown), done)
        finally:
            failure_table.forget(request.user)

    return acts.answer(request, PAGE, carry_out)


def _confirm(request: SignedInRequest, cause: str, act: str) -> HttpResponse:
    """Where no script asks. With the number of now."""
    found = failures.one(request.user, cause)
    if found is None:
        return HttpResponseRedirect(reverse("failures:group", args=[cause]))
    context = {"row": failure_table.Row(found), "act": act, "warning": WARNINGS[act], "cap": COUNT_CAP}
    return render(request, "failures/confirm.html", context)


def _said(result: Done, done: str) -> str:
    said = [f"{result.count:,} task{' was' if result.count == 1 else 's were'} {done}."]
    if result.refused:
        said.append(f"{len(result.refused):,} could not be: {next(iter(result.refused.values()))}")
    if result.left:
        more = f"more than {COUNT_CAP:,}" if result.left > COUNT_CAP else f"{result.left:,}"
        said.append(f"There was not the time for all: {more} are left. Do it once more.")
    return " ".join(said)


def _page(table: failure_table.Table, tag: live.Tag) -> dict[str, Any]:
    element = live.element(reverse("failures:changes"), tag)
    return {"failures": table, "live": element, "warnings": WARNINGS, **CONSTANTS}
