"""Rows of one table read and written in one go, without a model instance or a CASE expression for each of them.

Where tasks flow every one of them passes here, often alone: there Django needs longer to put a query together than the
database to answer it (0.5 ms against 0.05).
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, JSONField, Model

from apps.tasks.cursors import repeating
from apps.tasks.writes import write
from workers.messages import dump_text

Row = Sequence[Any]
Given = tuple[str, Row]  # a statement and the values to bind
ALWAYS: Given = ("true", ())
Converters = list[tuple[int, Callable[[Any], Any]]]  # by a value's place in its row


class _Fields(tuple[Any, ...]):
    """Known by identity: the hashes of all fields take longer than what they would be for."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def select_rows(
    model: type[Model],
    columns: Sequence[str],
    more: str,
    values: Sequence[Any] = (),
    *,
    made: Sequence[str] = (),
    before: str = "",
    asked: Callable[[], CursorWrapper] = repeating,
) -> list[Any]:
    """The values of `columns`, then of `made`. These and `more`, what follows FROM, are SQL over the alias `t`.

    `before`: a WITH clause that they use.
    """
    fields = _fields(model, tuple(columns))
    names = ", ".join([*(f"t.{field.column}" for field in fields), *made])
    with asked() as cursor:
        cursor.execute(f"{before} SELECT {names} FROM {_table(model)} t {more}", values)
        rows: list[Row] = cursor.fetchall()
    readers = _readers(fields, connection.vendor)
    needed = [(at, read) for at, read in readers if any(row[at] is not None for row in rows)]
    return [_read(row, needed) for row in rows] if needed else rows


def read_row(model: type[Model], columns: Sequence[str], stored: Row) -> Row:
    """One that was selected otherwise, as `select_rows` gives it."""
    return _read(stored, _readers(_fields(model, tuple(columns)), connection.vendor))


def stored_row(model: type[Model], columns: Sequence[str], row: Row) -> Row:
    """The other way: as the database takes it."""
    return _prepared(_fields(model, tuple(columns)), row)


def among(column: str, numbers: Collection[int]) -> tuple[str, list[Any]]:
    """The condition that `column` is one of these, and the values to bind."""
    if connection.vendor == "postgresql" and len(numbers) > 1:
        return f"{column} = ANY(%s::bigint[])", [array(numbers)]
    return f"{column} IN ({', '.join(['%s'] * len(numbers))})", list(numbers)


def array(values: Iterable[Any]) -> str:
    """As PostgreSQL reads an array from a text. For one of a list psycopg takes up to ten times as long."""
    return f"{{{','.join(map(_item, values))}}}"


