"""The link between a worker and one child: bodies as packets, of which the worker can take back what is still unread.

A SOCK_SEQPACKET pair keeps packets apart and hands each to one reader alone. The worker keeps a copy of the child's
end, so while the child is busy the worker can read away, atomically, what was posted in advance.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

_PIECE = 65_536  # well below what a socket's buffer holds by default (212,992)
MOST_BYTES = 2_097_152  # of a body: twice what any message may have
# Packets and bytes; a socket's buffer never holds as many, so all that an ended child has left is read.
_MOST_AT_ONCE = 600
_MOST_BYTES_AT_ONCE = 2_097_152
REST_SECONDS = 0.001
_LAST, _MORE = b"\0", b"\1"  # the first byte of a packet: does the body go on in the next one?


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def fits_one_packet(body: bytes) -> bool:
    return len(body) <= _PIECE


def last_piece(body: bytes) -> bytes:
    """What its last packet carries: all of it when it fits one."""
    return body if fits_one_packet(body) else body[_last_at(body) :]


def receive(sock: socket.socket) -> Iterator[bytes]:
    """The bodies that arrive on a blocking socket, until the other end closes it."""
    joiner = _Joiner()
    while packet := sock.recv(_PIECE + 1):
        if (body := joiner.feed(packet)) is not None:
            yield body


def send(sock: socket.socket, body: bytes) -> None:
    """Over a blocking socket."""
    if fits_one_packet(body):
        sock.sendall(_LAST + body)
        return
    for packet in _packets(body):
        sock.sendall(packet)


class Link:
    """The worker's end, on its event loop."""

    def __init__(self, ours: socket.socket, theirs: socket.socket, on_bodies: Callable[[list[bytes]], None]) -> None:
        ours.setblocking(False)
        self._ours = ours
        self._theirs = theirs  # shared with the child: its flags stay as they are
        self._on_bodies = on_bodies
        self._joiner = _Joiner()
        self._is_held = self._is_resting = self._listens = False
        self._waiting: deque[bytes] = deque()  # packets for which the socket had no room
        self._loop = asyncio.get_running_loop()
        self._listen()

    def post(self, body: bytes) -> None:
        if fits_one_packet(body) and not self._waiting and self._sent(_LAST + body):
            return
        for packet in _packets(body):
            if self._waiting or not self._sent(packet):
                self._wait_with(packet)

    def take_back(self) -> list[bytes]:
        """The last pieces (see `last_piece`) of the bodies that the child has not read whole, and never will.

        A child that goes on reads beside this, so it may have what was posted after something that is taken back. From
        such a one only bodies that fit one packet can be taken back.
        """
        unread = [*_arrived(self._theirs), *self._waiting]
        self._waiting.clear()
        return [packet[1:] for packet in unread if packet[:1] == _LAST]

    def hold(self) -> None:
        """The child is not heard for now: it waits when it has filled its socket."""
        self._is_held = True
        self._listen()

    def go_on(self) -> None:
        if self._is_held:
            self._is_held = False
            self._listen()

    def rest(self) -> None:
        """Looks again in a moment at all that has come: to be woken for each body costs more than to read it."""
        if not self._is_resting:
            self._is_resting = True
            self._listen()
            self._loop.call_later(REST_SECONDS, self._rested)

    def look(self) -> None:
        """Reads, unless the child is not to be heard now."""
        if not self._is_held:
            self.read()

    def read(self) -> None:
        """Hands on what has arrived; who writes without a pause does not keep the worker from everything else."""
        joined, size = [], 0
        for packet in islice(_arrived(self._ours, self._deaf), _MOST_AT_ONCE):
            joined.append(self._joiner.feed(packet))
            if (size := size + len(packet)) >= _MOST_BYTES_AT_ONCE:
                break
        if bodies := [body for body in joined if body is not None]:
            self._on_bodies(bodies)

    def close(self) -> None:
        if self._ours.fileno() >= 0:
            self._loop.remove_reader(self._ours)
            self._loop.remove_writer(self._ours)
            self._ours.close()
            self._theirs.close()

    def _listen(self) -> None:
        """Is woken by what arrives from now on, or is not."""
        listens = not (self._is_held or self._is_resting)
        if listens != self._listens and self._ours.fileno() >= 0:
            self._listens = listens
            if listens:
                self._loop.add_reader(self._ours, self.look)
            else:
                self._loop.remove_reader(self._ours)

    def _rested(self) -> None:
        self._is_resting = False
        self.look()  # which may let it rest again
        self._listen()

    def _deaf(self) -> None:
        """The worker has the child's end too, so it was shut down, and would be readable for ever."""
        self._loop.remove_reader(self._ours)

    def _sent(self, packet: bytes) -> bool:
        try:
            self._ours.send(packet)
        except BlockingIOError:
            return False
        except ConnectionError:
            pass  # the child has ended, which is told elsewhere
        return True

    def _wait_with(self, packet: bytes) -> None:
        if not self._waiting:
            self._loop.add_writer(self._ours, self._write)
        self._waiting.append(packet)

    def _write(self) -> None:
        while self._waiting and self._sent(self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            self._loop.remove_writer(self._ours)


def _arrived(sock: socket.socket, at_end: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """The packets that can be read at once; none from a socket that has been closed."""
    while sock.fileno() >= 0:
        try:
            packet = sock.recv(_PIECE + 1, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionError):
            return
        if not packet:
            at_end()
            return
        yield packet


class _Joiner:
    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, packet: bytes) -> bytes | None:
        """The body that this packet completes; one that is too large as soon as it is, so that it ends somewhere."""
        if packet[:1] == _LAST and not self._pieces:
            return packet[1:]
        self._pieces.append(packet[1:])
        self._size += len(packet)
        if packet[:1] == _MORE and self._size <= MOST_BYTES:
            return None
        body, self._pieces, self._size = b"".join(self._pieces), [], 0
        return body


def _packets(body: bytes) -> Iterator[bytes]:
    last = _last_at(body)
    for start in range(0, last, _PIECE):
        yield _MORE + body[start : start + _PIECE]
    yield _LAST + body[last:]


def _last_at(body: bytes) -> int:
    return max(0, len(body) - 1) // _PIECE * _PIECE
