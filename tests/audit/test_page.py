"""The page of the audit log and its connection in GraphQL: whose entries, which, and in pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.audit import views
from apps.audit.models import Entry
from apps.tasks import since
from tests.fixtures.asking import Asker, code_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

QUERY = """query($first: Int, $after: String, $filter: AuditFilter) {
    auditEntries(first: $first, after: $after, filter: $filter) {
        pageInfo { hasNextPage endCursor }
        nodes { at person act object count details result way token address }
        edges { cursor node { id } }
    } }"""


def entry(user: User, act: str = "task.retry", what: str = "task 12", **more: Any) -> Entry:
    return Entry.objects.create(person=user.pk, name=user.username, act=act, object=what, way="page", **more)


def numbers(client: Client, address: str = "/audit/") -> list[int]:
    response = client.get(address)
    assert response.status_code == 200
    return [int(number) for number in re.findall(r'id="entry-(\d+)"', response.content.decode())]


def link(client: Client, address: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', client.get(address).content.decode())
    return "/audit/" + found[1].replace("&amp;", "&") if found else ""


def test_staff_see_everybodys_entries_and_others_their_own(
    client: Client, desk: Client, alice: User, ana: User
) -> None:
    own, others = entry(alice), entry(ana)
    assert numbers(desk)[:2] == [others.pk, own.pk]
    client.force_login(alice)
    assert own.pk in numbers(client)
    assert others.pk not in numbers(client)
    assert others.pk not in numbers(client, "/audit/?person=ana")
    assert b'name="person"' not in client.get("/audit/").content


def test_an_entry_is_a_sentence_with_its_circumstances(desk: Client, alice: User) -> None:
    entry(alice, "task.cancel", "task 12", count=3, details="12, 13, 14", address="192.0.2.9", token="mrp_12345678")
    entry(alice, "queue.purge", "queue <b>", count=29, result="refused")
    page = " ".join(re.sub(r"<[^>]+>", " ", desk.get("/audit/").content.decode()).split())
    assert "Cancelled task 12 and 2 more 12, 13, 14" in page
    assert "192.0.2.9 mrp_12345678" in page
    assert "Purged queue &lt;b&gt; 29 times Refused" in page
    assert 'href="/tasks/12/"' in desk.get("/audit/").content.decode()


def test_the_log_is_searched_by_person_act_object_and_day(desk: Client, alice: User, ana: User) -> None:
    one = entry(alice, at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    two = entry(alice, "task.delete", at=datetime(2026, 3, 2, 0, 30, tzinfo=UTC))
    three = entry(ana, what="queue gpu", at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    assert numbers(desk, "/audit/?person=alice") == [two.pk, one.pk]
    assert numbers(desk, "/audit/?act=task.delete") == [two.pk]
    assert numbers(desk, "/audit/?object=queue+gpu") == [three.pk]
    assert numbers(desk, "/audit/?day=2026-03-01") == [one.pk]
    assert numbers(desk, "/audit/?day=2026-03-02&person=alice") == [two.pk]
    desk.cookies["millrace_zone"] = "Europe/Berlin"
    assert numbers(desk, "/audit/?day=2026-03-02") == [three.pk, two.pk, one.pk]
    assert numbers(desk, "/audit/?person=nobody") == []
    assert b"Nothing like that" in desk.get("/audit/?person=nobody").content


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("day=31+Feb", "A day must look like 2026-03-01."),
        ("act=drop", "Select a valid choice"),
        ("person=" + "x" * 200, "at most 150 characters (it has 200)"),
        ("object=%00", "Null characters are not allowed"),
        ("before=abc&after=-1", ""),
        ("after=" + "9" * 40, ""),
        ("before=99999999999", ""),
        ("day=9999-12-31", ""),
        ("day=0001-01-01", ""),
    ],
)
def test_what_makes_no_sense_is_told_and_left_out(desk: Client, ana: User, query: str, said: str) -> None:
    own = entry(ana)
    page = desk.get(f"/audit/?{query}").content.decode()
    assert said in page
    assert (f'id="entry-{own.pk}"' in page) is (not query.startswith("day=9") and not query.startswith("day=0"))


def test_days_and_acts_are_found_among_many_by_an_index(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(since, "FEW", 10)
    now = timezone.now()
    made = [entry(alice, act="task.create", at=now + timedelta(hours=1 + n)) for n in range(40)]
    cancelled = entry(alice, act="task.cancel", at=now + timedelta(hours=41))
    within = Entry.objects.within([("gte", now + timedelta(hours=30.5)), ("lt", now + timedelta(hours=35.5))])
    assert [each.pk for each in within.order_by("pk")] == [each.pk for each in made[30:35]]
    assert Entry.objects.about(act="task.cancel").get().pk == cancelled.pk
    assert Entry.objects.about(act="task.create").count() == len(made)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of so few it would rather read them all, once it knows how few
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert re.search(r"PRIMARY KEY \(rowid>. AND rowid<.\)|id >= \d+\) AND \(id < \d+", within.explain())
        assert "entry_act" in Entry.objects.about(act="task.cancel").order_by("-pk")[:3].explain()


def test_older_entries_stand_on_further_pages(desk: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "SIZE", 3)
    made = [entry(alice).pk for _ in range(8)][::-1]
    first = "/audit/?person=alice"
    second = link(desk, first, "next")
    third = link(desk, second, "next")
    assert [numbers(desk, each) for each in (first, second, third)] == [made[:3], made[3:6], made[6:]]
    assert link(desk, third, "next") == ""
    assert link(desk, first, "prev") == ""
    assert numbers(desk, link(desk, third, "prev")) == made[3:6]
    assert numbers(desk, link(desk, link(desk, third, "prev"), "prev")) == made[:3]
    entry(alice)
    assert numbers(desk, second) == made[3:6]  # nothing drifts


def test_the_log_over_graphql(ana: User, alice: User) -> None:
    asker = Asker.of(ana, Scope.OPS)
    for n in range(3):
        entry(alice, what=f"task {n}", at=datetime(2026, 3, 1 + n, tzinfo=UTC), address="192.0.2.9")
    wanted: dict[str, Any] = {"person": "alice", "act": "task.retry"}
    found = asker.data(QUERY, first=2, filter=wanted)["auditEntries"]
    assert [node["object"] for node in found["nodes"]] == ["task 2", "task 1"]
    assert found["nodes"][0] == {
        "at": "2026-03-03T00:00:00+00:00", "person": "alice", "act": "task.retry", "object": "task 2", "count": 1,
        "details": "", "result": "DONE", "way": "PAGE", "token": None, "address": "192.0.2.9",
    }  # fmt: skip
    rest = asker.data(QUERY, after=found["pageInfo"]["endCursor"], filter=wanted)["auditEntries"]
    assert [node["object"] for node in rest["nodes"]] == ["task 0"]
    id_ = rest["edges"][0]["node"]["id"]
    assert asker.data("query($id: ID!) { node(id: $id) { id } }", id=id_)["node"] == {"id": id_}
    day = {"at": {"gte": "2026-03-02T00:00:00Z", "lt": "2026-03-03T00:00:00Z"}, "object": "task 1"}
    assert len(asker.data(QUERY, filter=day)["auditEntries"]["nodes"]) == 1
    for wrong in ({"object": "\0"}, {"at": {"gte": "2026-03-02T00:00:00"}}):
        assert code_of(asker.ask(QUERY, filter=wrong)) == "BAD_USER_INPUT"


def test_only_staff_with_the_scope_read_the_log_over_graphql(ana: User, alice: User) -> None:
    for asker in (Asker.of(ana), Asker.of(alice, Scope.OPS), Asker.of(None, Scope.SINK)):
        assert code_of(asker.ask("{ auditEntries { nodes { act } } }")) == "FORBIDDEN"
