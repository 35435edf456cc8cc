"""What of the processes' words a person sees, and when."""

import pytest

from devstack.telling import Telling

REFUSED = "warning: waiting for RabbitMQ at h:5672: it refuses the user name or password"


@pytest.fixture
def telling() -> Telling:
    return Telling()


def heard(telling: Telling, *lines: str) -> None:
    for line in lines:
        telling.hear(f"16:38:02 {line}")


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.lstrip() for line in capsys.readouterr().out.splitlines()]


def test_while_they_start_only_errors_are_shown(telling: Telling, capsys: pytest.CaptureFixture[str]) -> None:
    heard(telling, "system | web started (pid=1)", "relay | warning: waiting", "web | error: no")
    assert shown(capsys) == ["web | error: no"]

    telling.speak(with_the_past=True)
    heard(telling, "sink | hello")
    assert shown(capsys) == ["relay | warning: waiting", "sink | hello"]


def test_what_several_say_is_shown_once(telling: Telling, capsys: pytest.CaptureFixture[str]) -> None:
    heard(telling, "worker.1 | error: no module", "worker.2 | error: no module")
    heard(telling, f"relay | {REFUSED}", f"sink | {REFUSED}")
    telling.speak(with_the_past=True)

    assert shown(capsys) == ["worker.1 | error: no module", f"relay | {REFUSED}"]
    assert telling.has_complained


def test_nobody_is_said_to_be_back_who_was_not_said_to_be_away(
    telling: Telling, capsys: pytest.CaptureFixture[str]
) -> None:
    away, back = "warning: waiting for RabbitMQ at h:1: connection refused", "RabbitMQ at h:1 is there"
    heard(telling, f"sink | {away}", f"relay | {away}", f"relay | {back}")
    telling.speak(with_the_past=False)
    heard(telling, f"sink | {back}", f"sink | {away}", f"sink | {back}")

    assert shown(capsys) == [f"sink | {away}", f"sink | {back}"]


def test_the_first_end_counts(telling: Telling) -> None:
    assert telling.first_end is None
    heard(telling, "system | worker.1 stopped (rc=2)", "system | web stopped (rc=-15)")
    assert telling.first_end == 2
