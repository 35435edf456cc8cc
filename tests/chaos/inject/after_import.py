"""Calls what is injected into a module once the module has been imported."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tests.chaos.inject import crash_points, sabotage

Patch = Callable[[ModuleType], None]


def install() -> None:
    patches = crash_points.patches(os.environ.get("CHAOS_ROLE", ""))
    for mechanism in filter(None, os.environ.get("CHAOS_WITHOUT", "").split(",")):
        for module, patch in sabotage.WITHOUT[mechanism].items():
            patches.setdefault(module, []).insert(0, patch)
    sys.meta_path.insert(0, _Finder(patches))


class _Finder(MetaPathFinder):
    def __init__(self, patches: dict[str, list[Patch]]) -> None:
        self._patches = patches

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._patches:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec), None)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader, self._patches[fullname])
        return spec


class _Loader(Loader):
    """The module's own loader, then the patches."""

    def __init__(self, loader: Any, patches: list[Patch]) -> None:
        self._loader = loader
        self._patches = patches

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for patch in self._patches:
            patch(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
