"""Acks on one channel: as few frames as possible, whatever the order in which the deliveries are done with."""

from collections.abc import Iterable

from workers.broker import Channel


class Settling:
    """The deliveries of one channel that are not settled yet."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._open: dict[int, None] = {}  # in the order of their tags

    def add(self, tag: int) -> None:
        self._open[tag] = None

    def ack(self, tags: Iterable[int]) -> None:
        """One ack for all up to a tag when none before it is still open, and one for each of the others."""
        done = {tag for tag in tags if tag in self._open}
        last = 0
        for tag in self._open:
            if tag not in done:
                break
            last = tag
        for tag in sorted(done):
            del self._open[tag]
            if tag > last:
                self._channel.ack(tag)
        if last:
            self._channel.ack(last, multiple=True)

    def give_back(self, tag: int) -> None:
        if tag in self._open:
            del self._open[tag]
            self._channel.give_back(tag)
