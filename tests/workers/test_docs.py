"""Docstrings in the three usual styles: the text for the page, and what is said of each parameter."""

import inspect

import pytest

from workers.docs import parted

NAMES = ("paths", "seed")
GOOGLE = """Runs it.

    It takes a `while`.

    Args:
        paths: how many of them
            are simulated
        seed (int, optional): same seed, same value
        stranger: of no parameter

    Returns:
        The mean.

    Raises:
        ValueError: when there are none
    """
NUMPY = """Runs it.

    It takes a `while`.

    Parameters
    ----------
    paths : int
        how many of them
        are simulated
    seed : int, optional
        same seed, same value

    Returns
    -------
    float
        The mean.

    Raises
    ------
    ValueError
        when there are none
    """
SPHINX = """Runs it.

    It takes a `while`.

    :param paths: how many of them
        are simulated
    :param int seed: same seed, same value
    :returns: The mean.
    :raises ValueError: when there are none
    """


@pytest.mark.parametrize("doc", [GOOGLE, NUMPY, SPHINX])
def test_parameters_are_taken_out_of_the_text(doc: str) -> None:
    text, told = parted(inspect.cleandoc(doc), NAMES)
    assert told == {"paths": "how many of them are simulated", "seed": "same seed, same value"}
    assert text == "Runs it.\n\nIt takes a `while`.\n\nReturns: The mean.\n\nRaises `ValueError`: when there are none"


@pytest.mark.parametrize(
    "doc",
    [
        "",
        "One line.",
        "Solves it.\n\n`a`: dX = 1\n`b`: dX = 2\n\nExample:\n    run(1)",
        "Note: this is text.\n\nArgs:\n    other: of no parameter",
        ":not a field\n\n: x",
        "Args:",
        "Parameters\n----------",
        "Args:\n  paths",
        "a\n    b\n  c:\n  :param",
    ],
)
def test_a_text_that_describes_no_parameter_stays_as_it_is(doc: str) -> None:
    assert parted(doc, NAMES) == (doc, {})
