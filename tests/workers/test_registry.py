"""Which kinds there are, described by the signatures of their handlers."""

from typing import Any

import pytest

from workers.registry import BUILT_IN, RegistryError, handler, load


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


def test_a_parameter_without_annotation_or_name_is_refused() -> None:
    with pytest.raises(RegistryError, match="'x' needs a type annotation"):

        @handler("test.unannotated")
        def unannotated(x) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(RegistryError, match="'rest' must be an ordinary named one"):

        @handler("test.rest")
        def rest(**rest: Any) -> None: ...
