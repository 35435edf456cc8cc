"""Is it alive, is it ready: for bin/dev, load balancers and people."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.queues import health


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    report = health.report()
    answer = JsonResponse(report, status=200 if report["ready"] else 503)
    vars(answer)["_has_been_logged"] = True  # "not yet" is an answer, not an error for Django to log
    return answer
