"""Mechanisms of the product, each taken away: a test that does not notice proves nothing."""

from collections.abc import Callable, Mapping
from types import ModuleType

WITHOUT: Mapping[str, Mapping[str, Callable[[ModuleType], None]]] = {}
