from pathlib import Path

import pytest

from devstack import check, places
from devstack.screen import Stop
from tests.fixtures.processes import eventually


def test_every_folder_of_tests_is_in_a_run() -> None:
    check.leave_none_out()


def test_a_folder_that_would_never_run_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests" / "forgotten" / "deeper").mkdir(parents=True)
    (tmp_path / "tests" / "forgotten" / "deeper" / "test_it.py").touch()
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with pytest.raises(Stop, match=r"^tests/forgotten is in no run"):
        check.leave_none_out()


def test_a_forgotten_file_of_a_folder_whose_files_are_named_one_by_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests" / "chaos").mkdir(parents=True)
    (tmp_path / "tests" / "chaos" / "test_forgotten.py").touch()
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with pytest.raises(Stop, match=r"^tests/chaos/test_forgotten\.py is in no run"):
        check.leave_none_out()


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ("...\n12 passed in 3.21s\n", 12),
        ("3 passed in the text\n1 failed, 11 passed, 2 warnings in 3.21s", 11),
        ("1 error in 0.66s", 0),
        ("", 0),
    ],
)
def test_what_passed_is_counted_from_the_closing_line(said: str, passed: int) -> None:
    assert check.passed_of(said) == passed


def test_a_lane_takes_one_run_after_the_other_and_one_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hangs = "import pathlib, time; pathlib.Path('it-runs').touch(); time.sleep(600)"
    for name, body in {"good": "assert True", "bad": "assert False", "hanging": hangs}.items():
        (tmp_path / f"test_{name}.py").write_text(f"def test_it():\n    {body}\n")
    monkeypatch.setattr(check, "RUNS", [(n.title(), "sqlite", [f"test_{n}.py"]) for n in ("hanging", "good", "bad")])
    monkeypatch.setattr(check, "LANES", 2)
    monkeypatch.setattr(check, "CHECKS", ())
    monkeypatch.setattr(places, "ROOT", tmp_path)

    runs = check._side_by_side()
    first, second = next(runs), next(runs)
    eventually((tmp_path / "it-runs").exists)
    monkeypatch.setattr(check, "LIMIT_SECONDS", 0)
    (third,) = runs

    assert [(run.name, run.passed, run.failed) for run in (first, second, third)] == [
        ("Good", 1, False),
        ("Bad", 0, True),
        ("Hanging", 0, True),
    ]
    assert first.complaints == ()
    assert second.complaints == ["FAILED test_bad.py::test_it - assert False"]
    assert third.complaints, "the last of what it said"
    assert "in test_it" in capsys.readouterr().out.partition("== Hanging: FAILED")[2], "where it was"


def test_what_failed_is_named_at_the_very_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [check.Run("Workers", 3, True, ("FAILED a.py::test_it - no", "ERROR b.py")), check.Run("Relay", 4, False)]
    monkeypatch.setattr(check, "_side_by_side", lambda: runs)

    assert check._everything() == 1

    complaints, said = capsys.readouterr().out.split("\nFAILED: Workers ")
    assert complaints == "\nFAILED a.py::test_it - no\nERROR b.py"
    assert "7 passed" in said


def test_checks_run_beside_one_another_and_what_one_complains_of_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    much = "for n in range(20_000): print('wrong', n)\nexit(1)"  # more than a pipe holds
    monkeypatch.setattr(check, "CHECKS", (("Good", ("python", "-c", "")), ("Bad", ("python", "-c", much))))
    monkeypatch.setattr(check, "RUNS", ())

    runs = [*check._side_by_side()]

    assert runs == [check.Run("Good", passed=0, failed=False), check.Run("Bad", passed=0, failed=True)]
    said = capsys.readouterr().out
    assert said.startswith("== Good: ok")
    assert "wrong 0\n" in said
    assert said.endswith("wrong 19999\n")
