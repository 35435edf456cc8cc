"""A kind with more choices than one message can carry."""

from enum import Enum

from workers.registry import handler

Choice = Enum("Choice", {f"C{number}": f"choice {number:>90}" for number in range(11_000)})  # type: ignore[misc]


@handler("test.choice")
def choose(choice: Choice) -> None:
    """Takes one of very many."""
