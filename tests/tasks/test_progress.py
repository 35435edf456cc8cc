"""How long a task still takes, once it can be told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tasks.models import Task
from apps.tasks.progress import left_text, percent


@pytest.mark.parametrize(
    ("fraction", "elapsed", "ago", "said"),
    [
        (0.5, 180, 0, "about 3 min left"),
        (0.5, 180, 170, "about 10 s left"),
        (0.5, 180, 181, ""),  # it should have come to its end
        (0.5, 22, 0, "about 20 s left"),
        (0.9, 7, 0, "about 10 s left"),
        (0.04, 600, 0, ""),  # too early to tell
        (0.5, 4, 0, ""),
        (1.0, 60, 0, ""),
        (0.0, 60, 0, ""),
        (None, 60, 0, ""),
        (0.1, 600, 0, "about 1 h 30 min left"),
        (0.05, 86_400, 0, "about 19 d left"),
    ],
)
def test_the_time_that_is_left(fraction: float | None, elapsed: int, ago: int, said: str) -> None:
    now = timezone.now()
    spoke = now - timedelta(seconds=ago)
    task = Task(status="RUNNING", progress=fraction, progress_at=spoke, started_at=spoke - timedelta(seconds=elapsed))
    assert left_text(task, now) == said


@pytest.mark.parametrize(("fraction", "shown"), [(0.29, 29), (0.999, 99), (1, 100), (0, 0), (None, None)])
def test_a_hundred_percent_is_all_of_it(fraction: float | None, shown: int | None) -> None:
    assert percent(fraction) == shown
