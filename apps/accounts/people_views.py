"""The pages of people, for administrators: who there is, what each may do, and invitations."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import abilities, addresses, people, roles
from apps.accounts.people_forms import AddForm, RoleForm
from apps.audit.refusals import refuse
from apps.tasks.drafts import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.tasks.views import SignedInRequest

    View = Callable[..., HttpResponse]

MOST_SHOWN = 500


def for_administrators(act: str) -> Callable[[View], View]:
    """`act`: what the audit log calls that which others try by POST."""

    def checking(view: View) -> View:
        @wraps(view)
        def checked(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_superuser:
                if request.method == "POST":
                    refuse(act, user=request.user)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return checking


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_administrators("person.add")
def everybody(request: SignedInRequest) -> HttpResponse:
    """The list; by POST somebody new, who is then shown with an invitation."""
    if request.method != "POST":
        return _list(request)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _list(request, status=422, form=form)
    user = people.add(by=request.user, name=form.cleaned_data["username"], role=form.chosen, extras=form.extras)
    return _person(request, user, status=201, invitation=_invitation(request, user))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_administrators("person.rights")
def person(request: SignedInRequest, number: int) -> HttpResponse:
    """One of them; by POST another role."""
    user = get_object_or_404(User, pk=number)
    if request.method != "POST":
        return _person(request, user)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _person(request, user, status=422, form=form)
    try:
        people.change_role(by=request.user, user=user, role=form.chosen, extras=form.extras)
    except Refused as refused:
        return _refuse(request, user, refused)
    messages.success(request, f"{user.username} is now: {form.chosen}.")
    return redirect("person", number)


@require_POST
@for_administrators("person.change")
def switch(request: SignedInRequest, number: int) -> HttpResponse:
    user, on = get_object_or_404(User, pk=number), request.POST.get("to") == "on"
    try:
        people.switch(by=request.user, user=user, on=on)
    except Refused as refused:
        return _refuse(request, user, refused)
    said = "can sign in again" if on else "is switched off: every session and token of theirs is over"
    messages.success(request, f"{user.username} {said}.")
    return redirect("person", number)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_administrators("link.make")
def invite(request: SignedInRequest, number: int) -> HttpResponse:
    """Answered with the page itself, which shows the link this once."""
    if request.method != "POST":  # the address of that page, opened anew
        return redirect("person", number)
    user = get_object_or_404(User, pk=number)
    try:
        return _person(request, user, status=201, invitation=_invitation(request, user))
    except Refused as refused:
        return _refuse(request, user, refused)


def _invitation(request: SignedInRequest, user: User) -> str:
    """The whole address, as others reach it. Raises Refused."""
    path = reverse("join", args=[people.invite(by=request.user, user=user)])
    return addresses.outside(request, path)


def _list(request: SignedInRequest, status: int = 200, form: AddForm | None = None) -> HttpResponse:
    found = User.objects.select_related("last_seen").prefetch_related("groups", "user_permissions")
    shown = list(found.order_by("-is_active", "username")[: MOST_SHOWN + 1])
    rows = [{"person": each, "role": roles.of(each), "extras": roles.extras_of(each)} for each in shown[:MOST_SHOWN]]
    context = {"rows": rows, "form": form or AddForm(), "now": timezone.now(), "has_more": len(shown) > MOST_SHOWN}
    return render(request, "accounts/people.html", context, status=status)


def _person(
    request: SignedInRequest, user: User, status: int = 200, form: RoleForm | None = None, **given: Any
) -> HttpResponse:
    context = {
        "person": user,
        "role": roles.of(user),
        "abilities": abilities.of(user),
        "form": form or RoleForm(user=user),
        "is_oneself": user.pk == request.user.pk,
        "not_oneself": people.NOT_ONESELF,
        "now": timezone.now(),
        **given,
    }
    return render(request, "accounts/person.html", context, status=status)


def _refuse(request: SignedInRequest, user: User, refused: Refused) -> HttpResponse:
    (problem,) = refused.problems
    return _person(request, user, status=403 if problem.code == "FORBIDDEN" else 409, problem=problem.message)
