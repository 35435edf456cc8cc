import socket
import stat
from pathlib import Path

import pytest

from devstack import credentials
from devstack.screen import Stop


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"


def test_the_first_start_makes_a_closed_folder_with_closed_secrets(var: Path) -> None:
    credentials.ensure(var)
    assert (mode(var), mode(var / "secrets.json")) == ("700", "600")
    assert [path.name for path in var.iterdir()] == ["secrets.json"]


def test_the_secrets_are_long_and_no_two_are_the_same(var: Path) -> None:
    data = credentials.ensure(var)
    assert data["sink_token"].startswith("mrs_")
    assert data["worker_token"].startswith("mrw_")
    assert sorted(data["broker"]["logins"]) == ["relay", "sink", "worker"]
    texts = [data["secret_key"], data["sink_token"], data["worker_token"], *data["broker"]["logins"].values()]
    assert len(set(texts)) == 6
    assert min(map(len, texts)) >= 32
    assert len(data["secret_key"]) >= 50


def test_the_ports_differ_and_are_free(var: Path) -> None:
    broker = credentials.ensure(var)["broker"]
    ports = [broker[name] for name in ("port", "dist_port", "epmd_port")]
    assert len(set(ports)) == 3
    assert all(map(credentials.is_free, ports))


def test_the_next_start_keeps_what_the_first_has_made(var: Path) -> None:
    assert credentials.ensure(var) == credentials.ensure(var) == credentials.read(var)


def test_two_folders_share_no_secret(tmp_path: Path) -> None:
    one, other = (credentials.ensure(tmp_path / name) for name in ("one", "other"))
    assert one["secret_key"] != other["secret_key"]
    assert not set(one["broker"]["logins"].values()) & set(other["broker"]["logins"].values())


def test_a_folder_that_stood_open_is_closed(var: Path) -> None:
    credentials.ensure(var)
    var.chmod(0o755)
    credentials.ensure(var)
    assert mode(var) == "700"


def test_a_write_that_was_cut_off_is_forgotten(var: Path) -> None:
    var.mkdir(mode=0o700)
    (var / "secrets.json.new").write_text('{"secret_')
    assert credentials.ensure(var) == credentials.read(var) != {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("{", "it is not JSON"),
        ("\x00", "it is not JSON"),
        ("[]", "a part of it is missing"),
        ('{"secret_key": "k"}', "a part of it is missing"),
    ],
)
def test_secrets_that_are_no_longer_whole_are_told_with_the_remedy(text: str, reason: str, var: Path) -> None:
    credentials.ensure(var)
    (var / "secrets.json").write_text(text)
    with pytest.raises(Stop) as stop:
        credentials.read(var)
    assert stop.value.code == 2
    assert str(stop.value) == (
        f"{var}/secrets.json cannot be used: {reason}; put a copy of it back, or remove it:"
        " the next start makes new secrets, and everybody signs in anew"
    )


def test_secrets_that_cannot_be_read_are_told_as_such(var: Path) -> None:
    (var / "secrets.json").mkdir(parents=True)
    with pytest.raises(Stop, match=r"secrets\.json cannot be used: is a directory; "):
        credentials.read(var)


def test_other_ports_leave_the_secrets_as_they_are(var: Path) -> None:
    before = credentials.ensure(var)
    after = credentials.choose_other_ports(var)
    assert after["broker"]["port"] != before["broker"]["port"]
    assert after["broker"]["logins"] == before["broker"]["logins"]
    assert after["secret_key"] == before["secret_key"]
    assert credentials.read(var) == after
    assert mode(var / "secrets.json") == "600"


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not credentials.is_free(server.getsockname()[1])
