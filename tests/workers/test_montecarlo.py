"""montecarlo.sde against the exact means that theory gives."""

import math

import pytest

from workers.handlers.montecarlo import sde


def test_the_mean_of_geometric_brownian_motion_is_near_the_exact_one() -> None:
    mean = sde(paths=200_000, steps=200, drift=0.5, volatility=0.2, start=2.0, seed=1)
    assert mean == pytest.approx(2 * math.exp(0.5), rel=0.005)


def test_the_mean_of_an_ornstein_uhlenbeck_process_is_near_the_exact_one() -> None:
    mean = sde(paths=200_000, steps=200, process="ornstein_uhlenbeck", drift=1.5, volatility=0.3, start=4.0, seed=1)
    assert mean == pytest.approx(4 * math.exp(-1.5), rel=0.01)


def test_without_noise_the_value_is_the_euler_polygon() -> None:
    assert sde(paths=1, steps=10, drift=1.0, volatility=0.0) == pytest.approx(1.1**10)


def test_the_same_seed_gives_the_same_value() -> None:
    assert sde(paths=100, seed=7) == sde(paths=100, seed=7) != sde(paths=100, seed=8)
