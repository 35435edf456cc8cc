"""Dataclasses that stay as they are made, which the type checker sees to: Python's own way makes them take three times
as long to make, and of some each task makes several.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def fixed(cls: type[Class]) -> type[Class]:
    """As `dataclass(frozen=True, slots=True, kw_only=True)`, to whoever reads it."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
