"""One task to its outcome: good and bad parameters, and exceptions of every sort as data."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.workers import odd_handlers
from workers.builtin import BUILT_IN
from workers.executor import execute
from workers.messages import Outcome, TaskMessage, decode_event, encode_event
from workers.registry import Kind, load


@pytest.fixture(scope="module")
def kinds() -> Mapping[str, Kind]:
    return load((*BUILT_IN, odd_handlers.__name__))


def run(kinds: Mapping[str, Kind], kind: str, **params: Any) -> Outcome:
    outcome = execute(TaskMessage(task=1, attempt=2, kind=kind, params=params), kinds)
    assert decode_event(json.loads(encode_event(outcome))) == outcome
    assert (outcome.task, outcome.attempt) == (1, 2)
    return outcome


def test_a_noop_returns_what_it_was_given(kinds: Mapping[str, Kind]) -> None:
    assert run(kinds, "demo.noop", x={"a": [1]}).result == '{"a":[1]}'
    assert run(kinds, "demo.noop", x=1.5).value == "1.5"
    assert run(kinds, "demo.noop").value is None


def test_a_coin_fails_at_the_rate_asked_for(kinds: Mapping[str, Kind]) -> None:
    outcomes = [run(kinds, "demo.coin", failure_rate=0.4, seconds=0) for _ in range(500)]
    failed = [each for each in outcomes if each.status == "FAILED"]
    assert 150 < len(failed) < 250
    assert {each.error.type for each in failed if each.error} == {"SimulatedFailure"}
    assert all(0 <= float(each.value or -1) < 1 for each in outcomes if each.status == "FINISHED")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"failure_rate": 2}, "failure_rate: Input should be less than or equal to 1 (got 2)"),
        ({"failure_rate": "often"}, "failure_rate: Input should be a valid number"),
        ({"seconds": -1}, "seconds: Input should be greater than or equal to 0 (got -1)"),
        ({"times": 3}, "times: there is no such parameter"),
    ],
)
def test_parameters_that_do_not_fit_fail_the_task_with_a_readable_text(
    kinds: Mapping[str, Kind], params: dict[str, Any], said: str
) -> None:
    outcome = run(kinds, "demo.coin", **params)
    assert outcome.reason == "ERROR"
    assert outcome.error
    assert outcome.error.type == "InvalidParameters"
    assert said in outcome.error.message
    assert not outcome.error.traceback


def test_a_missing_parameter_is_named(kinds: Mapping[str, Kind]) -> None:
    error = run(kinds, "test.large").error
    assert error
    assert error.message == "size: is missing"


def test_a_traceback_shows_the_users_lines_alone(kinds: Mapping[str, Kind]) -> None:
    error = run(kinds, "demo.coin", failure_rate=1, seconds=0).error
    assert error
    assert error.traceback.startswith("Traceback")
    assert "in coin" in error.traceback
    assert "executor.py" not in error.traceback


@pytest.mark.parametrize(
    ("kind", "error_type", "said"),
    [
        ("test.interrupt", "KeyboardInterrupt", ""),
        ("test.unprintable", "Unprintable", "its text could not be made: RuntimeError"),
        ("test.rubbish", "ValueError", r"\x00 \ud800 x"),
    ],
)
def test_strange_exceptions_become_storable_errors(
    kinds: Mapping[str, Kind], kind: str, error_type: str, said: str
) -> None:
    outcome = run(kinds, kind)
    assert outcome.reason == "ERROR"
    assert outcome.error
    assert outcome.error.type == error_type
    assert said in outcome.error.message
    assert len(outcome.error.traceback.encode()) <= 16_384
    assert len(outcome.error.message.encode()) <= 16_384


def test_sys_exit_counts_as_a_crash_and_keeps_its_traceback(kinds: Mapping[str, Kind]) -> None:
    outcome = run(kinds, "test.sys_exit", code=3)
    assert outcome.reason == "CRASHED"
    assert outcome.error
    assert "exited with code 3 in mid-task" in outcome.error.message
    assert "in sys_exit" in outcome.error.traceback


def test_a_result_that_is_too_large_or_has_no_json_fails_the_task(kinds: Mapping[str, Kind]) -> None:
    assert run(kinds, "test.large", size=300_000).reason == "RESULT_TOO_LARGE"
    outcome = run(kinds, "test.object")
    assert outcome.reason == "RESULT_NOT_SERIALISABLE"
    assert outcome.error
    assert "result['list'][1]" in outcome.error.message


def test_an_unknown_kind_fails_and_names_the_known_ones(kinds: Mapping[str, Kind]) -> None:
    outcome = run(kinds, "no.such")
    assert outcome.reason == "UNKNOWN_KIND"
    assert outcome.error
    assert "'no.such'" in outcome.error.message
    assert "demo.coin" in outcome.error.message
