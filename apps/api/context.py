"""What a resolver knows of its request: who asks, and what was looked up already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.accounts.permissions import Caller

T = TypeVar("T")


class Context:
    """`info.context` of every resolver."""

    __slots__ = ("_known", "caller")

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._known: dict[Any, Any] = {}

    def once(self, look_up: Callable[[], T]) -> T:
        """The answer of this function, asked for at most once in a request."""
        if look_up not in self._known:
            self._known[look_up] = look_up()
        answer: T = self._known[look_up]
        return answer
