"""Fires requests and gathers what is wrong with the answers, each sort once with its shortest request."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from structlog.testing import capture_logs

from tests.fuzz.requests import Shot, shots
from tests.fuzz.sweep import STRANGE, sweep
from tests.fuzz.verdict import trouble

if TYPE_CHECKING:
    from tests.fuzz.cast import Cast

CALM: dict[str, Any] = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}
BATCH = 1_000


@dataclass(slots=True)
class Found:
    """`troubles`: the shortest request and the whole sentence by what they have in common."""

    statuses: Counter[int] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)  # root fields of answers without any error
    troubles: dict[str, tuple[Shot, str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.statuses.total()

    def fire(self, shot: Shot, cast: Cast) -> str:
        """What is wrong with the answer; empty when nothing is."""
        with capture_logs() as logs:
            response = shot.fire(cast)
        self.statuses[response.status_code] += 1
        if response.status_code == 200 and b'"errors":' not in response.content:
            self.answered.update(shot.root)
        wrong = trouble(response, stranger=shot.by in cast.strangers)
        if not wrong:
            return ""
        reason = response.exc_info[1] if getattr(response, "exc_info", None) else None
        reasons = [entry["exc_info"] for entry in logs if isinstance(entry.get("exc_info"), Exception)]
        wrong = f"{wrong} {' '.join(map(_place, filter(None, [reason, *reasons])))}"
        self._keep(shot, wrong)
        return wrong

    def _keep(self, shot: Shot, wrong: str) -> None:
        sort = re.sub(r"\d+|'[^']*'|\"[^\"]*\"|under \w+", "*", wrong)[:200]
        known = self.troubles.get(sort)
        if known is None or len(shot.body) < len(known[0].body):
            self.troubles[sort] = shot, wrong


def fire(cast: Cast, requests: int, first_seed: int) -> Found:
    found = Found()
    for shot in islice(sweep(cast, STRANGE), requests):
        found.fire(shot, cast)
    print(
        f"{found.count:7,} {dict(found.statuses)} {len(found.troubles)} troubles: each argument by itself", flush=True
    )
    while found.count < requests:
        _batch(cast, found, min(BATCH, requests - found.count), first_seed + found.count)
        print(f"{found.count:7,} {dict(found.statuses)} {len(found.troubles)} troubles", flush=True)
    return found


def _batch(cast: Cast, found: Found, size: int, number: int) -> None:
    @seed(number)
    @settings(max_examples=size, phases=[Phase.generate], **CALM)
    @given(shots(cast))
    def each(shot: Shot) -> None:
        found.fire(shot, cast)

    each()


def _place(error: BaseException) -> str:
    """Where it was raised, in a line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/.venv/" not in frame.filename]
    at = f"{frames[-1].filename}:{frames[-1].lineno} {frames[-1].name}" if frames else "?"
    return f"[{type(error).__name__} {str(error)[:200]} at {at}]"