def _item(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", r"\\").replace('"', r"\"")
        return f'"{escaped}"'
    return str(value)


def update_rows(
    model: type[Model],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    raised: Sequence[str] = (),
    only_if: str = "",
) -> None:
    """Set `columns` of the rows that `keys` name. A row of `rows` holds the values of `columns`, then those of `keys`.

    The first key is the primary key. `raised`: columns that go up by one. `only_if` is SQL over the table's alias `t`
    that a row must still fulfil.
    """
    if not rows:
        return
    fields = _fields(model, (*columns, *keys))
    changed, found = ([field.column for field in part] for part in (fields[: len(columns)], fields[len(columns) :]))
    steps = [f"{field.column} = t.{field.column} + 1" for field in _fields(model, tuple(raised))]
    head, number = f"UPDATE {_table(model)} AS t SET", found[0]
    in_a_list = connection.vendor == "postgresql" and len(rows) > 1
    given = "v.{}" if in_a_list else "%s"
    settings = ", ".join([*(f"{name} = {given.format(name)}" for name in changed), *steps])
    conditions = [*(f"t.{name} = {given.format(name)}" for name in found[1:]), *filter(None, [only_if])]
    if in_a_list:
        source, values = _source(fields, rows)
        more = if_still(conditions, f"v.{number}")
        write(f"{head} {settings} FROM {source} WHERE t.{number} = v.{number}{more}", values)
        return
    each = f"{head} {settings} WHERE t.{number} = %s{if_still(conditions)}"
    if len(rows) == 1:
        write(each, _prepared(fields, rows[0]))
        return
    # One prepared statement by primary key: in an UPDATE .. FROM another index may drive the join, quadratic.
    with repeating() as cursor:
        cursor.executemany(each, list(zip(*(column for _, column, _ in _columns(fields, rows)), strict=True)))


def if_still(conditions: Sequence[str], number: str = "") -> str:
    """What a WHERE goes on with: conditions on rows found by `number`, the one of a list `v`, or else a single one.

    So written that PostgreSQL does not go by them. It would take few tasks for live, and look them up by their status,
    in an index that has all that ever waited until they are vacuumed away. Or it would take the attempt that all share
    for rare, as it does with any value until the table is analyzed: then it compares each of all tasks with each of the
    list.
    """
    if not conditions:
        return ""
    return f" AND ({' AND '.join([*([f'{number} IS NOT NULL'] if number else []), *conditions])}) IS TRUE"


def insert_rows(model: type[Model], columns: Sequence[str], rows: Sequence[Row], only_if: Given = ALWAYS) -> list[int]:
    """The new rows' numbers, in the order of the rows."""
    numbers: list[int] = []
    with repeating() as cursor:
        for part in [rows] if connection.vendor == "postgresql" else _parts(rows, len(columns)):
            cursor.execute(*insertion(model, columns, part, only_if))
            numbers += sorted(number for (number,) in cursor.fetchall())
    return numbers


def insertion(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    only_if: Given = ALWAYS,
    *,
    made: Sequence[str] = (),
) -> Given:
    """The statement that inserts these rows; the numbers that it returns go up in their order.

    Of a single row: `only_if`, whether to; `made`: columns that are given the time by PostgreSQL, and returned as well.
    """
    fields = _fields(model, tuple(columns))
    if len(rows) == 1:
        condition, values = only_if
        return _insertion_of_one(fields, condition, tuple(made)), [*_prepared(fields, rows[0]), *values]
    names = ", ".join(field.column for field in fields)
    head, returning = f"INSERT INTO {_table(model)} ({names})", "RETURNING id"
    if connection.vendor == "postgresql":
        source, values = _source(fields, rows)
        return f"{head} SELECT {names} FROM {source} ORDER BY nth {returning}", values
    source, values = _sqlite_source(fields, rows)
    return f"{head} {source} {returning}", values


@lru_cache
def _insertion_of_one(fields: _Fields, condition: str, made: tuple[str, ...]) -> str:
    names = ", ".join(field.column for field in fields)
    places = ", ".join("coalesce(%s, statement_timestamp())" if field.attname in made else "%s" for field in fields)
    head = f"INSERT INTO {_table(fields[0].model)} ({names}) SELECT {places} WHERE {condition}"
    return f"{head} RETURNING {', '.join(['id', *made])}"


def upsert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    unique: Sequence[str],
    update: Sequence[str],
    *,
    only_if: str = "",
) -> None:
    """Insert the rows; of one that is there already by its `unique` columns, set the `update` columns.

    `only_if` is SQL over the aliases `t`, the row that is there, and `excluded`, the new one: else it stays as it is.
    """
    if not rows:
        return
    fields = _fields(model, tuple(columns))
    names = ", ".join(field.column for field in fields)
    known = ", ".join(field.column for field in _fields(model, tuple(unique)))
    settings = ", ".join(f"{name} = excluded.{name}" for name in update)
    more = f" WHERE {only_if}" if only_if else ""
    head = f"INSERT INTO {_table(model)} AS t ({names})"
    tail = f"ON CONFLICT ({known}) DO UPDATE SET {settings}{more}"
    if len(rows) == 1:
        write(f"{head} VALUES ({_places(fields)}) {tail}", _prepared(fields, rows[0]))
    elif connection.vendor == "postgresql":
        source, values = _source(fields, rows)
        write(f"{head} SELECT {names} FROM {source} {tail}", values)
    else:
        for part in _parts(rows, len(fields)):
            source, values = _sqlite_source(fields, part)
            write(f"{head} {source} WHERE true {tail}", values)


def _places(fields: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(fields))


def _table(model: type[Model]) -> str:
    return model._meta.db_table


@lru_cache
def _fields(model: type[Model], names: tuple[str, ...]) -> _Fields:
    return _Fields(model._meta.get_field(name) for name in names)


@lru_cache
def _readers(fields: _Fields, vendor: str) -> Converters:
    """For what comes from the database in another form than it has in Python."""
    found: Converters = []
    for at, field in enumerate(fields):
        if isinstance(field, JSONField):
            found.append((at, json.loads))
        elif isinstance(field, DateTimeField) and vendor == "sqlite":
            found.append((at, _in_utc))
    return found


