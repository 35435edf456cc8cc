"""Handlers' parameters of every type, as kinds: what their inputs look like and what becomes of what is typed."""

import itertools
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Literal, NamedTuple

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone
from pydantic import BaseModel

from apps.tasks.forms import TaskForm
from apps.tasks.models import Kind
from workers import registry

NUMBERS = itertools.count()
Missing = ...


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Grid:
    width: int
    height: int = 3


class Plate(BaseModel):
    """What is cut."""

    thickness: float = 2.0
    material: Literal["steel", "brass"]
    grid: Grid = Grid(4)
    holes: list[int] = []


class Tree(BaseModel):
    name: str
    left: "Tree | None" = None


class Cat(BaseModel):
    sort: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    sort: Literal["dog"] = "dog"
    name: str


def a_handler(annotation: Any, default: Any = Missing) -> registry.Kind:
    """A registered kind with this one parameter."""

    def run(**_: Any) -> None: ...

    def handler(x: Any) -> None:
        """Takes x."""

    handler.__annotations__["x"] = annotation
    handler.__defaults__ = () if default is Missing else (default,)
    registry.handler(kind := f"test.form{next(NUMBERS)}")(handler)
    return registry._registered.pop(kind)


def announced(handler: registry.Kind) -> dict[str, Kind]:
    """As the web knows it."""
    told = handler.announcement()
    kind = Kind.objects.create(name=told["name"], doc=told["doc"], schema=told["schema"], announced_at=timezone.now())
    return {kind.name: kind}


def html_of(kinds: dict[str, Kind], query: str = "") -> str:
    (name,) = kinds
    form = TaskForm(kinds, QueryDict(f"kind={name}&{query}"))
    form.look_over()
    return "".join(f"{field}{field.errors}{field.help_text}" for field in form.param_fields)


def as_sent(kinds: dict[str, Kind], **typed: Any) -> QueryDict:
    """The form as a browser sends it, with these fields typed over; None: not sent at all."""
    (name,) = kinds
    sent = TaskForm(kinds, QueryDict(f"kind={name}&name=n"))._as_sent()
    for field, text in typed.items():
        key = f"p.{field}"
        if text is None:
            sent.pop(key, None)
        else:
            sent.setlist(key, text if isinstance(text, list) else [text])
    return sent


def saved(user: User, kinds: dict[str, Kind], **typed: Any) -> dict[str, Any]:
    """The stored parameters, else the mistakes by field."""
    form = TaskForm(kinds, as_sent(kinds, **typed), bound=True)
    task = form.save(user)
    return task.params if task else {name: [str(text) for text in texts] for name, texts in form.errors.items()}
