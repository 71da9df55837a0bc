"""The functions of the language against the cases of data/*.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import JsonText, OpenList, Sensitive, Text, Unknown, Value
from infraspec.terraform.language.functions import call, names
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.partial_values import may_equal
from infraspec.terraform.language.values import ListValue, MapValue, SetValue, identity, is_indefinite

DATA = Path(__file__).parent / "data"
FILES = RootFiles(Path(__file__).parent, Path(__file__).parent)
HIDDEN = Unknown("var.hidden")
WRAPPERS: dict[str, Callable[[Any], Value]] = {
    "$set": lambda items: SetValue.of(map(decode, items)),
    "$list": lambda items: ListValue(map(decode, items)),
    "$map": lambda items: MapValue((key, decode(item)) for key, item in items.items()),
    "$unknown": Unknown,
    "$sensitive": lambda item: Sensitive("var.secret", decode(item)),
    "$text": lambda parts: Text(tuple(map(decode, parts))),
    "$json": lambda tree: JsonText(decode(tree)),
}


def decode(value: Any) -> Value:
    """Read a value of a case: `{"$unknown": address}` and its like stand for what JSON does not have."""
    if isinstance(value, dict):
        if len(value) == 1 and (wrapper := WRAPPERS.get(next(iter(value)))):
            return wrapper(next(iter(value.values())))
        return {key: decode(item) for key, item in value.items()}
    return [decode(item) for item in value] if isinstance(value, list) else value


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (function, case) of all data files."""
    for path in sorted(DATA.glob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            for case in group["cases"]:
                yield group["function"], case


def outcome(function: str, arguments: list[Value]) -> Value | InfraspecError:
    """Return the result of a call, or its error."""
    try:
        return call(function, arguments, FILES)
    except InfraspecError as error:
        return error


CASES = list(cases())
IDS = [f"{function}-{position}" for position, (function, _) in enumerate(CASES)]


@pytest.mark.parametrize(("function", "case"), CASES, ids=IDS)
def test_case(function: str, case: dict[str, Any]) -> None:
    """A function gives the documented result, error or unknown."""
    if function == "yamldecode":
        pytest.importorskip("yaml")
    found = outcome(function, decode(case["args"]))
    if "error" in case:
        assert isinstance(found, InfraspecError)
        assert case["error"] in found.message
    elif "unknown" in case:
        assert isinstance(found, Unknown)
        assert type(found) in {Unknown, OpenList}
        assert case["unknown"] in (True, found.address)
    else:
        expected = decode(case["result"])
        assert expected == found
        assert identity(expected) == identity(plain(found)) or type(expected) is not type(found)


def plain(value: Value) -> Value:
    """Return the value without what a case does not tell: whether a list is a tuple, a map an object."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, SetValue):
        return value
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_every_function_has_a_case() -> None:
    """No function is without a case; those of files, and of sensitivity, have tests of their own."""
    elsewhere = {"abspath", "sensitive", "nonsensitive", "issensitive"}
    tested = {function for function, _ in CASES} | elsewhere
    assert [name for name in names() if name not in tested and not name.startswith("file")] == []


def hidings(value: Value) -> Iterator[Value]:
    """Yield the value with one part of it hidden, in every way."""
    yield HIDDEN
    if isinstance(value, str):
        middle = len(value) // 2
        yield Text(tuple(part for part in (value[:middle], HIDDEN) if part))
        yield Text(tuple(part for part in (HIDDEN, value[middle:]) if part))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (type(value)({**value, key: hidden}) for hidden in hidings(item))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from (_replaced(value, position, hidden) for hidden in hidings(item))


def _replaced(items: list[Value], position: int, item: Value) -> Value:
    changed = [*items[:position], item, *items[position + 1 :]]
    return SetValue.of(changed) if isinstance(items, SetValue) else type(items)(changed)


def is_compatible(partial: Value, whole: Value) -> bool:
    """Tell whether a partly known answer can become the whole one."""
    if isinstance(partial, Unknown):
        return True
    if isinstance(partial, Text):
        return isinstance(whole, str) and may_equal(partial, whole)
    if is_indefinite(partial):
        return all(any(is_compatible(item, other) for other in whole) for item in partial)
    if isinstance(partial, dict) and isinstance(whole, dict):
        return partial.keys() == whole.keys() and all(is_compatible(partial[key], whole[key]) for key in whole)
    if isinstance(partial, list) and isinstance(whole, list):
        return len(partial) == len(whole) and all(map(is_compatible, partial, whole))
    return identity(plain(partial)) == identity(plain(whole))


KNOWN = [
    (function, case["args"]) for function, case in CASES if "result" in case and "$unknown" not in json.dumps(case)
]


@pytest.mark.parametrize(("function", "arguments"), KNOWN)
def test_a_hidden_part_never_changes_a_definite_answer(function: str, arguments: list[Any]) -> None:
    """With a part of an argument unknown, what the answer says still holds of the answer with that part known."""
    if function == "yamldecode":
        pytest.importorskip("yaml")
    known = decode(arguments)
    whole = call(function, known, FILES)
    for position, argument in enumerate(known):
        for hidden in hidings(argument):
            partial = outcome(function, [*known[:position], hidden, *known[position + 1 :]])
            assert is_compatible(partial, whole), (hidden, partial, whole)
