"""Debian packages without root: real apt and dpkg on a repository that lies beside the test."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.devstack.conftest import Checkout

UNPACK = "from devstack import debs, places; debs.unpack('millrace-mill', places.CACHE / 'mill', adapt={adapt})"


@pytest.fixture
def repository(checkout: Checkout, tmp_path: Path) -> Path:
    """Two packages, of which the first needs the second; the machine's own sources are left alone."""
    folder = tmp_path / "repository"
    folder.mkdir()
    stanzas = [_build(folder, "millrace-mill", depends="millrace-wheel"), _build(folder, "millrace-wheel")]
    (folder / "Packages").write_text("\n".join(stanzas))
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "{tmp_path}/none";\n'
    )
    checkout.environment["APT_CONFIG"] = str(tmp_path / "apt.conf")
    return folder


@pytest.mark.usefixtures("repository")
def test_a_package_comes_with_what_it_needs(checkout: Checkout) -> None:
    done = checkout.run(UNPACK.format(adapt=None))

    assert done.returncode == 0, done.stderr
    unpacked = checkout.root / ".cache/mill"
    assert {path.name for path in (unpacked / "usr/share").iterdir()} == {"millrace-mill", "millrace-wheel"}
    assert not list(unpacked.glob("*.deb"))


@pytest.mark.usefixtures("repository")
def test_a_deep_checkout_does_not_send_the_packages_elsewhere(checkout: Checkout) -> None:
    deep = checkout.root.joinpath(*["deep" * 25] * 3)
    shutil.copytree(checkout.root / "site", deep / "site")
    (deep / ".cache").mkdir()

    done = Checkout(deep, checkout.environment).run(UNPACK.format(adapt=None))

    assert done.returncode == 0, done.stderr
    assert {path.name for path in (deep / ".cache/mill/usr/share").iterdir()} == {"millrace-mill", "millrace-wheel"}


@pytest.mark.usefixtures("repository")
def test_it_is_there_whole_or_not_at_all(checkout: Checkout) -> None:
    done = checkout.run("def fail(root): raise SystemExit(f'{root.name} is not ready')", UNPACK.format(adapt="fail"))

    assert done.stderr == "mill.new is not ready\n"
    assert not (checkout.root / ".cache/mill").exists()
    assert checkout.run(UNPACK.format(adapt=None)).returncode == 0


def test_a_package_that_was_changed_on_its_way_is_refused(checkout: Checkout, repository: Path) -> None:
    with (repository / "millrace-wheel.deb").open("ab") as archive:
        archive.write(b"x")

    done = checkout.run(UNPACK.format(adapt=None))

    assert done.returncode == 1
    assert "CommandFailed" in done.stderr
    assert not (checkout.root / ".cache/mill").exists()


def test_libraries_one_folder_deeper_are_found(checkout: Checkout) -> None:
    (checkout.root / "usr/lib/m-linux-gnu/pulse").mkdir(parents=True)
    (checkout.root / "usr/lib/m-linux-gnu/pulse/libpulse.so.0").touch()

    done = checkout.run(
        "import platform; platform.machine = lambda: 'm'",
        "from devstack import debs; from pathlib import Path",
        f"print(debs.library_path(Path({str(checkout.root)!r}), '$here'))",
    )

    assert done.stdout == "$here/usr/lib/m-linux-gnu:$here/lib/m-linux-gnu:$here/usr/lib/m-linux-gnu/pulse\n"


def _build(folder: Path, name: str, depends: str = "") -> str:
    """Builds the package; returns its stanza for the repository's index."""
    tree = folder.parent / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share" / name).mkdir(parents=True)
    control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
    control += f"Depends: {depends}\n" if depends else ""
    control += "Description: a part of a test\n"
    (tree / "DEBIAN/control").write_text(control)
    archive = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, archive], check=True, capture_output=True)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return f"{control}Filename: ./{archive.name}\nSize: {archive.stat().st_size}\nSHA256: {digest}\n"
