"""Is it alive, is it ready, what is wrong: for bin/dev, load balancers and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts import callers
from apps.accounts.permissions import Scope
from apps.queues import metrics
from apps.queues.report import banner, report

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from apps.accounts.permissions import Person


UNKNOWN = {"WWW-Authenticate": "Bearer", "Content-Type": "text/plain; charset=utf-8"}


class Request(HttpRequest):
    htmx: HtmxDetails


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    found = report()
    answer = JsonResponse(found, status=200 if found["ready"] else 503)
    vars(answer)["_has_been_logged"] = True  # "not yet" is an answer, not an error for Django to log
    return answer


@require_safe
@never_cache
def metrics_text(request: Request) -> HttpResponse:
    """For Prometheus, which shows a token, and for people. Raises PermissionDenied."""
    user: Person = request.user
    if "Authorization" in request.headers:  # it stands or falls with its token
        caller = callers.of_header(request.headers["Authorization"])
        if caller is None:
            return HttpResponse(f"{callers.NO_TOKEN}\n", status=401, headers=UNKNOWN)
        caller.require(Scope.TASKS_READ)
        user = caller.user
    return HttpResponse(metrics.text(user), content_type=metrics.CONTENT_TYPE)


@require_safe
@never_cache
def health(request: Request) -> HttpResponse:
    """What is wrong, for the page that asks; usually 304."""
    found = banner(request.user)
    if request.htmx.ptag == found["tag"]:
        return HttpResponseNotModified()
    response = render(request, "_health.html", found)
    response["HX-PTag"] = found["tag"]
    return response
