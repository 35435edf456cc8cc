"""Where things are, and that nobody's folder is taken away."""

from pathlib import Path

import pytest

from devstack import places
from devstack.screen import Stop


def test_a_folder_of_the_checkout_is_shown_as_one_would_type_it(tmp_path: Path) -> None:
    assert places.short(places.ROOT / "var" / "broker") == "var/broker"
    assert places.short(tmp_path) == str(tmp_path)


def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    places.make_private(tmp_path / "a" / "var")

    assert (tmp_path / "a" / "var").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_ours_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").touch()
    tmp_path.chmod(0o755)

    places.make_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_somebody_elses_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    tmp_path.chmod(0o755)

    with pytest.raises(Stop, match="holds other files"):
        places.make_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_place_of_the_folder_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").touch()

    with pytest.raises(Stop) as refused:
        places.make_private(tmp_path / "var")

    assert str(refused.value) == f"{tmp_path}/var cannot be used: {tmp_path}/var is not a folder"
    assert refused.value.code == 2


def test_looking_whether_a_folder_will_do_makes_nothing(tmp_path: Path) -> None:
    places.check(tmp_path / "a" / "var")

    assert list(tmp_path.iterdir()) == []


def test_the_port_of_the_running_web_is_known_from_its_folder(tmp_path: Path) -> None:
    assert places.kept_port(tmp_path) == 8000
    (tmp_path / "port").write_text("8123\n")
    assert places.kept_port(tmp_path) == 8123


def test_the_data_folder_is_absolute_and_may_name_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")

    monkeypatch.setenv("MILLRACE_VAR", "data")
    assert places.var() == tmp_path / "data"
    monkeypatch.setenv("MILLRACE_VAR", "~/data")
    assert places.var() == Path("/home/ann/data")
    monkeypatch.setenv("MILLRACE_VAR", "")
    assert places.var() == places.ROOT / "var"
