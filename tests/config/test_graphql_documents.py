"""What one document may ask for, and how fast too much of it is refused."""

import json
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from graphql import get_introspection_query

from config.graphql_documents import BadDocument, _compile, compiled
from config.graphql_variables import check_size
from tests.fixtures.asking import Asker, code_of

# Of processor time: what one person's request may take from everybody else's. The worst of these take 0.1 s on a quiet
# machine, and many seconds where nothing guards. Each is tried three times and its least counts: a busy machine adds.
MOST_SECONDS = 0.3
TRIES = 3
CREATE = "mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }"
INT = "$n must be a whole number from -2147483648 to 2147483647"
NEST = "attempts { nodes { number } }"


def nested(depth: int) -> str:
    return "{" * depth + "}" * depth


def bomb(levels: int) -> str:
    """Each fragment twice in the one before it: 2 ** levels fields."""
    spreads = [f"fragment f{n} on Task {{ ...f{n + 1} ...f{n + 1} {NEST} }}" for n in range(levels)]
    last = f"fragment f{levels} on Task {{ number name }}"
    return f"{{ tasks {{ nodes {{ ...f0 }} }} }} {' '.join(spreads)} {last}"


EVIL = {
    "aliases": "{" + " ".join(f"a{n}: viewer {{ id }}" for n in range(31)) + "}",
    "many aliases": "{" + " ".join(f"a{n}:kinds{{name}}" for n in range(4_000)) + "}",
    "repeated fields": "{ tasks { nodes {" + "number " * 1_900 + "} } }",
    "repeated fields of every sort": "{ tasks { nodes {" + "id number name value " * 130 + "} } }",
    "one field with arguments again and again": "{" + "task(number: 1) { number } " * 160 + "}",
    "fragments that say the same": "{ viewer {"
    + " ".join(f"...f{n}" for n in range(100))
    + "} } "
    + " ".join(f"fragment f{n} on User {{ id username }}" for n in range(100)),
    "braces": nested(20_000),
    "nested lists": "{ task(number: " + "[" * 1_900,
    "nested objects": "{ tasks(filter: " + "{a:" * 900 + "1" + "}" * 900 + ") { totalCount } }",
    "depth": "{ tasks { edges { node { attempts { edges { node { error { type { a { b { c } } } } } } } } } } }",
    "rows": "{"
    + " ".join(
        f"a{n}: tasks(first: 100) {{ nodes {{ id name number value result params status }} }}" for n in range(30)
    )
    + "}",
    "rows of rows": "{ tasks(first: 100) { nodes { attempts(first: 100) { nodes { number workerName status } } } } }",
    "rows by variable": "query ($n: Int) { tasks(first: $n) { nodes { attempts(first: $n) { nodes { number } } } } }",
    "directives": "{ viewer { id " + "@include(if: true) " * 3_000 + "} }",
    "fewer directives": "{ viewer { id " + "@skip(if: true) " * 250 + "} }",
    "two operations": "query a { viewer { id } } query b { viewer { id } }",
    "two hundred operations": " ".join(f"query q{n} {{ viewer {{ id }} }}" for n in range(200)),
    "fragment circle": "{ viewer { ...a } } fragment a on User { ...b } fragment b on User { ...a }",
    "fragment on itself": "{ viewer { ...a } } fragment a on User { id ...a }",
    "fragment bomb": bomb(60),
    "unused fragments": "{ viewer { id } } " + " ".join(f"fragment f{n} on User {{ id }}" for n in range(200)),
    "long": "{ viewer { id } } #" + "x" * 20_000,
    "long name": "{ " + "x" * 19_000 + " }",
    "comments": "#\n" * 9_000 + "{ viewer { id x } }",
    "unclosed text": '{ task(id: "' + "x" * 10_000,
    "many variables": "query (" + " ".join(f"$v{n}: Int" for n in range(400)) + ") { viewer { id } }",
    "quadratic merges": "{"
    + " ".join(f"...f{n}" for n in range(28))
    + "} "
    + " ".join(f"fragment f{n} on Query {{ t: task(number: {n}) {{ number name }} }}" for n in range(28)),
    "merges of merges": "{ tasks { nodes {" + "kind { queue { name } } " * 29 + "} } tasks { nodes { x } } }",
    "too many rows": "{ tasks(first: 100000) { nodes { id } } }",
    "rows below none": "{ tasks(first: -1) { nodes { id } } }",
    "both ends": "{ tasks(first: 5, last: 5) { nodes { id } } }",
    "infinity": 'mutation { createTask(input: {name: "n", options: {delaySeconds: 1e999}}) { created } }',
    "a number without end": "{ task(number: " + "9" * 19_000 + ") { id } }",
    "a long list": "{ tasks(filter: {ids: [" + "1 " * 1_900 + "]}) { totalCount } }",
    "unknown fields": "{ viewer {" + " ".join(f"usernam{n}" for n in range(450)) + "} }",
    "unknown arguments": "{ tasks(" + " ".join(f"firs{n}: 1" for n in range(450)) + ") { totalCount } }",
    "unknown types": "query (" + " ".join(f"$v{n}: TaskFilte{n}" for n in range(300)) + ") { viewer { id } }",
    "a search without end": '{ tasks(query: "' + "a " * 9_000 + '") { totalCount } }',
    "a search of quotation marks": '{ tasks(query: "' + r"\"" * 9_000 + '") { totalCount } }',
    "a cursor without end": '{ tasks(after: "' + "QQ" * 9_000 + '") { totalCount } }',
    "subscription": "subscription { viewer { id } }",
    "definitions only": "fragment f on User { id }",
    "schema language": "type A { b: Int }",
}
COMPLEX = {
    "aliases", "many aliases", "repeated fields", "braces", "nested lists", "nested objects", "depth", "rows",
    "rows of rows", "rows by variable", "directives", "two operations", "two hundred operations", "fragment bomb",
    "long", "comments", "unused fragments", "one field with arguments again and again",
    "fragments that say the same", "repeated fields of every sort",
}  # fmt: skip


