"""References compiled: `var.x`, `module.db["a"].endpoint`, `aws_x.y[*].arn`.

Source: Terraform Language Documentation, "References to Values" and "Splat Expressions".
"""

from __future__ import annotations

from collections.abc import Callable

from infraspec.errors import TerraformError
from infraspec.hcl.nodes import Expression, GetAttr, Index, Name, Splat
from infraspec.terraform.access import attribute_of, index_of, splat
from infraspec.terraform.compiling import Context, Evaluate, locate, located
from infraspec.terraform.scope import Module, Scope
from infraspec.unknown import Value

_NAMED: dict[str, Callable[[Module, str], Value]] = {
    "var": lambda module, name: module.variable(name),
    "local": lambda module, name: module.local(name),
    "module": lambda module, name: module.call(name),
    "path": lambda module, name: module.path(name),
}
_MODES = {"data": "data", "ephemeral": "ephemeral", "resource": "managed"}
"""What stands before the type of a resource; `resource` may stay out."""


def compile_reference(context: Context, node: Name | GetAttr | Index) -> Evaluate:
    """Compile a traversal such as `module.db["a"].endpoint`."""
    steps: list[GetAttr | Index] = []
    target: Expression = node
    while isinstance(target, (GetAttr, Index)):
        steps.append(target)
        target = target.target
    steps.reverse()
    if isinstance(target, Name):
        evaluate, used = _root(context, target, steps)
    else:
        evaluate, used = context.compile(target), 0
    for step in steps[used:]:
        evaluate = _attribute(context, evaluate, step) if isinstance(step, GetAttr) else _index(context, evaluate, step)
    return evaluate


def _root(context: Context, node: Name, steps: list[GetAttr | Index]) -> tuple[Evaluate, int]:
    name = node.name
    if name in context.bound:
        return (lambda scope: scope.locals[name]), 0
    if context.isolated:
        raise context.fail(node.at, f'there is no "{name}" here', remedy="a literal value, or a name that is passed in")
    if name in ("each", "count", "self"):
        return _iterator(context, node), 0
    first = _step_name(context, node, steps, 0)
    if name in _MODES:
        mode, label = _MODES[name], _step_name(context, node, steps, 1)
        return _found(context, node, lambda scope: scope.module.reference(mode, first, label)), 2
    if name == "terraform" and first == "workspace":
        return (lambda scope: scope.module.workspace()), 1
    look_up = _NAMED.get(name)
    if look_up is not None:
        return _found(context, node, lambda scope: look_up(scope.module, first)), 1
    return _found(context, node, lambda scope: scope.module.reference("managed", name, first)), 1


def _iterator(context: Context, node: Name) -> Evaluate:
    def evaluate(scope: Scope) -> Value:
        if node.name in scope.locals:
            return scope.locals[node.name]
        block = {"each": "for_each", "count": "count"}.get(node.name, "a provisioner or postcondition")
        raise context.fail(node.at, f'"{node.name}" cannot be used here', expected=f"a block that has {block}")

    return evaluate


def _step_name(context: Context, node: Name, steps: list[GetAttr | Index], position: int) -> str:
    step = steps[position] if position < len(steps) else None
    if isinstance(step, GetAttr):
        return step.name
    raise context.fail(node.at, f'"{node.name}" alone is no reference', expected=f"{node.name}.NAME or a quoted text")


def _found(context: Context, node: Name, evaluate: Evaluate) -> Evaluate:
    def run(scope: Scope) -> Value:
        try:
            return evaluate(scope)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return run


def _attribute(context: Context, target: Evaluate, node: GetAttr) -> Evaluate:
    name, at = node.name, node.at

    def evaluate(scope: Scope) -> Value:
        value = target(scope)
        if type(value) is dict and name in value:
            return value[name]
        try:
            return attribute_of(value, name)
        except TerraformError as error:
            locate(error, context.source, at)
            raise

    return evaluate


def _index(context: Context, target: Evaluate, node: Index) -> Evaluate:
    key = context.compile(node.key)

    def evaluate(scope: Scope) -> Value:
        value, position = target(scope), key(scope)
        try:
            return index_of(value, position)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return evaluate


def compile_splat(context: Context, node: Splat) -> Evaluate:
    """Compile `list[*].attribute`."""
    target = context.compile(node.target)
    steps = [step if isinstance(step, str) else context.compile(step) for step in node.steps]
    label = "".join(f".{step}" if isinstance(step, str) else "[…]" for step in steps)

    def evaluate(scope: Scope) -> Value:
        def apply(item: Value) -> Value:
            for step in steps:
                item = attribute_of(item, step) if isinstance(step, str) else index_of(item, step(scope))
            return item

        with located(context.source, node.at):
            return splat(target(scope), apply, label)

    return evaluate
