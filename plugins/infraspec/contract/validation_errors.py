"""What is wrong with a contract's keys and values, in plain words instead of pydantic's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infraspec.contract.document import ContractDocument, KeyPath, is_secret, notation
from infraspec.contract.field_types import KNOWN, ContractTable, KeyText
from infraspec.contract.models import Contract
from infraspec.core.errors import ALMOST, ContractError, WaiverError, closest, did_you_mean, listing


def table_at(path: KeyPath) -> type[ContractTable] | None:
    """Return the model of the table at a key path; None where keys are free or there is no table."""
    annotation: Any = Contract
    for part in path:
        annotation = _member(annotation, part)
    return next(_tables(annotation), None)


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the field of a key path; None for an entry of a list or of a table with free keys."""
    table = table_at(path[:-1])
    return _fields(table).get(str(path[-1])) if path else None


def text_at(path: KeyPath) -> KeyText | None:
    """Return what is said of a key; None for an entry of a list or of a table with free keys."""
    table = table_at(path[:-1])
    return table.texts().get(str(path[-1])) if table else None


def keys_of(table: type[ContractTable]) -> list[str]:
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


def _fields(table: type[ContractTable] | None) -> dict[str, FieldInfo]:
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


def _tables(annotation: Any) -> Iterator[type[ContractTable]]:
    """Yield the models among the alternatives of a type."""
    if isinstance(annotation, type) and issubclass(annotation, ContractTable):
        yield annotation
    elif get_origin(annotation) not in (dict, list):
        for argument in get_args(annotation):
            yield from _tables(argument)


_CHOICE = re.compile(r"'([^']*)'")
_TABLES: dict[KeyPath, str] = {
    ("project",): 'add\n[project]\napplication = "shop"',
    ("environments",): 'add\n[environments.prod]\nroot = "environments/prod"',
}
_SHOWN = 60
_CONTAINERS = frozenset({"dict_type", "list_type", "model_type", "model_attributes_type"})


def violations(details: Sequence[ErrorDetails], document: ContractDocument) -> list[ContractError]:
    """Return an error for each of pydantic's, in order of lines."""
    found = [(key_path(detail["loc"], document.data), detail) for detail in details]
    unknown = [path for path, detail in found if detail["type"] == "extra_forbidden"]
    told = [(path, detail) for path, detail in found if detail["type"] != "missing" or not _is_misspelt(path, unknown)]
    told.sort(key=lambda pair: document.positions.line(pair[0]))
    return [_violation(path, detail, document) for path, detail in told]


def _is_misspelt(missing: KeyPath, unknown: Iterable[KeyPath]) -> bool:
    """Tell whether a key that is missing is one of the unknown keys, misspelt: that one says so."""
    table = table_at(missing[:-1])
    slips = [str(path[-1]) for path in unknown if path[:-1] == missing[:-1]]
    return table is not None and any(closest(slip, keys_of(table), ALMOST) == missing[-1] for slip in slips)


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


def _violation(path: KeyPath, detail: ErrorDetails, document: ContractDocument) -> ContractError:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path, document)
    if detail["type"] == "missing":
        text = text_at(path)
        return _kind(path)(
            f"`{path[-1]}` is missing in {_table_name(path[:-1])}",
            place=document.place(path),
            expected=text.description if text else "",
            remedy=_TABLES.get(path) or f"add a line such as {_example(path)}",
        )
    if detail["loc"][-1] == "[key]":
        return _wrong_name(path, detail, document)
    return _wrong_value(path, detail, document)


def _unknown_key(path: KeyPath, document: ContractDocument) -> ContractError:
    """Say which keys the table has, and which of them was probably meant."""
    *parent, key = path
    table = table_at(tuple(parent))
    known = keys_of(table) if table else []
    remedy = _as_table(path, document) or _elsewhere(str(key), known)
    return _kind(path)(
        f"unknown key `{key}` in {_table_name(tuple(parent))}",
        place=document.place(path),
        expected=listing(known, limit=30),
        found=f"`{notation(path)}`",
        remedy=remedy or did_you_mean(str(key), known) or "take the key out",
    )


def _elsewhere(key: str, known: Sequence[str]) -> str:
    """Return where a key that is right in another place goes, and what else it may be a slip of."""
    own = [f"write it as the table {header_of((key,)) or f'[{key}]'}"] if key in keys_of(Contract) else []
    homes = homes_of(key)
    there = "; or ".join([*own, f"move it to {' or '.join(homes)}"] if homes else own)
    slip = did_you_mean(key, known, ALMOST) if there else ""
    return f"{slip} Or {there}" if slip else there


def _as_table(path: KeyPath, document: ContractDocument) -> str:
    """Return how the header of a table is written whose name has a dot in it, or quotes around dots."""
    *above, key = path
    if len(path) == 1 and str(key).partition(".")[0] in keys_of(Contract):
        return f"write it without quotes: [{key}]"
    value: Any = document.data
    for part in path:
        value = value[part]
    if isinstance(value, dict) and above[:-1] and table_at((*above[:-1], "NAME")) is table_at(tuple(above)):
        return f'a name with a dot needs quotes: [{notation(tuple(above[:-1]))}."{above[-1]}.{key}"]'
    return ""


def _wrong_name(path: KeyPath, detail: ErrorDetails, document: ContractDocument) -> ContractError:
    return _kind(path)(
        f"`{notation(path[-1:])}` cannot be a key of {_table_name(path[:-1])}",
        place=document.place(path),
        expected=_expected(detail),
        found=f"`{notation(path)}`",
        remedy="rename the key, in quotes if it has a dot",
    )


def _wrong_value(path: KeyPath, detail: ErrorDetails, document: ContractDocument) -> ContractError:
    return _kind(path)(
        f"`{notation(path)}` has a wrong value",
        place=document.place(path),
        expected=_expected(detail),
        found=describe(detail["input"], secret=is_secret(path)),
        remedy=_TABLES[path] if detail["type"] == "too_short" and path in _TABLES else _correction(path, detail),
    )


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return "one of " + str(detail["ctx"]["expected"]).replace("'", '"')
    told = KNOWN.pydantic_errors.get(detail["type"])
    return told.format(**detail.get("ctx", {})) if told else detail["msg"]


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


def _correction(path: KeyPath, detail: ErrorDetails) -> str:
    """Return what to write instead: the header of a table, one of the choices, or an example."""
    key = notation(path[-1:])
    if detail["type"] == "literal_error":
        choices, given = _CHOICE.findall(str(detail["ctx"]["expected"])), detail["input"]
        chosen = (closest(given, choices) if isinstance(given, str) else None) or choices[0]
        return f"write {_toml(chosen)}" if isinstance(path[-1], int) else f"write {key} = {_toml(chosen)}"
    if detail["type"] == "bool_type":
        return f"write {key} = true, or {key} = false"
    listed = path[:-1] if isinstance(path[-1], int) else path
    if detail["type"] in _CONTAINERS and (header := header_of(listed)):
        return f"write {header}, and its keys below"
    text = text_at(listed)
    return f"write, for example, {_example(listed)}" if text and text.examples else "correct the value or take it out"


def _example(path: KeyPath) -> str:
    about = text_at(path)
    value = about.examples[0] if about and about.examples else "…"
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
