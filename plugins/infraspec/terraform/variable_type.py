"""The type of a variable and whether its default is of it.

Source: Terraform Language Documentation, "Input Variables" (Type Constraints, Default values).
"""

from __future__ import annotations

from infraspec.errors import EvaluationError
from infraspec.terraform.body import Body
from infraspec.terraform.evaluation import place_error
from infraspec.terraform.expressions import compile_expression
from infraspec.terraform.scope import Scope
from infraspec.terraform.types import AnyType, TypeConstraint
from infraspec.unknown import Value


def type_of(body: Body, scope: Scope) -> TypeConstraint:
    """Return the type that a variable block states, any if it states none. Raises EvaluationError if it is no type."""
    if "type" not in body.attributes:
        return AnyType()
    attribute, source = body.attributes["type"]
    return TypeConstraint.from_expression(attribute.expression, lambda node: compile_expression(node, source)(scope))


def check_default(body: Body, scope: Scope, address: str, *, hidden: bool) -> None:
    """Raise EvaluationError if the type of a variable is none, or its default no constant of that type.

    What the value is does not show in the error if it is `hidden`.
    """
    value: Value = None
    if "default" in body.attributes:
        attribute, source = body.attributes["default"]
        value = compile_expression(attribute.expression, source, isolated=True)(scope)
    try:
        constraint = type_of(body, scope)
    except EvaluationError as error:
        attribute, source = body.attributes["type"]
        place_error(error, source.place(attribute.expression.at), address)
        error.excerpt = error.excerpt or source.excerpt(attribute.expression.at)
        raise
    try:
        constraint.convert(value, hidden=hidden)
    except EvaluationError as error:
        place_error(error, body.place("default"), address)
        raise
