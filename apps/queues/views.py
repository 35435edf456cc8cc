"""Is it alive, is it ready, what is wrong: for bin/dev, load balancers and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.queues.report import banner, report

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


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
def health(request: Request) -> HttpResponse:
    """What is wrong, for the page that asks; usually 304."""
    found = banner(request.user)
    if request.htmx.ptag == found["tag"]:
        return HttpResponseNotModified()
    response = render(request, "_health.html", found)
    response["HX-PTag"] = found["tag"]
    return response