def _read(row: Row, readers: Converters) -> Row:
    values = list(row)
    for at, read in readers:
        if values[at] is not None:
            values[at] = read(values[at])
    return values


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _source(fields: _Fields, rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """The rows as PostgreSQL's `v`, counted by its column `nth`, and the values to bind.

    A column is an array, whose length the planner knows (json_to_recordset is guessed at 100 rows and may end in a
    scan). One that all rows share is no array.
    """
    shared, own = _split(fields, rows)
    once = ", ".join(["", *(f"%s::{_type(field)} AS {field.column}" for field, _ in shared)])
    values = [*(column[0] for _, column in shared), *(array(column) for _, column in own)]
    if not own:
        return f"(SELECT nth{once} FROM generate_series(1, %s) AS nth) AS v", [*values, len(rows)]
    unnest = ", ".join(f"%s::{_type(field)}[]" for field, _ in own)
    names = ", ".join(field.column for field, _ in own)
    return f"(SELECT a.*{once} FROM unnest({unnest}) WITH ORDINALITY AS a({names}, nth)) AS v", values


def _sqlite_source(fields: _Fields, rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """A SELECT of the rows, in order, and the values to bind: what all rows share once."""
    shared, own = _split(fields, rows)
    places = {field: f"v.column{nth}" for nth, (field, _) in enumerate(own, 1)}
    selected = ", ".join(places.get(field, "%s") for field in fields)
    own_rows = list(zip(*(column for _, column in own), strict=True)) if own else [(None,)] * len(rows)
    row = f"({_places(own_rows[0])})"
    values = [*(column[0] for _, column in shared), *(value for each in own_rows for value in each)]
    return f"SELECT {selected} FROM (VALUES {', '.join([row] * len(rows))}) AS v", values


def _split(fields: _Fields, rows: Sequence[Row]) -> tuple[list[tuple[Any, Row]], list[tuple[Any, Row]]]:
    """The columns, as (field, values), that are the same in all rows, as most are; and the others."""
    columns = _columns(fields, rows)
    shared = [(field, column) for field, column, is_same in columns if is_same]
    return shared, [(field, column) for field, column, is_same in columns if not is_same]


def _columns(fields: _Fields, rows: Sequence[Row]) -> list[tuple[Any, Row, bool]]:
    """Field, values as the database takes them, and whether all of these are the same."""
    converters = dict(_converters(fields, connection.vendor))
    return [
        (field, *_column(values, converters.get(at)))
        for at, (field, values) in enumerate(zip(fields, zip(*rows, strict=True), strict=True))
    ]


def _column(values: Row, convert: Callable[[Any], Any] | None) -> tuple[Row, bool]:
    if convert is dump_text:  # 1 is 1.0 to Python
        values, convert = [dump_text(value) for value in values], None
    first = values[0]
    is_same = first == values[-1] and values.count(first) == len(values)
    if convert is None:
        return values, is_same
    return [convert(first)] * len(values) if is_same else [convert(value) for value in values], is_same


@lru_cache(maxsize=1_000)
def _type(field: Any) -> str:
    return str(field.rel_db_type(connection))


def _prepared(fields: _Fields, row: Row) -> Row:
    """The values as the database takes them; only times and JSON differ from what they are in Python."""
    values = list(row)
    for at, convert in _converters(fields, connection.vendor):
        values[at] = convert(values[at])
    return values


@lru_cache
def _converters(fields: _Fields, vendor: str) -> Converters:
    found: Converters = []
    for at, field in enumerate(fields):
        if isinstance(field, JSONField):
            found.append((at, dump_text))
        elif isinstance(field, DateTimeField) and vendor == "sqlite":  # PostgreSQL's driver takes them as they are
            found.append((at, _sqlite_moment))
    return found


def _sqlite_moment(value: datetime | None) -> str | None:
    """As Django writes it, in a fraction of the time."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        return str(connection.ops.adapt_datetimefield_value(value))
    return value.isoformat(" ")[:-6]


def _parts(rows: Sequence[Row], width: int) -> Iterable[Sequence[Row]]:
    """As many at a time as SQLite takes values in one statement."""
    size = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width
    return (rows[start : start + size] for start in range(0, len(rows), size))
