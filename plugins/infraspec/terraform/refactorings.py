"""The moved, import and removed blocks of a configuration, one by one where import has for_each.

Source: Terraform Language Documentation, "Refactoring", "Import existing resources", "removed block".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from infraspec.terraform.body import Body
from infraspec.terraform.module import ModuleInstance
from infraspec.terraform.plan import Refactoring
from infraspec.terraform.scope import Scope
from infraspec.terraform.values import SetValue
from infraspec.unknown import Unknown, Value

_KEYS = {"moved": ("from", "to"), "import": ("id", "to"), "removed": ("from", "")}
_EACH_INDEX = re.compile(r"\[\s*each\.(\w+(?:\.\w+)*)\s*\]")


def refactorings(modules: Sequence[ModuleInstance]) -> Iterator[Refactoring]:
    """Yield what the blocks of all modules say. Raises EvaluationError if an id has no value."""
    for module in modules:
        for kind, body in module.configuration.refactorings:
            for scope, each in _each(module, body):
                source, target = (_written(module, body, name, scope, each) for name in _KEYS[kind])
                yield Refactoring(kind, source, target, body.location)


def _each(module: ModuleInstance, body: Body) -> Iterator[tuple[Scope, Mapping[str, Value]]]:
    """Yield the scope of each instance of a block, and what `each` is there; a block that is unknown is one instance.

    Source: Terraform Language Documentation, "Import resources with for_each" (a map, a set, or a list).
    """
    value = body.compiled("for_each")(module.scope) if "for_each" in body.attributes else None
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, SetValue):
        pairs = [(item, item) for item in value]
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        pairs = [] if value is None else [(Unknown("each.key"), Unknown("each.value"))]
    if "for_each" not in body.attributes:
        yield module.scope, {}
    for key, item in pairs:
        each = {"key": key, "value": item}
        yield module.scope.bind(each=each), each


def _written(module: ModuleInstance, body: Body, name: str, scope: Scope, each: Mapping[str, Value]) -> str:
    """Return an argument of a moved, import or removed block: an address as written, an id as evaluated."""
    if name not in body.attributes:
        return ""
    attribute, source = body.attributes[name]
    if name == "id":
        value = body.compiled(name)(scope)
        return value if isinstance(value, str) else str(Unknown(source.text[attribute.expression.at : attribute.end]))
    written = module.prefix + source.text[attribute.expression.at : attribute.end].strip()
    return _EACH_INDEX.sub(lambda match: _index(match, each), written)


def _index(match: re.Match[str], each: Mapping[str, Value]) -> str:
    """Return an index `[each.key]` of an address with its value, where it is known."""
    value: Value = each
    for step in match[1].split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return f"[{json.dumps(value, ensure_ascii=False)}]" if known else match[0]
