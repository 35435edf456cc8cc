"""Whatever somebody has typed, and a worker has said, stands on a page as text and as nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, reverse

from apps.queues.models import Environment
from apps.tasks import shares
from apps.tasks.models import Artifact, Clock, Sweep, Task
from tests.fixtures.hostile import PAYLOADS, TEXTS, Reading, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def sam(settings: Any, tmp_path: Path) -> User:
    place = {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    Clock.objects.get_or_create(id=1)
    return User.objects.create_superuser("sam", password="sam's own words")


@pytest.fixture
def web(sam: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(sam)
    return client


def judged(response: Any, what: str) -> tuple[list[str], str]:
    """What is wrong with a page, and its text."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    wrong = [f"{what}: {response.status_code}"] if response.status_code >= 500 else []
    if not response.headers.get("Content-Type", "text/html").startswith("text/html"):
        return wrong, ""
    reading = Reading(body.decode())
    return wrong + [f"{what}: {stray}" for stray in reading.strays], reading.text


def test_what_is_stored_is_shown_as_text_on_every_page(web: Client, sam: User) -> None:
    tasks = fill(sam)
    wrong: list[str] = []
    shown: set[str] = set()
    for name, address in addresses(tasks, sam):
        headers = HTMX if name in FRAGMENTS else {}
        found, text = judged(web.get(address, headers=headers), f"{name} {address}")
        wrong += found
        shown |= {name} if "xmark" in text else set()
    assert wrong == []
    # Where it did not come to stand, nothing is proved.
    assert shown >= SHOWN, SHOWN - shown


FRAGMENTS = {"tasks:environment", "tasks:task_copy", "tasks:look", "workers:environment"}
SHOWN = {
    "tasks:list", "tasks:changes", "tasks:task", "tasks:task_changes", "tasks:task_copy", "tasks:create", "tasks:sweep",
    "tasks:output_changes", "failures:list", "failures:changes", "failures:group",
    "failures:group_changes", "workers:list", "workers:changes", "workers:environment", "audit:list", "people",
    "person",
    "account", "all_tokens", "shared:task", "overview:show",
}  # fmt: skip
OTHERS = {
    "login", "logout", "start", "join", "switch", "invite", "make_token", "revoke_token", "change_password",
    "end_sessions",
    "graphql", "graphiql", "healthz", "readyz", "metrics", "styleguide",
    "artifacts:chunks", "artifacts:file", "shared:file",
    "tasks:example",
    "tasks:again", "tasks:retry", "tasks:cancel", "tasks:delete", "tasks:priority", "tasks:share_revoke",
    "tasks:output_text",
    "tasks:sweep_stop", "failures:retry", "failures:delete", "workers:drain", "workers:stop", "workers:resume",
    "queues:pause", "queues:resume", "queues:limits", "queues:purge",
}  # fmt: skip


def addresses(tasks: list[Task], sam: User) -> Iterator[tuple[str, str]]:
    plain = [
        "tasks:list", "tasks:changes", "tasks:look", "tasks:copy", "tasks:everything", "tasks:create", "failures:list",
        "failures:changes", "queues:list", "queues:changes", "workers:list", "workers:changes", "overview:show",
        "overview:changes", "overview:hour", "audit:list", "people", "account", "all_tokens", "health",
        "tasks:completions",
    ]  # fmt: skip
    yield from ((name, reverse(name)) for name in plain)
    yield from (("tasks:list", f"/tasks/?sort={sort}") for sort in ("name", "-kind", "status", "-ran"))
    yield from (("tasks:task", reverse("tasks:task", args=[task.pk])) for task in tasks)
    for task in tasks[::3]:
        for name in ("task_changes", "task_copy", "shares"):
            yield f"tasks:{name}", reverse(f"tasks:{name}", args=[task.pk])
        yield "tasks:output_changes", reverse("tasks:output_changes", args=[task.pk])
        yield "tasks:environment", reverse("tasks:environment", args=[task.pk, 1])
        yield "shared:task", f"/shared/{shares.make(user=sam, task=task, days=1)}/"
    for cause in Task.objects.filter(cause__isnull=False).values_list("cause", flat=True):
        yield "failures:group", f"/failures/{cause}/"
        yield "failures:group_changes", f"/failures/{cause}/changes/"
    for kind in (name for text in TEXTS for name in (text, f"code {text}")):
        yield "tasks:create", f"/tasks/new/?kind={quote(kind)}"
    for user in User.objects.exclude(pk=sam.pk):
        yield "person", f"/people/{user.pk}/"
    for sweep in Sweep.objects.all():
        yield "tasks:sweep", f"/tasks/all/{sweep.pk}/"
    for environment in Environment.objects.all():
        yield "workers:environment", f"/workers/environments/{environment.pk}/"


