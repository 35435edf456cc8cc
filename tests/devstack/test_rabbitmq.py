"""The server that is found, and what is left out of it."""

from pathlib import Path

from devstack import rabbitmq


def test_the_server_is_one_that_any_user_may_start() -> None:
    server = rabbitmq.ensure()

    assert (server.home / "sbin" / "rabbitmq-server").is_file()
    assert (server.home / "plugins").is_dir()
    assert (server.programs / "erl").is_file()
    assert (server.programs / "epmd").is_file()


def test_optional_plugins_are_left_out(tmp_path: Path) -> None:
    lean = rabbitmq.ensure().link_without_plugins(tmp_path / "lean")

    left = {plugin.name.split("-")[0] for plugin in (lean / "plugins").iterdir()}
    assert {"rabbit", "rabbit_common", "rabbitmq_prelaunch", "ra"} <= left
    assert "rabbitmq_management" not in left
    assert (lean / "sbin" / "rabbitmq-server").exists()


def test_the_links_are_made_anew_when_the_server_was_upgraded(tmp_path: Path) -> None:
    server = rabbitmq.ensure()
    stale = server.link_without_plugins(tmp_path / "lean") / "plugins" / "rabbit-0.0.1"
    stale.symlink_to("/nowhere")

    server.link_without_plugins(tmp_path / "lean")

    assert not stale.is_symlink()


def test_an_unpacked_erlang_says_its_own_folder(tmp_path: Path) -> None:
    erl = tmp_path / "usr/lib/erlang/bin/erl"
    erl.parent.mkdir(parents=True)
    erl.write_text('if true\nthen\n    ROOTDIR=/usr/lib/erlang\nfi\nBINDIR="$ROOTDIR/erts-13.1.5/bin"\n')

    rabbitmq._make_movable(tmp_path)

    assert erl.read_text() == 'if true\nthen\n    ROOTDIR=${0%/bin/erl}\nfi\nBINDIR="$ROOTDIR/erts-13.1.5/bin"\n'
