"""How far a worker looks ahead."""

from workers.lookahead import LookAhead


def settled(look_ahead: LookAhead, *seconds: float) -> int:
    for each in seconds:
        look_ahead.ran(each)
        look_ahead.level = look_ahead.wanted()
    return look_ahead.level


def test_an_unknown_workload_is_taken_one_per_slot() -> None:
    assert LookAhead(2).wanted() == 0


def test_it_looks_further_ahead_the_shorter_the_tasks_are() -> None:
    assert settled(LookAhead(1), *[1.0] * 50) == 0
    assert settled(LookAhead(1), *[0.02] * 50) == 1
    assert settled(LookAhead(1), *[0.0001] * 50) == 2


def test_it_does_not_swing_around_a_limit() -> None:
    look_ahead = LookAhead(1)
    settled(look_ahead, *[0.02] * 50)
    levels = {settled(look_ahead, seconds) for seconds in [0.04, 0.06, 0.03, 0.05] * 20}
    assert levels == {1}


def test_waiting_behind_a_long_task_ends_it_at_once_and_for_a_while() -> None:
    look_ahead = LookAhead(1)
    settled(look_ahead, *[0.0001] * 50)
    look_ahead.stuck()
    assert look_ahead.wanted() == 0
    assert settled(look_ahead, *[0.0001] * 20) == 0
    assert settled(look_ahead, *[0.0001] * 60) == 2
