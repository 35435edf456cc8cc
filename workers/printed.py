"""What one attempt prints, as pieces to send: its beginning, and the end of the rest; what is between is counted."""

import codecs
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from workers.messages import HEAD_BYTES, TAIL_BYTES, Output, Stream

MOST_PARTS = 1_000  # of a piece; a task that changes from one stream to the other with every letter makes many


@dataclass(slots=True)
class _Part:
    stream: Stream
    data: bytearray


class Printed:
    """Not yet sent are at most HEAD_BYTES of the head and TAIL_BYTES of what follows it."""

    def __init__(self, task: int, attempt: int) -> None:
        self._task = task
        self._attempt = attempt
        self._sent = 0  # up to this position
        self._size = 0  # all that it has printed
        self._head: deque[_Part] = deque()
        self._tail: deque[_Part] = deque()
        self._tail_bytes = 0
        self._decoders = _decoders()

    @property
    def is_behind(self) -> bool:
        """Some of it was printed faster than it could be sent, and is left out."""
        return bool(self._tail) and self._tail_start > max(self._sent, HEAD_BYTES)

    def add(self, stream: Stream, data: bytes) -> None:
        room = max(0, HEAD_BYTES - self._size)
        self._size += len(data)
        if room:
            _append(self._head, stream, data[:room])
        if rest := data[room:]:
            _append(self._tail, stream, rest)
            self._tail_bytes += len(rest)
            self._trim()

    def pieces(self, *, is_last: bool = False) -> Iterator[Output]:
        """What has not been sent; it counts as sent then. A letter that is not whole yet waits, unless it `is_last`."""
        head_size = sum(len(part.data) for part in self._head)
        yield from self._cut(self._head, self._sent, ends=is_last and not self._tail)
        self._sent += head_size
        if self._tail:
            if self._tail_start > self._sent:
                self._decoders = _decoders()
            yield from self._cut(self._tail, self._tail_start, ends=is_last)
            self._sent, self._tail_bytes = self._size, 0

    @property
    def _tail_start(self) -> int:
        return self._size - self._tail_bytes

    def _trim(self) -> None:
        while (excess := self._tail_bytes - TAIL_BYTES) > 0 or len(self._tail) > MOST_PARTS:
            first = self._tail[0]
            gone = min(len(first.data), excess) if excess > 0 else len(first.data)
            del first.data[:gone]
            self._tail_bytes -= gone
            if not first.data:
                self._tail.popleft()

    def _cut(self, parts: deque[_Part], position: int, *, ends: bool) -> Iterator[Output]:
        while parts:
            group = [parts.popleft() for _ in range(min(MOST_PARTS, len(parts)))]
            size = sum(len(part.data) for part in group)
            texts = [(part.stream, self._decoders[part.stream].decode(bytes(part.data))) for part in group]
            if ends and not parts:
                texts += [(stream, decoder.decode(b"", final=True)) for stream, decoder in self._decoders.items()]
            shown = [(stream, text.replace("\0", "\N{REPLACEMENT CHARACTER}")) for stream, text in texts if text]
            yield Output(task=self._task, attempt=self._attempt, position=position, size=size, parts=shown)
            position += size


def _append(parts: deque[_Part], stream: Stream, data: bytes) -> None:
    if parts and parts[-1].stream == stream:
        parts[-1].data += data
    else:
        parts.append(_Part(stream, bytearray(data)))


def _decoders() -> dict[Stream, codecs.IncrementalDecoder]:
    decoder = codecs.getincrementaldecoder("utf-8")
    return {"stdout": decoder(errors="replace"), "stderr": decoder(errors="replace")}
