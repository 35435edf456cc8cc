"""Which kinds there are, described by the signatures of their handlers."""

import json
import math
import sys
import threading
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, Field

from workers import registry
from workers.builtin import BUILT_IN
from workers.registry import RegistryError, handler, load


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Colour(Enum):
    RED = "red"


def test_a_kind_is_announced_with_its_documentation_and_schema() -> None:
    coin = load(BUILT_IN)["demo.coin"].announcement()
    assert coin["queue"] == "default"
    assert coin["doc"].startswith("Takes its time")
    assert coin["schema"]["additionalProperties"] is False
    rate = coin["schema"]["properties"]["failure_rate"]
    assert (rate["minimum"], rate["maximum"], rate["default"], rate["type"]) == (0, 1, 0.4, "number")
    assert rate["description"]


def test_every_built_in_kind_explains_itself_and_its_parameters() -> None:
    for name in ("demo.coin", "demo.noop", "montecarlo.sde"):
        kind = load(BUILT_IN)[name].announcement()
        assert len(kind["doc"]) > 80
        assert all(each["description"] for each in kind["schema"]["properties"].values())


def test_a_module_that_cannot_be_imported_is_named_in_one_line() -> None:
    with pytest.raises(
        RegistryError, match=r"module 'no_such_module' cannot be imported \(ModuleNotFoundError"
    ) as error:
        load(["no_such_module"])
    assert "\n" not in str(error.value)


def test_two_handlers_with_one_name_are_refused() -> None:
    load(BUILT_IN)
    with pytest.raises(RegistryError, match=r"two handlers are named 'demo\.coin': workers\.handlers\.demo\.coin and"):

        @handler("demo.coin")
        def another() -> None: ...


def test_a_parameter_may_be_called_name() -> None:
    @handler("test.named")
    def named(name: str) -> str:
        return name

    assert registry._registered["test.named"].validated({"name": "ann"}) == {"name": "ann"}


def test_a_parameter_without_annotation_or_name_is_refused() -> None:
    with pytest.raises(RegistryError, match="'x' needs a type annotation"):

        @handler("test.unannotated")
        def unannotated(x) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(RegistryError, match="'rest' must be an ordinary named one"):

        @handler("test.rest")
        def rest(**rest: Any) -> None: ...


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0", " a", "n" * 300, "\ud800", 7])
def test_a_kinds_name_that_cannot_be_shown_is_refused(name: Any) -> None:
    with pytest.raises(RegistryError, match=r"<locals>\.named: the name of its kind must be 1 to 100 char") as error:

        @handler(name)
        def named() -> None: ...

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(__name__)


@pytest.mark.parametrize("queue", ["", "q" * 101, "a b", "a\tb", "a/b", None])
def test_a_queues_name_that_cannot_be_one_is_refused(queue: Any) -> None:
    with pytest.raises(
        RegistryError, match=r"<locals>\.queued: the name of its queue must be 1 to 100 letters"
    ) as error:

        @handler("test.queued", queue=queue)
        def queued() -> None: ...

    assert "\n" not in str(error.value)


def test_a_handler_without_a_name_is_told_how_to_write_one() -> None:
    def bare() -> None: ...

    with pytest.raises(RegistryError, match=r'<locals>\.bare: write @handler\("its\.name"\)'):
        handler(bare)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (float, math.inf),
        (float, math.nan),
        (list[float], [math.inf]),
        (Annotated[float, Field(examples=[math.nan])], 1.0),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_parameter(annotation: Any, default: Any) -> None:
    def endless(x: Any = default) -> None: ...

    endless.__annotations__["x"] = annotation
    with pytest.raises(
        RegistryError, match=r"^handler 'test.endless': parameter 'x' has a default or an example that JSON"
    ):
        handler("test.endless")(endless)