def least_seconds(try_it: Callable[[], object]) -> float:
    """Of processor time."""
    return min(_seconds(try_it) for _ in range(TRIES))


def _seconds(try_it: Callable[[], object]) -> float:
    before = time.thread_time()
    try_it()
    return time.thread_time() - before


@pytest.mark.parametrize("name", list(EVIL))
@pytest.mark.django_db
def test_an_evil_document_is_refused_fast(asker: Asker, name: str) -> None:
    response = asker.send({"query": EVIL[name]})
    assert response.status_code == 400, response.content[:300]
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes == {"QUERY_TOO_COMPLEX" if name in COMPLEX else "BAD_USER_INPUT"}
    assert len(response.content) < 20_000
    assert least_seconds(lambda: asker.send({"query": EVIL[name]})) < MOST_SECONDS


ONE = '{"query": "query ($v: %s) { %s }", "variables": {"v": %s}}'
FILTER = ONE % ("TaskFilter", "tasks(filter: $v) { totalCount }", "%s")
MAKE = ONE.replace("query (", "mutation (") % ("[CreateTaskInput!]!", "createTasks(input: $v) { createdCount }", "%s")
EVIL_BODIES = {
    "brackets": "[" * 200_000,
    "closed brackets": "[" * 100_000 + "]" * 100_000,
    "braces": '{"a":' * 150_000,
    "brackets in the variables": FILTER % ("[" * 300_000),
    "a deep variable": FILTER % ("[" * 900 + "]" * 900),
    "a deep filter": FILTER % ('{"status":' * 900 + "1" + "}" * 900),
    "many ids": FILTER % f'{{"ids": [{"1," * 300_000}1]}}',
    "ids that are none": FILTER % f'{{"ids": [{"null," * 150_000}1]}}',
    "kinds without end": FILTER % f'{{"kind": [{"7," * 300_000}1]}}',
    "unknown fields": FILTER % ("{" + ",".join(f'"statu{n}": 1' for n in range(50_000)) + "}"),
    "a number without end": FILTER % ("9" * 900_000),
    "a long name": FILTER % f'{{"name": "{"x" * 900_000}"}}',
    "tasks that are none": MAKE % f"[{'1,' * 300_000}1]",
    "tasks without anything": MAKE % f"[{'{},' * 200_000}1]",
    "infinity": FILTER % "1e999",
    "no number": FILTER % "NaN",
    "blanks": " " * 900_000,
    "a document of quotation marks": '{"query": "' + '\\"' * 300_000 + '"}',
}


