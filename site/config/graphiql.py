"""`/graphiql/`: an editor for the API, GraphiQL from our own files, for those who may ask what the schema is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.permissions import may_explore

if TYPE_CHECKING:
    from django.http import HttpResponse

    from apps.tasks.views import SignedInRequest


@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    if not may_explore(request.user):
        raise PermissionDenied
    return render(request, "graphiql.html")
