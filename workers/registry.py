"""PUBLIC. Which kinds of task there are: functions marked with `@handler`, described by their signatures.

    @handler("reports.monthly")
    def monthly(month: Annotated[int, Field(ge=1, le=12, description="1 = January")], title: str = "") -> float:
        \"\"\"The first line is the kind's short description on the page.\"\"\"

Modules with handlers are named in MILLRACE_HANDLERS.
"""

import importlib
import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model
from pydantic_core import to_jsonable_python

from workers import docs, raised
from workers.described import Described
from workers.messages import QUEUE_NAME_RULE, is_queue_name
from workers.policy import Policy
from workers.sandbox.ending import KIND as CODE

ROOT = Path(__file__).parents[1]
DEFAULT_QUEUE = "default"
KIND_LENGTH = 100

Function = TypeVar("Function", bound=Callable[..., Any])


class RegistryError(Exception):
    """The handlers cannot be served; the text is one line that says which and why."""


class InvalidParameters(ValueError):
    """The parameters do not fit the handler's signature; one line per parameter."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of work and the function that runs it."""

    name: str
    doc: str
    queue: str
    run: Callable[..., Any]
    parameters: type[BaseModel]
    policy: Policy = field(default_factory=Policy)

    def validated(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments for `run`. Raises InvalidParameters."""
        try:
            model = self.parameters.model_validate(params)
        except ValidationError as error:
            raise InvalidParameters("\n".join(_problems(error))) from None
        return dict(model.__dict__)  # iterating over the model takes three times as long

    def announcement(self) -> dict[str, Any]:
        """As the worker's heartbeat tells it."""
        schema = _schema(self.parameters)
        described = schema.get("properties", {})
        doc, descriptions = docs.parted(self.doc, described)
        for name, text in descriptions.items():
            described[name].setdefault("description", text)
        return {
            "name": self.name,
            "doc": doc,
            "schema": schema,
            "queue": self.queue,
            **asdict(self.policy),
        }


_registered: dict[str, Kind] = {}


def handler(
    name: str,
    *,
    queue: str = DEFAULT_QUEUE,
    timeout_seconds: float | None = None,
    max_attempts: int = 1,
    retry_seconds: float = 10.0,
    max_crashes: int = 3,
) -> Callable[[Function], Function]:
    """Makes the function the handler of kind `name`. Its parameters need annotations; pydantic checks them.

    See `Policy` for the numbers, which are what a task gets when whoever creates it asks for nothing else.
    """
    if callable(name):
        raise RegistryError(f'{_place(name)}: write @handler("its.name"), with the name of the kind')
    policy = Policy(
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
        retry_seconds=retry_seconds,
        max_crashes=max_crashes,
    )

    def register(function: Function) -> Function:
        _check_names(name, queue, function)
        if mistake := policy.mistake():
            raise RegistryError(f"handler '{name}' ({_place(function)}): {mistake}")
        if name in _registered:
            raise RegistryError(
                f"two handlers are named '{name}': {_place(_registered[name].run)} and {_place(function)}"
            )
        _registered[name] = Kind(
            name=name,
            doc=inspect.getdoc(function) or "",
            queue=queue,
            run=function,
            parameters=_parameters(name, function),
            policy=policy,
        )
        return function

    return register


def load(modules: Sequence[str]) -> Mapping[str, Kind]:
    """The kinds of these modules by name. Raises RegistryError."""
    _look_in(os.environ.get("MILLRACE_HANDLERS_FOLDER", ""))
    for module in modules:
        try:
            importlib.import_module(module)
        except RegistryError:
            raise
        except BaseException as error:  # whatever a module does while it is imported, sys.exit() too
            told = raised.describe(error, hidden_file=__file__)
            reason = " ".join(f"{told.type}: {told.message}".split()).removesuffix(":")
            raise RegistryError(f"MILLRACE_HANDLERS: module '{module}' cannot be imported ({reason})") from error
    if modules and not _registered:
        raise RegistryError(f"MILLRACE_HANDLERS: {', '.join(modules)}: no function there is marked with @handler(...)")
    return dict(_registered)


def _look_in(folder: str) -> None:
    """Modules are found there as well, behind what is installed: a `random.py` there hides nothing of Python's.

    Before this code's own folders, whose `config` and `apps` would hide those of a Django project.
    """
    if folder:
        own = [str(ROOT), str(ROOT / "site")]
        sys.path[:] = [*(each for each in sys.path if each not in (*own, folder)), folder, *own]


def _check_names(name: Any, queue: Any, function: Callable[..., Any]) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= KIND_LENGTH or not name.isprintable() or name != name.strip():
        rule = f"1 to {KIND_LENGTH} characters that can be seen"
        raise RegistryError(f"{_place(function)}: the name of its kind must be {rule} (got {name!r:.120})")
    if name == CODE:
        raise RegistryError(f"{_place(function)}: '{name}' is the kind that runs in the sandbox; choose another name")
    if not isinstance(queue, str) or not is_queue_name(queue):
        raise RegistryError(f"{_place(function)}: the name of its queue must be {QUEUE_NAME_RULE} (got {queue!r:.120})")


def _parameters(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise RegistryError(f"handler '{name}' ({_place(function)}): an annotation cannot be read: {reason}") from error
    if awkward := next((what for is_one, what in _NO_HANDLERS if is_one(function)), ""):
        raise RegistryError(f"handler '{name}' ({_place(function)}) {awkward}")
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name.startswith("_") and parameter.default is not parameter.empty:
            continue  # its own affair
        if parameter.name.startswith("_") or parameter.name == "model_config":
            reason = "pydantic keeps such names to itself"
            raise RegistryError(f"handler '{name}': parameter '{parameter.name}' needs another name: {reason}")
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise RegistryError(f"handler '{name}': parameter '{parameter.name}' must be an ordinary named one")
        if parameter.name not in hints:
            raise RegistryError(f"handler '{name}': parameter '{parameter.name}' needs a type annotation")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
        _check_description(name, parameter.name, fields[parameter.name])
    return _model(name, **fields)


_NO_HANDLERS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (inspect.iscoroutinefunction, "is async: make it an ordinary function that calls asyncio.run(...)"),
    (inspect.isgeneratorfunction, "yields: make it an ordinary function that returns its result"),
)


def _check_description(name: str, parameter: str, field: tuple[Any, Any]) -> None:
    """One by one, because pydantic does not always name the parameter that it cannot describe."""
    try:
        schema = _schema(_model(name, **{parameter: field}))
    except Exception as error:  # a type's own description may do anything
        shown = f"{inspect.formatannotation(field[0]):.100}"
        if isinstance(error, PydanticUserError) and error.code == "typed-dict-version":
            shown = f"{shown}: take TypedDict from typing_extensions"
        raise RegistryError(f"handler '{name}': parameter '{parameter}' cannot be described ({shown})") from error
    try:
        # The default by itself too: inside a list the schema would have null for it.
        default = to_jsonable_python(field[1], inf_nan_mode="constants", fallback=lambda _: None)
        json.dumps([schema, default], allow_nan=False)
    except (TypeError, ValueError) as error:
        what = "a default or an example that JSON cannot hold, such as inf or nan"
        raise RegistryError(f"handler '{name}': parameter '{parameter}' has {what}") from error


def _model(name: str, /, **fields: Any) -> type[BaseModel]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Field name .* shadows an attribute")  # it is only ever looked up by its name
        return create_model(name, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **fields)


def _schema(parameters: type[BaseModel]) -> dict[str, Any]:
    return parameters.model_json_schema(schema_generator=Described)


def _problems(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_context=False):
        place = ".".join(str(part) for part in problem["loc"]) or "parameters"
        if problem["type"] == "extra_forbidden":
            yield f"{place}: there is no such parameter"
        elif problem["type"] == "missing":
            yield f"{place}: is missing"
        else:
            yield f"{place}: {problem['msg']} (got {problem['input']!r:.100})"


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
