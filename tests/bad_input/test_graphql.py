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
QUESTIONS = [
    "($t: ID) { task(id: $t) { id } }",
    "($t: ID!) { node(id: $t) { id } }",
    "($t: ID!) { bulkOperation(id: $t) { id } }",
    "($t: String) { tasks(query: $t) { totalCount } }",
    "($t: String) { taskCounts(query: $t) { failed } }",
    "($t: String) { tasks(first: 1, after: $t) { totalCount } }",
    "($t: String) { taskChanges(after: $t) { cursor } }",
    "($t: String) { tasks(filter: {name: $t}) { totalCount } }",
    "($t: [String!]) { tasks(filter: {kind: $t}) { totalCount } }",
    "($t: [String!]) { tasks(filter: {queue: $t}) { totalCount } }",
    "($t: ID) { tasks(filter: {createdBy: $t}) { totalCount } }",
    "($t: String) { tasks(filter: {fingerprint: $t}) { totalCount } }",
    "($t: String) { auditEntries(filter: {person: $t}) { nodes { act } } }",
    "($t: String) { auditEntries(filter: {act: $t}) { nodes { act } } }",
    "($t: String) { auditEntries(filter: {object: $t}) { nodes { act } } }",
]
WITH_ID = ("cancelTask", "retryTask", "deleteTask", "drainWorker", "stopWorker", "resumeWorker", "stopBulkOperation")
SEEN = 'count: 1, lastSeenAt: "2026-03-01T12:00:00Z"'
ORDERS = [
    *(f"($t: ID!) {{ {name}(input: {{id: $t}}) {{ userErrors {{ code }} }} }}" for name in WITH_ID),
    *(
        f"($t: String!) {{ {name}(input: {{name: $t}}) {{ userErrors {{ code }} }} }}"
        for name in ("pauseQueue", "resumeQueue", "purgeQueue")
    ),
    "($t: [ID!]) { bulkTasks(input: {action: RETRY, ids: $t}) { userErrors { code } } }",
    "($t: String) { bulkTasks(input: {action: RETRY, query: $t, expectedCount: 1}) { userErrors { code } } }",
    f"($t: ID!) {{ retryFailureGroup(input: {{fingerprint: $t, {SEEN}}}) {{ userErrors {{ code }} }} }}",
]
TEXTS = ["a\0b", "\ud800", "", "9" * 400, "V29ya2VyOgA="]  # the last is a worker whose name is a NUL
DOCUMENTS = [*(f"query {each}" for each in QUESTIONS), *(f"mutation {each}" for each in ORDERS)]


@pytest.fixture
def operator(db: None) -> Asker:
    return Asker.of(User.objects.create_superuser("ana"), *[s for s in Scope if s not in (Scope.SINK, Scope.WORKER)])


def test_no_text_in_an_argument_is_a_fault_of_ours(operator: Asker) -> None:
    for document in DOCUMENTS:
        for text in TEXTS:
            answer = operator.ask(document, t=text)
            codes = {each["extensions"]["code"] for each in answer.get("errors", [])}
            assert codes <= {"BAD_USER_INPUT", "CURSOR_EXPIRED"}, (document, text[:20], answer)


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
