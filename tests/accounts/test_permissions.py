"""Who may do what."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied

from apps.accounts import tokens
from apps.accounts.permissions import Caller, Scope, may
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task

pytestmark = pytest.mark.django_db


def by_token(user: User | None, *scopes: Scope) -> Caller:
    return Caller.of_token(tokens.make(user=user, scopes=scopes)[0])


def test_a_session_reads_and_writes_and_only_staff_operates(alice: User, admin: User) -> None:
    assert Caller.of_session(alice).scopes == {Scope.TASKS_READ, Scope.TASKS_WRITE}
    assert Caller.of_session(admin).scopes == {Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.OPS}


def test_no_session_is_a_sink_or_a_worker(admin: User) -> None:
    for scope in (Scope.SINK, Scope.WORKER):
        with pytest.raises(PermissionDenied, match=f"needs the scope {scope}"):
            Caller.of_session(admin).require(scope)


def test_who_may_write_may_read_and_not_the_other_way_round(alice: User) -> None:
    by_token(alice, Scope.TASKS_WRITE).require(Scope.TASKS_READ)
    with pytest.raises(PermissionDenied):
        by_token(alice, Scope.TASKS_READ).require(Scope.TASKS_WRITE)


def test_a_token_never_lets_in_for_more_than_its_user_may(alice: User, admin: User) -> None:
    assert Scope.OPS not in by_token(alice, Scope.OPS).scopes
    assert Scope.OPS in by_token(admin, Scope.OPS).scopes


def test_only_staff_in_a_browser_look_into_the_schema(alice: User, admin: User) -> None:
    assert Caller.of_session(admin).may_introspect
    assert not Caller.of_session(alice).may_introspect
    assert not by_token(admin, Scope.TASKS_READ).may_introspect


def test_own_tasks_can_be_deleted_unless_they_run(alice: User, admin: User) -> None:
    bob = User.objects.create_user("bob")
    task = Task(created_by=alice)
    assert may(alice, "delete", task, None)
    assert may(admin, "delete", task, None)
    assert not may(bob, "delete", task, None)
    assert not may(AnonymousUser(), "delete", task, None)
    task.status = Status.RUNNING
    assert not may(alice, "delete", task, None)


def test_nobodys_task_is_not_everybodys() -> None:
    assert not may(AnonymousUser(), "delete", Task(created_by=None), None)