MANY = {
    "many ids", "ids that are none", "kinds without end", "unknown fields", "tasks that are none",
    "tasks without anything", "a document of quotation marks",
}  # fmt: skip


@pytest.mark.parametrize("name", list(EVIL_BODIES))
@pytest.mark.django_db
def test_an_evil_body_is_refused_fast(asker: Asker, name: str) -> None:
    response = asker.send(EVIL_BODIES[name])
    assert response.status_code == 400, response.content[:300]
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes == {"QUERY_TOO_COMPLEX" if name in MANY else "BAD_USER_INPUT"}
    assert len(response.content) < 20_000
    assert least_seconds(lambda: asker.send(EVIL_BODIES[name])) < MOST_SECONDS


def test_a_thousand_tasks_with_every_option_pass() -> None:
    document = compiled(json.loads(MAKE % "[]")["query"], introspection=False)
    names = ["queue", "runAfter", "delaySeconds", "priority", "timeoutSeconds", "maxAttempts", "idempotencyKey"]
    task = {"name": "n", "kind": "k", "params": {"x": [1] * 500}, "options": dict.fromkeys(names, 1)}
    check_size(document, {"v": [task] * 1_000})
    with pytest.raises(BadDocument, match="at most 20,000 values"):
        check_size(document, {"v": [task] * 2_000})


def test_a_refusal_names_the_limit_and_the_value() -> None:
    with pytest.raises(BadDocument, match=r"at most 30 aliases \(it has 31\)"):
        compiled(EVIL["aliases"], introspection=False)
    with pytest.raises(BadDocument, match=r"at most 10 levels \(it has 11\)"):
        compiled(EVIL["depth"], introspection=False)
    with pytest.raises(BadDocument, match=r"at most 20,000 characters \(it has 20,019\)"):
        compiled(EVIL["long"], introspection=False)
    with pytest.raises(BadDocument, match=r"One operation a request \(there are 2\)"):
        compiled(EVIL["two operations"], introspection=False)


@pytest.mark.django_db
def test_thirty_aliases_pass(asker: Asker) -> None:
    answer = asker.data("{" + " ".join(f"a{n}: viewer {{ username }}" for n in range(30)) + "}")
    assert len(answer) == 30


def test_a_page_of_everything_passes() -> None:
    task = (
        "id number name kind { name doc schema queue { name } } params status reason statusText value valueText result"
        " error { type message traceback } queue { id name } createdAt createdBy { id username } runAfter startedAt"
        " finishedAt queuedSeconds runSeconds viewerCan { delete }"
    )
    compiled(
        f"{{ tasks(first: 100) {{ totalCount pageInfo {{ endCursor }} nodes {{ {task} }} }} }}", introspection=False
    )


def test_the_largest_document_that_passes_is_compiled_fast() -> None:
    fields = "id number name params status reason statusText value valueText result runAfter startedAt finishedAt "
    text = "{ tasks(first: 1) { nodes {" + fields * 30 + "} } }"
    assert least_seconds(lambda: _compile(text, introspection=False)) < MOST_SECONDS


def test_a_document_is_parsed_once() -> None:
    text = "{ viewer { username id } }"
    assert compiled(text, introspection=False) is compiled(text, introspection=False)


