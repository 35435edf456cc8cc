"""Artifacts over HTTP: the sink's door, downloads, what is shown, the task's page, GraphQL."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import escape

from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.tasks.lifecycle import Status
from apps.tasks.models import Artifact, ArtifactChunk, Task
from tests.fixtures.asking import Asker
from tests.fixtures.statements import Statements
from tests.tasks.made import DATA, chunks_of, keep
from tests.tasks.rows import a_task, an_attempt, text_of
from workers.artifacts import CHUNK_HEADER

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User) -> Task:
    task = a_task(alice, status=Status.FINISHED)
    an_attempt(task)
    return task


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    place = {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    return tmp_path


@pytest.fixture
def sink() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.make(user=None, scopes={Scope.SINK}, name='sink')[1]}"}


def post(client: Client, headers: dict[str, str], chunk: str, data: bytes, **more: Any) -> Any:
    given = {"content_type": "application/octet-stream", **more}
    return client.post("/artifacts/chunks/", data, headers={**headers, CHUNK_HEADER: chunk}, **given)


def test_the_sinks_door_takes_chunks(client: Client, task: Task, sink: dict[str, str]) -> None:
    for chunk, data in chunks_of(task, DATA, "größe.csv"):
        answer = post(client, sink, chunk.encode(), data)
        assert (answer.status_code, answer.json()) == (200, {"data": {"verdict": "STORED"}})
    assert Artifact.objects.get().name == "größe.csv"


def test_the_sinks_door_is_closed_to_others(web: Client, task: Task, alice: User) -> None:
    ((chunk, data),) = chunks_of(task, b"x")
    assert post(web, {}, chunk.encode(), data).status_code == 401
    assert post(web, {"Authorization": "Bearer no"}, chunk.encode(), data).status_code == 401
    for scopes in ({Scope.WORKER}, {Scope.TASKS_WRITE, Scope.TASKS_READ}):
        _, text = tokens.make(user=alice if Scope.TASKS_READ in scopes else None, scopes=scopes)
        assert post(web, {"Authorization": f"Bearer {text}"}, chunk.encode(), data).status_code == 403
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": 2},
        {"task": 0},
        {"attempt": "1"},
        {"run": ""},
        {"ordinal": -1},
        {"ordinal": 100},
        {"index": 10**9},
        {"size": -1},
        {"sha256": "x"},
        {"label": {"name": "../x", "content_type": "text/csv"}},
        {"label": {"name": "a\nb", "content_type": "text/csv"}},
        {"label": {"name": "a\u202egnp.exe", "content_type": "text/csv"}},
        {"label": {"name": "x" * 201, "content_type": "text/csv"}},
        {"label": {"name": "x", "content_type": "text/html; charset=x"}},
        {"label": None},
    ],
)
def test_a_chunk_that_is_none_is_answered_with_a_sentence(
    client: Client, task: Task, sink: dict[str, str], wrong: dict[str, Any]
) -> None:
    ((chunk, data),) = chunks_of(task, b"x")
    answer = post(client, sink, json.dumps({**json.loads(chunk.encode()), **wrong}), data)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"]
    assert not ArtifactChunk.objects.exists()


def test_a_chunk_may_not_be_larger_than_a_message(client: Client, task: Task, sink: dict[str, str]) -> None:
    ((chunk, _),) = chunks_of(task, b"x")
    assert post(client, sink, chunk.encode(), bytes(1_048_577)).status_code == 413
    assert post(client, sink, chunk.encode(), b"x", content_type="text/plain").status_code == 415
    assert client.get("/artifacts/chunks/", headers=sink).status_code == 405


def test_it_is_downloaded_as_it_was(web: Client, task: Task) -> None:
    artifact = keep(task, DATA, "größe & 50%.csv")
    response = web.get(artifact.url)
    assert b"".join(response) == DATA
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Length"] == str(len(DATA))
    assert "sandbox; default-src 'none'" in response.headers["Content-Security-Policy"]


RANGES = [
    ("bytes=0-9", 206, DATA[:10], "bytes 0-9/2560"),
    ("bytes=2550-", 206, DATA[2550:], "bytes 2550-2559/2560"),
    ("bytes=-10", 206, DATA[-10:], "bytes 2550-2559/2560"),
    ("bytes=100-99999", 206, DATA[100:], "bytes 100-2559/2560"),
    ("bytes=2560-", 416, b"", "bytes */2560"),
    ("bytes=5-2", 200, DATA, ""),
    ("bytes=0-1,5-6", 200, DATA, ""),
    ("bytes=-", 200, DATA, ""),
    ("pages=1-2", 200, DATA, ""),
]


@pytest.mark.parametrize("case", RANGES, ids=lambda case: case[0])
def test_a_download_goes_on_where_it_was_cut_off(web: Client, task: Task, case: tuple[str, int, bytes, str]) -> None:
    asked, status, data, told = case
    response = web.get(keep(task, DATA).url, headers={"Range": asked})
    body = b"".join(response) if response.streaming else response.content
    assert (response.status_code, body) == (status, data)
    assert response.headers.get("Content-Range", "") == told
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_a_range_of_another_file_is_no_range_of_this_one(web: Client, task: Task) -> None:
    artifact = keep(task, DATA)
    mine = {"Range": "bytes=0-9", "If-Range": web.get(artifact.url).headers["ETag"]}
    assert web.get(artifact.url, headers=mine).status_code == 206
    assert web.get(artifact.url, headers={**mine, "If-Range": '"other"'}).status_code == 200


def test_it_is_shown_to_those_alone_who_may_see_its_task(
    client: Client, task: Task, alice: User, bob: User, sam: User
) -> None:
    url = keep(task, DATA).url
    assert client.get(url).status_code == 302
    for user, status in ((alice, 200), (bob, 404), (sam, 200)):
        client.force_login(user)
        assert client.get(url).status_code == status
        assert client.get(f"{url}?show=1").status_code == status
    client.logout()
    by_token: list[tuple[User | None, Scope, int]] = [
        (alice, Scope.TASKS_READ, 200),
        (bob, Scope.TASKS_READ, 404),
        (None, Scope.SINK, 403),
        (None, Scope.WORKER, 403),
    ]
    for whose, scope, status in by_token:
        _, text = tokens.make(user=whose, scopes={scope})
        assert client.get(url, headers={"Authorization": f"Bearer {text}"}).status_code == status
    assert client.get(url, headers={"Authorization": "Bearer no"}).status_code == 404


def test_an_address_that_is_not_quite_its_own_is_nothing(web: Client, task: Task, folder: Path) -> None:
    artifact = keep(task, DATA)
    for address in (
        f"/artifacts/{artifact.pk}/other.csv",
        f"/artifacts/{artifact.pk}/fit%00.csv",
        "/artifacts/99999999999999999999/fit.csv",
        "/artifacts/-1/x",
    ):
        assert web.get(address).status_code == 404
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert web.get(artifact.url).status_code == 404


WAYS = [
    ("text/html", b"<p>hi<script>alert(1)</script>", "text/html; charset=utf-8", b"<p>hi<script>alert(1)</script>"),
    ("image/svg+xml", b"<svg onload='x'/>", "image/svg+xml", b"<svg onload='x'/>"),
    ("image/png", b"\x89PNG", "image/png", b"\x89PNG"),
    (
        "text/csv",
        b"a,b\n<i>,2",
        "text/html; charset=utf-8",
        b"<tr><td class=text>&lt;i&gt;</td><td>2</td>",
    ),
    ("text/tab-separated-values", b"a\tb", "text/html; charset=utf-8", b"<th class=text>a</th><th class=text>b</th>"),
    ("text/css", b"a{}", "text/plain; charset=utf-8", b"a{}"),
    ("application/json", b"{}", "text/plain; charset=utf-8", b"{}"),
    ("text/markdown", b"# T <b>x</b> [l](https://x.example/) [j](javascript:x)", "text/html; charset=utf-8", b"<h1>T"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[0])
def test_what_is_shown_can_do_nothing(web: Client, task: Task, way: tuple[str, bytes, str, bytes]) -> None:
    content_type, data, sent_as, sent = way
    response = web.get(f"{keep(task, data, content_type=content_type).url}?show=1")
    body = b"".join(response) if response.streaming else response.content
    assert sent in body
    assert response.headers["Content-Type"] == sent_as
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in policy


def test_markdown_that_would_take_long_to_render_is_shown_as_it_is(web: Client, task: Task) -> None:
    response = web.get(f"{keep(task, b'[' * 100_001, content_type='text/markdown').url}?show=1")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_markdown_brings_no_html_of_its_own(web: Client, task: Task) -> None:
    data = b"<b>x</b> [l](https://x.example/) [j](javascript:x)\n\n| a |\n|---|\n| 1 |"
    page = text_of(web.get(f"{keep(task, data, content_type='text/markdown').url}?show=1"))
    assert "&lt;b&gt;" in page
    assert '<a href="https://x.example/" rel="nofollow noopener noreferrer" target="_blank">' in page
    assert 'href="javascript' not in page
    assert "<td>1</td>" in page


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "application/pdf", "application/xhtml+xml", "application/javascript"]
)
def test_what_could_do_something_is_downloaded_even_when_it_is_asked_to_be_shown(
    web: Client, task: Task, content_type: str
) -> None:
    response = web.get(f"{keep(task, b'x', content_type=content_type).url}?show=1")
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_the_tasks_page_shows_what_was_returned_and_lists_the_rest(web: Client, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(result='"a table"')
    keep(task, b"<table>", "result.html", content_type="text/html", shown=True)
    keep(task, b"\x89PNG", "result.png", content_type="image/png", shown=True, ordinal=1)
    other = keep(task, DATA, "rows & more.csv", ordinal=2)
    page = text_of(web.get(f"/tasks/{task.pk}/"))
    assert 'sandbox=""' in page
    assert "result.png?show=1" in page
    assert f'href="{escape(other.url)}"' in page
    assert "rows &amp; more.csv" in page
    assert "2.5 KiB" in page
    assert "a table" not in page


@pytest.mark.parametrize(
    ("stored", "name", "is_told"),
    [
        ({"result": '"1 figure"'}, "figure-1.png", False),
        ({"result": None}, "figure-1.png", False),
        ({"result": '"a text of its own"'}, "figure-1.png", True),
        ({"result": '{"mean": 1}'}, "result.png", True),
        ({"value_text": "0.25"}, "figure-1.png", True),
    ],
)
def test_a_value_that_says_more_than_what_is_shown_is_told_as_well(
    web: Client, task: Task, stored: dict[str, Any], name: str, is_told: bool
) -> None:
    Task.objects.filter(pk=task.pk).update(**stored)
    keep(task, b"\x89PNG", name, content_type="image/png", shown=True)
    page = text_of(web.get(f"/tasks/{task.pk}/"))
    assert ('id="outcome"' in page) == is_told
    assert "returned nothing" not in page
    assert 'id="shown-title"' in page


PICTURE = {"content_type": "image/png", "shown": True}


@pytest.mark.parametrize(
    ("result", "names", "cell"),
    [
        ('"<Figure size 640x480>"', ["result.png"], "Picture"),
        ('"1 figure"', ["figure-1.png"], "Picture"),
        (None, ["figure-1.png", "figure-2.png"], "2 pictures"),
        ('"a text"', ["figure-1.png"], "&quot;a text&quot;"),
        ('{"a":1}', ["result.png"], "{&quot;a&quot;: 1}"),
    ],
)
def test_pictures_are_called_so_in_the_table(
    web: Client, alice: User, result: str | None, names: list[str], cell: str
) -> None:
    task = a_task(alice, status=Status.FINISHED, result=result, worker="w1")
    an_attempt(task)
    for n, name in enumerate(names):
        keep(task, b"\x89PNG", name, **PICTURE, ordinal=n)
    other = keep(task, b"\x89PNG", "another.png", content_type="image/png", ordinal=9)
    for run in ({"attempt": 1, "worker": "w2"}, {"attempt": 2}):  # not by what has become the outcome
        Artifact.objects.create(
            task=task, **{"worker": "w1", "ordinal": 7, "run": "r", "name": "result.png", **PICTURE, **run},
            file=other.file, created_at=task.created_at,
        )  # fmt: skip
    for sort in ("created", "name"):
        html = text_of(web.get("/tasks/", {"sort": sort}))
        shown = re.search(r'<td class="t-value">(.*?)</td>', html, re.DOTALL)
        assert shown
        assert re.sub(r"<[^>]+>", "", shown[1]).strip() == cell


def test_a_picture_that_comes_late_is_told(web: Client, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(worker="w1", result='"1 figure"')
    html = text_of(web.get("/tasks/"))
    assert "&quot;1 figure&quot;" in html
    keep(task, b"\x89PNG", "figure-1.png", **PICTURE)
    tag = re.search(r'hx-ptag="([^"]+)"', html)
    changes = re.search(r'"(/tasks/changes/[^"]*)"', html)
    assert tag
    assert changes
    html = text_of(web.get(changes[1], headers={"HX-Request": "true", "HX-PTag": tag[1]}))
    assert "Picture" in html


def test_graphql_tells_them_with_as_many_statements_for_many_tasks_as_for_one(
    alice: User, task: Task, statements: Statements
) -> None:
    query = "{ tasks { nodes { artifacts { id name contentType bytes url sha256 } } } }"
    artifact, asker = keep(task, DATA), Asker.of(alice)
    asker.data(query)  # the token is known from here on
    with statements() as few:
        ((told,),) = [each["artifacts"] for each in asker.data(query)["tasks"]["nodes"]]
    assert told.pop("id")
    assert told == {
        "name": "fit.csv",
        "contentType": "text/csv",
        "bytes": len(DATA),
        "url": artifact.url,
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }
    for _ in range(5):
        other = a_task(alice, status=Status.FINISHED)
        an_attempt(other)
        keep(other, DATA)
    with statements() as many:
        assert len(asker.data(query)["tasks"]["nodes"]) == 6
    assert len(many) == len(few)


def test_the_page_hears_of_an_artifact_that_arrives_after_the_outcome(web: Client, task: Task) -> None:
    address = f"/tasks/{task.pk}/changes/"
    tag = re.search(r'hx-ptag="([^"]+)"', text_of(web.get(f"/tasks/{task.pk}/")))
    assert tag
    headers = {"HX-Request": "true", "HX-PTag": tag[1]}
    assert web.get(address, headers=headers).status_code == 304
    keep(task, DATA)
    assert "fit.csv" in text_of(web.get(address, headers=headers))
