"""A plan as a document: blocks of attributes, and for programs planned_values as `terraform show -json` has them.

Source: Terraform Internals, "JSON Output Format", Values Representation. A value that is not known is left out of its
object, null in its list, and listed under `unknown`; a sensitive one is replaced by a marker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from json.encoder import encode_basestring
from typing import Any

from infraspec.core.errors import counted
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, is_known, number_text
from infraspec.reporting.document import Code, Document, Form, Paragraph, Part, TextSpan, Tree
from infraspec.terraform.language.conversions import first_sensitive, reveal
from infraspec.terraform.language.values import BlockValue, MapValue, SetValue, named_unknown, with_items
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import defaults_of, demands, is_computed

_MASK = "(sensitive value)"
_FORMAT = "1.2"
_CALL = re.compile(r'module\.[\w-]+(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])?')
"""The first call of a module path, `module.name["key"]`; a key may hold dots and quotes."""


def plan_document(plan: Plan) -> Document:
    """Return the plan as blocks of attributes and outputs, on a terminal as a tree of modules; a closing count."""
    return Document(partial(_parts, plan), partial(plan_data, plan))


def _parts(plan: Plan, form: Form) -> Iterator[Part]:
    if form == "terminal":
        yield Tree(plan.origin, tuple(_branches("", _planned_resources(plan))), "strong")
    else:
        yield from (Code("\n".join(_block(resource)), "terraform") for resource in _planned_resources(plan))
    for name, value in sorted(plan.outputs.items()):
        yield Code(f'output "{name}" {{\n  value = {_written(value, 2)}\n}}', "terraform")
    managed = sum(1 for resource in _planned_resources(plan) if resource.mode == "managed")
    counts = f"{counted(managed, 'resource')}, {counted(plan.module_calls, 'module instance')}"
    yield Paragraph(f"{plan.origin}: {counts}", "strong")


def _branches(module: str, resources: Sequence[Resource]) -> Iterator[tuple[Part, ...]]:
    for resource in resources:
        if resource.module == module:
            where = f"  ({resource.location})" if resource.location else ""
            shown = "\n".join(_attributes(resource))
            yield Paragraph(f"{resource.address}{where}", "strong"), Code(shown, "terraform")
    for child, below in _children(module, resources).items():
        yield (Tree(TextSpan(child, "module"), tuple(_branches(child, below))),)


def plan_data(plan: Plan) -> dict[str, Any]:
    """Return the plan as `format_version`, `planned_values` and `unknown`."""
    shown = sorted(_planned_resources(plan), key=lambda resource: resource.address)
    return {
        "format_version": _FORMAT,
        "planned_values": {"outputs": _outputs(plan), "root_module": _module("", shown)},
        "unknown": {resource.address: paths for resource in shown if (paths := [*_unknown_paths(_planned(resource))])},
    }


def _planned_resources(plan: Plan) -> list[Resource]:
    """Return the resources that Terraform would list: managed, or data sources that can be read only during apply."""
    return [one for one in plan.resources if one.mode == "managed" or not is_known(reveal(dict(one.values)))]


def _planned(resource: Resource) -> dict[str, Value]:
    """Return the values as the provider plans them: null leaves an attribute to the provider as if it were not set."""
    values = {name: _configured(value) for name, value in resource.values.items() if value is not None}
    unset = {name: is_computed(resource.type, name, resource.mode) for name in resource.values.keys() - values.keys()}
    computed = {name: resource.reference(name) for name in sorted(unset) if unset[name]}
    planned = values | computed | {name: None for name in sorted(unset) if unset[name] is False}
    return _completed(resource, planned) if resource.locate is not None and resource.mode == "managed" else planned


def _completed(resource: Resource, planned: dict[str, Value]) -> dict[str, Value]:
    """Add what the provider puts in place of what the source does not set: its defaults, and what AWS assigns."""
    known = demands(resource.type)
    if known is None:
        return planned
    inside = {name: _with_computed(known.codes.get(name, ""), value) for name, value in planned.items()}
    rest = known.codes.keys() - planned.keys() - {"region"}  # which the provider configuration gives
    defaults = {name: value for name, value in defaults_of(resource.type).items() if name in rest}
    computed = (name for name in sorted(rest - defaults.keys()) if is_computed(resource.type, name))
    return inside | defaults | {name: resource.reference(name) for name in computed}


def _with_computed(code: str, value: Value) -> Value:
    """Add to nested blocks the attributes that are computed and not set."""
    structure = code.lstrip("[{1(")
    if isinstance(value, list) and structure != code:
        items = (_with_computed(code, item) for item in value)
        return SetValue(items) if isinstance(value, SetValue) else list(items)
    if not isinstance(value, BlockValue) or not structure.startswith("@"):
        return value
    wanted = demands(structure)
    if wanted is None:
        return value
    inside = {name: _with_computed(wanted.codes.get(name, ""), item) for name, item in value.items()}
    return inside | {name: named_unknown(value.address, name) for name in sorted(wanted.computed - value.keys())}


def _configured(value: Value) -> Value:
    """Leave out what is null inside a nested block; a map keeps its null elements."""
    if isinstance(value, SetValue):
        return SetValue(map(_configured, value))
    if isinstance(value, list):
        return [_configured(item) for item in value]
    if isinstance(value, dict) and not isinstance(value, MapValue):
        return with_items(value, ((key, _configured(item)) for key, item in value.items() if item is not None))
    return value


def _outputs(plan: Plan) -> dict[str, Any]:
    return {
        name: {
            "sensitive": name in plan.sensitive_outputs or first_sensitive(value) is not None,
            **({"value": known} if (known := _known(value)) is not _GONE else {}),
        }
        for name, value in sorted(plan.outputs.items())
    }


def _module(address: str, resources: list[Resource]) -> dict[str, Any]:
    own = [_resource(resource) for resource in resources if resource.module == address]
    below = [_module(*child) for child in _children(address, resources).items()]
    module: dict[str, Any] = {"resources": own} if own else {}
    if below:
        module["child_modules"] = below
    return {**module, "address": address} if address else module


def _children(address: str, resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Return the resources by the module instances that a module calls, of those that have any."""
    prefix = f"{address}." if address else ""
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.module != address and resource.module.startswith(prefix):
            found.setdefault(prefix + _CALL.findall(resource.module, len(prefix))[0], []).append(resource)
    return dict(sorted(found.items()))


