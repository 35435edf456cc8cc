"""No secret leaves a process: not in what it prints, not on a page, not in its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client, RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from apps.accounts import links
from apps.tasks import shares
from config import settings as ours
from devstack import credentials
from tests.fixtures.asking import Asker
from tests.fixtures.processes import ROOT, Process, eventually
from tests.tasks.rows import a_task

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "c4n4ry" + "Xy7" * 20
GIVEN = {
    "MILLRACE_SECRET_KEY": f"key-{CANARY}",
    "DATABASE_URL": f"postgres://u:db-{CANARY}@127.0.0.1:1/m",
    "RABBITMQ_URL": f"amqp://u:mq-{CANARY}@127.0.0.1:1/v",
    "MILLRACE_TOKEN": f"mrs_{CANARY}",
    "MILLRACE_ARTIFACTS_STORAGE": "django.core.files.storage.InMemoryStorage",
    "MILLRACE_ARTIFACTS_OPTIONS": f'{{"base_url": "/{CANARY}/"}}',
    "MILLRACE_PUBLIC_URL": "https://millrace.example.org",
}
COMMANDS = ["doctor --deploy --values", "doctor --deploy --json --values", "check --deploy --database default", "link"]
WRONG = {
    "MILLRACE_SECRET_KEY": CANARY[:40],
    "DATABASE_URL": f"mysql://u:{CANARY}@h/m",
    "RABBITMQ_URL": f"http://u:{CANARY}@h/",
    "MILLRACE_ARTIFACTS_OPTIONS": f'{{"secret": "{CANARY}"',
    "MILLRACE_PUBLIC_URL": f"https://u:{CANARY}@h/",
}


def said(folder: Path, *words: str, **environment: str) -> str:
    """All that a command prints."""
    given = {"PATH": os.environ["PATH"], "MILLRACE_VAR": str(folder), **environment}
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_secret(command: str, tmp_path: Path) -> None:
    secrets = credentials.ensure(tmp_path / "var")
    printed = said(tmp_path / "var", *command.split(), **GIVEN)
    assert "error" in printed.lower() or "fault" in printed
    kept = [secrets["secret_key"], secrets["sink_token"], *secrets["broker"]["logins"].values()]
    assert [secret for secret in (CANARY, *kept) if secret in printed] == []


def test_no_complaint_of_a_wrong_value_shows_what_may_be_secret_in_it(tmp_path: Path) -> None:
    printed = said(tmp_path, "link", **{**GIVEN, **WRONG})
    assert [line.split()[1] for line in printed.splitlines()] == sorted(WRONG, key=ORDER.index)
    assert CANARY[:20] not in printed


ORDER = ["MILLRACE_SECRET_KEY", "MILLRACE_PUBLIC_URL", "RABBITMQ_URL", "DATABASE_URL", "MILLRACE_ARTIFACTS_OPTIONS"]


@pytest.mark.parametrize("process", [("manage.py", "relay"), ("-m", "workers"), ("-m", "sink")])
def test_no_process_prints_a_secret_or_shows_it_in_its_command(
    process: tuple[str, ...], run: Callable[..., Process], tmp_path: Path
) -> None:
    given = {**GIVEN, "MILLRACE_VAR": str(tmp_path), "MILLRACE_SANDBOX_PRELOAD": "json"}
    given.pop("DATABASE_URL")
    running = run(*process, **given)
    eventually(lambda: "waiting for RabbitMQ at 127.0.0.1:1" in running.output or running.child.poll() is not None)
    assert running.child.poll() is None, running.output
    command = Path(f"/proc/{running.child.pid}/cmdline")
    assert CANARY not in (command.read_text() if command.exists() else "")
    running.stop()
    assert CANARY not in running.output


def test_what_is_typed_at_the_door_stands_in_no_log_and_on_no_page(
    alice: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_given: Any) -> None:
        raise RuntimeError

    web = Client(raise_request_exception=False)
    pages = [web.post("/login/", {"username": "alice", "password": CANARY})]
    pages.append(web.get(f"/start/{CANARY}"))
    pages.append(
        web.post("/graphql/", {}, content_type="application/json", headers={"authorization": f"Bearer {CANARY}"})
    )
    monkeypatch.setattr("django.contrib.auth.forms.authenticate", lambda *_request, **given: fail(**given))
    pages.append(web.post("/login/", {"username": "alice", "password": CANARY}))
    assert [page.status_code for page in pages] == [422, 410, 401, 500]
    printed = "".join(capfd.readouterr())
    assert not [text for text in (*(page.content.decode() for page in pages), caplog.text, printed) if CANARY in text]


def test_no_table_holds_what_lets_somebody_in(alice: User) -> None:
    texts = [links.invite(alice), links.make(alice), shares.make(user=alice, task=a_task(alice), days=1)]
    assert [Client().get(f"/{way}/{text}").status_code for way, text in (("start", texts[1]), ("join", texts[0]))] == [
        303,
        200,
    ]
    texts.append((asker := Asker.of(alice)).token)
    assert asker.data("{ viewer { username } }") == {"viewer": {"username": "alice"}}
    rows = (row for model in apps.get_models() for row in model._base_manager.all())
    dump = serializers.serialize("json", rows)
    assert alice.username in dump
    assert [text for text in texts if text[12:] in dump] == []


def test_the_page_of_an_error_hides_settings_with_secrets() -> None:
    """Which stands there with MILLRACE_DEBUG, on this machine alone."""
    secret = {
        "SECRET_KEY": CANARY,
        "SECRETS": {"sink_token": CANARY},
        "RABBITMQ_URL": f"amqp://u:{CANARY}@h/",
        "STORAGES": {**ours.STORAGES, "artifacts": {"BACKEND": "x", "OPTIONS": {"access": CANARY}}},
    }
    request = RequestFactory().get("/", headers={"cookie": f"millrace_session={CANARY}"}, DATABASE_URL=CANARY)
    with override_settings(**secret):
        try:
            raise RuntimeError  # noqa: TRY301 the page is about what is raised here
        except RuntimeError as error:
            html = ExceptionReporter(request, RuntimeError, error, error.__traceback__).get_traceback_html()
    assert "RABBITMQ_URL" in html
    # What remains is this function's own: `secret`, as the frame's variables show it.
    assert CANARY not in html.partition('id="requestinfo"')[2].partition("millrace_session")[0]
    assert CANARY not in html.partition('id="settings-info"')[2]


def test_that_page_is_for_this_machine_alone(tmp_path: Path) -> None:
    here = {"MILLRACE_DEBUG": "1", "MILLRACE_SECRET_KEY": GIVEN["MILLRACE_SECRET_KEY"]}
    for name, value in (("MILLRACE_ALLOWED_HOSTS", "example.org"), ("MILLRACE_PUBLIC_URL", "https://example.org")):
        refused = said(tmp_path, "link", **here, **{name: value})
        assert refused.startswith(
            "error: MILLRACE_DEBUG shows pages with secrets, on this machine alone: unset it, or "
        )
