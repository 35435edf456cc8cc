"""What belongs to one attempt: its output, to watch and to download, and the environment that it ran in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from apps.queues.models import Environment
from apps.queues.worker_views import installed
from apps.tasks import output, output_sheet
from apps.tasks.models import Attempt
from apps.tasks.window import number_in

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest


@require_safe
@gzip_page
def output_changes(request: SignedInRequest, number: int) -> HttpResponse:
    """What an attempt has printed since the browser's tag was made; usually 204."""
    changes = output_sheet.changes(_attempt(request, number), request.htmx.ptag)
    if changes is None:
        return HttpResponse(status=204)
    context = {"changes": changes, "output": changes.sheet, "number": number}
    response = render(request, "tasks/_output_changes.html", context)
    response["HX-PTag"] = changes.sheet.tag
    return response


@require_safe
@gzip_page
def output_text(request: SignedInRequest, number: int) -> HttpResponse:
    attempt = _attempt(request, number)
    text = output_sheet.raw_text(output.read(attempt))
    name = f"task-{number}-attempt-{attempt.number}.txt"
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": disposition})


@require_safe
@gzip_page
def environment(request: SignedInRequest, number: int, attempt_number: int) -> HttpResponse:
    """The packages that the attempt's worker had."""
    try:
        attempt = output_sheet.attempt_of(request.user, number, attempt_number)
        kept = Environment.objects.get(digest=attempt.environment)
    except (Attempt.DoesNotExist, Environment.DoesNotExist):
        raise Http404 from None
    context = {**installed(kept), "number": number, "attempt": attempt, "names": [attempt.worker]}
    return render(request, "tasks/environment.html", context)


def _attempt(request: SignedInRequest, number: int) -> Attempt:
    try:
        return output_sheet.attempt_of(request.user, number, number_in(request.GET.get("attempt", "")))
    except Attempt.DoesNotExist:
        raise Http404 from None
