"""Operators and conditionals compiled.

Source: Terraform Language Documentation, "Arithmetic and Logical Operators" and "Conditional Expressions".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infraspec.errors import EvaluationError, InfraspecError
from infraspec.hcl.nodes import Binary, Conditional, Expression, ForObject, ForTuple, Object, Parentheses, Tuple, Unary
from infraspec.terraform import operators
from infraspec.terraform.common_type import common_type
from infraspec.terraform.compiling import Context, Evaluate, located
from infraspec.terraform.conversions import to_bool
from infraspec.terraform.equality import conditional_equal
from infraspec.terraform.revealing import to_revealed_bool
from infraspec.terraform.scope import EvaluatedObject, Scope
from infraspec.terraform.symbolic import named, operand
from infraspec.terraform.values import ListValue, MapValue, SetValue, identity
from infraspec.unknown import AFTER_APPLY, OpenList, Sensitive, Text, Unknown, Value, opened

_TUPLES_AND_OBJECTS = (Tuple, Object, ForTuple, ForObject)
_LOGIC = {"&&": (operators.AND, False), "||": (operators.OR, True)}


def compile_unary(context: Context, node: Unary) -> Evaluate:
    """Compile `-x` and `!x`."""
    operand, operation = context.compile(node.operand), operators.UNARY[node.operator]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            return operation(operand(scope))

    return evaluate


def compile_binary(context: Context, node: Binary) -> Evaluate:
    """Compile a binary operator; the right side of `&&` and `||` is evaluated only where it matters."""
    left, right = context.compile(node.left), context.compile(node.right)
    if node.operator in _LOGIC:
        return _logic(context, node, left, right)
    if node.operator in operators.OF_OTHER_TYPES:
        return _equality(context, node, left, right)
    operation = operators.BINARY[node.operator]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            return operation(left(scope), right(scope))

    return evaluate


def _equality(context: Context, node: Binary, left: Evaluate, right: Evaluate) -> Evaluate:
    """Compile `==` and `!=`; `[…]` and `{…}` make tuples and objects, which no list, set or map equals."""
    operation, of_other_types = operators.BINARY[node.operator], operators.OF_OTHER_TYPES[node.operator]
    written = [isinstance(_bare(operand), _TUPLES_AND_OBJECTS) for operand in (node.left, node.right)]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            values = left(scope), right(scope)
            if any(
                is_written and _is_collection(other) for is_written, other in zip(written, values[::-1], strict=True)
            ):
                return of_other_types(*values)
            return operation(*_objects_as_values(*values))

    return evaluate


def _bare(node: Expression) -> Expression:
    while isinstance(node, Parentheses):
        node = node.inner
    return node


def _is_collection(value: Value) -> bool:
    while isinstance(value, Sensitive):
        value = value.reveal()
    return isinstance(value, (ListValue, MapValue, SetValue))


def _logic(context: Context, node: Binary, left: Evaluate, right: Evaluate) -> Evaluate:
    """Compile `&&` and `||`, which since Terraform 1.12 leave out of account the operand that does not matter."""
    operation, decisive = _LOGIC[node.operator]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            try:
                first = left(scope)
            except EvaluationError:
                if to_revealed_bool(right(scope)) is decisive:
                    return decisive
                raise
            truth = to_revealed_bool(first)
            if truth is decisive and not isinstance(first, Sensitive):
                return decisive
            matters = truth is not decisive and not isinstance(truth, Unknown)
            return operation(first, right(scope) if matters else _attempt(right, scope))

    return evaluate


def compile_conditional(context: Context, node: Conditional) -> Evaluate:
    """Compile `c ? a : b`; an unknown condition yields the branches' value where both are the same."""
    condition, if_true, if_false = map(context.compile, (node.condition, node.if_true, node.if_false))

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.condition.at):
            chosen = to_bool(condition(scope))
            decided = to_revealed_bool(chosen)
        if chosen is True:
            return _taken(if_true, if_false, scope)
        if chosen is False:
            return _taken(if_false, if_true, scope)
        if chosen is None:
            raise context.fail(node.condition.at, "the condition is null")
        if isinstance(chosen, Sensitive):
            branches = (if_true, if_false) if decided else (if_false, if_true)
            return Sensitive(chosen.address, _taken(*branches, scope))
        return _either(chosen, _attempt(if_true, scope), _attempt(if_false, scope))

    return evaluate


def _taken(branch: Evaluate, other: Evaluate, scope: Scope) -> Value:
    """Return the value of the branch taken, converted to the type that both branches have in common."""
    value = branch(scope)
    if value is None or isinstance(value, (str, Text)) or _is_unknown(value):
        return value
    try:
        counterpart = other(scope)
    except InfraspecError:
        return value
    if isinstance(value, Sensitive):
        return Sensitive(value.address, common_type(value.reveal(), counterpart))
    return common_type(value, counterpart)


def _is_unknown(value: Value) -> bool:
    return isinstance(value, Unknown) and not isinstance(value, Sensitive)


def _attempt(evaluate: Evaluate, scope: Scope) -> Value:
    try:
        return evaluate(scope)
    except EvaluationError as error:
        return Unknown(f"error({error.message})", AFTER_APPLY)


def _either(condition: Value, if_true: Value, if_false: Value) -> Value:
    if_true, if_false = common_type(if_true, if_false), common_type(if_false, if_true)
    if conditional_equal(if_true, if_false):
        return if_true
    unknown = named(f"{operand(condition)} ? {operand(if_true)} : {operand(if_false)}", condition, if_true, if_false)
    return opened(unknown, _in_both(if_true, if_false))


def _in_both(one: Value, other: Value) -> Iterator[Value]:
    """Yield the text that two lists have, or what of it is certain."""
    there = {identity(item) for item in _certain(other)}
    return (item for item in _certain(one) if identity(item) in there)


def _certain(value: Value) -> Sequence[Value]:
    items = value.items if isinstance(value, OpenList) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, str | Text | Unknown)]


def _objects_as_values(left: Value, right: Value) -> tuple[Value, Value]:
    """Let a resource compare with null as a value that is there; its attributes may be unknown, itself it is not."""
    return _object_as_value(left, right), _object_as_value(right, left)


def _object_as_value(value: Value, other: Value) -> Value:
    return {} if isinstance(value, EvaluatedObject) and value.single and other is None else value
