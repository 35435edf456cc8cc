"""Functions that only look like handlers, and parameters of odd names."""

import sys
import typing
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from typing_extensions import TypedDict

from workers import registry
from workers.registry import RegistryError, handler


class Size(TypedDict):
    width: int


if sys.version_info < (3, 12):

    class OldSize(typing.TypedDict):
        width: int


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


async def later(x: int) -> int:
    return x


def several(x: int) -> Iterator[int]:
    yield x


def hidden(_x: int) -> int:
    return _x


def configured(model_config: int) -> int:
    return model_config


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (later, "is async: make it an ordinary function that calls asyncio.run(...)"),
        (several, "yields: make it an ordinary function that returns its result"),
        (hidden, "parameter '_x' needs another name: pydantic keeps such names to itself"),
        (configured, "parameter 'model_config' needs another name"),
    ],
)
def test_what_could_not_be_called_is_refused_with_what_helps(function: Any, said: str) -> None:
    with pytest.raises(RegistryError, match=r"handler 'test\.odd'") as refused:
        handler("test.odd")(function)
    assert said in str(refused.value)


def test_parameters_may_be_called_as_pydantics_methods_and_private_ones_keep_their_defaults() -> None:
    def odd(copy: int, json: str, schema: list[int], _cache: dict[str, int] = {}) -> Any:  # noqa: B006
        return copy, json, schema, _cache

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handler("test.odd")(odd)
    kind = registry._registered["test.odd"]
    assert list(kind.announcement()["schema"]["properties"]) == ["copy", "json", "schema"]
    assert kind.run(**kind.validated({"copy": 1, "json": "a", "schema": [2]})) == (1, "a", [2], {})


def test_a_typed_dict_is_described_or_the_one_that_can_be_is_named() -> None:
    def sized(size: Size) -> int:
        return size["width"]

    handler("test.sized")(sized)
    assert registry._registered["test.sized"].validated({"size": {"width": 3}}) == {"size": {"width": 3}}
    if sys.version_info < (3, 12):
        sized.__annotations__["size"] = OldSize
        with pytest.raises(RegistryError, match="OldSize: take TypedDict from typing_extensions"):
            handler("test.old")(sized)
