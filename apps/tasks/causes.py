"""Why a task has failed, so that tasks which failed alike have the same key: what was raised, and where."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from apps.tasks.lifecycle import Reason
from apps.tasks.models import CAUSE_LENGTH
from apps.tasks.tracebacks import library_of

LOOKED_AT = 32_768  # characters of the traceback's end: where it was raised stands there
PLACE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Cause:
    """`file`, `function` and `line` (its text): of the handler's last own frame, as far as there is one.

    `how`: of a crash, its message without what differs from one to the next.
    """

    reason: str
    error_type: str
    file: str = ""
    function: str = ""
    line: str = ""
    how: str = ""

    @property
    def key(self) -> str:
        parts = (self.reason, self.error_type, self.file, self.function, self.line, self.how)
        return hashlib.blake2b(
            "\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=CAUSE_LENGTH // 2
        ).hexdigest()

    @property
    def title(self) -> str:
        """A few words, which are never empty."""
        return self.error_type or (Reason(self.reason).label if self.reason in Reason.values else "Failed")

    @property
    def why(self) -> str:
        """In words, of one that has no place in the code; empty of an error."""
        if self.how or self.reason == Reason.ERROR or self.reason not in Reason.values:
            return self.how
        return str(Reason(self.reason).label)


def of(reason: str, error_type: str, message: str, traceback: str) -> Cause:
    """From what is stored with the attempt. Where a time limit struck is chance, and no part of the cause."""
    if reason == Reason.TIMEOUT:
        return Cause(reason, error_type)
    if reason == Reason.CRASHED:
        return Cause(reason, error_type, how=_DIFFERS.sub("…", message[:PLACE_LENGTH]))
    frames = _FRAME.findall(traceback[-LOOKED_AT:])
    if not frames:
        return Cause(reason, error_type)
    file, number, function, line = next((each for each in reversed(frames) if not _library(each[0])), frames[-1])
    # The text of the line, not its number: that changes with every edit above it.
    text = line.strip()[:PLACE_LENGTH] or f"line {number}"
    return Cause(reason, error_type, _short(file), function[:PLACE_LENGTH], text)


@lru_cache(maxsize=64)
def key_of(reason: str, error_type: str, message: str, traceback: str) -> str:
    """Tasks that fail by the thousand mostly fail word for word alike."""
    return of(reason, error_type, message, traceback).key


def _short(file: str) -> str:
    """Without the folders above the last, which differ from host to host."""
    return "/".join(file.replace("\\", "/").split("/")[-2:])[:PLACE_LENGTH]


_library = lru_cache(maxsize=1024)(library_of)
_DIFFERS = re.compile(r"\S*\d\S*")
# Its repetitions are bounded, for what a handler raises may hold any text, and is read while others wait.
_FRAME = re.compile(
    r'^[ |+]{0,40}File "([^"\n]{0,500})", line (\d{1,9}), in ([^\n]*)'
    r'(?:\n[ |+]{0,40} {4}(?![ |+]{0,40}File ")([^\n]+))?',
    re.MULTILINE,
)
