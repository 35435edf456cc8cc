from pathlib import Path

import pytest

from devstack import check, places
from devstack.screen import Stop


def test_every_folder_of_tests_is_in_a_lane() -> None:
    check.leave_none_out()


def test_a_folder_that_would_never_run_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests" / "forgotten" / "deeper").mkdir(parents=True)
    (tmp_path / "tests" / "forgotten" / "deeper" / "test_it.py").touch()
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with pytest.raises(Stop, match=r"^tests/forgotten is in no lane"):
        check.leave_none_out()


def test_a_forgotten_file_of_a_folder_whose_files_are_named_one_by_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests" / "chaos").mkdir(parents=True)
    (tmp_path / "tests" / "chaos" / "test_forgotten.py").touch()
    monkeypatch.setattr(places, "ROOT", tmp_path)
    with pytest.raises(Stop, match=r"^tests/chaos/test_forgotten\.py is in no lane"):
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


def test_runs_of_a_lane_follow_one_another_and_one_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = {"good": "assert True", "bad": "assert False", "hanging": "import time; time.sleep(600)"}
    for name, body in bodies.items():
        (tmp_path / f"test_{name}.py").write_text(f"def test_it():\n    {body}\n")
    monkeypatch.setattr(
        check,
        "LANES",
        [
            [("Good", "sqlite", ["test_good.py"]), ("Bad", "sqlite", ["test_bad.py"])],
            [("Hanging", "sqlite", ["test_hanging.py"])],
        ],
    )
    monkeypatch.setattr(check, "LIMIT_SECONDS", 10)
    monkeypatch.setattr(places, "ROOT", tmp_path)

    runs = {run.name: (run.passed, run.failed) for run in check._side_by_side()}

    assert runs == {"Good": (1, False), "Bad": (0, True), "Hanging": (0, True)}
    said = capsys.readouterr().out
    assert said.index("== Good: ok") < said.index("== Bad: FAILED") < said.index("== Hanging: FAILED")
    assert "time.sleep(600)" in said or "in test_it" in said, "where it was"
