"""Which tool a root module is for, Terraform or OpenTofu, and what of a directory holds whichever of them reads it.

Source: OpenTofu documentation, "Files and Directories" (a `.tofu` file takes the place of the `.tf` file of its name)
and "Dependency Lock File". Version managers read `.opentofu-version` and `.terraform-version`, asdf `.tool-versions`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeAlias

from infraspec.contract.paths import names_in
from infraspec.core.errors import LimitError
from infraspec.core.runtime import read_regular
from infraspec.core.unknown import Contested, Unknown, Value
from infraspec.hcl.ast import Attribute, Conditional, Literal, SourceText
from infraspec.terraform.configuration.declarations import Configuration, SourceBody, block_name

OPENTOFU, TERRAFORM = "opentofu", "terraform"
LOCK_FILE = ".terraform.lock.hcl"
REGISTRIES = {OPENTOFU: "registry.opentofu.org", TERRAFORM: "registry.terraform.io"}
"""Where a tool has the providers from that name no registry."""
_VERSIONS = ".tool-versions"
_MOST_ABOVE = 8
_FOR_TERRAFORM = re.compile(r"\.tf(\.json)?$")
_EITHER = Contested(
    "say which tool it is for: write its version into .opentofu-version or .terraform-version of the root module, "
    "and keep the lock file of that tool"
)
_WHICH: Value = Unknown("the tool is OpenTofu", _EITHER)


def tool_of(root: Path) -> str:
    """Return the tool of a root module; empty if nothing says it, or one thing this and another that.

    It is said by the nearest file of a version manager at or above the root, within the repository, by the registry
    that the providers of the lock file are from, and by a `.tofu` file beside it.
    """
    said = set(_signs(root.resolve()))
    return said.pop() if len(said) == 1 else ""


def _signs(root: Path) -> Iterator[str]:
    lock = _text(root / LOCK_FILE)
    yield from (tool for tool, registry in REGISTRIES.items() if f'"{registry}/' in lock)
    if holds_tofu(names_in(root)):
        yield OPENTOFU
    for directory in (root, *root.parents[:_MOST_ABOVE]):
        first = [line.split()[:1] for line in _text(directory / _VERSIONS).splitlines()]
        found = [tool for tool in REGISTRIES if [tool] in first or (directory / f".{tool}-version").is_file()]
        yield from found
        if found or (directory / ".git").exists():
            return


def holds_tofu(names: Collection[str]) -> bool:
    """Tell whether one of some files is for OpenTofu alone."""
    return any(name.endswith((".tofu", ".tofu.json")) for name in names)


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode()
    except (OSError, UnicodeDecodeError, LimitError):
        return ""


def files_of(names: Collection[str], tool: str) -> list[str]:
    """Return the files of a directory that a tool reads; where nothing is for Terraform, that is what OpenTofu does."""
    if tool == TERRAFORM and (plain := [name for name in names if not holds_tofu([name])]):
        return plain
    return [name for name in names if holds_tofu([name]) or _FOR_TERRAFORM.sub(r".tofu\1", name) not in names]


def for_either(opentofu: Configuration, terraform: Configuration) -> Configuration:
    """Return what a directory declares whichever tool reads it.

    Where both say the same, that is it; else it is a conditional of which the condition is not known.
    """
    result = Configuration(opentofu.directory, opentofu.shown, terraform=opentofu.terraform)
    result.is_settled = [each.text for each in opentofu.terraform] == [each.text for each in terraform.terraform]
    result.refactorings += opentofu.refactorings
    result.errors += opentofu.errors or terraform.errors
    result.locals |= _merged(opentofu.locals, terraform.locals)
    for kind in ("variables", "resources", "calls", "outputs", "providers"):
        one, other = (getattr(each, kind) for each in (opentofu, terraform))
        for key in {**other, **one}:
            body = one.get(key) or other[key]
            if key in one and key in other:
                body = _body(body, other[key])
            elif kind in ("resources", "calls"):
                body = _optional(body, of_opentofu=key in one)
            getattr(result, kind)[key] = body
    return result


_NAMES = frozenset({"depends_on", "provider", "providers"})
"""Arguments that are no values; those of OpenTofu are taken."""
_Attributes: TypeAlias = dict[str, tuple[Attribute, SourceText]]


def _merged(one: _Attributes, other: _Attributes) -> _Attributes:
    """Return attributes of both readings; one that differs has either value."""
    result = {**other, **one}
    for name in one.keys() & other.keys() - _NAMES:
        (first, source), (second, text) = one[name], other[name]
        if (
            first.end <= first.at
            or source.text[first.expression.at : first.end] != text.text[second.expression.at : second.end]
        ):
            value = Conditional(Literal(_WHICH, 0), first.expression, second.expression, first.expression.at)
            result[name] = Attribute(name, value, first.at, first.end), source
    return result


def _body(body: SourceBody, other: SourceBody) -> SourceBody:
    """Return a declaration of both readings; nested blocks that differ are not known, nor whether it is enabled."""
    if body.text == other.text:
        return body
    attributes = _merged(
        {name: _literal(name, None, body) for name in other.attributes} | body.attributes,
        {name: _literal(name, None, body) for name in body.attributes} | other.attributes,
    )
    if attributes.get("type") != body.attributes.get("type"):
        del attributes["type"]  # of a variable or output: any
    if "for_each" in attributes:
        attributes.pop("count", None)
    if body.text[1] == other.text[1]:
        return SourceBody(attributes, body.blocks, body.source, body.at)
    names = [block_name(block) for block, _ in (*body.blocks, *other.blocks)]
    unknown = {name: _literal(name, Unknown(f"{name} of {body.location}", _EITHER), body) for name in names}
    result = SourceBody(attributes | unknown, [], body.source, body.at)
    return _optional(result, of_opentofu=True) if "lifecycle" in names else result


def _optional(body: SourceBody, *, of_opentofu: bool) -> SourceBody:
    """Return a declaration of one reading: there may be none of it."""
    name = "for_each" if "for_each" in body.attributes else "count"
    there, absent = {name: body.attributes.get(name) or _literal(name, 1, body)}, {name: _literal(name, 0, body)}
    count = _merged(there, absent) if of_opentofu else _merged(absent, there)
    blocks = [pair for pair in body.blocks if pair[0].type != "lifecycle"]
    return SourceBody(body.attributes | count, blocks, body.source, body.at)


def _literal(name: str, value: Value, body: SourceBody) -> tuple[Attribute, SourceText]:
    return Attribute(name, Literal(value, body.at), body.at, body.at), body.source
