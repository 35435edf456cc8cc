"""Monte-Carlo kinds."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from workers.registry import handler

BLOCK = 50_000  # paths simulated side by side: three arrays of 0.4 MB, however many paths are asked for


@handler("montecarlo.sde")
def sde(
    *,
    paths: Annotated[int, Field(ge=1, le=10_000_000, description="Size of the ensemble")] = 10_000,
    steps: Annotated[int, Field(ge=1, le=10_000, description="Time steps from 0 to 1")] = 100,
    process: Annotated[
        Literal["geometric_brownian_motion", "ornstein_uhlenbeck"], Field(description="Which equation is solved")
    ] = "geometric_brownian_motion",
    drift: Annotated[float, Field(ge=-10, le=10, description="Growth rate, or rate of return to 0")] = 0.05,
    volatility: Annotated[float, Field(ge=0, le=10, description="Strength of the noise")] = 0.2,
    start: Annotated[float, Field(ge=-1e6, le=1e6, description="Where every path starts")] = 1.0,
    seed: Annotated[int | None, Field(ge=0, le=2**63 - 1, description="Same seed, same value; empty: random")] = None,
) -> float:
    """Mean at time 1 of an ensemble of solutions of a stochastic differential equation.

    `geometric_brownian_motion`: dX = drift X dt + volatility X dW; its exact mean at time 1 is start * exp(drift).
    `ornstein_uhlenbeck`: dX = -drift X dt + volatility dW; its exact mean at time 1 is start * exp(-drift).

    Solved by the Euler-Maruyama method; the error falls with 1/steps and 1/sqrt(paths).
    """
    generator = np.random.default_rng(seed)
    total = 0.0
    for first in range(0, paths, BLOCK):
        x = np.full(min(BLOCK, paths - first), start)
        for _ in range(steps):
            noise = generator.standard_normal(x.size) * (volatility / np.sqrt(steps))
            if process == "geometric_brownian_motion":
                x *= 1 + drift / steps + noise
            else:
                x += noise - drift / steps * x
        total += float(x.sum())
    return total / paths
