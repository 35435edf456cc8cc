"""How an act on a queue or a worker is answered: toasts for HTMX, else the page again with what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import trigger_client_event

from apps.tasks.drafts import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from apps.tasks.views import SignedInRequest

STATUS = {"FORBIDDEN": 403, "NOT_FOUND": 404}


def answer(request: SignedInRequest, page: str, act: Callable[[], str]) -> HttpResponse:
    """`act`: does it, and gives the sentence that is said then. `page`: the name of the page's address."""
    try:
        messages.success(request, act())
    except Refused as refused:
        return _refused(request, page, refused)
    if not request.htmx:
        return HttpResponseRedirect(reverse(page))
    return trigger_client_event(render(request, "_toasts.html"), "tasks-changed")


def _refused(request: SignedInRequest, page: str, refused: Refused) -> HttpResponse:
    (problem,) = refused.problems
    status = STATUS.get(problem.code, 409)
    if not request.htmx:
        return render(
            request, "queues/refused.html", {"refusal": problem.message, "back": reverse(page)}, status=status
        )
    messages.warning(request, problem.message)
    return trigger_client_event(render(request, "_toasts.html", status=status), "tasks-changed")
