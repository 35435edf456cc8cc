"""What can be copied from a page to be run elsewhere, as texts for GraphQL, curl and Python; in a dialog, or a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.accounts import addresses
from apps.accounts.permissions import may_explore
from apps.tasks import columns, copies
from apps.tasks.models import Kind, TableLook, Task
from apps.tasks.window import Window
from apps.tasks.zones import zone_of

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest

LONGEST_ADDRESS = 8_000  # of a request's first line that the server reads


@require_safe
@vary_on_headers("HX-Request")
def table(request: SignedInRequest) -> HttpResponse:
    """The table as the address says, which for HTMX is the page's: a search may have changed it since it came."""
    here = request.htmx.current_url_abs_path
    asked = QueryDict(urlsplit(here).query) if here else request.GET
    look = TableLook.objects.filter(user=request.user).first()
    window = replace(Window.of(asked, zone_of(request)), columns=columns.known(look.columns if look else ()))
    return _copies(
        request,
        title="Copy this view",
        snippets=copies.of_table(window, _endpoint(request)),
        note=UTC if copies.means_days_elsewhere(window) else "",
        back=f"{reverse('tasks:list')}?{urlencode(window.listed)}",
    )


@require_safe
@vary_on_headers("HX-Request")
def task(request: SignedInRequest, number: int) -> HttpResponse:
    found = Task.objects.visible_to(request.user).filter(pk=number).first()
    if not found:
        raise Http404
    kind = Kind.objects.filter(name=found.kind).first()
    return _copies(
        request,
        title=f"Create one like task {number}",
        snippets=copies.of_task(found, kind, _endpoint(request)),
        back=reverse("tasks:task", args=[number]),
    )


UTC = "The days in the search are those of UTC there, not of your time zone."


def _endpoint(request: SignedInRequest) -> str:
    """As people reach it."""
    return addresses.outside(request, reverse("graphql"))


def _copies(request: SignedInRequest, **context: Any) -> HttpResponse:
    address = f"{reverse('graphiql')}?{urlencode({'query': context['snippets'][0].text})}"
    context["explorer"] = address if may_explore(request.user) and len(address) < LONGEST_ADDRESS else ""
    return render(request, "tasks/_copies.html" if request.htmx else "tasks/copies.html", context)