def _resource(resource: Resource) -> dict[str, Any]:
    values = _planned(resource)
    shown: dict[str, Any] = {
        "address": resource.address,
        "mode": resource.mode,
        "type": resource.type,
        "name": resource.name,
        "provider_name": _provider_name(resource),
        "values": {name: known for name, value in values.items() if (known := _known(value)) is not _GONE},
        "sensitive_values": {name: marks for name, value in values.items() if (marks := _marks(value))},
    }
    if resource.key is not None:
        shown["index"] = resource.key
    return shown


def _provider_name(resource: Resource) -> str:
    name = resource.provider.rpartition(":")[2].split(".")[0] or resource.type.split("_")[0]
    return name if "/" in name else f"registry.terraform.io/hashicorp/{name}"


_GONE = object()


def _known(value: Value) -> Any:
    """Return the known part: objects without their unknown members, null for unknown elements of a list."""
    if _is_hidden(value):
        return _MASK
    if isinstance(value, (Unknown, Text)):
        return _GONE
    if isinstance(value, dict):
        return {key: known for key, item in value.items() if (known := _known(item)) is not _GONE}
    if isinstance(value, list):
        return [None if (known := _known(item)) is _GONE else known for item in value]
    return value


def _is_hidden(value: Value) -> bool:
    """Tell whether a value is known but for what must not be shown of it: text may have a sensitive part."""
    return isinstance(value, Sensitive) or (isinstance(value, Text) and is_known(reveal(value)))


def _marks(value: Value) -> Any:
    if isinstance(value, (Unknown, Text)):
        return first_sensitive(value) is not None
    if isinstance(value, dict):
        return {key: marks for key, item in value.items() if (marks := _marks(item))}
    if isinstance(value, list):
        marks = [_marks(item) for item in value]
        return marks if any(marks) else False
    return False


def _unknown_paths(value: Value, path: str = "") -> Iterable[str]:
    if isinstance(value, (Unknown, Text)):
        yield from () if _is_hidden(value) else (path,)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unknown_paths(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unknown_paths(item, f"{path}[{position}]")


def fragments(plan: Plan, addresses: Iterable[Iterable[str]], limit: int) -> str:
    """Return the resources with these addresses as blocks of attributes, each once, at most `limit` of them."""
    wanted = dict.fromkeys(address for group in addresses for address in group)
    shown = [plan.by_address[address] for address in wanted if address in plan.by_address]
    more = [f"# and {len(shown) - limit} more"] if len(shown) > limit else []
    return "\n\n".join([*("\n".join(_block(resource)) for resource in shown[:limit]), *more])


def _block(resource: Resource) -> Iterable[str]:
    yield f"# {resource.address}" + (f"  ({resource.location})" if resource.location else "")
    keyword = "data" if resource.mode == "data" else "resource"
    yield f'{keyword} "{resource.type}" "{resource.name}" {{'
    yield from (f"  {line}" for line in _attributes(resource, 2))
    yield "}"


def _attributes(resource: Resource, indent: int = 0) -> Iterable[str]:
    """Yield each attribute with its value, whose own lines are indented; unknown values marked, secrets hidden."""
    values = dict(resource.values)
    width = max(map(len, values), default=0)
    for name, value in values.items():
        yield f"{name:{width}} = {_written(value, indent)}"


def _written(value: Value, indent: int) -> str:
    match value:
        case Sensitive():
            return _MASK
        case JsonText():
            return f"jsonencode({_written(value.tree, indent)})"
        case Unknown():
            return f"(known after apply: {value.address})"
        case Text():
            return encode_basestring(str(value))
        case dict() if value:
            return _bracketed("{}", [f"{key} = {_written(item, indent + 2)}" for key, item in value.items()], indent)
        case float():
            return number_text(value)
        case list() if value:
            return _bracketed("[]", [f"{_written(item, indent + 2)}," for item in value], indent)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _bracketed(brackets: str, lines: list[str], indent: int) -> str:
    inner = "".join(f"\n{' ' * (indent + 2)}{line}" for line in lines)
    return f"{brackets[0]}{inner}\n{' ' * indent}{brackets[1]}"