@pytest.mark.parametrize("annotation", [threading.Lock, "NoSuchType", "list["])
def test_a_type_that_cannot_be_described_is_named_in_one_line(annotation: Any) -> None:
    def odd(good: int, x: Any) -> None: ...

    odd.__annotations__["x"] = annotation
    with pytest.raises(RegistryError, match=r"^handler 'test.odd'") as error:
        handler("test.odd")(odd)
    assert "\n" not in str(error.value)
    assert "arbitrary_types_allowed" not in str(error.value)
    assert isinstance(annotation, str) or "parameter 'x' cannot be described" in str(error.value)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import sys\nsys.exit(3)", "cannot be imported (SystemExit: 3)"),
        ("raise KeyboardInterrupt", "cannot be imported (KeyboardInterrupt)"),
        ("raise ValueError('a\\nb')", "cannot be imported (ValueError: a b)"),
        ("x = (", "cannot be imported (SyntaxError: '(' was never closed"),
    ],
)
def test_a_module_that_brings_no_handlers_says_why_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, line: str
) -> None:
    module = f"handlers_{abs(hash(source))}"
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RegistryError) as error:
        load([module])
    assert str(error.value).startswith(f"MILLRACE_HANDLERS: module '{module}' {line}")
    assert "\n" not in str(error.value)


def test_modules_without_any_handler_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    with pytest.raises(
        RegistryError, match=r"^MILLRACE_HANDLERS: json, math: no function there is marked with @handler"
    ):
        load(["json", "math"])


def test_the_docstring_describes_parameters_that_do_not_describe_themselves() -> None:
    @handler("test.documented")
    def documented(a: int, b: Annotated[int, Field(description="own words")] = 1) -> None:
        """Does it.

        Args:
            a: the first
            b: other words
        """

    told = registry._registered["test.documented"].announcement()
    assert told["doc"] == "Does it."
    assert [part["description"] for part in told["schema"]["properties"].values()] == ["the first", "own words"]


def test_the_schema_says_what_pydantics_leaves_out() -> None:
    @handler("test.described")
    def described(
        price: Annotated[Decimal, Field(ge=0)], level: Level, colour: Colour, at: AwareDatetime, local: datetime
    ) -> None: ...

    schema = registry._registered["test.described"].announcement()["schema"]
    part = schema["properties"]
    assert part["price"]["anyOf"][1] == {"type": "string", "format": "decimal", "minimum": 0}
    assert schema["$defs"]["Level"]["x-names"] == ["LOW", "HIGH"]
    assert "x-names" not in schema["$defs"]["Colour"]
    assert part["at"]["x-zone"] == "needed"
    assert "x-zone" not in part["local"]


def test_handlers_are_found_in_the_folder_that_is_named_behind_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "handlers_beside.py").write_text(
        "from workers.registry import handler\n@handler('test.beside')\ndef beside() -> None: ...\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("MILLRACE_HANDLERS_FOLDER", str(tmp_path))
    assert "test.beside" in load(["handlers_beside"])
    own = [str(registry.ROOT), str(registry.ROOT / "site")]
    assert sys.path[-3:] == [str(tmp_path), *own]


def test_every_announcement_is_json() -> None:
    for kind in load(BUILT_IN).values():
        json.dumps(kind.announcement(), allow_nan=False)


def test_a_kind_is_announced_with_its_policy() -> None:
    @handler("test.policy", timeout_seconds=90, max_attempts=5, retry_seconds=0.5, max_crashes=1)
    def with_policy() -> None: ...

    announced = registry._registered["test.policy"].announcement()
    assert (announced["timeout_seconds"], announced["max_attempts"]) == (90, 5)
    assert (announced["retry_seconds"], announced["max_crashes"]) == (0.5, 1)
    plain = load(BUILT_IN)["demo.noop"].announcement()
    assert (plain["timeout_seconds"], plain["max_attempts"]) == (None, 1)
    assert (plain["retry_seconds"], plain["max_crashes"]) == (10.0, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("timeout_seconds", value) for value in (0, -1, math.nan, math.inf, 604_801, "5", True)],
        *[("max_attempts", value) for value in (0, 101, 1.0, True, None, "3")],
        *[("retry_seconds", value) for value in (-0.1, 86_401, math.nan, None, False)],
        *[("max_crashes", value) for value in (0, 101, 2.5, None)],
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(RegistryError, match=rf"'test\.wrong_policy' \(.*\): its {name} must be .*\(got ") as error:

        @handler("test.wrong_policy", **{name: value})
        def wrong() -> None: ...

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seconds", [0.001, 604_800])
def test_the_shortest_and_the_longest_limit_are_accepted(seconds: float) -> None:
    handler(f"test.limit_{seconds}", timeout_seconds=seconds, max_attempts=100, retry_seconds=0, max_crashes=100)(
        lambda: None
    )