def test_no_address_is_left_out(sam: User) -> None:
    walked = {name for name, _ in addresses([], sam)} | SHOWN
    assert names_of(get_resolver()) == walked | OTHERS | {"tasks:shares", "tasks:environment"}


def names_of(resolver: Any, space: str = "") -> set[str]:
    found: set[str] = set()
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            if pattern.namespace != "admin":
                found |= names_of(pattern, f"{pattern.namespace}:" if pattern.namespace else space)
        elif pattern.name:
            found.add(f"{space}{pattern.name}")
    return found


@pytest.mark.parametrize("payload", [*TEXTS[:4], " ".join(TEXTS[4:])])
def test_what_is_typed_comes_back_as_text(web: Client, payload: str) -> None:
    everything = dict.fromkeys(
        ["name", "kind", "shown", "p.x", "params", "run_at", "delay", "zone", "priority", "timeout_seconds", "queue",
         "max_attempts", "number", "next", "username", "role", "days", "scopes", "typed", "to", "act", "count", "q",
         "digest"],
        payload,
    )  # fmt: skip
    passwords = {"old_password": "sam's own words", "new_password1": payload, "new_password2": "x"}
    asked = quote(payload, safe="")
    wrong: list[str] = []
    for address in (
        f"/tasks/?q={asked}", f"/tasks/?q=name:%22{asked}%22&sort={asked}&after={asked}", f"/tasks/changes/?q={asked}",
        f"/tasks/completions/?q={asked}&at=3", f"/tasks/all/?q={asked}", f"/tasks/copy/?q={asked}",
        f"/audit/?person={asked}",
        f"/audit/?object={asked}&day={asked}&act={asked}", f"/overview/?span={asked}",
        f"/tasks/new/?kind={asked}&name={asked}",
        f"/login/?next={asked}", f"/start/{asked}", f"/join/{asked}", f"/nothing/{asked}", f"/tasks/look/?next={asked}",
        f"/shared/{asked}/", f"/queues/{asked}/purge/", f"/tasks/1/?q={asked}&sort={asked}&attempt={asked}",
    ):  # fmt: skip
        headers = {**HTMX, "HX-Current-URL": f"http://testserver/tasks/?q={asked}"} if "q=" in address else {}
        wrong += judged(web.get(address, headers=headers), address)[0]
    for address in (
        "/tasks/new/", "/tasks/retry/", "/tasks/cancel/", "/tasks/delete/", "/tasks/priority/", "/tasks/again/",
        "/tasks/all/",
        "/tasks/look/", "/people/", "/account/tokens/", "/account/password/", "/workers/drain/", "/workers/stop/",
        "/workers/resume/", f"/queues/{asked}/pause/", f"/queues/{asked}/resume/", "/graphql/",
    ):  # fmt: skip
        for headers in ({}, HTMX):
            wrong += judged(web.post(address, {**everything, **passwords}, headers=headers), f"POST {address}")[0]
    wrong += judged(Client().post("/login/", {"username": payload, "password": payload, "next": payload}), "login")[0]
    assert wrong == []


def test_artifacts_are_made_pages_without_any_markup_of_theirs(web: Client, sam: User) -> None:
    fill(sam)
    wrong = []
    for artifact in Artifact.objects.all():
        response = web.get(f"{artifact.url}?show=1")
        assert "sandbox" in response.headers["Content-Security-Policy"], artifact.content_type
        assert "allow-scripts" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        if artifact.content_type in ("text/markdown", "text/csv"):
            found, text = judged(response, artifact.content_type)
            wrong += [stray for stray in found if "<style" not in stray]
            assert "mark" in text or "xmark" in str(response.content), artifact.name
    assert wrong == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_judge_sees_what_would_come_alive(payload: str) -> None:
    """Where a payload is markup, it is seen when a page forgets to escape it."""
    pages = (
        f"<p>{payload}</p>",
        f'<p title="{payload}">',
        f"<p title='{payload}'>",
        f'<a href="{payload}">',
        f"<p {payload}>",
    )
    escaped_ones = ("{{", "\\u003c", "%3C", "&lt;", "JaVa", "[x]")
    assert any(Reading(page).strays for page in pages) or payload.startswith(escaped_ones)
