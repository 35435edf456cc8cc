"""The limits from the environment; a wrong one stops the worker with one line."""

import pytest

from workers.sandbox import settings
from workers.sandbox.limits import MIB, Limits


def test_without_a_word_the_limits_are_the_usual_ones() -> None:
    assert settings.read({}) == Limits(memory=2048 * MIB, file_size=64 * MIB, tmp=256 * MIB, processes=0)


def test_they_are_read() -> None:
    given = {
        "MILLRACE_SANDBOX_MEMORY": "1GiB",
        "MILLRACE_SANDBOX_FILE_SIZE": "2MiB",
        "MILLRACE_SANDBOX_TMP": "3MiB",
        "MILLRACE_SANDBOX_PROCESSES": "4",
    }
    assert settings.read(given) == Limits(memory=1024 * MIB, file_size=2 * MIB, tmp=3 * MIB, processes=4)


@pytest.mark.parametrize(
    ("text", "preload"), [("", ()), ("numpy, pandas,scipy.stats,numpy", ("numpy", "pandas", "scipy.stats"))]
)
def test_what_is_imported_once_is_read(text: str, preload: tuple[str, ...]) -> None:
    assert settings.read({"MILLRACE_SANDBOX_PRELOAD": text}).preload == preload


@pytest.mark.parametrize("text", ["numpy;os", "numpy.", "1a", "a b", "import os"])
def test_what_cannot_be_a_module_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings.read({"MILLRACE_SANDBOX_PRELOAD": text})
    wrong = f"MILLRACE_SANDBOX_PRELOAD must be names of modules, separated by commas (got {text!r})"
    assert capsys.readouterr().err == f"error: {wrong}\n"


@pytest.mark.parametrize(
    ("given", "is_on"),
    [
        ({}, True),
        ({"MILLRACE_ENV": "development"}, True),
        ({"MILLRACE_ENV": "production"}, False),
        ({"MILLRACE_ENV": "prodution"}, False),
        ({"MILLRACE_ENV": "production", "MILLRACE_CODE": "On"}, True),
        ({"MILLRACE_CODE": "off"}, False),
    ],
)
def test_code_is_on_in_development_alone_unless_told(given: dict[str, str], is_on: bool) -> None:
    assert settings.is_on(given) == is_on


def test_a_mistyped_switch_is_answered_with_what_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings.is_on({"MILLRACE_CODE": "maybe"})
    assert "error: MILLRACE_CODE must be 1, true, yes, on, 0, false, no or off (got 'maybe')" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["2", "2GB", "-1GiB", "1.5GiB", "255MiB", "1025GiB 1", "9999999999GiB", "\u0662GiB"])
def test_a_wrong_size_is_answered_with_what_is_accepted(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        settings.read({"MILLRACE_SANDBOX_MEMORY": text})
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: MILLRACE_SANDBOX_MEMORY must be a size from 256MiB to 1024GiB, such as 512MiB or 2GiB"
        f" (got {text!r:.60})\n"
    )


def test_a_wrong_number_of_processes_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings.read({"MILLRACE_SANDBOX_PROCESSES": "many"})
    assert "MILLRACE_SANDBOX_PROCESSES must be a whole number from 0 to 1000" in capsys.readouterr().err
