"""References compiled: `var.x`, `module.db["a"].endpoint`, `aws_x.y[*].arn`.

Source: Terraform Language Documentation, "References to Values" and "Splat Expressions".
"""

from __future__ import annotations

from collections.abc import Callable

from infraspec.core.errors import EvaluationError, TerraformError, UndeclaredError
from infraspec.core.limits import BUDGET, ROUND
from infraspec.core.unknown import (
    Application,
    AtRunTime,
    Ephemeral,
    OtherStack,
    Sensitive,
    Text,
    Unknown,
    Value,
    is_known,
    marked,
)
from infraspec.hcl.ast import Expression, GetAttr, Index, Name, Splat
from infraspec.terraform.language.conversions import iterate, reveal, to_number, to_text
from infraspec.terraform.language.partial_values import ELEMENT, bounded, called, named, operand, part_of
from infraspec.terraform.language.scope import CompileContext, Evaluate, EvaluatedObject, Module, Scope, locate, located
from infraspec.terraform.language.values import BlockValue, SetValue, UnorderedTuple, is_indefinite, type_name

_MOST_SUGGESTIONS = 8


def attribute_of(value: Value, name: str) -> Value:
    """Return `value.name`."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        if isinstance(value, BlockValue):
            return value.absent(name)
        raise EvaluationError(f'this object has no attribute "{name}"', found=_names(value))
    if isinstance(value, EvaluatedObject):
        return value.attribute(name)
    if isinstance(value, Sensitive):
        return marked(f"{value.address}.{name}", _hiding(lambda: attribute_of(value.reveal(), name)), value)
    if isinstance(value, Unknown):
        return _unknown_attribute(value, name)
    if value is None:
        raise EvaluationError(f'attempt to get attribute "{name}" of a null value')
    remedy = f"value[*].{name}" if isinstance(value, list) else ""
    raise EvaluationError(f'a {type_name(value)} has no attribute "{name}"', remedy=remedy)


def index_of(value: Value, key: Value) -> Value:
    """Return `value[key]`."""
    if isinstance(value, EvaluatedObject):
        return value.element(key)
    if isinstance(value, Sensitive):
        return marked(f"{value.address}[{operand(key)}]", _hiding(lambda: index_of(value.reveal(), key)), value, key)
    if isinstance(key, Sensitive):
        return marked(key.address, _hiding(lambda: index_of(value, key.reveal())), key)
    if isinstance(value, Unknown) or isinstance(key, (Unknown, Text)):
        return _unknown_element(value, key)
    if isinstance(value, dict):
        return _dict_element(value, key)
    if is_indefinite(value):
        return named(f"{operand(value)}[{operand(key)}]", value)
    if isinstance(value, SetValue):
        raise EvaluationError(
            "a set has no order, so its elements have no index", remedy="tolist(value)[0], or one(value)"
        )
    if isinstance(value, list):
        return _list_element(value, key)
    raise EvaluationError(f"a {type_name(value)} cannot be indexed")


def splat(value: Value, step: Callable[[Value], Value], label: str) -> Value:
    """Apply `step` to each element: null gives an empty list, a value that is no list is a list of one."""
    if value is None:
        return []
    if isinstance(value, list):
        items = [step(item) for item in value]
        if not is_indefinite(value):
            return items
        return named(f"{operand(value)}[*]{label}", value) if is_known(items) else UnorderedTuple(items)
    if isinstance(value, Sensitive):
        return marked(value.address, splat(_marked(value), step, label), value)
    if isinstance(value, Unknown) and not (isinstance(value, EvaluatedObject) and value.single):
        return part_of(value, f"{value.address}[*]{label}")
    return [step(value)]


def _marked(value: Sensitive) -> Value:
    """Return what a splat goes through, each element sensitive; a value that is no list stays as a whole."""
    hidden = reveal(value)
    if hidden is None or isinstance(hidden, Unknown):
        return hidden
    return [item for _, item in iterate(value)] if isinstance(hidden, list) else [value]


def _hiding(access: Callable[[], Value]) -> Value:
    """Return a part of a value where it or the key is sensitive; an error says nothing of either."""
    try:
        return access()
    except EvaluationError:
        raise EvaluationError("a sensitive value lacks this part, or a sensitive key names none") from None


def _dict_element(value: dict[str, Value], key: Value) -> Value:
    name = to_text(key)
    if isinstance(name, str) and name in value:
        return value[name]
    if isinstance(name, str) and isinstance(value, BlockValue):
        return value.absent(name)
    raise EvaluationError(f"the given key {operand(key)} is not in the map", found=_names(value))


def _list_element(value: list[Value], key: Value) -> Value:
    try:
        position = int(to_number(key))  # type: ignore[arg-type] # a key that is not known is not looked up
    except (EvaluationError, TypeError):
        raise EvaluationError("a list is indexed by a whole number", found=type_name(key)) from None
    if position < 0 or position >= len(value) or position != to_number(key):
        raise EvaluationError(f"index {operand(key)} is out of range of a list of {len(value)} elements")
    return value[position]


def _unknown_attribute(value: Unknown, name: str) -> Unknown:
    cause = value.cause
    if isinstance(cause, OtherStack) and not cause.output:
        cause = OtherStack(cause.source, cause.attribute, name)
    return Unknown(bounded(f"{value.address}.{name}"), cause)


def _unknown_element(value: Value, key: Value) -> Value:
    text = f"{operand(value)}[{operand(key)}]"
    part = part_of(value, text) if isinstance(value, Unknown) and is_known(key) else named(text, key, value)
    return called(ELEMENT, part, (value, key)) if isinstance(value, Unknown) and Application.of(value) else part


def _names(value: dict[str, Value]) -> str:
    names = sorted(map(str, value))
    more = f", … ({len(names)} in all)" if len(names) > _MOST_SUGGESTIONS else ""
    return "attributes " + (", ".join(names[:_MOST_SUGGESTIONS]) + more if names else "(none)")


_NAMED: dict[str, Callable[[Module, str], Value]] = {
    "var": lambda module, name: module.variable(name),
    "local": lambda module, name: module.local(name),
    "module": lambda module, name: module.call(name),
    "path": lambda module, name: module.path(name),
}
_MODES = {"data": "data", "ephemeral": "ephemeral", "resource": "managed"}
"""What stands before the type of a resource; `resource` may stay out."""


def compile_reference(context: CompileContext, node: Name | GetAttr | Index) -> Evaluate:
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


def _root(context: CompileContext, node: Name, steps: list[GetAttr | Index]) -> tuple[Evaluate, int]:
    name = node.name
    if name in context.bound:
        return (lambda scope: scope.locals[name]), 0
    if context.isolated:
        raise context.fail(node.at, f'there is no "{name}" here', remedy="a literal value, or a name that is passed in")
    if name in ("each", "count", "self"):
        return _iterator(context, node), 0
    first = _step_name(context, node, steps, 0)
    if name in _MODES:
        label = _step_name(context, node, steps, 1)
        return _found(context, node, lambda scope: look_up(scope.module, name, first, label)), 2
    if name in ("terraform", "tofu") and first == "workspace":
        return (lambda scope: scope.module.workspace()), 1
    if name in ("terraform", "tofu") and first == "applying":
        return (lambda _: Ephemeral(f"{name}.applying", Unknown(f"{name}.applying", AtRunTime("the phase")))), 1
    return _found(context, node, lambda scope: look_up(scope.module, name, first)), 1


def look_up(module: Module, root: str, first: str, second: str = "", *_: str) -> Value:
    """Return what a reference begins with, by its names. Raises UndeclaredError if there is none."""
    if root in _NAMED:
        return _NAMED[root](module, first)
    return module.reference(_MODES[root], first, second) if root in _MODES else module.reference("managed", root, first)


def _iterator(context: CompileContext, node: Name) -> Evaluate:
    def evaluate(scope: Scope) -> Value:
        if node.name in scope.locals:
            return scope.locals[node.name]
        block = {"each": "for_each", "count": "count"}.get(node.name, "a provisioner or postcondition")
        raise context.fail(node.at, f'"{node.name}" cannot be used here', expected=f"a block that has {block}")

    return evaluate


def _step_name(context: CompileContext, node: Name, steps: list[GetAttr | Index], position: int) -> str:
    step = steps[position] if position < len(steps) else None
    if isinstance(step, GetAttr):
        return step.name
    raise context.fail(node.at, f'"{node.name}" alone is no reference', expected=f"{node.name}.NAME or a quoted text")


def _found(context: CompileContext, node: Name, evaluate: Evaluate) -> Evaluate:
    def run(scope: Scope) -> Value:
        try:
            return evaluate(scope)
        except UndeclaredError as error:
            locate(error, context.source, node.at)
            return scope.refused(error)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return run


def _attribute(context: CompileContext, target: Evaluate, node: GetAttr) -> Evaluate:
    name, at = node.name, node.at

    def evaluate(scope: Scope) -> Value:
        value = target(scope)
        if type(value) is dict and name in value:
            return value[name]
        _note(scope, value)
        try:
            return attribute_of(value, name)
        except TerraformError as error:
            locate(error, context.source, at)
            raise

    return evaluate


def _index(context: CompileContext, target: Evaluate, node: Index) -> Evaluate:
    key = context.compile(node.key)

    def evaluate(scope: Scope) -> Value:
        value, position = target(scope), key(scope)
        _note(scope, value, position)
        try:
            return index_of(value, position)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return evaluate


def _note(scope: Scope, value: Value, key: Value = None) -> None:
    """Note that a value which is not known may lack the part that is asked for, or a value that is known may."""
    if scope.attempt is not None:
        value = reveal(value)
        has_it = not isinstance(value, Unknown) or (isinstance(value, EvaluatedObject) and value.certain)
        scope.may_fail(key, value if is_indefinite(value) or not has_it else None)


def compile_splat(context: CompileContext, node: Splat) -> Evaluate:
    """Compile `list[*].attribute`."""
    target = context.compile(node.target)
    steps = [step if isinstance(step, str) else context.compile(step) for step in node.steps]
    label = "".join(f".{step}" if isinstance(step, str) else "[…]" for step in steps)

    def evaluate(scope: Scope) -> Value:
        def apply(item: Value) -> Value:
            for step in steps:
                _note(scope, item)
                item = attribute_of(item, step) if isinstance(step, str) else index_of(item, step(scope))
            return item

        with located(context.source, node.at):
            value = target(scope)
            if not isinstance(value, EvaluatedObject):
                _note(scope, value)
            if isinstance(value, list):
                BUDGET.spend(ROUND * len(value))
            return splat(value, apply, label)

    return evaluate
