"""What a worker announces with a full heartbeat: its kinds and its environment, which have to fit one message."""

import json
from collections.abc import Sequence
from typing import Any

from workers.messages import MAX_BODY_BYTES

REST_BYTES = 16_384  # of a heartbeat: names of host, worker and queues, and the ids of at most 64 running tasks
MOST_BYTES = MAX_BODY_BYTES - REST_BYTES


def why_too_large(kinds: Sequence[dict[str, Any]], environment: dict[str, Any]) -> str:
    """One line; "" when it fits. The broker closes the channel on a larger message, and outcomes go by the same one."""
    size = _size(kinds) + _size(environment)
    if size <= MOST_BYTES:
        return ""
    largest = max(kinds, key=_size, default={"name": ""})
    return (
        f"MILLRACE_HANDLERS: the kinds take {size:,} bytes to announce, at most {MOST_BYTES:,} are possible; "
        f"the largest is '{largest['name']}' with {_size(largest):,}, most of them in its documentation and schema"
    )


def _size(data: object) -> int:
    """As messages.py writes it."""
    return len(json.dumps(data, separators=(",", ":")))
