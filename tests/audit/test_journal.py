"""What stands in the audit log: who, from where, in which transaction; and that nothing changes it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import transaction
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from apps.accounts import links, tokens
from apps.accounts.permissions import Scope
from apps.audit import origins, retention
from apps.audit.journal import covered, note, visible
from apps.audit.models import AppendOnly, Entry
from apps.queues import services as queues
from apps.queues.models import Queue
from apps.tasks import services, sweeps
from apps.tasks.drafts import Draft, Refused
from apps.tasks.models import Task
from tests.fixtures.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.tasks.models import Kind

pytestmark = pytest.mark.django_db


def last() -> Entry:
    return Entry.objects.order_by("-pk")[0]


CHANGES: list[Callable[[Entry], Any]] = [
    lambda entry: entry.save(),
    lambda entry: entry.delete(),
    lambda entry: Entry.objects.filter(pk=entry.pk).update(name="nobody"),
    lambda entry: Entry.objects.filter(pk=entry.pk).delete(),
    lambda entry: Entry.objects.bulk_update([entry], ["name"]),
    lambda entry: Entry.objects.update_or_create(pk=entry.pk, defaults={"name": "nobody"}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_no_entry_is_changed_or_removed(change: Callable[[Entry], Any]) -> None:
    note("task.create", "task 1")
    with pytest.raises(AppendOnly):
        change(last())
    assert last().object == "task 1"


def test_the_admin_does_not_have_them(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/audit/entry/").status_code == 404


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("a\u202eb", "a\\u202eb"), ("naïve 任务", "naïve 任务")],
)
def test_nothing_that_a_terminal_or_a_browser_would_obey_is_kept(text: str, shown: str) -> None:
    note("queue.pause", text, details=text)
    assert (last().object, last().details) == (shown, shown) == (visible(text), shown)


def test_what_is_rolled_back_is_in_no_log(alice: User, noop: Kind) -> None:
    before = Entry.objects.count()
    with transaction.atomic():
        services.create(user=alice, draft=Draft(name="n", kind="demo.noop"))
        assert Entry.objects.count() == before + 1
        transaction.set_rollback(True)
    assert (Entry.objects.count(), Task.objects.count()) == (before, 0)


def test_a_thousand_tasks_are_one_entry_and_one_task_one_statement_more(
    alice: User, noop: Kind, statements: Statements
) -> None:
    with statements() as asked:
        many = services.create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop")] * 1_000)
    assert len([each for each in asked if "INSERT INTO audit_entry" in each["sql"]]) == 1
    assert (last().object, last().count, last().details) == (f"task {many[0].pk}", 1_000, "demo.noop")
    # A key that was used before makes nothing, and so says nothing.
    draft = Draft(name="n", kind="demo.noop", idempotency_key="k")
    services.create(user=alice, draft=draft)
    with statements() as asked:
        services.create(user=alice, draft=draft)
    assert not [each for each in asked if "audit_entry" in each["sql"]]


def test_what_was_refused_to_all_is_no_entry_and_of_some_the_others_are(alice: User, noop: Kind) -> None:
    first, second = services.create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop")] * 2)
    services.cancel(user=alice, numbers=[first.pk, second.pk])
    assert (last().count, last().details) == (2, f"{first.pk}, {second.pk}")
    before = last().pk
    services.cancel(user=alice, numbers=[first.pk, second.pk])
    assert last().pk == before


def test_the_pieces_of_a_sweep_or_a_purge_are_one_entry(ana: User, noop: Kind) -> None:
    services.create_many(user=ana, drafts=[Draft(name="n", kind="demo.noop")] * 3)
    Queue.objects.create(name="default")
    before = last().pk
    assert queues.purge_queue(user=ana, name="default").cancelled == 3
    sweeps.begin(user=ana, act="delete", text="name:n", zone="UTC", expected=3)
    while sweeps.advance():
        pass
    entries = Entry.objects.filter(pk__gt=before).order_by("pk")
    assert [(each.act, each.count) for each in entries] == [("queue.purge", 3), ("bulk.delete", 3)]
    assert entries[1].details == "found by name:n"
    assert not Task.objects.exists()


def test_who_may_not_operate_is_told_as_refused(sam: User) -> None:
    Queue.objects.create(name="default")
    with pytest.raises(Refused):
        queues.pause_queue(user=sam, name="default")
    assert (last().act, last().object, last().name, last().result) == ("queue.pause", "queue default", "sam", "refused")


def test_covered_acts_are_left_to_the_one_that_covers_them() -> None:
    before = Entry.objects.count()
    with covered():
        note("task.retry", "task 1")
    note("task.retry", "task 2")
    assert Entry.objects.count() == before + 1


def test_sign_ins_are_told_and_unknown_names_are_not(client: Client, alice: User) -> None:
    def sign_in(name: str, password: str) -> tuple[str, str, str]:
        client.post("/login/", {"username": name, "password": password}, REMOTE_ADDR="192.0.2.7")
        assert last().address == "192.0.2.7"
        return last().object, last().name, last().result

    assert sign_in("alice", "wrong") == ("person alice", "", "failed")
    assert sign_in("alice's own words", "alice") == ("nobody of that name", "", "failed")
    assert sign_in("alice", "alice's own words") == ("person alice", "alice", "done")
    client.post("/logout/")
    assert (last().act, last().name) == ("sign-out", "alice")


def test_what_is_done_in_a_shell_is_told_as_such(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("token", "create", "--user", "alice", "--scope", "tasks:read")
    text = capsys.readouterr().out.strip()
    made = last()
    assert (made.act, made.object, made.details) == ("token.make", f"token {text[:12]}", "of alice, tasks:read")
    assert made.way == "command"
    assert made.name.endswith("(shell)")
    call_command("token", "revoke", text)
    assert (last().act, last().object) == ("token.revoke", f"token {text[:12]}")
    links.make(alice)
    assert (last().act, last().object) == ("link.make", "person alice")
    assert not Entry.objects.filter(object__contains=text).exists()


def test_people_and_their_rights_are_told_whichever_page_changes_them(client: Client, alice: User) -> None:
    root = User.objects.create_superuser("root")
    assert (last().act, last().object, last().details) == ("person.add", "person root", "staff, superuser")
    client.force_login(root)
    right = Permission.objects.get(codename="can_operate")
    form = {"username": "alice", "is_active": "on", "is_staff": "on", "user_permissions": [right.pk]}
    form["groups"] = [alice.groups.get().pk]
    form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert client.post(f"/admin/auth/user/{alice.pk}/change/", form).status_code == 302
    changed, rights = Entry.objects.order_by("-pk")[:2][::-1]
    assert (changed.act, changed.name, changed.details) == ("person.change", "root", "is_staff: True")
    assert (rights.act, rights.object, rights.details) == ("person.rights", "person alice", "added can_operate")
    alice.refresh_from_db()
    alice.set_password("her newer words")
    alice.save()
    assert (last().act, last().details) == ("person.change", "password")
    group = Group.objects.create(name="operators")
    group.permissions.add(right)
    alice.groups.add(group)
    alice.user_permissions.clear()
    group.user_set.remove(alice)
    group.delete()
    number = alice.pk
    alice.delete()
    told = [(each.act, each.object, each.details) for each in Entry.objects.order_by("-pk")[:7]][::-1]
    assert told == [
        ("group.add", "group operators", ""),
        ("group.rights", "group operators", "added can_operate"),
        ("person.rights", "person alice", "added operators"),
        ("person.rights", "person alice", "cleared all"),
        ("group.people", "group operators", "removed alice"),
        ("group.remove", "group operators", ""),
        ("person.remove", "person alice", ""),
    ]
    assert Entry.objects.filter(act="sign-in", person=number).count() == 0


def test_who_is_gone_stays_in_the_log(alice: User, noop: Kind) -> None:
    services.create(user=alice, draft=Draft(name="n", kind="demo.noop"))
    number = alice.pk
    Task.objects.all().delete()
    alice.delete()
    assert Entry.objects.filter(person=number, name="alice", act="task.create").count() == 1


def test_what_is_too_old_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PIECE", 2)
    for days in (400, 399, 398, 364, 0):
        Entry.objects.create(act="task.create", object=f"task {days}", way="page", at=timezone.now() - timedelta(days))
    assert [retention.forget() for _ in range(3)] == [True, False, False]
    assert set(Entry.objects.filter(act="task.create").values_list("object", flat=True)) == {"task 364", "task 0"}
    with override_settings(AUDIT_DAYS=30):
        retention.forget()
    assert Entry.objects.filter(act="task.create").count() == 1


def test_a_token_of_a_process_is_named_by_its_own_name(db: None) -> None:
    token, _text = tokens.make(user=None, scopes=[Scope.SINK], name="the sink")
    request = RequestFactory().post("/graphql/")
    before = origins._current.set(origins.Origin(request))
    origins.by_token(token)
    note("task.create", "task 1")
    origins._current.reset(before)
    assert (last().name, last().way, last().token) == ("the sink", "token", token.prefix)
