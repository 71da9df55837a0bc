"""Where a part of an attribute stands in the source: a dotted path followed through the syntax tree.

`policy.Statement.1` of a role policy leads into `jsonencode({ Statement = [ …, { here } ] })`, through locals,
variables, outputs and policy documents as far as these can be followed without evaluating anything. The walk stops at
the last place it is sure of.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from infraspec.core.finding import Location
from infraspec.hcl import ast

if TYPE_CHECKING:
    from infraspec.terraform.configuration.declarations import SourceBody
    from infraspec.terraform.configuration.instances import DeclaringModule, ResourceInstance

_TRANSPARENT = frozenset({"jsonencode", "jsondecode", "tolist", "tomap", "tostring", "sensitive", "nonsensitive"})
_MERGING = ("source_policy_documents", "source_json", "override_policy_documents", "override_json")
"""Arguments of a policy document that put statements before its own, or others in their place."""
_MOST_HOPS = 40
_BELOW_BLOCK = 2
"""How many steps lead from the name of a nested block to an argument in it: its number, and the argument."""
_Names: TypeAlias = list[str]


class SourcePosition(Struct):
    """An expression, the text that it stands in, and the module that evaluates it."""

    node: ast.Expression
    source: ast.SourceText
    module: DeclaringModule

    @property
    def location(self) -> Location:
        """Its line."""
        return Location(self.source.name, self.source.line(self.node.at))


def trace(instance: ResourceInstance, path: str) -> Location | None:
    """Return the location of a dotted path into a resource's attributes, or None if it is not configured."""
    name, *rest = path.split(".")
    if name not in instance.body.attributes:
        return _block_location(instance.body, name, rest[0]) if rest else instance.body.location_of(name)
    attribute, source = instance.body.attributes[name]
    first = Location(source.name, source.line(attribute.at))
    start = SourcePosition(attribute.expression, source, instance.module)
    return _Walk(rest, start.location).run(start) if rest else first


def target(instance: ResourceInstance, path: str) -> SourcePosition | None:
    """Return the expression that a dotted path into a resource's attributes ends at, references followed."""
    body, (name, *rest) = instance.body, path.split(".")
    while name not in body.attributes:
        inner = [nested for _, nested in body.nested(name)]
        if len(rest) < _BELOW_BLOCK or not rest[0].isdecimal() or int(rest[0]) >= len(inner):
            return None
        body, (name, *rest) = inner[int(rest[0])], rest[1:]
    attribute, source = body.attributes[name]
    start = SourcePosition(attribute.expression, source, instance.module)
    return _Walk(rest, start.location).end(start)


def _block_location(body: SourceBody, name: str, number: str) -> Location | None:
    """Return where a nested block begins; None after a dynamic block, which may have made any number of them."""
    written = [pair for pair in body.blocks if pair[0].type == name or pair[0].labels == (name,)]
    certain = list(takewhile(lambda pair: pair[0].type == name, written))
    if not number.isdecimal() or int(number) >= len(certain):
        return None
    block, source = certain[int(number)]
    return Location(source.name, source.line(block.at))


