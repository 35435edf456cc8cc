"""The parameters of a kind as fields, those of a model inside it as a group of its own, and back to one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.tasks import param_unions
from apps.tasks.inputs import LEFT_OUT, BooleanParam
from apps.tasks.kind_schemas import plain
from apps.tasks.param_nodes import PARAM, Choice, Group, Leaf, field_name, way
from apps.tasks.params import choice_field, leftover_field, param_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from apps.tasks.param_nodes import Node, Path
    from apps.tasks.param_unions import Models

Schema = dict[str, Any]
Seen = tuple[int, ...]  # the models that this one stands in

DEEPEST = 3  # models in models have fields of their own; what lies deeper is JSON
MOST_FIELDS = 150
_TICKS = ("", "on", "off", "true", "false", "1", "0", "yes", "no")  # and not a value


class ParamTree:
    """Made from a kind's schema. `typed`: what a link or a posted form has, by the fields' names.

    `chosen`: parameters that stand there instead of the defaults.
    """

    def __init__(self, root: Schema, form_schema: Schema, typed: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
        self._root, self._typed = root, typed
        self.fields: dict[str, Any] = {}
        self.leftovers: list[Leaf] = []
        self.nodes = self._nodes(form_schema, (), chosen, ())

    def add_leftovers(self, names: Sequence[str], chosen: Mapping[str, Any], *, refused: bool) -> None:
        """Fields of what was typed, or chosen, for parameters that the kind does not have."""
        self._refused = refused
        known = {leaf.path[0] for node in self.nodes for leaf in node.leaves()} | {node.path[0] for node in self.nodes}
        for name, value in chosen.items():
            if name not in known:
                self._add_leftover(field_name((name,)), value)
        for name in names:
            if name.startswith(PARAM) and name not in self.fields:
                self._add_leftover(name, None)

    def groups(self) -> Iterator[Group]:
        inside = [node for node in self.nodes if isinstance(node, Group)]
        while inside:
            group = inside.pop()
            yield group
            inside += [node for node in group.nodes if isinstance(node, Group)]

    def value(self, cleaned: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of what the fields have read; what could not be read is left out."""
        values = {node.path[0]: node.value(cleaned, sent) for node in self.nodes}
        values = {name: value for name, value in values.items() if value is not LEFT_OUT}
        for leaf in self.leftovers:
            value = leaf.value(cleaned, sent)
            if value is not LEFT_OUT:
                *way, last = leaf.path
                holder = values.get(way[0]) if way else values
                if isinstance(holder, dict):
                    holder[last] = value
        return values

    def way(self, path: Sequence[str], cleaned: Mapping[str, Any]) -> Path:
        return way(self.nodes, path, cleaned)

    def place(self, path: Sequence[str]) -> tuple[str, Path]:
        """Of a way, the name of the field for what is wrong there, "" when it has none, and the rest inside it."""
        for length in range(len(path), 0, -1):
            if (name := field_name(path[:length])) in self.fields:
                return name, tuple(path[length:])
        return "", tuple(path)

    def _add_leftover(self, name: str, value: Any) -> None:
        label = name.removeprefix(PARAM)
        *way, last = label.split(".")
        inside = len(way) == 1 and any(isinstance(node, Group) and node.path == (way[0],) for node in self.nodes)
        path = (way[0], last) if inside else (label,)
        self.fields[name] = leftover_field(label, value, refused=self._refused)
        self.leftovers.append(Leaf(path=path))

    def _nodes(self, schema: Schema, way: Path, chosen: Any, seen: Seen) -> list[Node]:
        required = schema.get("required", [])
        held = chosen if isinstance(chosen, dict) else {}
        return [
            self._node((*way, name), part, held.get(name, LEFT_OUT), seen, required=name in required)
            for name, part in schema.get("properties", {}).items()
        ]

    def _node(self, path: Path, part: Any, chosen: Any, seen: Seen, *, required: bool) -> Node:
        schema, _ = plain(part, self._root)
        shown = schema.get("default", LEFT_OUT) if chosen is LEFT_OUT else chosen
        models = param_unions.models(schema, self._root)
        if models and self._offers(path, models, shown, seen):
            return self._choice(path, part, models, shown, seen, required=required)
        if self._opens(path, schema, shown, seen):
            return self._group(path, part, shown, seen, required=required)
        name, typed = field_name(path), self._typed.get(field_name(path))
        label = path[-1] if not path[-1].isdigit() else str(schema.get("title") or int(path[-1]) + 1)
        self.fields[name] = param_field(label, part, self._root, required=required, chosen=chosen, typed=typed)
        return Leaf(path=path)

    def _opens(self, path: Path, schema: Schema, shown: Any, seen: Seen) -> bool:
        """Whether it has fields of its own; JSON when they could not show what is to be shown."""
        items, properties = schema.get("prefixItems"), schema.get("properties")
        held = items or properties
        if not held or len(path) > DEEPEST or id(held) in seen or len(self.fields) + len(held) > MOST_FIELDS:
            return False
        if str(self._typed.get(field_name(path), "")).strip().lower() not in _TICKS:
            return False
        empty = shown is LEFT_OUT or shown is None
        if items:
            fixed = schema.get("minItems") == len(items) == schema.get("maxItems", len(items))
            plain_items = all(plain(item, self._root)[0].get("type") not in ("object", "array", None) for item in items)
            return fixed and plain_items and (empty or (isinstance(shown, list) and len(shown) == len(items)))
        if any("." in name or not name for name in properties or ()):
            return False
        return empty or (isinstance(shown, dict) and set(shown) <= set(properties or ()))

    def _group(self, path: Path, part: Any, shown: Any, seen: Seen, *, required: bool) -> Group:
        schema, nullable = plain(part, self._root)
        has_default = "default" in schema
        optional = nullable or not (required or has_default)
        there = shown is not LEFT_OUT and shown is not None
        name = field_name(path)
        group = Group(
            path=path,
            label=path[-1],
            help_text=str(schema.get("description", "")),
            decided_by=name if optional else "",
            absent=None if nullable and (required or has_default) else LEFT_OUT,
            is_list="prefixItems" in schema,
            required=required and not has_default,
        )
        if optional:
            tick = self.fields[name] = BooleanParam()
            tick.label, tick.initial = f"Give {path[-1]}", there or self._is_typed_into(path)
        self._fill(group, schema, shown, seen)
        return group

    def _offers(self, path: Path, models: Models, shown: Any, seen: Seen) -> bool:
        """Whether there are fields for each of the models; JSON when they could not show what is to be shown."""
        held = [model["properties"] for model in models.values()]
        if len(path) >= DEEPEST or len(self.fields) + sum(map(len, held)) > MOST_FIELDS:
            return False
        if any(id(each) in seen for each in held):
            return False
        typed = str(self._typed.get(field_name(path), "")).strip().strip('"')
        return typed in ("", *models) and (shown in (LEFT_OUT, None) or bool(param_unions.of(shown, models)))

    def _choice(self, path: Path, part: Any, models: Models, shown: Any, seen: Seen, *, required: bool) -> Choice:
        schema, _ = plain(part, self._root)
        nullable = param_unions.is_nullable(part, self._root)
        has_default = "default" in schema
        name, chosen = field_name(path), param_unions.of(shown, models)
        optional = nullable or not (required or has_default)
        choice = Choice(
            path=path,
            label=path[-1],
            help_text=str(schema.get("description", "")),
            absent=None if nullable and (required or has_default) else LEFT_OUT,
            nodes=[],
        )
        self.fields[name] = choice_field(list(models), chosen, optional=optional)
        for label, model in models.items():
            fixed = param_unions.fixed(model)
            group = Group(
                path=(*path, label),
                label=label,
                help_text=str(model.get("description", "")),
                decided_by=name,
                sign=label,
                absent=LEFT_OUT,
                fixed=fixed,
            )
            own = {each: value for each, value in model["properties"].items() if each not in fixed}
            self._fill(group, {**model, "properties": own}, shown if label == chosen else LEFT_OUT, seen)
            choice.nodes.append(group)
        return choice

    def _fill(self, group: Group, schema: Schema, shown: Any, seen: Seen) -> None:
        held = schema.get("prefixItems") or schema["properties"]
        if group.is_list:
            items = {str(index): item for index, item in enumerate(held)}
            schema = {"properties": items, "required": list(items)}
            shown = dict(zip(items, shown, strict=True)) if isinstance(shown, list) else shown
        before = len(self.fields)
        group.nodes = self._nodes(schema, group.path, shown, (*seen, id(held)))
        if group.decided_by:
            # A browser would insist on fields that nobody sees.
            for field_ in list(self.fields.values())[before:]:
                field_.widget.use_required_attribute = lambda _initial: False

    def _is_typed_into(self, path: Path) -> bool:
        name = field_name(path)
        said = str(self._typed.get(name, "")).strip().lower()
        return said not in ("off", "false", "0", "no") and any(key.startswith(f"{name}.") for key in self._typed)
