"""What the processes of a stack say, as a person is shown it: errors alone while they start, then everything."""

import re

from devstack import screen

# honcho's line: time, process, text. Its own remarks come from "system".
LINE = re.compile(r"^(\S+ )?(?P<process>\S+)\s*\| (?P<text>.*)$")
ENDED = re.compile(r"\S+ stopped \(rc=(-?\d+)\)")
WAITS, IS_BACK = re.compile(r"warning: waiting for RabbitMQ "), re.compile(r"RabbitMQ at \S+ is there")
# What does not go away by waiting: every process says the same, a person needs it once.
AT_ONCE = re.compile(r"error|warning: waiting for RabbitMQ at \S+: (it refuses|NOT_ALLOWED|ACCESS_REFUSED)")


class Telling:
    """Keeps back what the processes say, errors excepted, until `speak`."""

    def __init__(self) -> None:
        self.first_end: int | None = None  # the exit code of the part that ended first
        self._kept_back: list[tuple[str, str]] | None = []
        self._complaints: set[str] = set()
        self._unknown_to_wait: set[str] = set()

    @property
    def has_complained(self) -> bool:
        return bool(self._complaints)

    def hear(self, line: str) -> None:
        found = LINE.match(line)
        process, text = (found["process"], found["text"]) if found else ("", line)
        if process == "system":
            self._hear_honcho(text)
        elif self._kept_back is None:
            self._say(process, text)
        elif not AT_ONCE.match(text):
            self._kept_back.append((process, text))
        elif text not in self._complaints:
            self._complaints.add(text)
            _show(process, text)

    def speak(self, *, with_the_past: bool) -> None:
        """From now on every line is shown at once; with what was kept back, or without."""
        past, self._kept_back = self._kept_back or [], None
        for process, text in past:
            if with_the_past:
                _show(process, text)
            elif WAITS.match(text):
                self._unknown_to_wait.add(process)
            elif IS_BACK.match(text):
                self._unknown_to_wait.discard(process)

    def _hear_honcho(self, text: str) -> None:
        if self.first_end is None and (ended := ENDED.match(text)):
            self.first_end = int(ended[1])

    def _say(self, process: str, text: str) -> None:
        if process in self._unknown_to_wait and IS_BACK.match(text):
            self._unknown_to_wait.discard(process)
        else:
            _show(process, text)


def _show(process: str, text: str) -> None:
    screen.say(f"{process:>8} | {text}" if process else text)
