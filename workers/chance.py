"""Random numbers of a process's own: children of one template would all draw the same ones."""

import random
import sys
from collections.abc import Mapping
from types import ModuleType

SEEDED = ("numpy.random", "torch")  # each has a `seed()` that takes a new state from the system


def reseed(modules: Mapping[str, ModuleType] = sys.modules) -> None:
    """Those that are not among `modules`, by name, need nothing."""
    random.seed()
    for name in SEEDED:
        if name in modules:
            modules[name].seed()
