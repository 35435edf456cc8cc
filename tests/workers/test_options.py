"""Wrong options and settings stop a process at once with one line and exit code 2."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import sink.__main__
import workers.__main__
from tests.fixtures.processes import ROOT
from workers import options

MAINS = {"workers": workers.__main__.main, "sink": sink.__main__.main}
GOOD = {"RABBITMQ_URL": "amqp://u:secret@127.0.0.1:1/", "MILLRACE_TOKEN": "token"}


Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """`refused("workers", "--grace", "x", MILLRACE_PORT="1")`: the one line with which it stops."""

    def start(module: str, *options: str, **environment: str) -> str:
        monkeypatch.setattr(sys, "argv", [module, *options])
        for name, value in {**GOOD, **environment}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            MAINS[module]()
        assert ended.value.code == 2
        [line] = capsys.readouterr().err.splitlines()
        assert "secret" not in line
        return line

    return start


def started_with(handlers: str) -> str:
    """The one line with which a worker with these modules stops."""
    given = {"PATH": os.environ["PATH"], **GOOD, "MILLRACE_HANDLERS": handlers}
    ended = subprocess.run(
        [sys.executable, "-m", "workers"], cwd=ROOT, env=given, capture_output=True, text=True, timeout=150, check=False
    )
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    return line


def test_a_handlers_module_that_cannot_be_imported_stops_the_process() -> None:
    line = started_with("no.such")
    assert line.startswith("error: MILLRACE_HANDLERS: module 'no.such' cannot be imported (ModuleNotFoundError")


def test_kinds_that_do_not_fit_the_announcement_stop_the_process() -> None:
    line = started_with("workers.handlers.demo,tests.workers.handlers_too_large")
    assert line.startswith("error: MILLRACE_HANDLERS: the kinds take 1,1")
    assert "at most 1,032,192 are possible; the largest is 'test.choice' with 1,1" in line


@pytest.mark.parametrize("value", ["abc", "0", "-1", "65", "1.5", " ", "٣", "9" * 5000])
def test_a_wrong_concurrency_is_refused(refused: Refused, value: str) -> None:
    line = refused("workers", "--concurrency", value)
    assert line.startswith("error: --concurrency must be a whole number from 1 to 64 (got '")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MILLRACE_CONCURRENCY": "abc"}, "must be a whole number from 1 to 64 (got 'abc')"),
        ({"RABBITMQ_URL": ""}, "RABBITMQ_URL must be amqp://"),
        ({"RABBITMQ_URL": "http://u:secret@h/"}, "it begins with 'http://'"),
        ({"RABBITMQ_URL": "amqp://u:secret@h:abc"}, "malformed"),
        ({"RABBITMQ_URL": "amqp://u:secret@"}, "no host"),
        ({"RABBITMQ_URL": "u:secret"}, "no amqp://"),
        ({"MILLRACE_PORT": "70000"}, "MILLRACE_PORT must be a whole number from 1 to 65535 (got '70000')"),
        ({"MILLRACE_URL": "ftp://x"}, "MILLRACE_URL must be a URL"),
        ({"MILLRACE_TOKEN": ""}, "MILLRACE_TOKEN must be the worker's API token (it is not set)"),
        ({"MILLRACE_TASK_MEMORY": "lots"}, "MILLRACE_TASK_MEMORY must be a size such as 512M or 4G, from 268435456 to"),
        ({"MILLRACE_TASK_MEMORY": "4K"}, "(got '4K')"),
        ({"MILLRACE_TASK_OPEN_FILES": "1G"}, "MILLRACE_TASK_OPEN_FILES must be a whole number, from 32 to"),
        ({"MILLRACE_ARTIFACT_BYTES": "much"}, "MILLRACE_ARTIFACT_BYTES must be a size"),
        ({"MILLRACE_HANDLERS": ","}, "MILLRACE_HANDLERS must be one or several names"),
    ],
)
def test_a_wrong_setting_is_refused(refused: Refused, environment: dict[str, str], said: str) -> None:
    line = refused("workers", **environment)
    assert line.startswith("error: ")
    assert said in line


def test_other_wrong_options_are_refused(refused: Refused) -> None:
    assert "--grace must be a number of seconds" in refused("workers", "--grace", "nan")
    assert "--queues must be one or several names" in refused("workers", "--queues", " , ")
    assert "MILLRACE_TOKEN must be the sink's API token" in refused("sink", MILLRACE_TOKEN="")


def test_an_unknown_option_is_answered_with_the_one_that_may_be_meant(refused: Refused) -> None:
    assert refused("workers", "--nonsense") == "error: unknown option --nonsense"
    assert refused("workers", "--conc", "1") == "error: unknown option --conc; did you mean --concurrency?"
    assert refused("workers", "--queue=a") == "error: unknown option --queue; did you mean --queues?"
    assert refused("sink", "--hel") == "error: unknown option --hel; did you mean --help?"
    assert refused("sink", "up") == "error: unknown argument up"


def test_in_production_nothing_travels_readable_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RABBITMQ_URL", "amqps://u:hush@mq1.example.org/,amqp://u:hush@mq2.example.org/")
    monkeypatch.setenv("MILLRACE_URL", "http://web.example.org")
    assert len(options.broker_addresses()) == 2
    monkeypatch.setenv("MILLRACE_ENV", "production")
    for read, host in ((options.broker_addresses, "mq2.example.org:5672"), (options.web_url, "web.example.org")):
        with pytest.raises(SystemExit):
            read()
        said = capsys.readouterr().err
        assert f"would travel readable to {'RabbitMQ at ' if 'mq' in host else ''}{host}: use " in said
        assert "hush" not in said
    monkeypatch.setenv("MILLRACE_ALLOW_PLAINTEXT", "1")
    assert options.web_url() == "http://web.example.org"
    monkeypatch.setenv("MILLRACE_ALLOW_PLAINTEXT", "")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://u:p@127.0.0.1/")
    monkeypatch.setenv("MILLRACE_URL", "http://[::1]:8000")
    assert (len(options.broker_addresses()), options.web_url()) == (1, "http://[::1]:8000")
