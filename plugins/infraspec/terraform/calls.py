"""Calls whose arguments are evaluated in a way of their own: try, can, templatefile, templatestring.

Source: Terraform Language Documentation, "try", "can", "templatefile" and "templatestring" functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from infraspec.errors import EvaluationError, InfraspecError
from infraspec.hcl.nodes import Literal, Template
from infraspec.hcl.source import Source
from infraspec.hcl.templates import parse_template
from infraspec.terraform import functions
from infraspec.terraform.files import unreadable
from infraspec.terraform.scope import Scope
from infraspec.terraform.symbolic import named, operand
from infraspec.unknown import AbsentModule, MissingVariable, OpenList, Sensitive, Unknown, Value, sources

Render: TypeAlias = Callable[[Template | Literal, Source, Scope], Value]


def call_function(name: str, arguments: list[Value] | Unknown, scope: Scope) -> Value:
    """Call a function of the language; unknown expanded arguments make the result unknown."""
    if isinstance(arguments, Unknown):
        return named(f"{name}({arguments.address}...)", arguments)
    return functions.call(name, arguments, scope.module.files)


def _may_be_absent(unknown: Unknown) -> bool:
    """Tell whether something may turn out not to exist: in a variable, an absent module or an uncertain instance."""
    causes = (source.cause for source in sources(unknown))
    return "?" in unknown.address or any(isinstance(cause, MissingVariable | AbsentModule) for cause in causes)


def first_that_evaluates(arguments: list[Callable[[Scope], Value]], scope: Scope) -> Value:
    """Return the first argument that has a value.

    A part of something unknown may turn out to be absent, and then a later argument counts: such a result is known
    only by all that went into it.
    """
    errors = []
    for position, argument in enumerate(arguments):
        try:
            value = argument(scope)
        except EvaluationError as error:
            errors.append(error.message)
            continue
        last = position == len(arguments) - 1
        if type(value) in (Unknown, OpenList) and not last and _may_be_absent(value):
            rest = [_described(later, scope) for later in arguments[position + 1 :]]
            return named(f"try({', '.join([value.address, *rest])})", value)
        return value
    raise EvaluationError("no argument of try has a value", found="; ".join(errors))


def can_evaluate(arguments: list[Callable[[Scope], Value]], scope: Scope) -> Value:
    """Tell whether the argument has a value."""
    try:
        value = arguments[0](scope)
    except EvaluationError:
        return False
    if type(value) in (Unknown, OpenList) and _may_be_absent(value):
        return named(f"can({value.address})", value)
    return True


def render_file(arguments: list[Value], scope: Scope, render: Render) -> Value:
    """Evaluate `templatefile(path, vars)`."""
    _expect_two("templatefile", arguments)
    path, names = arguments
    if not isinstance(path, str) or isinstance(names, Unknown):
        return named(f"templatefile({operand(path)}, {operand(names)})", path, names)
    file = scope.module.files.resolve(path)
    return _render("templatefile", _parse_file(file, path), names, scope, render)


def render_text(arguments: list[Value], scope: Scope, render: Render) -> Value:
    """Evaluate `templatestring(template, vars)`."""
    _expect_two("templatestring", arguments)
    text, names = arguments
    if isinstance(text, Sensitive):
        return Sensitive(text.address, _hiding(lambda: render_text([text.reveal(), names], scope, render)))
    if not isinstance(text, str) or isinstance(names, Unknown):
        return named(f"templatestring({operand(text)}, {operand(names)})", text, names)
    source = Source("templatestring", text)
    return _render("templatestring", (parse_template(text, source.name), source), names, scope, render)


def _hiding(compute: Callable[[], Value]) -> Value:
    """Render text that must not be shown; an error does not quote it."""
    try:
        return compute()
    except InfraspecError as error:
        raise EvaluationError("the template is sensitive, and has no value", found=type(error).__name__) from None


def _render(
    function: str, parsed: tuple[Template | Literal, Source], names: Value, scope: Scope, render: Render
) -> Value:
    if not isinstance(names, dict):
        raise EvaluationError(f"the second argument of {function} is no object", expected="{ name = value, … }")
    return render(*parsed, Scope(scope.module, names))


def _parse_file(file: Path, shown: str) -> tuple[Template | Literal, Source]:
    try:
        return _parse(file, file.stat().st_mtime_ns, shown)
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(shown, error) from None


@lru_cache(maxsize=256)
def _parse(file: Path, _stamp: int, shown: str) -> tuple[Template | Literal, Source]:
    text = file.read_text(encoding="utf-8")
    return parse_template(text, shown), Source(shown, text)


def _expect_two(function: str, arguments: list[Value]) -> None:
    if len(arguments) != 2:  # noqa: PLR2004 - a template and its variables
        raise EvaluationError(f"{function} takes 2 arguments", found=f"{len(arguments)}")


def _described(argument: Callable[[Scope], Value], scope: Scope) -> str:
    try:
        return operand(argument(scope))
    except EvaluationError as error:
        return f"error({error.message})"
