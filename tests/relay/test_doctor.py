"""What the doctor finds of a RabbitMQ that runs."""

import sys
from typing import Any

import pika
import pytest
from django.test import override_settings

from config import connections
from tests.fixtures.broker import Broker
from tests.fixtures.production import documented, run


def ids(**settings: Any) -> list[str]:
    with override_settings(**settings):
        return [fault.id.removeprefix("millrace.") for fault in connections.faults_beside_database()]


def test_the_private_broker_lets_in_each_role_and_no_guest(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(SECRETS=broker.secrets) == []
    wrong = {**broker.secrets["broker"]["logins"], "sink": "wrong"}
    assert ids(SECRETS={"broker": {**broker.secrets["broker"], "logins": wrong}}) == ["E105"]


def test_a_broker_that_lets_in_guest_is_found(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pika.exceptions.AMQPError):
        pika.BlockingConnection(pika.URLParameters(connections._as_guest(broker.url("relay"))))
    monkeypatch.setattr(connections, "_as_guest", lambda url: url)  # as if it were one
    assert ids(RABBITMQ_URL=broker.url("relay")) == ["E106"]


def test_the_documented_environment_has_no_finding_at_all(broker: Broker) -> None:
    given = {**documented(), "MILLRACE_VAR": str(broker.var)}
    assert run(sys.executable, "manage.py", "prepare", **given).stderr == ""
    for words in (("check", "--deploy", "--database", "default", "--fail-level", "INFO"), ("doctor", "--deploy")):
        done = run(sys.executable, "manage.py", *words, **given)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("\nNo fault found, also of those that matter in production.\n")
