import json
from pathlib import Path
from typing import Any

import pytest

from devstack import credentials, places, roles
from devstack.screen import Stop

GIVEN = {
    "MILLRACE_API_TOKEN": "of-whoever-started-it",
    "MILLRACE_SECRET_KEY": "given-secret-key",
    "DATABASE_URL": "postgres://given-database",
    "MILLRACE_TOKEN": "given-token",
}
OWN: dict[str, set[str]] = {
    "broker": set(),
    "web": {"MILLRACE_SECRET_KEY", "DATABASE_URL"},
    "relay": {"MILLRACE_SECRET_KEY", "DATABASE_URL", "RABBITMQ_URL"},
    "worker": {"MILLRACE_TOKEN", "RABBITMQ_URL"},
    "sink": {"MILLRACE_TOKEN", "RABBITMQ_URL"},
}


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("MILLRACE_VAR", str(tmp_path))
    for name in (*roles.SECRETS, "MILLRACE_URL", "MILLRACE_PORT"):
        monkeypatch.delenv(name, raising=False)
    return credentials.ensure(tmp_path)


@pytest.mark.parametrize("role", roles.NAMES)
def test_a_process_is_told_its_own_secrets_and_no_others(
    role: str, secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    environment = roles.environment(role)
    assert {name for name in roles.SECRETS if name in environment} == OWN[role]
    everything = json.dumps(environment)
    for other, password in secrets["broker"]["logins"].items():
        assert (password in everything) == (other == role)
    for other in ("worker", "sink"):
        assert (secrets[f"{other}_token"] in everything) == (other == role)
    assert GIVEN["MILLRACE_TOKEN"] not in everything
    assert secrets["secret_key"] not in everything


def test_worker_and_sink_find_the_web_on_its_port(secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert roles.environment("sink")["MILLRACE_URL"] == "http://127.0.0.1:8000"
    (places.var() / "port").write_text("8123\n")  # as the running web has written it
    assert roles.environment("worker")["MILLRACE_URL"] == "http://127.0.0.1:8123"
    monkeypatch.setenv("MILLRACE_PORT", "9000")
    assert roles.environment("worker")["MILLRACE_URL"] == "http://127.0.0.1:9000"
    monkeypatch.setenv("MILLRACE_URL", "https://millrace.example")
    assert roles.environment("worker")["MILLRACE_URL"] == "https://millrace.example"


@pytest.mark.parametrize("role", credentials.ROLES)
def test_another_broker_takes_the_place_of_the_private_one(
    role: str, secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = f"amqp://{role}:{secrets['broker']['logins'][role]}@127.0.0.1:{secrets['broker']['port']}/%2F"
    assert roles.environment(role)["RABBITMQ_URL"] == private
    monkeypatch.setenv("RABBITMQ_URL", "amqp://elsewhere/")
    assert roles.environment(role)["RABBITMQ_URL"] == "amqp://elsewhere/"


def test_the_code_is_found_from_any_folder(secrets: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "site:/my/handlers")
    path = roles.environment("worker")["PYTHONPATH"].split(":")
    assert path[:2] == [str(places.ROOT), str(places.ROOT / "site")]
    assert path[-1] == "/my/handlers"


def test_before_the_first_setup_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_VAR", str(tmp_path / "new"))
    with pytest.raises(Stop, match=r"is not set up yet; run bin/setup first$") as stop:
        roles.environment("web")
    assert stop.value.code == 2
