"""Expressions compiled once to closures: `compile_expression(node, source)(scope)` gives the value.

Source: Terraform Language Documentation, "Expressions". A part that cannot be known yields an Unknown that names it;
an expression that has no value raises EvaluationError with file, line and column.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from infraspec.errors import EvaluationError, TerraformError
from infraspec.hcl.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Literal,
    Name,
    Object,
    Parentheses,
    Splat,
    Template,
    Tuple,
    Unary,
)
from infraspec.hcl.source import Source
from infraspec.terraform.calls import call_function, can_evaluate, first_that_evaluates, render_file, render_text
from infraspec.terraform.compiling import COMPILE, Context, Evaluate, locate
from infraspec.terraform.conversions import to_text
from infraspec.terraform.for_expressions import compile_for_object, compile_for_tuple
from infraspec.terraform.number import normalize_number
from infraspec.terraform.operator_expressions import compile_binary, compile_conditional, compile_unary
from infraspec.terraform.references import compile_reference, compile_splat
from infraspec.terraform.scope import Scope
from infraspec.terraform.template_expressions import compile_template, render_template
from infraspec.unknown import Unknown, Value


def compile_expression(
    node: Expression, source: Source, bound: frozenset[str] = frozenset(), *, isolated: bool = False
) -> Evaluate:
    """Compile an expression in which the names of `bound` are iterators; `isolated`: in which only they exist."""
    return Context(source, bound, isolated).compile(node)


def compile_literal(_: Context, node: Literal) -> Evaluate:
    """Compile a number, text, true, false or null."""
    value = normalize_number(node.value) if isinstance(node.value, Decimal) else node.value
    return lambda scope: value  # noqa: ARG005 - a closure takes a scope


def compile_parentheses(context: Context, node: Parentheses) -> Evaluate:
    """Compile what the parentheses hold."""
    return context.compile(node.inner)


def compile_tuple(context: Context, node: Tuple) -> Evaluate:
    """Compile `[a, b]`."""
    items = [context.compile(item) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _key(node: Literal) -> str:
    return f"{node.value:f}" if isinstance(node.value, Decimal) else str(to_text(node.value))


def compile_object(context: Context, node: Object) -> Evaluate:
    """Compile `{ a = 1, (b) = 2 }`; a key that is not known makes the whole object unknown."""
    if all(isinstance(key, Literal) for key, _ in node.items):
        static = [(_key(key), context.compile(value)) for key, value in node.items if isinstance(key, Literal)]
        return lambda scope: {key: value(scope) for key, value in static}
    items = [(context.compile(key), context.compile(value)) for key, value in node.items]
    place = context.source.place(node.at)

    def evaluate(scope: Scope) -> Value:
        result = {}
        for key, value in items:
            written = key(scope)
            name = context.key(written, node.at)
            if name is None:
                return scope.opaque("object", place, written)
            result[name] = value(scope)
        return result

    return evaluate


def compile_call(context: Context, node: Call) -> Evaluate:
    """Compile a function call; try, can and the template functions evaluate their arguments themselves."""
    name = node.name.removeprefix("core::")
    arguments = [context.compile(argument) for argument in node.arguments]
    special = _SPECIAL.get(name)

    def evaluate(scope: Scope) -> Value:
        try:
            if special is not None:
                return special(arguments, scope)
            return call_function(name, _values(arguments, scope, expand=node.expand), scope)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return evaluate


def _values(arguments: list[Evaluate], scope: Scope, *, expand: bool) -> list[Value] | Unknown:
    values = [argument(scope) for argument in arguments]
    if not expand:
        return values
    last = values.pop()
    if isinstance(last, Unknown):
        return last
    if not isinstance(last, list):
        raise EvaluationError("the argument before ... is not a list")
    return values + last


def _template_file(arguments: list[Evaluate], scope: Scope) -> Value:
    return render_file([argument(scope) for argument in arguments], scope, render_template)


def _template_string(arguments: list[Evaluate], scope: Scope) -> Value:
    return render_text([argument(scope) for argument in arguments], scope, render_template)


_SPECIAL: dict[str, Callable[[list[Evaluate], Scope], Value]] = {
    "try": first_that_evaluates,
    "can": can_evaluate,
    "templatefile": _template_file,
    "templatestring": _template_string,
}
COMPILE.update(
    {
        Literal: compile_literal,
        Template: compile_template,
        Name: compile_reference,
        GetAttr: compile_reference,
        Index: compile_reference,
        Splat: compile_splat,
        Call: compile_call,
        Unary: compile_unary,
        Binary: compile_binary,
        Conditional: compile_conditional,
        Parentheses: compile_parentheses,
        Tuple: compile_tuple,
        Object: compile_object,
        ForTuple: compile_for_tuple,
        ForObject: compile_for_object,
    }
)
