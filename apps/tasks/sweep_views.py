"""The pages of an act on all tasks that match: the question with the number, then how far it has come."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.permissions import ALLOWED, may_write
from apps.audit.refusals import refuse
from apps.tasks import live, sweeps
from apps.tasks.models import Sweep
from apps.tasks.priority_form import PriorityForm
from apps.tasks.search import Mistake
from apps.tasks.window import number_in
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest

DONE = {"retry": "retried", "cancel": "cancelled", "delete": "deleted", "priority": "given priority {priority}"}


@require_http_methods(["GET", "HEAD", "POST"])
def everything(request: SignedInRequest) -> HttpResponse:
    """Asks what to do with all that match; begins it when still as many do as the person was shown."""
    asked = request.POST if request.method == "POST" else request.GET
    text, act, zone = asked.get("q", "").strip(), asked.get("act", ""), str(zone_of(request))
    if not may_write(request.user):
        if request.method == "POST" and act in sweeps.ACTS:
            refuse(f"bulk.{act}", user=request.user)
        raise PermissionDenied
    form = PriorityForm(request.POST if act == Sweep.Act.PRIORITY else None)
    moved = ""
    try:
        if request.method == "POST" and act in sweeps.ACTS and not form.errors:
            expected = number_in(asked.get("count", "")) or 0
            priority = form.cleaned_data["priority"] if form.is_bound else None
            given: dict[str, Any] = {"expected": expected, "priority": priority, "form": asked.get("form", "")}
            with suppress(sweeps.Moved):
                sweep = sweeps.begin(user=request.user, act=act, text=text, zone=zone, **given)
                return HttpResponseRedirect(reverse("tasks:sweep", args=[sweep.pk]))
            moved = asked.get("count", "")[:20]
        standing = sweeps.standing(request.user, text, zone)
    except Mistake as mistake:
        return render(request, "tasks/everything.html", {"text": text, "mistake": mistake}, status=422)
    context = {"text": text, "moved": moved, "form": form, "form_key": uuid4(), **_reach(standing)}
    status = 409 if moved else 422 if form.errors else 200
    return render(request, "tasks/everything.html", context, status=status)


def _reach(standing: dict[str, int]) -> dict[str, Any]:
    """How many there are, and how many of these each act can do anything with as they stand."""
    acts = {act: sum(standing.get(status, 0) for status in statuses) for act, statuses in ALLOWED.items()}
    return {"count": sum(standing.values()), "reach": acts}


@require_safe
def sweep(request: SignedInRequest, number: int) -> HttpResponse:
    """How far it has come; for HTMX the part that changes, 304 when it has not."""
    found = get_object_or_404(Sweep, pk=number, user=request.user)
    tag = live.digest(found.done, found.refused, found.stopped, found.ended_at)
    if request.htmx and request.htmx.ptag == tag:
        return HttpResponseNotModified()
    context = {"sweep": found, "done": DONE[found.act].format(priority=found.priority), "tag": tag}
    response = render(request, "tasks/_sweep.html" if request.htmx else "tasks/sweep.html", context)
    response["HX-PTag"] = tag
    return response


@require_POST
def stop(request: SignedInRequest, number: int) -> HttpResponse:
    if not Sweep.objects.filter(pk=number, user=request.user).exists():
        raise Http404
    sweeps.stop(user=request.user, number=number)
    return HttpResponseRedirect(reverse("tasks:sweep", args=[number]))
