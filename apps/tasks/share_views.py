"""Sharing a task by a link: the list of its links for who may change it, and the page that a link's holder sees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import addresses
from apps.tasks import artifact_views, output_sheet, shares, sheet
from apps.tasks.drafts import Refused
from apps.tasks.models import Artifact, Task
from apps.tasks.services import check_writer
from apps.tasks.window import number_in

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.tasks.views import SignedInRequest

FRESH, FRESH_SECONDS = "millrace_link", 60
Response = TypeVar("Response", bound=HttpResponseBase)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def links(request: SignedInRequest, number: int) -> HttpResponse:
    """The links to a task; by POST another one, which the next look at this page shows, and no other."""
    task = _task(request, number)
    try:
        if request.method != "POST":
            check_writer(request.user)
            return _shown_once(request, task) if request.method == "GET" else _list(request, task)
        text = shares.make(user=request.user, task=task, days=number_in(request.POST.get("days", "")) or 0)
    except Refused as refused:
        (problem,) = refused.problems
        return _list(request, task, status=403 if problem.code == "FORBIDDEN" else 422, problem=problem.message)
    # Loaded again, the answer to a form would make a second link. Nothing keeps the text but the browser that shows it.
    response = redirect("tasks:shares", number)
    response.set_signed_cookie(
        FRESH, text, salt=_salt(request, task), max_age=FRESH_SECONDS, path=response.url, httponly=True,
        secure=settings.SESSION_COOKIE_SECURE, samesite="Strict",
    )  # fmt: skip
    return response


@require_POST
def revoke(request: SignedInRequest, number: int, share: int) -> HttpResponse:
    task = _task(request, number)
    try:
        if not shares.revoke(user=request.user, task=task, number=share):
            raise Http404
    except Refused as refused:
        return _list(request, task, status=403, problem=refused.problems[0].message)
    messages.success(request, "The link is revoked: it shows nothing any more.")
    return redirect("tasks:shares", number)


@require_safe
@never_cache
@gzip_page
def shared(request: HttpRequest, text: str) -> HttpResponse:
    """For anybody who has the link: this task alone, nothing to press, no way to anything else."""
    task = _opened(request, text)
    shown = replace(sheet.read_as(task, AnonymousUser()), codes={})
    printed = output_sheet.look(shown.output_of) if shown.output_of else None
    at = reverse("shared:task", args=[text]).rstrip("/")
    context = {"sheet": shown, "task": task, "output": printed, "at": at}
    return _unlisted(render(request, "tasks/shared.html", context))


@require_safe
def shared_file(request: HttpRequest, text: str, number: int, name: str) -> HttpResponseBase:
    task = _opened(request, text)
    return _unlisted(artifact_views.sent(request, Artifact.objects.filter(task=task), number, name))


def _task(request: SignedInRequest, number: int) -> Task:
    task = Task.objects.visible_to(request.user).filter(pk=number).first()
    if task is None:
        raise Http404
    return task


def _shown_once(request: SignedInRequest, task: Task) -> HttpResponse:
    salt = _salt(request, task)
    text = request.get_signed_cookie(FRESH, default=None, salt=salt, max_age=FRESH_SECONDS)
    if text is None:
        return _list(request, task)
    response = _list(request, task, fresh=addresses.outside(request, reverse("shared:task", args=[text])))
    response.delete_cookie(FRESH, path=request.path, samesite="Strict")
    return response


def _salt(request: SignedInRequest, task: Task) -> str:
    return f"link to task {task.pk} of {request.user.pk}"


def _list(request: SignedInRequest, task: Task, status: int = 200, **given: Any) -> HttpResponse:
    rows = shares.alive(task).select_related("created_by").order_by("-pk")
    context = {"task": task, "rows": rows, "days": shares.DAYS, "usual": shares.USUAL_DAYS, "now": timezone.now()}
    return render(request, "tasks/shares.html", {**context, **given}, status=status)


def _opened(request: HttpRequest, text: str) -> Task:
    """Raises Http404."""
    # Django logs the path of every answer from 400 on, and here the path is the secret.
    request.path = request.path_info = request.path.partition(text)[0]
    task = shares.opened(text)
    if task is None:
        raise Http404
    return task


def _unlisted(response: Response) -> Response:
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
