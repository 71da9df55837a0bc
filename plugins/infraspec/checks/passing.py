"""How an expression in one module refers to an attribute of a resource in another: what has to be passed, and where.

A module sees the outputs of the modules that it calls, and its own variables. So an attribute goes up through outputs
to the module that both are in, and down through variables. Source: Terraform, "Output values" and "Input variables".
"""

from __future__ import annotations

import re

_STEP = re.compile(r"module\.[\w-]+(?:\[[^\]]*\])?\.?")
_KEY = re.compile(r"\[[^\]]*\]")


def reference_from(module: str, address: str) -> tuple[str, tuple[str, ...]]:
    """Return the expression for an attribute (`module.db.aws_db_instance.this.arn`) inside a module, "" for the root.

    With it come the lines that pass it there, each as a comment that names the module it belongs into: none within
    one module.
    """
    here, there = _steps(module), _steps(address)
    local = address.removeprefix("".join(f"{step}." for step in there))
    shared = 0
    while shared < min(len(here), len(there)) and here[shared] == there[shared]:
        shared += 1
    if len(here) == len(there) == shared:
        return local, ()
    name = _name(local)
    lines, value = [], local
    for depth in range(len(there), shared, -1):
        lines.append(f'# {_place(there[:depth])}: output "{name}" {{ value = {value} }}')
        value = f"{there[depth - 1]}.{name}"
    for depth in range(shared, len(here)):
        called = _KEY.sub("", here[depth]).removeprefix("module.")
        lines.append(f'# {_place(here[:depth])}, in module "{called}": {name} = {value}')
        lines.append(f'# {_place(here[: depth + 1])}: variable "{name}" {{ type = string }}')
        value = f"var.{name}"
    return value, tuple(lines)


def _steps(address: str) -> list[str]:
    """Return the module calls that an address begins with, from the root on."""
    steps, position = [], 0
    while found := _STEP.match(address, position):
        steps.append(found[0].removesuffix("."))
        position = found.end()
    return steps


def _name(local: str) -> str:
    """Name what is passed by the resource's name and the attribute, by its type if the name says nothing."""
    named = re.sub(r"^(?:data\.)?aws_(\w+)\.(?:this|main|default)\b", r"\1", local)
    if named == local:
        named = re.sub(r"^.*?([\w-]+(?:\[[^\]]*\])?\.\w+)$", r"\1", local)
    return re.sub(r"\W+", "_", named).strip("_")


def _place(steps: list[str]) -> str:
    return _KEY.sub("", ".".join(steps)) or "the root module"
