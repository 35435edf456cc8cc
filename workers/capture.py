"""The worker's ends of the pipes that a child's tasks print to, read as long as there is room for more in them."""

import asyncio
import os
from collections.abc import Callable, Sequence

from workers.messages import Stream

PIPE_BYTES = 65_536  # what a pipe holds, on Linux
STREAMS: Sequence[Stream] = ("stdout", "stderr")

Take = Callable[[Stream, bytes], None]


class Capture:
    """`theirs`: the child's ends, as (stdout, stderr), until `hand_over`. Raises OSError: no descriptor, for now."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._take: Take = _drop
        self._ours: dict[Stream, int] = {}
        self.theirs: list[int] = []
        try:
            for stream in STREAMS:
                self._ours[stream], their = os.pipe()
                self.theirs.append(their)
        except OSError:
            self.hand_over()
            self.close()
            raise

    def hand_over(self) -> None:
        """The child has its ends, or will never have them."""
        while self.theirs:
            os.close(self.theirs.pop())

    def listen(self, read_answers: Callable[[], None]) -> None:
        """`read_answers` comes first: what a child prints once it has answered is another task's."""
        for stream, descriptor in self._ours.items():
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, self._on_readable, stream, read_answers)

    def to(self, take: Take | None) -> None:
        """Who gets what arrives from now on; what arrives for nobody is dropped."""
        self._take = take or _drop

    def read(self) -> None:
        """All that the child has printed before it ended, which is not more than the pipes hold."""
        for stream in STREAMS:
            self._read_some(stream)

    def close(self) -> None:
        for stream in list(self._ours):
            self._close(stream)

    def _on_readable(self, stream: Stream, read_answers: Callable[[], None]) -> None:
        read_answers()
        self._read_some(stream)

    def _read_some(self, stream: Stream) -> None:
        """Once, so that a task that prints without end leaves the loop to others."""
        if stream not in self._ours:
            return
        try:
            data = os.read(self._ours[stream], PIPE_BYTES)
        except BlockingIOError:
            return
        if data:
            self._take(stream, data)
        else:
            self._close(stream)

    def _close(self, stream: Stream) -> None:
        descriptor = self._ours.pop(stream)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)


def _drop(_stream: Stream, _data: bytes) -> None:
    pass
