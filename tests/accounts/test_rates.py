"""The buckets that changes are counted with."""

import pytest

from apps.accounts import rates
from apps.accounts.rates import Rates


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, to be set."""
    at = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: at[0])
    return at


def test_a_bucket_fills_again_all_the_time(now: list[float]) -> None:
    bucket = Rates()
    assert [bucket.take(1, 30, 60) for _ in range(3)] == [0, 0, 30]
    assert bucket.take(2, 60, 60) == 0
    now[0] += 29
    assert bucket.take(1, 30, 60) == 1
    now[0] += 1
    assert bucket.take(1, 30, 60) == 0
    now[0] += 3_600
    assert [bucket.take(1, 60, 60), bucket.take(1, 1, 60)] == [0, 1]


def test_more_than_a_minutes_need_a_full_bucket(now: list[float]) -> None:
    bucket = Rates()
    assert bucket.take(1, 100, 60) == 0
    assert bucket.take(1, 1, 60) == 41
    now[0] += 41
    assert bucket.take(1, 1, 60) == 0


def test_who_was_not_here_for_long_is_forgotten(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_KNOWN", 2)
    bucket = Rates()
    bucket.take(1, 1, 60)
    bucket.take(2, 200, 60)
    now[0] += 61
    bucket.take(3, 1, 60)
    assert bucket.take(4, 1, 60) == 0
    assert set(bucket._known) == {2, 3, 4}
