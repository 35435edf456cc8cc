"""How a process of the sandbox is started: by bubblewrap in a view of its own, where that works; without any secret."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from workers.artifacts import LARGEST
from workers.sandbox import view
from workers.sandbox.plan import Plan

OURS_INSIDE = "/millrace"
PACKAGES_INSIDE = "/millrace/packages"
TMP = "/tmp"  # noqa: S108  its own
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": TMP,
    "USER": "sandbox",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "MPLBACKEND": "Agg",
    # A process with threads cannot be forked from, and each thread takes up to 40 MB of the address space.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "2",
}


def python(module: str, *arguments: str, bubblewrap: str | None) -> list[str]:
    """The command that runs a module of ours there; to be started with `environment` in "/"."""
    inner = ["-P", "-m", module, *arguments]
    return [bubblewrap, *_view(), "--", _executable(), *inner] if bubblewrap else [sys.executable, *inner]


def template(plan: Plan, descriptor: int, *, bubblewrap: str | None) -> list[str]:
    """`descriptor`: of the socket to it, which the new process is to inherit."""
    return python("workers.sandbox.template", str(descriptor), plan.encode(), bubblewrap=bubblewrap)


def environment(bubblewrap: str | None) -> dict[str, str]:
    told = {name: os.environ[name] for name in (LARGEST,) if name in os.environ}
    return {**ENVIRONMENT, **told, "PYTHONPATH": str(Path(ours(bubblewrap)).parent)}


def ours(bubblewrap: str | None) -> str:
    """The folder of our package, as it is seen there."""
    return f"{OURS_INSIDE}/{view.OURS.name}" if bubblewrap else str(view.OURS)


def _executable() -> str:
    return str(Path(PACKAGES_INSIDE, "bin", Path(sys.executable).name)) if _has_packages_apart() else sys.executable


def _has_packages_apart() -> bool:
    """In an environment of their own, which may lie anywhere, as in /tmp; a task has its own one there."""
    return sys.prefix != sys.base_prefix


def _view() -> Iterator[str]:
    yield from ("--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-net", "--unshare-uts")
    yield from ("--hostname", "sandbox", "--unsetenv", "LD_LIBRARY_PATH", "--cap-drop", "ALL")
    if os.getuid() == 0:  # it becomes somebody else inside, who would not see a Python in root's home otherwise
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield "--unshare-user"
    yield from _binds(view.SYSTEM)
    places = {each: each for each in (*view.SETTINGS, *view.parts_of(sys.base_prefix))}
    if _has_packages_apart():
        places |= {each: str(Path(PACKAGES_INSIDE, Path(each).name)) for each in view.parts_of(sys.prefix)}
    places[str(view.OURS)] = f"{OURS_INSIDE}/{view.OURS.name}"
    yield from _open_folders([*places.values(), *view.DEVICES])
    for source, place in places.items():
        yield from ("--ro-bind-try", source, place)
    for each in view.DEVICES:
        yield from ("--dev-bind", each, each)
    yield from ("--symlink", TMP, "/dev/shm")  # noqa: S108  where multiprocessing's locks are files
    # Each task has its own on top of these. Not read-only: the maps of a new namespace are written there.
    yield from ("--bind", "/proc", "/proc", "--tmpfs", TMP, "--remount-ro", "/", "--chdir", "/")


def _open_folders(places: Iterable[str]) -> Iterator[str]:
    """Those that bubblewrap makes on its way are for root alone."""
    for each in dict.fromkeys(str(folder) for place in places for folder in reversed(Path(place).parents)):
        if each != "/":
            yield from ("--dir", each)


def _binds(paths: Sequence[str]) -> Iterator[str]:
    for each in paths:
        path = Path(each)
        if path.is_symlink() and path.parent == Path("/"):
            yield from ("--symlink", str(path.readlink()), each)
        elif path.exists():
            yield from ("--ro-bind", str(path.resolve()), each)