class _Walk(Struct):
    """Follow the steps of a path, one hop at a time; `best` is the last location that is sure."""

    steps: _Names
    best: Location

    def run(self, at: SourcePosition) -> Location:
        """Return the last location that is sure."""
        current: SourcePosition | None = at
        for _ in range(_MOST_HOPS):
            current = self._hop(current) if current else None
        return self.best

    def end(self, at: SourcePosition) -> SourcePosition | None:
        """Return the last place of all that the whole path leads to."""
        current, last = at, None
        for _ in range(_MOST_HOPS):
            last = last if self.steps else current
            following = self._hop(current)
            if following is None:
                break
            current = following
        return last

    def _hop(self, at: SourcePosition) -> SourcePosition | None:
        node = at.node
        match node:
            case ast.Parentheses():
                return SourcePosition(node.inner, at.source, at.module)
            case ast.Call() if node.name in _TRANSPARENT and node.arguments:
                return SourcePosition(node.arguments[0], at.source, at.module)
            case ast.Template() if node.wraps and isinstance(node.parts[0], ast.Interpolation):
                return SourcePosition(node.parts[0].expression, at.source, at.module)
            case ast.Object() | ast.Tuple() | ast.Call():
                return self._descend(at)
            case ast.GetAttr() | ast.Index():
                return self._follow(at)
        return None

    def _descend(self, at: SourcePosition) -> SourcePosition | None:
        child = _child(at.node, self.steps[0]) if self.steps else None
        if child is None:
            return None
        self.steps.pop(0)
        result = SourcePosition(child, at.source, at.module)
        self.best = result.location
        return result

    def _follow(self, at: SourcePosition) -> SourcePosition | None:
        """Go where a reference points, if it points into source that can be read on."""
        names = _names(at.node)
        match names:
            case ["local", name, *rest] if name in at.module.configuration.locals:
                attribute, source = at.module.configuration.locals[name]
                return self._enter(SourcePosition(attribute.expression, source, at.module), rest)
            case ["var", name, *rest] if (call := at.module.call_body) and at.module.parent and name in call.attributes:
                attribute, source = call.attributes[name]
                return self._enter(SourcePosition(attribute.expression, source, at.module.parent), rest)
            case ["module", name, output, *rest] if name in at.module.configuration.calls:
                return self._enter(_output(at.module, name, output), rest)
            case ["data", "aws_iam_policy_document", name, *keys, "json" | "minified_json"] if len(keys) <= 1:
                self._statement(at.module, name)
        return None

    def _enter(self, target: SourcePosition | None, rest: _Names) -> SourcePosition | None:
        self.steps = rest + self.steps
        if target is not None and self.steps:
            self.best = target.location
        return target

    def _statement(self, module: DeclaringModule, name: str) -> None:
        """Find the block of a statement, else the document: where its statements are not written one by one."""
        body = module.configuration.resources.get(("data", "aws_iam_policy_document", name))
        if body is None or not self.steps:
            return
        self.best = body.location
        if (
            self.steps[0] == "Statement"
            and len(self.steps) > 1
            and not any(map(body.attributes.__contains__, _MERGING))
        ):
            self.best = _block_location(body, "statement", self.steps[1]) or body.location


def _child(node: ast.Expression, step: str) -> ast.Expression | None:
    match node:
        case ast.Object():
            for key, value in node.items:
                if isinstance(key, ast.Literal) and str(key.value) == step:
                    return value
        case ast.Tuple():
            if step.isdecimal() and int(step) < len(node.items):
                return node.items[int(step)]
        case ast.Call(name="merge"):
            return _merged(node, step)
        case ast.Call(name="concat") if step.isdecimal():
            return _concatenated(node, int(step))
    return None


def _merged(node: ast.Call, step: str) -> ast.Expression | None:
    """Find a member in the last argument that has it; one that cannot be read may have it too."""
    for argument in reversed(node.arguments):
        if not isinstance(argument, ast.Object) or not all(isinstance(key, ast.Literal) for key, _ in argument.items):
            return None
        found = _child(argument, step)
        if found is not None:
            return found
    return None


def _concatenated(node: ast.Call, position: int) -> ast.Expression | None:
    for argument in node.arguments:
        if not isinstance(argument, ast.Tuple):
            return None
        if position < len(argument.items):
            return argument.items[position]
        position -= len(argument.items)
    return None


def _names(node: ast.Expression) -> _Names | None:
    names: _Names = []
    while isinstance(node, (ast.GetAttr, ast.Index)):
        if isinstance(node, ast.GetAttr):
            names.append(node.name)
        elif isinstance(node.key, ast.Literal):
            names.append(str(node.key.value))
        else:
            return None
        node = node.target
    if not isinstance(node, ast.Name):
        return None
    return [node.name, *reversed(names)]


def _output(module: DeclaringModule, name: str, output: str) -> SourcePosition | None:
    for called in module.called(name):
        if output in called.configuration.outputs:
            pair = called.configuration.outputs[output].attributes.get("value")
            return SourcePosition(pair[0].expression, pair[1], called) if pair else None
    return None
