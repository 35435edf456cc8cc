"""When to flush: at once when idle, at a steady rate when busy."""

from workers.pace import Pace


def test_a_few_flushes_may_follow_each_other_at_once() -> None:
    pace = Pace(60, burst=3)
    assert [pace.wait() for _ in range(3)] == [0, 0, 0]


def test_further_ones_wait_a_gap_each() -> None:
    pace = Pace(60, burst=1)
    waits = [pace.wait() for _ in range(3)]
    assert waits[0] == 0
    assert 59 < waits[1] <= 60
    assert 119 < waits[2] <= 120


def test_without_a_gap_nobody_waits() -> None:
    assert [Pace(0).wait() for _ in range(100)] == [0] * 100


def test_it_is_busy_when_the_next_flush_has_to_wait() -> None:
    pace = Pace(60, burst=1)
    assert not pace.is_busy
    pace.wait()
    assert pace.is_busy
    assert not Pace(0).is_busy


def test_after_several_the_gap_is_the_longer_one_until_few_follow() -> None:
    pace = Pace(30, 60, burst=1)
    waits = []
    for count in (2, 3, 99, 100):
        pace.carried(count)
        before = pace.wait()
        waits.append(round(pace.wait() - before))
    assert waits == [30, 60, 60, 30]
