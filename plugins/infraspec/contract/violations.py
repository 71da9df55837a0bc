"""What is wrong with a contract's keys and values, in plain words instead of pydantic's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from pydantic_core import ErrorDetails

from infraspec.contract.document import Document, is_secret
from infraspec.contract.positions import KeyPath, notation
from infraspec.contract.shape import field_at, homes_of, keys_of, table_at
from infraspec.contract.suggestion import did_you_mean, listing
from infraspec.errors import ContractError, WaiverError

_EXPECTED = {
    "string_type": "text in quotes",
    "list_type": "a list: [ … ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "too_short": "at least one entry",
}
_TABLES: dict[KeyPath, str] = {
    ("project",): 'add\n[project]\napplication = "shop"',
    ("environments",): 'add\n[environments.prod]\nroot = "environments/prod"',
}
_SHOWN = 60


def violations(details: Sequence[ErrorDetails], document: Document) -> list[ContractError]:
    """Return an error for each of pydantic's, in order of lines."""
    paths = [key_path(detail["loc"], document.data) for detail in details]
    ordered = sorted(zip(paths, details, strict=True), key=lambda pair: document.positions.line(pair[0]))
    return [_violation(path, detail, document) for path, detail in ordered]


def key_path(location: Iterable[str | int], data: Any) -> KeyPath:
    """Take out of pydantic's location what is no key of the data: names of alternatives, and `[key]`."""
    path: KeyPath = ()
    parts = tuple(location)
    for index, part in enumerate(parts):
        inside = (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int))
        if inside:
            data = data[part]
        elif index < len(parts) - 1 or str(part)[:1] in "<[":
            continue
        path = (*path, part)
    return path


def _violation(path: KeyPath, detail: ErrorDetails, document: Document) -> ContractError:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path, document)
    if detail["type"] == "missing":
        return _missing(path, document)
    if detail["loc"][-1] == "[key]":
        return _wrong_name(path, detail, document)
    return _wrong_value(path, detail, document)


def _unknown_key(path: KeyPath, document: Document) -> ContractError:
    """Say which keys the table has, and which of them was probably meant."""
    *parent, key = path
    table = table_at(tuple(parent))
    known = keys_of(table) if table else []
    homes = homes_of(str(key))
    elsewhere = f"move it to {' or '.join(homes)}" if homes else ""
    return _kind(path)(
        f"unknown key `{key}` in {_table_name(tuple(parent))}",
        place=document.place(path),
        expected=listing(known, limit=30),
        found=f"`{notation(path)}`",
        remedy=did_you_mean(str(key), known) or elsewhere or "take the key out",
    )


def _missing(path: KeyPath, document: Document) -> ContractError:
    field = field_at(path)
    return _kind(path)(
        f"`{path[-1]}` is missing in {_table_name(path[:-1])}",
        place=document.place(path),
        expected=field.description or "" if field else "",
        remedy=_TABLES.get(path) or f"add a line such as {_example(path)}",
    )


def _wrong_name(path: KeyPath, detail: ErrorDetails, document: Document) -> ContractError:
    return _kind(path)(
        f"`{notation(path[-1:])}` cannot be a key of {_table_name(path[:-1])}",
        place=document.place(path),
        expected=detail["msg"],
        found=f"`{notation(path)}`",
        remedy="rename the key, in quotes if it has a dot",
    )


def _wrong_value(path: KeyPath, detail: ErrorDetails, document: Document) -> ContractError:
    return _kind(path)(
        f"`{notation(path)}` has a wrong value",
        place=document.place(path),
        expected=_expected(detail),
        found=describe(detail["input"], secret=is_secret(path)),
        remedy=_TABLES.get(path) or _correction(path),
    )


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return "one of " + str(detail["ctx"]["expected"]).replace("'", '"')
    return _EXPECTED.get(detail["type"], detail["msg"])


def describe(value: Any, *, secret: bool = False) -> str:
    """Say what a value is; of a secret only its type."""
    match value:
        case bool():
            kind, shown = "a boolean", str(value).lower()
        case str():
            kind, shown = "text", json.dumps(value, ensure_ascii=False)
        case int():
            kind, shown = "an integer", str(value) if abs(value) < 10**_SHOWN else ""
        case float():
            kind, shown = "a float", str(value)
        case datetime() | date() | time():
            kind, shown = "a date or time", value.isoformat()
        case list():
            kind, shown = f"a list of {len(value)}", ""
        case dict():
            kind, shown = "a table", "" if secret else f"with the keys {listing(value)}" if value else "without keys"
        case _:
            kind, shown = type(value).__name__, ""
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "…"
    return kind if secret or not shown else f"{kind}, {shown}" if isinstance(value, dict) else f"{kind} {shown}"


def _correction(path: KeyPath) -> str:
    field = field_at(path)
    return f"write, for example, {_example(path)}" if field and field.examples else "correct the value or take it out"


def _example(path: KeyPath) -> str:
    field = field_at(path)
    value = field.examples[0] if field and field.examples else "…"
    text = value if path[-1] == "expires" else _toml(value)  # a TOML date has no quotes
    return f"{notation(path[-1:])} = {text}"


def _toml(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{notation((key,))} = {_toml(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _table_name(path: KeyPath) -> str:
    if not path:
        return "the contract"
    if isinstance(path[-1], int):
        return f"[[{notation(path[:-1])}]] number {path[-1] + 1}"
    return f"[{notation(path)}]"


def _kind(path: KeyPath) -> type[ContractError]:
    return WaiverError if path[:1] == ("waivers",) else ContractError
