"""Validation blocks of variables: conditions that are false are reported as Terraform would report them."""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.errors import EvaluationError
from infraspec.terraform.configuration import Body
from infraspec.terraform.evaluation import Evaluation
from infraspec.terraform.module import ModuleInstance
from infraspec.terraform.values import to_bool
from infraspec.unknown import Unknown


def report_validations(modules: Iterable[ModuleInstance], evaluation: Evaluation) -> None:
    """Evaluate every validation block; one whose condition is not known says nothing."""
    for module in modules:
        for name, body in module.configuration.variables.items():
            for position, (block, _) in enumerate(body.blocks):
                if block.type == "validation":
                    _report(module, name, body.inner(position), evaluation)


def _report(module: ModuleInstance, name: str, body: Body, evaluation: Evaluation) -> None:
    if "condition" not in body.attributes:
        evaluation.report(f"a validation of var.{name} has no condition", body.location)
        return
    try:
        holds = to_bool(body.compiled("condition")(module.scope))
    except EvaluationError as error:
        evaluation.report(
            f"the validation of {module.prefix}var.{name} cannot be evaluated: {error.message}", body.location
        )
        return
    if holds is not True and not isinstance(holds, Unknown):
        where = module.call_body.location_of(name) if module.call_body else None
        evaluation.report(f"{module.prefix}var.{name} is not valid: {_message(module, body)}", where or body.location)


def _message(module: ModuleInstance, body: Body) -> str:
    if "error_message" not in body.attributes:
        return "its validation is false"
    try:
        return str(body.compiled("error_message")(module.scope))
    except EvaluationError:
        return "its validation is false"
