"""What code is told beneath an error whose cause is the sandbox, not the code."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import PurePath

NO_NETWORK = "The sandbox has no network."
NO_PROCESSES = "The sandbox starts no programs and no processes, unless the worker has MILLRACE_SANDBOX_PROCESSES."
NO_FILES = "The sandbox sees no files but its own, in /tmp, where the code begins."
NO_PACKAGE = "What can be imported is what is installed for this worker; Packages on the task's page lists it."
NOBODY_TYPES = "Nobody can type here: put the value into the code."
MOST_CAUSES = 20
_NO_SUCH_PLACE = (errno.EROFS, errno.EACCES, errno.ENOENT)


def explain(error: BaseException) -> None:
    """As a note, which stands below the error in its traceback."""
    with contextlib.suppress(Exception):  # a class of the code's own may have other ideas
        if note := next(filter(None, map(_note, _causes(error))), ""):
            error.add_note(note)


def _note(error: BaseException) -> str:
    match error:
        case ModuleNotFoundError():
            return NO_PACKAGE
        case EOFError() if error.args == ("EOF when reading a line",):
            return NOBODY_TYPES
        case socket.gaierror():
            return NO_NETWORK
        case OSError(filename=str() as name) if error.errno in _NO_SUCH_PLACE and _is_elsewhere(name):
            return NO_FILES
        case PermissionError(errno=errno.EPERM, filename=None):
            return NO_NETWORK if _raised_in(error) == "socket.py" else NO_PROCESSES
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if following is None:
            return
        yield following
        following = following.__cause__ or following.__context__


def _is_elsewhere(name: str) -> bool:
    path = PurePath(name)
    return path.is_absolute() and path.parts[:2] != ("/", "tmp")


def _raised_in(error: BaseException) -> str:
    frame, name = error.__traceback__, ""
    while frame is not None:
        name, frame = frame.tb_frame.f_code.co_filename, frame.tb_next
    return PurePath(name).name