@pytest.mark.django_db
def test_a_mistake_in_a_document_is_shown_with_its_place(asker: Asker) -> None:
    (error,) = asker.ask("{\n  viewer { usernam }\n}")["errors"]
    assert error["message"] == "Cannot query field 'usernam' on type 'User'. Did you mean 'username'?"
    assert error["locations"] == [{"line": 2, "column": 12}]
    (error,) = asker.ask("{ viewer {")["errors"]
    assert error["message"] == "Syntax Error: Expected Name, found <EOF>."
    assert error["locations"] == [{"line": 1, "column": 11}]


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        ("{ task(number: 3000000000) { id } }", {}, "Int cannot represent non 32-bit signed integer value"),
        ("query ($n: Int) { task(number: $n) { id } }", {"n": 10**30}, f"{INT} (it is 1{'0' * 30})."),
        ("query ($n: Int) { task(number: $n) { id } }", {"n": True}, f"{INT} (it is true)."),
        ("query ($n: Int!) { task(number: $n) { id } }", {}, "$n is missing: it must be a whole number"),
        ('{ task(id: "abc") { id } }', {}, "This is not the id of a Task: 'abc'"),
        (f'{{ task(id: "{10**30}") {{ id }} }}', {}, "This is not the id of a Task"),
        ('{ task(id: "VXNlcjox") { id } }', {}, "This is not the id of a Task"),
        ("{ task { id } }", {}, "Give either id or number."),
        ('{ node(id: "abc") { id } }', {}, "This is not an id: 'abc'"),
        ('{ node(id: "VGFza0tpbmQ6YQBi") { id } }', {}, "This is not an id: 'VGFza0tpbmQ6YQBi'"),  # with a NUL
        ("{ tasks(filter: {status: [BANANA]}) { totalCount } }", {}, "Value 'BANANA' does not exist in 'TaskStatus'"),
        (
            'mutation { createTask(input: {name: "n", options: {delaySeconds: 1e999}}) { task { id } } }',
            {},
            "1e999 is not a finite number.",
        ),
        (
            CREATE,
            {"i": {"name": "n", "options": {"delaySeconds": True}}},
            "$i.options.delaySeconds must be a finite number (it is true).",
        ),
        (
            CREATE,
            {"i": {"name": "n", "options": {"delaySeconds": 10**400}}},
            "$i.options.delaySeconds must be a finite",
        ),
        (CREATE, {"i": {"name": None}}, "$i.name must be a text (it is null)."),
        (CREATE, {"i": None}, "$i must be an object, CreateTaskInput (it is null)."),
        (CREATE, {"i": [{"name": "n"}]}, "$i must be an object, CreateTaskInput (it is [{"),
        (CREATE, {"i": {"kind": "k"}}, "$i: Field 'name' of required type 'String!' was not provided."),
        (CREATE, {"i": {"name": "n", "nome": 1}}, "$i: Field 'nome' is not defined by type 'CreateTaskInput'."),
        (
            CREATE,
            {"i": {"name": "n", "options": {"runAfter": "tomorrow"}}},
            '$i.options.runAfter must be a date and time, such as 2026-03-01T12:00:00Z (it is "tomorrow").',
        ),
        (
            'mutation { createTask(input: {name: "n", options: {runAfter: "tomorrow"}}) { task { id } } }',
            {},
            "A date and time must look like 2026-03-01T12:00:00Z.",
        ),
        (
            "query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }",
            {"f": {"status": ["QUEUEING", None]}},
            "$f.status.1 must be one of QUEUEING, RUNNING, FINISHED, FAILED, CANCELLED (it is null).",
        ),
        (
            "query ($f: TaskFilter) { tasks(filter: $f) { totalCount } }",
            {"f": {"kind": ["a", {"b": "x" * 100}]}},
            '$f.kind.1 must be a text (it is {"b": "xxx',
        ),
    ],
)
@pytest.mark.django_db
def test_a_wrong_value_is_the_callers_mistake(
    asker: Asker, query: str, variables: dict[str, object], message: str
) -> None:
    answer = asker.ask(query, **variables)
    assert code_of(answer) == "BAD_USER_INPUT"
    assert answer["errors"][0]["message"].startswith(message)


@pytest.mark.django_db
def test_mistakes_in_many_variables_are_cut(asker: Asker) -> None:
    ids = "query ($ids: [ID!]) { tasks(filter: {ids: $ids}) { totalCount } }"
    assert len(asker.ask(ids, ids=[None] * 5_000)["errors"]) == 20


@pytest.mark.django_db
def test_the_schema_is_shown_to_staff_in_a_browser_only(asker: Asker, sam: User) -> None:
    response = asker.send({"query": get_introspection_query()})
    assert response.status_code == 400
    assert b"introspection has been disabled" in response.content
    client = Client()
    client.force_login(sam)
    response = client.post("/graphql/", {"query": get_introspection_query()}, content_type="application/json")
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


@pytest.mark.django_db
def test_a_type_may_always_be_asked_for(asker: Asker) -> None:
    assert asker.data("{ viewer { __typename } }") == {"viewer": {"__typename": "User"}}
