"""What needs a connection, told by `manage.py doctor`; what production's start and the documented example say."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from apps.queues import environments
from apps.queues.models import Worker
from apps.tasks.drafts import Draft
from apps.tasks.models import Kind
from apps.tasks.services import create
from config import code_switch, connections, values
from devstack import credentials, disk
from tests.fixtures.asking import Asker
from tests.fixtures.processes import ROOT
from tests.fixtures.production import documented, run

PAST = datetime(2025, 1, 1, tzinfo=UTC)
KEY = "only-for-tests-" + "0123456789" * 5


def ids() -> list[str]:
    return [fault.id.removeprefix("millrace.") for fault in connections.of_database()]


@pytest.mark.usefixtures("sink", "worker")
def test_a_database_as_it_should_be_has_no_fault() -> None:
    assert ids() == []


def test_an_away_database_is_found_without_what_follows_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(connections, "unapplied", away)
    [fault] = connections.of_database()
    assert (fault.id, fault.what) == ("millrace.E101", "The database cannot be used: connection refused.")


@pytest.mark.django_db
def test_missing_migrations_are_counted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    [fault] = connections.of_database()
    assert fault.id == "millrace.E102"
    assert re.search(r"lacks \d+ migrations?\.", fault.what)


@pytest.mark.usefixtures("sink", "worker")
def test_a_database_that_does_not_wait_for_the_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = 1 if connection.vendor == "sqlite" else "off"
    monkeypatch.setattr(connections, "_row", lambda _sql: (answer,))
    assert ids() == ["E103"]


@pytest.mark.parametrize("scope", [Scope.SINK, Scope.WORKER])
@pytest.mark.usefixtures("sink", "worker")
def test_a_process_without_a_valid_token_is_found(scope: Scope) -> None:
    tokens = [token for token in Token.objects.all() if scope in token.scopes]
    for changed in ({"revoked_at": PAST}, {"revoked_at": None, "expires_at": PAST}):
        Token.objects.filter(pk__in=[token.pk for token in tokens]).update(**changed)
        assert ids() == ["E104"]


@pytest.mark.parametrize("off", [timedelta(seconds=7), timedelta(days=-400)])
@pytest.mark.usefixtures("sink", "worker")
def test_clocks_that_differ_are_found(off: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "database_now", lambda: datetime.now(UTC) + off)
    assert ids() == ["E108"]


@pytest.mark.usefixtures("sink", "worker")
def test_a_worker_that_shuts_code_in_less_well_is_found() -> None:
    kept = environments.keep({"sandbox": "reduced", "sandbox_fix": "apt-get install bubblewrap"})
    now = timezone.now()
    Worker.objects.create(
        name="w1", host="h", pid=1, concurrency=1, started_at=now, last_seen_at=now, environment_id=kept
    )
    [fault] = connections.of_database()
    assert (fault.id, fault.fix) == ("millrace.W107", "apt-get install bubblewrap")
    assert "w1 (sandbox: reduced)" in fault.what


@pytest.mark.usefixtures("sink", "worker")
def test_no_sandbox_is_missed_where_code_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, now = environments.keep({"sandbox": "none"}), timezone.now()
    Worker.objects.create(
        name="w1", host="h", pid=1, concurrency=1, started_at=now, last_seen_at=now, environment_id=kept
    )
    assert ids() == ["W107"]
    with override_settings(CODE=False, ENV="production"):
        assert ids() == []
        assert code_switch.sentence() == (
            "Code written in the browser is off, as in production unless MILLRACE_CODE says otherwise: "
            "MILLRACE_CODE=on switches it on, for web and workers."
        )
    monkeypatch.setenv("MILLRACE_CODE", "1")
    assert code_switch.sentence().startswith("Code written in the browser is on, as MILLRACE_CODE says:")


@pytest.mark.usefixtures("sink", "worker")
def test_a_time_limit_beyond_what_another_broker_waits_is_found_with_both_values(alice: User, noop: Kind) -> None:
    Kind.objects.update(timeout_seconds=7_200)
    assert ids() == []  # the private one waits longer than any of them may be
    with override_settings(RABBITMQ_URL="amqp://u:p@h/"):
        [fault] = connections.of_database()
        assert fault.id == "millrace.E110"
        assert "demo.noop may run 7,200 seconds, but RabbitMQ takes a delivery back after 1,800" in fault.what
        assert "consumer_timeout = 7260000 in rabbitmq.conf and MILLRACE_CONSUMER_TIMEOUT_SECONDS=7260" in fault.fix
        create(user=alice, draft=Draft(name="n", kind="demo.noop", timeout_seconds=9_000))
        assert ids() == ["E110", "E110"]
        with override_settings(CONSUMER_TIMEOUT_SECONDS=9_060):
            assert ids() == []


@pytest.mark.parametrize(("free", "fault"), [(5_000_000_000, []), (900_000_000, ["W109"]), (1_000_000, ["E109"])])
def test_a_disk_that_is_nearly_full_is_found(free: int, fault: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: free)
    assert [each.id.removeprefix("millrace.") for each in connections._of_disk()] == fault


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_once_for_all_logins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sink: Asker, worker: Asker
) -> None:
    secrets = credentials.ensure(tmp_path / "var")
    silent = ["millrace.E016"]  # a PostgreSQL that root starts has opened the tests' folder to others
    with override_settings(SECRETS=secrets, SILENCED_SYSTEM_CHECKS=silent), pytest.raises(SystemExit) as stop:
        call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert stop.value.code == 1
    (fault,) = told["faults"]
    assert (fault["id"], fault["fix"]) == ("millrace.E105", "Start bin/dev.")
    assert fault["what"].startswith("RabbitMQ cannot be used by the relay, worker and sink: 127.0.0.1:")
    away = "amqp://u:hush@127.0.0.1:1/"
    with override_settings(RABBITMQ_URL=away, SILENCED_SYSTEM_CHECKS=silent), pytest.raises(SystemExit):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "RabbitMQ cannot be used by the relay: 127.0.0.1:1: connection refused." in said
    assert "1 fault found." in said
    assert "hush" not in said


SHOWN = {
    ("MILLRACE_SECRET_KEY", KEY): "*** (65 characters)",
    ("MILLRACE_TOKEN", "mrs_x"): "*** (5 characters)",
    ("MILLRACE_ARTIFACTS_OPTIONS", '{"secret_key": "x"}'): "*** (19 characters)",
    ("RABBITMQ_URL", "amqp://a:p@b@h1/,amqps://c:q@h2/v"): "amqp://a:***@h1/,amqps://c:***@h2/v",
    ("DATABASE_URL", "postgres://h/m?password=x&sslmode=y"): "postgres://h/m?password=***&sslmode=y",
    ("MILLRACE_PUBLIC_URL", "https://example.org"): "https://example.org",
}


@pytest.mark.parametrize("given", SHOWN)
def test_secrets_among_values_are_masked(given: tuple[str, str]) -> None:
    assert values.shown(*given) == SHOWN[given]


@pytest.mark.parametrize("checks", [[], ["millrace.W018"]])
def test_staff_see_on_every_page_what_is_silenced(checks: list[str], client: Client, alice: User, sam: User) -> None:
    with override_settings(SILENCE=checks):
        client.force_login(sam)
        assert (b'id="silenced"' in client.get("/queues/").content) is bool(checks)
        client.force_login(alice)
        assert b'id="silenced"' not in client.get("/queues/").content


Manage = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def manage(tmp_path: Path) -> Manage:
    """`manage.py` in production, with the documented environment but for the data folder."""
    var = tmp_path / "var"
    credentials.ensure(var)

    def manage(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return run(sys.executable, "manage.py", *words, **{**documented(), "MILLRACE_VAR": str(var), **environment})

    return manage


def test_the_documented_environment_has_no_finding(manage: Manage, tmp_path: Path) -> None:
    assert documented()["MILLRACE_ENV"] == "production"
    steps = [f"\n    {step}" for step in ("bin/setup ", "systemctl daemon", "./manage.py doctor ", "./manage.py link ")]
    document = (ROOT / "docs/production.md").read_text()
    assert sorted(steps, key=document.index) == steps
    done = run("bin/setup", **{**documented(), "MILLRACE_VAR": str(tmp_path / "var")})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Start the units (systemctl start millrace), then look with ./manage.py doctor\n")
    checked = manage("check", "--deploy", "--database", "default", "--fail-level", "INFO")
    assert (checked.returncode, checked.stderr) == (0, "")
    # The doctor would find RabbitMQ away, which tests/relay has, and nothing else.
    told = json.loads(manage("doctor", "--json", "--values").stdout)
    (fault,) = told["faults"]
    assert (fault["id"], fault["fix"].split(":")[0]) == ("millrace.E105", "Start the units (systemctl start millrace)")
    assert told["deploy"]
    shown: dict[str, Any] = {each["name"]: (each["value"], each["from"]) for each in told["values"]}
    assert shown["MILLRACE_TRUSTED_PROXIES"][1] == "environment"
    assert shown["MILLRACE_SECRET_KEY"][1] == "secrets.json"
    assert shown["MILLRACE_DEBUG"] == ("False", "default")
    assert (shown["MILLRACE_CODE"], told["code"]["on"]) == (("False", "default"), False)


def test_production_refuses_to_start_and_says_everything_at_once(manage: Manage, tmp_path: Path) -> None:
    unsafe = {
        "MILLRACE_PUBLIC_URL": "",
        "MILLRACE_SECRET_KEY": "short",
        "MILLRACE_PORT": "abc",
        "MILLRACE_TRUSTED_PROXYS": "1",
        "RABBITMQ_URL": "amqp://guest:hush@mq.example.org/",
    }
    refused = manage("relay", **unsafe)
    assert (refused.returncode, refused.stdout) == (2, "")
    lines = [line.removeprefix("error: ").split()[0].rstrip(":") for line in refused.stderr.splitlines()]
    ours = ["millrace.E002", "millrace.E006", "millrace.E009", "millrace.E012", "millrace.E013"]
    assert lines == ["MILLRACE_SECRET_KEY", "MILLRACE_PORT", *ours]
    assert "hush" not in refused.stderr
    # All of it is found by the doctor, who starts in spite of it.
    told = json.loads(manage("doctor", "--json", **unsafe).stdout)
    assert {*ours, "millrace.E001"} <= {each["id"] for each in told["faults"]}
    # And what is named exactly is passed over.
    silenced = manage("link", **{**unsafe, "MILLRACE_SILENCE": ",".join(ours)})
    assert [line.split()[1] for line in silenced.stderr.splitlines()] == ["MILLRACE_SECRET_KEY", "MILLRACE_PORT"]


def test_web_and_relay_of_production_want_every_migration(manage: Manage, tmp_path: Path) -> None:
    relay = manage("relay", RABBITMQ_URL="amqp://u:p@127.0.0.1:1/")
    environment = {**documented(), "MILLRACE_VAR": str(tmp_path / "var")}
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "site/config/gunicorn.py", "config.wsgi")
    for refused in (relay, run(*gunicorn, **environment)):
        assert refused.returncode == 2, refused.stderr
        assert re.fullmatch(
            r"error: millrace\.E102: the database needs \./manage\.py prepare \(\d+ unapplied migrations\)\n",
            refused.stderr,
        )


def test_a_web_that_cannot_run_with_its_settings_ends_at_once(tmp_path: Path) -> None:
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "site/config/gunicorn.py", "config.wsgi")
    refused = run(*gunicorn, MILLRACE_VAR=str(tmp_path), MILLRACE_SECRET_KEY=KEY, MILLRACE_ALLOWED_HOSTS="*")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: MILLRACE_ALLOWED_HOSTS must be")
    assert len(refused.stderr.splitlines()) == 1
