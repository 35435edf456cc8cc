"""Finds a RabbitMQ server: the machine's own, or the one unpacked below `.cache/`."""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devstack import commands, debs, places, screen
from devstack.screen import Stop

UNPACKED = places.CACHE / "rabbitmq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    home: Path  # the folder with sbin/ and plugins/
    programs: Path  # the folder with erl and epmd
    libraries: str = ""  # LD_LIBRARY_PATH of an unpacked one

    @property
    def version(self) -> str:
        return self.home.name.rpartition("-")[2]

    def link_without_plugins(self, folder: Path) -> Path:
        """Make `folder` a home of links to this one, without the optional plugins.

        The VM looks for each of its 1,500 modules in every plugin's folder: leaving out those that are never
        enabled halves the boot (9.6 s -> 4.8 s on two slow cores).
        """
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "plugins").mkdir(parents=True)
        for part in ("sbin", "escript"):
            (folder / part).symlink_to(self.home / part)
        for plugin in (self.home / "plugins").iterdir():
            if plugin.name.startswith("rabbitmq_prelaunch") or not plugin.name.startswith("rabbitmq_"):
                (folder / "plugins" / plugin.name).symlink_to(plugin)
        return folder


def ensure() -> Server:
    return find() or _get()


def find() -> Server | None:
    return next(_candidates(), None)


def _get() -> Server:
    if not debs.available():
        raise Stop("RabbitMQ is missing: install it (brew install rabbitmq), or set RABBITMQ_URL", code=2)
    try:
        debs.unpack("rabbitmq-server", UNPACKED, whole_family="erlang-", adapt=_make_movable)
    except commands.CommandFailed as error:
        raise Stop(f"RabbitMQ cannot be had from apt: {error.last_line}") from None
    if server := find():
        return server
    raise Stop(f"RabbitMQ was unpacked into {places.short(UNPACKED)} but is not where Debian puts it")


def _make_movable(root: Path) -> None:
    """The script names the folder that the package expects to be in; let it say its own."""
    erl = root / "usr/lib/erlang/bin/erl"
    erl.write_text(re.sub(r"(?m)^( *ROOTDIR=).*", r"\1${0%/bin/erl}", erl.read_text()))


def _candidates() -> Iterator[Server]:
    """Never the wrapper in /usr/sbin: it changes the user and refuses ordinary ones."""
    erl = shutil.which("erl")
    for home in [*_versions(Path("/")), *_elsewhere()]:
        if erl and home.is_dir():
            yield Server(home=home, programs=Path(erl).parent)
    for home in _versions(UNPACKED):
        yield Server(home=home, programs=UNPACKED / "usr/lib/erlang/bin", libraries=debs.library_path(UNPACKED))


def _versions(root: Path) -> list[Path]:
    return sorted(root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*"), reverse=True)


def _elsewhere() -> Iterator[Path]:
    """Homebrew and others put the server's own script on the path; its home is the folder above."""
    if (script := shutil.which("rabbitmq-server")) and (
        (home := Path(script).resolve().parents[1]) / "plugins"
    ).is_dir():
        yield home


if __name__ == "__main__":
    sys.exit(screen.run(ensure))
