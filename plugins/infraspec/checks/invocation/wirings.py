"""What is wired to call, publish, send or put into what, read off a plan by the rows of wirings.json.

A row says of a type of resource which attribute names the target, which service calls for it, and what the service says
of itself in the request: aws:SourceArn and aws:SourceAccount. Each has the title of AWS's document that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.invocation.api_requests import REQUESTS
from infraspec.checks.invocation.named_targets import THROUGH
from infraspec.core.errors import TerraformError
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import (
    AtRunTime,
    OpenList,
    Text,
    Unknown,
    Value,
    computed_from,
    concatenate,
    parts_of,
    render,
)
from infraspec.terraform.aws_attributes import AwsAttributes, standing_for
from infraspec.terraform.language.functions.serialization import yaml_decode
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.plan import Resource

Told = Literal["sent", "perhaps", "absent", ""]
"""Whether a request has a key, with the value that is known: certainly, perhaps, not, or nothing is known of it."""


class TargetKind(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be called: a function, queue, topic or log group.

    `key` is the attribute that names its encryption key, `aws_key` the key of AWS that no service may use; `policy` the
    type that holds its policy, with the argument that names it and the attribute of it that stands there; `below` what
    is acted on beneath its ARN.
    """

    name: str
    types: tuple[str, ...]
    service: str
    actions: tuple[str, ...]
    key: str = ""
    aws_key: str = ""
    key_document: str = ""
    policy: tuple[str, ...] = ()
    below: str = ""


class WiringRow(Struct, frozen=True, forbid_unknown_fields=True):
    """How one type of resource calls another.

    `target` is the path of what it calls, with `#` before a key of JSON text, `#**` before one
    anywhere in it, and `*` for any argument of a block;
    `when` what else has to be said beside it. `source` is the aws:SourceArn: `{of}` is the ARN (`of_arn`) of the
    resource that `of` names, or `otherwise`; `{request}` what `requests` makes of the caller. `arn`, `account` and
    `with_key` tell whether the service says it, of itself and to the key of what it calls, `context` what else it says.
    `by_role` is the argument with which a role calls instead, `denied` why it is no violation that nothing in the plan
    allows it. `through` is how the target is told by what stands there, if not by its name.
    """

    type: str
    target: str
    to: tuple[str, ...]
    services: tuple[str, ...]
    document: str
    source: str = "{of}"
    of: str = ""
    of_arn: str = "arn"
    otherwise: str = ""
    requests: str = ""
    arn: Told = "sent"
    account: Told = "perhaps"
    with_key: Told = ""
    when: dict[str, tuple[str, ...]] = {}
    by_role: str = ""
    denied: Literal["", "url", "new url", "unsure", "of account", "by default"] = ""
    context: dict[str, str] = {}
    through: Literal["", "url", "image", "layer"] = ""
    needs_arn: bool = False


class WiringTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What wirings.json has: the documents with their addresses, the kinds of targets, and the rows."""

    sources: dict[str, str]
    kinds: tuple[TargetKind, ...]
    rows: tuple[WiringRow, ...]


@cache
def table() -> WiringTable:
    """Return the rows, read when the first plan is judged by them."""
    return msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=WiringTable)


class Wiring(Struct, frozen=True):
    """One caller with one target; `sources` are what the requests may have for aws:SourceArn, as references.

    `open_when` names an argument that decides whether it is wired at all and is not known.
    """

    row: WiringRow
    caller: Resource
    path: str
    target: Value
    sources: tuple[Value, ...]
    role: Value = None
    open_when: Unknown | None = None


def wirings(owners: ArnIndex) -> Iterator[Wiring]:
    """Yield what the callers of a plan are wired to; a plan without any costs a look-up by type."""
    for row in table().rows:
        for caller in owners.plan.managed(row.type):
            for path, named, beside in _targets(row, caller):
                target, doubt = THROUGH[row.through](owners, caller, named, beside) if row.through else (named, None)
                if not target or _is_of_another_kind(owners, row, target):
                    continue
                values = {**caller.values, **beside} if row.when or row.by_role else {}
                wired, unknown = _applies(row, values)
                is_hidden = isinstance(target, Unknown) and "#**" in row.target and not beside
                unknown = unknown or (target if is_hidden else doubt)
                if wired:
                    role = values.get(row.by_role) if row.by_role else None
                    sources = tuple(_sources(owners, row, caller))
                    yield Wiring(row, caller, path, target, sources, role, unknown)


def _is_of_another_kind(owners: ArnIndex, row: WiringRow, target: Value) -> bool:
    """Tell whether a target is an attribute of what other rows are about: a topic where a function is called."""
    found = owners.plan.find(target) if isinstance(target, Unknown) else None
    kinds = [kind for kind in table().kinds if found is not None and found[0].type in kind.types]
    return bool(kinds) and not any(kind.name in row.to for kind in kinds)


def _applies(row: WiringRow, values: Mapping[str, Value]) -> tuple[bool, Unknown | None]:
    for name, wanted in row.when.items():
        given = values.get(name)
        if isinstance(given, Unknown):
            return True, given
        if given not in wanted:
            return False, None
    return True, None


def _targets(row: WiringRow, caller: Resource) -> Iterator[tuple[str, Value, Mapping[str, Value]]]:
    for target in row.target.split("|"):
        head, _, rest = target.partition(".")
        name, _, member = head.partition("#")
        value = caller.stated(name)
        if value is None or value == caller.reference(name):
            continue
        if member.startswith("**"):
            tree = _tree(value)
            yield from [(name, tree, {})] if isinstance(tree, Unknown) else _anywhere(tree, member[2:], name)
            continue
        yield from _at(_member(value, member) if member else value, rest.split(".") if rest else [], name, {})


def _tree(value: Value) -> Value:
    """Return the tree of JSON or YAML text; what hides it, if it is not known, and None if it is neither."""
    if isinstance(value, Unknown):
        return value
    try:
        tree = decode_json(value)
    except (ValueError, TypeError, AttributeError):
        tree = None
    is_read = tree is not None and not isinstance(tree, Unknown)
    return _of_yaml(value) if not is_read and isinstance(value, str | Text) else tree


_HOLE = "\ue004"


def _of_yaml(value: str | Text) -> Value:
    """Return the tree of YAML text; each of its holes stands where it stood, as a part of a text."""
    holes: list[Unknown] = []
    pieces = []
    for part in parts_of(value):
        pieces.append(part if isinstance(part, str) else f"{_HOLE}{len(holes)}{_HOLE}")
        holes += [] if isinstance(part, str) else [part]
    try:
        return _with_holes(yaml_decode("".join(pieces)), holes)
    except (TerraformError, Undetermined):
        return Unknown("text that is neither JSON nor YAML", computed_from(value))


def _with_holes(tree: Value, holes: list[Unknown]) -> Value:
    match tree:
        case str():
            parts = [holes[int(part)] if index % 2 else part for index, part in enumerate(tree.split(_HOLE))]
            filled_in = [part for part in parts if part != ""]
            return filled_in[0] if len(filled_in) == 1 else concatenate(filled_in)
        case Mapping():
            return {name: _with_holes(item, holes) for name, item in tree.items()}
        case list():
            return [_with_holes(item, holes) for item in tree]
    return tree


def _member(value: Value, name: str) -> Value:
    """Return a member of an object in JSON text."""
    tree = _tree(value)
    return tree.get(name) if isinstance(tree, Mapping) else tree


def _anywhere(tree: Value, name: str, path: str) -> Iterator[tuple[str, Value, Mapping[str, Value]]]:
    """Yield the members of a name, wherever they are in a tree."""
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    for key, inner in items:
        if key == name and isinstance(tree, Mapping):
            yield f"{path}.{key}", inner, tree
        else:
            yield from _anywhere(inner, name, f"{path}.{key}")


def _at(
    value: Value, steps: list[str], path: str, beside: Mapping[str, Value]
) -> Iterator[tuple[str, Value, Mapping[str, Value]]]:
    if isinstance(value, OpenList):
        value = list(value.entries)
    if isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from _at(entry, steps, f"{path}.{index}", beside)
    elif not steps or isinstance(value, Unknown):
        if isinstance(value, Mapping):
            return
        yield path, value, beside
    elif isinstance(value, Mapping):
        for name in value if steps[0] == "*" else steps[:1]:
            inner = value.get(name)
            nested = isinstance(inner, list | tuple) and any(isinstance(entry, Mapping) for entry in inner)
            if steps[0] == "*" and nested:
                yield from _at(inner, ["lambda_arn"], f"{path}.{name}", value)
            elif inner is not None and (steps[0] != "*" or name not in _NO_TARGETS):
                yield from _at(inner, steps[1:], f"{path}.{name}", value)


_NO_TARGETS = frozenset({"kms_key_id"})
"""What stands beside targets in a block of them."""


def _sources(owners: ArnIndex, row: WiringRow, caller: Resource) -> Iterator[Value]:
    aws = owners.attributes
    of = _of(owners, row, caller)
    for request in REQUESTS[row.requests](aws, caller) if row.requests else ("",):
        yield filled(aws, caller, row.source, {"of": of, "request": request})


def _of(owners: ArnIndex, row: WiringRow, caller: Resource) -> Value:
    """Return the ARN of the resource that a caller belongs to: an attribute of that, so far as the plan has it."""
    if not row.of:
        return ""
    named = caller.attribute(row.of)
    found = owners.plan.find(named) if isinstance(named, Unknown) else None
    if found is not None and (found[0].mode == "managed" or found[0].type.endswith("_secret")):
        return found[0].reference(row.of_arn)
    arn = filled(owners.attributes, caller, row.otherwise, {})
    owner = owners.find(owners.attributes.narrow(arn))
    return owner.reference(row.of_arn) if owner is not None and owner.mode == "managed" else arn


def filled(aws: AwsAttributes, caller: Resource, template: str, given: Mapping[str, Value]) -> Value:
    """Return a template with the values of the caller in it."""
    pieces: list[Value] = []
    for position, piece in enumerate(template.replace("}", "{").split("{")):
        if position % 2 == 0:
            pieces.append(piece)
        elif piece in given:
            pieces.append(given[piece])
        elif (own := standing_for(aws, caller, piece)) is not None:
            pieces.append(own)
        elif " " in piece:
            pieces.append(Unknown(f"{piece} of {caller.address}", AtRunTime(piece)))
        else:
            pieces.append(caller.attribute(piece))
    return aws.join(*pieces)


def service_names(aws: AwsAttributes, row: WiringRow, caller: Resource) -> list[str]:
    """Return the names of the service that calls; outside of the partition aws it may have another ending."""
    names = [render(aws.narrow(filled(aws, caller, service, {}))) for service in row.services]
    partition = aws.plan.partition
    return names if partition == "aws" else [*names, *(f"{name}.cn" for name in names if partition == "aws-cn")]
