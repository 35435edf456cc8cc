"""What the API answers to bad input that no test of its own folder has, by the numbers of docs/bad-input.md."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Scope
from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker

CREATE = (
    "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { number } userErrors { field message code } } }"
)
QUESTIONS = {
    "id": "($t: ID) { task(id: $t) { id } }",
    "node": "($t: ID!) { node(id: $t) { id } }",
    "bulkOperation": "($t: ID!) { bulkOperation(id: $t) { id } }",
    "query": "($t: String) { tasks(query: $t) { totalCount } }",
    "counts": "($t: String) { taskCounts(query: $t) { failed } }",
    "after": "($t: String) { tasks(first: 1, after: $t) { totalCount } }",
    "cursor": "($t: String) { taskChanges(after: $t) { cursor } }",
    "name": "($t: String) { tasks(filter: {name: $t}) { totalCount } }",
    "kind": "($t: [String!]) { tasks(filter: {kind: $t}) { totalCount } }",
    "queue": "($t: [String!]) { tasks(filter: {queue: $t}) { totalCount } }",
    "createdBy": "($t: ID) { tasks(filter: {createdBy: $t}) { totalCount } }",
    "fingerprint": "($t: String) { tasks(filter: {fingerprint: $t}) { totalCount } }",
    "person": "($t: String) { auditEntries(filter: {person: $t}) { nodes { act } } }",
    "act": "($t: String) { auditEntries(filter: {act: $t}) { nodes { act } } }",
    "object": "($t: String) { auditEntries(filter: {object: $t}) { nodes { act } } }",
}
ORDERS = {
    **{
        name: f"($t: ID!) {{ {name}(input: {{id: $t}}) {{ userErrors {{ code }} }} }}"
        for name in ("cancelTask", "retryTask", "deleteTask", "drainWorker", "stopWorker", "resumeWorker")
    },
    **{
        name: f"($t: String!) {{ {name}(input: {{name: $t}}) {{ userErrors {{ code }} }} }}"
        for name in ("pauseQueue", "resumeQueue", "purgeQueue")
    },
    "stopBulkOperation": "($t: ID!) { stopBulkOperation(input: {id: $t}) { userErrors { code } } }",
    "bulk ids": "($t: [ID!]) { bulkTasks(input: {action: RETRY, ids: $t}) { userErrors { code } } }",
    "bulk query": "($t: String) { bulkTasks(input: {action: RETRY, query: $t, expectedCount: 1})"
    " { userErrors { code } } }",
    "retryFailureGroup": "($t: ID!) { retryFailureGroup(input: {fingerprint: $t, count: 1,"
    ' lastSeenAt: "2026-03-01T12:00:00Z"}) { userErrors { code } } }',
}
TEXTS = [
    "a\0b",
    "\ud800",
    "\u202e",
    "",
    "9" * 400,
    "x" * 10_000,
    "VGFzazo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "V29ya2VyOgA=",
]
DOCUMENTS = {f"query {text}": name for name, text in QUESTIONS.items()} | {
    f"mutation {text}": name for name, text in ORDERS.items()
}


@pytest.fixture
def operator(db: None) -> Asker:
    return Asker.of(User.objects.create_superuser("ana"), *[s for s in Scope if s not in (Scope.SINK, Scope.WORKER)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=DOCUMENTS.values())
def test_no_text_in_an_argument_is_a_fault_of_ours(operator: Asker, document: str) -> None:
    for text in TEXTS:
        answer = operator.ask(document, t=text)
        codes = {each["extensions"]["code"] for each in answer.get("errors", [])}
        assert codes <= {"BAD_USER_INPUT", "CURSOR_EXPIRED"}, (text[:20], answer)


MISTAKES: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "1 empty": ({"name": " "}, ["name"], "Give the task a name."),
    "6 NUL": ({"name": "a\0b"}, ["name"], "Not valid Unicode: a NUL or half of a surrogate pair."),
    "7 surrogate": ({"params": {"x": "\ud800"}}, ["params"], "Not valid Unicode: a NUL or half of a surrogate pair."),
    "15 limit": ({"options": {"maxAttempts": 0}}, ["options", "maxAttempts"], "Must be from 1 to 100."),
    "17 kind": ({"kind": "gone"}, ["kind"], "There is no kind 'gone'. Kinds: fit."),
    "54 key": (
        {"options": {"idempotencyKey": "k" * 300}},
        ["options", "idempotencyKey"],
        "Must be 1 to 200 ASCII characters that can be printed, such as a UUID.",
    ),
}


@pytest.mark.parametrize("number", MISTAKES)
def test_a_mistake_has_the_forms_sentence_and_its_place(asker: Asker, fit: Kind, number: str) -> None:
    given, field, sentence = MISTAKES[number]
    told = asker.data(CREATE, i={"name": "n", "kind": "fit", **given})["createTask"]
    assert told["task"] is None
    assert [(each["field"], each["message"]) for each in told["userErrors"]] == [(field, sentence)]
    assert not Task.objects.exists()


def test_a_post_without_the_slash_is_answered_all_the_same(asker: Asker) -> None:
    assert reverse("graphql") == "/graphql/"
    body = json.dumps({"query": "{ viewer { username } }"})
    headers = {"Authorization": f"Bearer {asker.token}"}
    response = Client().post("/graphql", body, content_type="application/json", headers=headers)
    assert response.json() == {"data": {"viewer": {"username": "alice"}}}
