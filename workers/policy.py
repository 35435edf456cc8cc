"""How long a kind's tasks may run and how often they are tried."""

from dataclasses import dataclass
from typing import Any

LONGEST_SECONDS = 7 * 86_400
LONGEST_PAUSE_SECONDS = 86_400
MOST_TIMES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`timeout_seconds`: None = without limit. `max_attempts` counts the first one as well.

    `retry_seconds`: the pause before the second, from which the later ones grow. `max_crashes`: so many times may the
    process that runs the task end under it until the task has failed.
    """

    timeout_seconds: float | None = None
    max_attempts: int = 1
    retry_seconds: float = 10.0
    max_crashes: int = 3

    def mistake(self) -> str:
        """One line; "" when there is none."""
        limit = self.timeout_seconds
        if limit is not None and not (_is_number(limit) and 0 < limit <= LONGEST_SECONDS):
            return f"its timeout_seconds must be None or more than 0 and at most {LONGEST_SECONDS} (got {limit!r:.60})"
        for name in ("max_attempts", "max_crashes"):
            count = getattr(self, name)
            if type(count) is not int or not 1 <= count <= MOST_TIMES:
                return f"its {name} must be a whole number from 1 to {MOST_TIMES} (got {count!r:.60})"
        pause = self.retry_seconds
        if not _is_number(pause) or not 0 <= pause <= LONGEST_PAUSE_SECONDS:
            return f"its retry_seconds must be a number from 0 to {LONGEST_PAUSE_SECONDS} (got {pause!r:.60})"
        return ""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
