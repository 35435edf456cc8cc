"""Kinds that show the flow: a coin that may fail, and nothing at all."""

import random
import time
from typing import Annotated, Any

from pydantic import Field

from workers.registry import handler


class SimulatedFailure(Exception):
    """Raised by `demo.coin`, at the rate asked for."""


@handler("demo.coin")
def coin(
    failure_rate: Annotated[float, Field(ge=0, le=1, description="How often it fails: 0 never, 1 always")] = 0.4,
    seconds: Annotated[float, Field(ge=0, le=3600, description="How long it takes")] = 1.0,
) -> float:
    """Takes its time, then fails at random or returns a random number.

    It sleeps for `seconds`, then raises `SimulatedFailure` with probability `failure_rate`; otherwise its value is a
    random number from 0 to 1. For seeing what a running, a finished and a failed task look like.
    """
    time.sleep(seconds)
    if random.random() < failure_rate:  # noqa: S311
        raise SimulatedFailure(f"the coin fell on the wrong side (failure rate {failure_rate:g})")
    return random.random()  # noqa: S311


@handler("demo.noop")
def noop(x: Annotated[Any, Field(description="Any JSON")] = None) -> Any:
    """Returns `x` at once.

    It does nothing else, so it measures what the way from the browser to a worker and back costs.
    """
    return x
