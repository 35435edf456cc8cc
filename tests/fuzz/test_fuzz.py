"""Some requests of `python -m tests.fuzz`, always the same."""

import pytest
from hypothesis import given, settings

from tests.fuzz.campaign import CALM, Found
from tests.fuzz.cast import Cast
from tests.fuzz.requests import Shot, shots
from tests.fuzz.sweep import WORST, sweep

REQUESTS = 120


@pytest.mark.django_db(transaction=True)
def test_whatever_is_sent_the_answer_is_one_of_ours() -> None:
    cast, found = Cast(), Found()

    @settings(max_examples=REQUESTS, derandomize=True, **CALM)
    @given(shots(cast))
    def each(shot: Shot) -> None:
        assert found.fire(shot, cast) == "", shot.body

    each()
    assert found.count >= REQUESTS
    assert found.statuses[200] > REQUESTS / 5  # else it tries nothing but the door


@pytest.mark.django_db(transaction=True)
def test_no_argument_of_any_field_is_taken_as_it_comes() -> None:
    cast, found = Cast(), Found()
    for shot in sweep(cast, WORST):
        assert found.fire(shot, cast) == "", shot.body
    assert found.count > 100
