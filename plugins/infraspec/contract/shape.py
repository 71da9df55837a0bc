"""What the models say about a key path: which keys a table has, and what a key is for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from infraspec.contract.models import Contract
from infraspec.contract.positions import KeyPath, notation
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
    return _fields(table).get(str(path[-1])) if path else None


def keys_of(table: type[Table]) -> list[str]:
    """Return the keys a table of the contract may have, in the models' order."""
    return list(_fields(table))


@cache
def homes_of(key: str) -> tuple[str, ...]:
    """Return the tables that have a key, as they are written: `[environments.NAME]`."""
    return tuple(written for written, path in tables() if key in _fields(table_at(path)))


def header_of(path: KeyPath) -> str:
    """Return how the table at a key path is written: `[names]`, `[[waivers]]`, `[environments.NAME]`.

    Nothing where there is none, or one of free keys.
    """
    if path[1:] and table_at(path):
        return f"[{notation(path)}]"
    return next((written for written, _ in _below(path[:-1], str(path[-1]))), "")


def tables() -> Iterator[tuple[str, KeyPath]]:
    """Yield all tables as they are written, with their paths, those nearer to the top first."""
    pending: list[KeyPath] = [()]
    for path in pending:
        for name in _fields(table_at(path)):
            found = list(_below(path, name))
            pending += [own for _, own in found]
            yield from found


def _below(path: KeyPath, name: str) -> Iterator[tuple[str, KeyPath]]:
    """Yield the table that a field is, or that each of its entries is."""
    own = (*path, name)
    field, text = field_at(own), notation(tuple(part for part in own if part != 0))
    origin = get_origin(field.annotation) if field else None
    if table_at(own):
        yield f"[{text}]", own
    elif origin is list and table_at((*own, 0)):
        yield f"[[{text}]]", (*own, 0)
    elif origin is dict and table_at((*own, "NAME")):
        yield f"[{text}.NAME]", (*own, "NAME")


def _fields(table: type[Table] | None) -> dict[str, FieldInfo]:
    return {name: field for name, field in table.model_fields.items() if not field.exclude} if table else {}


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
