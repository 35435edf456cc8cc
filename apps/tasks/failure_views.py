"""The pages of failures by cause and of one cause, the fragments that keep them up to date, what can be done there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from apps.queues import acts
from apps.tasks import failure_acts, failure_group, failure_table, failures
from apps.tasks.failure_acts import Done, Shown
from apps.tasks.failures import COUNT_CAP, HOUR_CAP, MOST_CAUSES
from apps.tasks.rosters import Roster

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.tasks.views import SignedInRequest

PAGE = "failures:list"
WARNINGS = {
    "retry": "Each makes its next attempt, with its whole number of tries before it.",
    "delete": "They are removed for good, with their output, their files and all their attempts.",
}
CONSTANTS = {"cap": COUNT_CAP, "hour_cap": HOUR_CAP, "most_causes": MOST_CAUSES, "warnings": WARNINGS}
ROSTER = Roster(
    folder="failures",
    name="failures",
    row="failures/_failure.html",
    look=failure_table.look,
    view_of=failure_table.view_of,
    changes="failures:changes",
    constants=CONSTANTS,
)
GROUP = Roster(
    folder="failures",
    name="group",
    parts=("head", "facts"),
    row="failures/_group_task.html",
    look=failure_group.look,
    view_of=failure_group.view_of,
    changes="failures:group_changes",
    constants=CONSTANTS,
)


@require_safe
@gzip_page
def failure_list(request: SignedInRequest) -> HttpResponse:
    return ROSTER.page(request)


@require_safe
@gzip_page
def changes(request: SignedInRequest) -> HttpResponse:
    return ROSTER.poll(request)


@require_safe
@gzip_page
def group(request: SignedInRequest, cause: str) -> HttpResponse:
    return GROUP.page(request, cause)


@require_safe
@gzip_page
def group_changes(request: SignedInRequest, cause: str) -> HttpResponse:
    return GROUP.poll(request, cause)


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
            failure_table.forget(request.user, cause)

    return acts.answer(request, PAGE, carry_out)


def _confirm(request: SignedInRequest, cause: str, act: str) -> HttpResponse:
    """Where no script asks. With the number of now."""
    found = failures.one(request.user, cause)
    if found is None:
        return HttpResponseRedirect(reverse("failures:group", args=[cause]))
    context = {"row": failure_table.Row(found), "act": act, "warning": WARNINGS[act], "cap": COUNT_CAP}
    return render(request, "failures/confirm.html", context)


def _said(result: Done, done: str) -> str:
    said = [f"{result.count:,} task{'' if result.count == 1 else 's'} {done}."]
    if result.refused:
        said.append(f"{len(result.refused):,} could not be: {next(iter(result.refused.values()))}")
    if result.left:
        more = f"more than {COUNT_CAP:,}" if result.left > COUNT_CAP else f"{result.left:,}"
        said.append(f"There was not the time for all: {more} are left. Do it once more.")
    return " ".join(said)
