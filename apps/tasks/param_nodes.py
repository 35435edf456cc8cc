"""What a form for parameters is made of: fields, groups of them, choices between groups; and back to one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.tasks.inputs import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Path = tuple[str, ...]

PARAM = "p."  # begins the names of the fields that are the kind's parameters


def field_name(path: Sequence[str]) -> str:
    return PARAM + ".".join(path)


@dataclass(slots=True, kw_only=True)
class Leaf:
    """One field."""

    path: Path

    @property
    def name(self) -> str:
        return field_name(self.path)

    def value(self, cleaned: Mapping[str, Any], _sent: Mapping[str, Any]) -> Any:
        return cleaned.get(self.name, LEFT_OUT)

    def leaves(self) -> Iterator[Leaf]:
        yield self


@dataclass(slots=True, kw_only=True)
class Group:
    """An object or a tuple. `decided_by`: the field that says whether it is there, "" when it always is.

    It is there when that field holds `sign`; else it is `absent`. `fixed`: what is in it without a field.
    """

    path: Path
    label: str
    help_text: str
    absent: Any
    decided_by: str = ""
    sign: Any = True
    is_list: bool = False
    required: bool = False
    nodes: list[Node] = field(default_factory=list)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return field_name(self.path)

    def is_there(self, cleaned: Mapping[str, Any]) -> bool:
        return not self.decided_by or cleaned.get(self.decided_by) == self.sign

    def value(self, cleaned: Mapping[str, Any], sent: Mapping[str, Any]) -> Any:
        if not self.is_there(cleaned):
            return self.absent
        is_sent = self.required or self.decided_by or any(name.startswith(f"{self.name}.") for name in sent)
        if not is_sent:
            return LEFT_OUT
        values = {node.path[-1]: node.value(cleaned, sent) for node in self.nodes}
        if self.is_list:
            return list(values.values()) if LEFT_OUT not in values.values() else LEFT_OUT
        return {**self.fixed, **{name: value for name, value in values.items() if value is not LEFT_OUT}}

    def leaves(self) -> Iterator[Leaf]:
        for node in self.nodes:
            yield from node.leaves()


@dataclass(slots=True, kw_only=True)
class Choice(Group):
    """A value that is of one of several models: each is a group of its own, and its own field says which."""

    nodes: list[Node]

    def chosen(self, cleaned: Mapping[str, Any]) -> Node | None:
        return next((node for node in self.nodes if isinstance(node, Group) and node.is_there(cleaned)), None)

    def value(self, cleaned: Mapping[str, Any], sent: Mapping[str, Any]) -> Any:
        chosen = self.chosen(cleaned)
        return chosen.value(cleaned, sent) if chosen else self.absent


Node = Leaf | Group


def way(nodes: Sequence[Node], path: Sequence[str], cleaned: Mapping[str, Any]) -> Path:
    """From a place in the parameters to its field: by the model that was chosen, as far as that has such a place."""
    found: list[str] = []
    for index, step in enumerate(path):
        node = next((each for each in nodes if each.path[-1] == step), None)
        if node is None:
            return (*found, *path[index:])
        found.append(step)
        nodes = node.nodes if isinstance(node, Group) else ()
        if isinstance(node, Choice) and index + 1 < len(path):
            chosen = node.chosen(cleaned)
            nodes = chosen.nodes if isinstance(chosen, Group) else ()
            if not any(each.path[-1] == path[index + 1] for each in nodes):
                return tuple(found)
            found.append(chosen.path[-1] if chosen else "")
    return tuple(found)
