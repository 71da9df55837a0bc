"""What is reported of an input that can be evaluated: validations that are false, known data that answers nothing."""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.errors import EvaluationError
from infraspec.finding import Location
from infraspec.terraform.body import Body
from infraspec.terraform.evaluation import Evaluation
from infraspec.terraform.instances import ResourceInstance
from infraspec.terraform.module import ModuleInstance
from infraspec.terraform.plan import uncertainties
from infraspec.terraform.revealing import to_revealed_bool
from infraspec.unknown import Unknown


def report_validations(modules: Iterable[ModuleInstance], evaluation: Evaluation) -> None:
    """Evaluate every validation block; one whose condition is not known says nothing."""
    for module in modules:
        for name, body in module.configuration.variables.items():
            for position, (block, _) in enumerate(body.blocks):
                if block.type == "validation":
                    _report(module, name, body.inner(position), evaluation)


def report_unmatched(
    modules: Iterable[ModuleInstance], instances: Iterable[ResourceInstance], evaluation: Evaluation
) -> None:
    """Warn of known data that answers for no data source, which is most likely mistyped.

    Nothing is said if a module has no instance or no source here: it may be the one that has the data source.
    """
    modules = list(modules)
    if not all(any(module.called(name)) for module in modules for name in module.configuration.calls):
        return
    declared = [
        (f"{module.prefix}data.{type_}.{name}", type_, name)
        for module in modules
        for mode, type_, name in module.configuration.resources
        if mode == "data"
    ]
    made = [(instance.address, instance.type, instance.name) for instance in instances if instance.mode == "data"]
    for key, close in evaluation.known.unmatched([*declared, *made]):
        hint = f"did you mean {close}?" if close else "correct it, or keep it to the environment that has one"
        evaluation.warn(f"the known data {key} answers for no data source: {hint}", None)


def _report(module: ModuleInstance, name: str, body: Body, evaluation: Evaluation) -> None:
    if "condition" not in body.attributes:
        evaluation.report(f"a validation of var.{name} has no condition", body.location)
        return
    try:
        holds = to_revealed_bool(body.compiled("condition")(module.scope))
    except EvaluationError as error:
        evaluation.report(
            f"the validation of {module.prefix}var.{name} cannot be evaluated: {error.message}", body.location
        )
        return
    if holds is not True and not isinstance(holds, Unknown):
        where = module.call_body.location_of(name) if module.call_body else None
        _invalid(module, f"{module.prefix}var.{name} is not valid: {_message(module, body)}", where or body.location)


def _invalid(module: ModuleInstance, message: str, place: Location | None) -> None:
    """Report a validation that is false; in a module of which there may be none it may stop nothing."""
    evaluation = module.evaluation
    for why in uncertainties(evaluation.uncertain, module.address).values():
        evaluation.warn(f"{message}; {why}", place, f"make {why.value.address} known, or correct the value")
        return
    evaluation.report(message, place)


def _message(module: ModuleInstance, body: Body) -> str:
    if "error_message" not in body.attributes:
        return "its validation is false"
    try:
        return str(body.compiled("error_message")(module.scope))
    except EvaluationError:
        return "its validation is false"
