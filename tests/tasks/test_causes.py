"""Which failures are alike: the same error at the same place in the handler's code."""

import time

from apps.tasks import causes
from apps.tasks.models import CAUSE_LENGTH

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/handlers/fits.py", line {line}, in fit
    solve({argument})
  File "/srv/app/handlers/fits.py", line 40, in solve
    return numpy.linalg.inv(a)
  File "/venv/lib/python3.11/site-packages/numpy/linalg/linalg.py", line 7, in inv
    raise LinAlgError("Singular matrix")
numpy.linalg.LinAlgError: Singular matrix {message}
"""


def error(text: str, message: str = "no", type_: str = "LinAlgError") -> causes.Cause:
    return causes.of("ERROR", type_, message, text)


def raised(**more: object) -> str:
    return TRACEBACK.format(**{"line": 12, "argument": "a", "message": "", **more})


def test_a_cause_is_what_was_raised_and_the_last_own_place() -> None:
    cause = error(raised())
    assert (cause.file, cause.function, cause.line) == ("handlers/fits.py", "solve", "return numpy.linalg.inv(a)")
    assert len(cause.key) == CAUSE_LENGTH
    # Other messages, lines that have moved, another way to the same place, another host's folder: the same cause.
    assert error(raised(line=99, argument="b", message="x"), "other").key == cause.key
    assert error(raised().replace("/srv/app", "/home/ana/app")).key == cause.key
    assert error(raised().replace("inv(a)\n", "inv(b)\n")).key != cause.key
    assert error(raised(), type_="ValueError").key != cause.key


def test_where_no_frame_is_their_own_the_last_one_counts() -> None:
    cause = error('  File "/usr/lib/python3.11/json/decoder.py", line 9, in decode\nValueError: no\n')
    assert (cause.file, cause.function, cause.line) == ("json/decoder.py", "decode", "line 9")
    assert error("").key == error("no traceback at all").key


def test_what_died_or_was_stopped_is_grouped_by_how() -> None:
    def crash(message: str) -> str:
        return causes.of("CRASHED", "Crashed", message, "").key

    assert crash("the worker host:7:ab vanished") == crash("the worker other:9:cd vanished")
    assert crash("killed by SIGKILL") != crash("killed by SIGSEGV")
    # Where the time limit struck is chance.
    assert causes.of("TIMEOUT", "TimeLimit", "1 s", raised()).key == causes.of("TIMEOUT", "TimeLimit", "2 s", "").key


def test_what_a_handler_raises_cannot_hold_up_the_recording() -> None:
    hostile = '  File "x", line 1, in f\n' + " " * 60_000 + 'File "' + ' File "' * 10_000
    started = time.thread_time()
    error(hostile)
    assert time.thread_time() - started < 1  # backtracking without bounds takes minutes
