"""How many deliveries a worker asks for beyond its slots: none while tasks are long, many while they are very short.

A delivery that waits here cannot be run by another worker, so looking ahead pays only while it waits for milliseconds.
"""

import asyncio

SHORT_SECONDS = 0.05
VERY_SHORT_SECONDS = 0.005
STUCK_SECONDS = 1.0  # what a task counts for behind which others had to wait
TINY_SECONDS = 0.0002
IN_ADVANCE = 16
TINY_IN_ADVANCE = 64  # so the child has enough to do while the worker rests; in all it is less than 16 very short ones
SMOOTHING = 0.1  # so after such a task some thirty short ones follow before the worker looks ahead again


class LookAhead:
    """Level 0: one delivery per slot. Level 1, 2: so many more. `changed` is set when another level is wanted."""

    def __init__(self, slots: int) -> None:
        self.changed = asyncio.Event()
        self.extra = (0, 2 * slots, 200)
        self.level = 0
        self._mean_seconds = 2 * SHORT_SECONDS

    def ran(self, seconds: float) -> None:
        """A slot is done with a task, which took so long."""
        self._mean_seconds += SMOOTHING * (seconds - self._mean_seconds)
        if self.wanted() != self.level:
            self.changed.set()

    def stuck(self) -> None:
        """Deliveries wait here behind tasks that turned out long."""
        self._mean_seconds = max(self._mean_seconds, STUCK_SECONDS)

    @property
    def in_advance(self) -> int:
        """How many tasks a slot's child is handed beyond the one that it runs."""
        if self.level < 2:
            return 0
        return TINY_IN_ADVANCE if self.is_tiny else IN_ADVANCE

    @property
    def is_tiny(self) -> bool:
        return self._mean_seconds < TINY_SECONDS

    def wanted(self) -> int:
        """The level that fits the last tasks; it goes up at half the limit at which it goes down."""
        limits = (SHORT_SECONDS, VERY_SHORT_SECONDS)
        level = self.level
        while level < len(limits) and self._mean_seconds < limits[level] / 2:
            level += 1
        while level > 0 and self._mean_seconds > limits[level - 1]:
            level -= 1
        return level
