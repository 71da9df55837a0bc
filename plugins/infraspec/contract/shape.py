"""What the models say about a key path: which keys a table has, and what a key is for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from infraspec.contract.models import Contract
from infraspec.contract.positions import KeyPath
from infraspec.contract.table import Table


def table_at(path: KeyPath) -> type[Table] | None:
    """Return the model of the table at a key path; None where keys are free or there is no table."""
    annotation: Any = Contract
    for part in path:
        annotation = _member(annotation, part)
    return next(_tables(annotation), None)


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the field of a key path; None for an entry of a list or of a table with free keys."""
    table = table_at(path[:-1])
    return _fields(table).get(str(path[-1])) if table and path else None


def keys_of(table: type[Table]) -> list[str]:
    """Return the keys a table of the contract may have, in the models' order."""
    return list(_fields(table))


@cache
def homes_of(key: str) -> tuple[str, ...]:
    """Return the tables that have a key, as they are written: `[environments.NAME]`."""
    tables = {
        "[project]": table_at(("project",)),
        "[environments.NAME]": table_at(("environments", "NAME")),
        "[names]": table_at(("names",)),
        "[tags]": table_at(("tags",)),
        "[alarms]": table_at(("alarms",)),
        "[alarms.items.NAME]": table_at(("alarms", "items", "NAME")),
        "[suite]": table_at(("suite",)),
        "[[waivers]]": table_at(("waivers", 0)),
    }
    return tuple(written for written, table in tables.items() if table and key in _fields(table))


def _fields(table: type[Table]) -> dict[str, FieldInfo]:
    return {name: field for name, field in table.model_fields.items() if not field.exclude}


def _member(annotation: Any, part: str | int) -> Any:
    """Return the type of one entry of a table, of a table with free keys, or of a list."""
    table = next(_tables(annotation), None)
    if table:
        field = _fields(table).get(str(part))
        return field.annotation if field else None
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return arguments[1]
    if origin is list:
        return arguments[0]
    return None


def _tables(annotation: Any) -> Iterator[type[Table]]:
    """Yield the models among the alternatives of a type."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    elif get_origin(annotation) not in (dict, list):
        for argument in get_args(annotation):
            yield from _tables(argument)
