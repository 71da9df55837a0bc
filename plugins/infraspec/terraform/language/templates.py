"""Templates compiled: interpolations and the directives if and for.

Source: Terraform Language Documentation, "Strings and Templates", and the functions "try", "can", "templatefile" and
"templatestring".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from infraspec.core.errors import EvaluationError, InfraspecError, LimitError
from infraspec.core.limits import BUDGET, ROUND, demand_length, size_of
from infraspec.core.runtime import read_regular
from infraspec.core.unknown import Sensitive, Text, Unknown, Value, concatenate, marked
from infraspec.hcl.ast import Interpolation, Literal, SourceText, Template, TemplateFor, TemplateIf, TemplatePart
from infraspec.hcl.parser import parse_template
from infraspec.terraform.language import functions
from infraspec.terraform.language.conversions import iterate, reveal, to_bool, to_revealed_bool, to_text
from infraspec.terraform.language.functions.filesystem import unreadable
from infraspec.terraform.language.functions.patterns import matches_beginning
from infraspec.terraform.language.partial_values import is_scalar, known_prefix, named, operand
from infraspec.terraform.language.scope import (
    CompileContext,
    Evaluate,
    EvaluatedObject,
    Scope,
    bind,
    located,
    steps_of_tree,
)
from infraspec.terraform.language.values import is_indefinite

Render: TypeAlias = Callable[[Template | Literal, SourceText, Scope], Value]


def call_function(name: str, arguments: list[Value] | Unknown, scope: Scope) -> Value:
    """Call a function of the language; unknown expanded arguments make the result unknown."""
    if isinstance(arguments, Unknown):
        scope.may_fail(arguments)
        return named(f"{name}({arguments.address}...)", arguments)
    arguments = [each.whole() if isinstance(each, EvaluatedObject) else each for each in arguments]
    value = functions.call(name, arguments, scope.module.files)
    if scope.attempt is not None and functions.may_fail(name, arguments, value):
        scope.attempt.in_doubt = scope.attempt.in_doubt or not (
            name == "regex" and _matches(arguments[0], arguments[1], scope)
        )
    return value


def _matches(pattern: Value, text: Value, scope: Scope) -> bool:
    """Tell whether a text that is not known has a match for certain: null has none, whatever the pattern."""
    beginning = known_prefix(functions.begun(text, scope.module.files))
    return (bool(beginning) or is_scalar(reveal(text))) and matches_beginning(pattern, beginning)


def first_that_evaluates(arguments: list[Callable[[Scope], Value]], scope: Scope) -> Value:
    """Return the first argument that has a value.

    One that may turn out to have none leaves the result open, which is known only by all that went into it.
    """
    errors: list[str] = []
    values: list[Value] = []
    for argument in arguments:
        inner, attempt = scope.attempted()
        try:
            values.append(_evaluated(argument, inner))
        except EvaluationError as error:
            errors.append(error.message)
            continue
        if not attempt.in_doubt:
            break
    else:
        if not values:
            raise EvaluationError("no argument of try has a value", found="; ".join(errors))
        scope.may_fail(*values, Unknown("try"))
    return values[0] if len(values) == 1 else named(f"try({', '.join(map(operand, values))})", *values)


def _evaluated(argument: Callable[[Scope], Value], scope: Scope) -> Value:
    """Evaluate what may fail; beyond our limits it is not known whether it does."""
    try:
        return argument(scope)
    except LimitError as error:
        return scope.beyond(error)


def can_evaluate(arguments: list[Callable[[Scope], Value]], scope: Scope) -> Value:
    """Tell whether the argument has a value."""
    inner, attempt = scope.attempted()
    try:
        value = _evaluated(arguments[0], inner)
    except EvaluationError:
        return False
    return named(f"can({operand(value)})", value) if attempt.in_doubt else True


def render_file(arguments: list[Value], scope: Scope, render: Render) -> Value:
    """Evaluate `templatefile(path, vars)`."""
    _expect_two("templatefile", arguments)
    path, names = arguments
    if not isinstance(path, str) or isinstance(names, Unknown):
        scope.may_fail(path, names)
        return named(f"templatefile({operand(path)}, {operand(names)})", path, names)
    files = scope.module.files
    text = files.replaced(path)
    if text is not None:
        return _render("templatefile", (parse_template(text, path), SourceText(path, text)), names, scope, render)
    return _render("templatefile", _parse_file(files.resolve(path), path), names, scope, render)


def render_text(arguments: list[Value], scope: Scope, render: Render) -> Value:
    """Evaluate `templatestring(template, vars)`."""
    _expect_two("templatestring", arguments)
    text, names = arguments
    if isinstance(text, Sensitive):
        return marked(text.address, _hiding(lambda: render_text([text.reveal(), names], scope, render)), text)
    if not isinstance(text, str) or isinstance(names, Unknown):
        scope.may_fail(text, names)
        return named(f"templatestring({operand(text)}, {operand(names)})", text, names)
    source = SourceText("templatestring", text)
    return to_text(_render("templatestring", (parse_template(text, source.name), source), names, scope, render))


def _hiding(compute: Callable[[], Value]) -> Value:
    """Render text that must not be shown; an error does not quote it."""
    try:
        return compute()
    except InfraspecError as error:
        raise EvaluationError("the template is sensitive, and has no value", found=type(error).__name__) from None


def _render(
    function: str, parsed: tuple[Template | Literal, SourceText], names: Value, scope: Scope, render: Render
) -> Value:
    if not isinstance(names, dict):
        raise EvaluationError(f"the second argument of {function} is no object", expected="{ name = value, … }")
    return render(*parsed, scope.within(names))


def _parse_file(file: Path, shown: str) -> tuple[Template | Literal, SourceText]:
    try:
        return _parse(file, file.stat().st_mtime_ns, shown)
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(shown, error) from None


@lru_cache(maxsize=256)
def _parse(file: Path, _stamp: int, shown: str) -> tuple[Template | Literal, SourceText]:
    text = read_regular(file).decode()
    return parse_template(text, shown), SourceText(shown, text)


def _expect_two(function: str, arguments: list[Value]) -> None:
    if len(arguments) != 2:  # noqa: PLR2004 - a template and its variables
        raise EvaluationError(f"{function} takes 2 arguments", found=f"{len(arguments)}")


_FEW = 8
"""As many pieces of text are put together before it is looked at how long they are."""

_Piece: TypeAlias = Callable[[Scope], "list[str | Unknown | Text]"]
_Pieces: TypeAlias = list[str | _Piece]


def compile_template(context: CompileContext, node: Template) -> Evaluate:
    """Compile a template; `"${x}"` alone is x itself."""
    first = node.parts[0] if node.parts else ""
    if node.wraps and isinstance(first, Interpolation):
        return context.compile(first.expression)
    pieces = _pieces(context, node.parts)
    return lambda scope: _concatenated(_written(pieces, scope))


def _pieces(context: CompileContext, parts: tuple[str | TemplatePart, ...]) -> _Pieces:
    return [part if isinstance(part, str) else _piece(context, part) for part in parts]


def _piece(context: CompileContext, part: TemplatePart) -> _Piece:
    match part:
        case Interpolation():
            return _interpolation(context, part)
        case TemplateIf():
            return _template_if(context, part)
        case TemplateFor():
            return _template_for(context, part)


def _interpolation(context: CompileContext, part: Interpolation) -> _Piece:
    inner = context.compile(part.expression)

    def write(scope: Scope) -> list[str | Unknown | Text]:
        value = inner(scope)
        if isinstance(value, str):
            return [value]
        if scope.attempt is not None and not is_scalar(value):
            scope.may_fail(value)
        with located(context.source, part.at):
            return [to_text(value)]

    return write


def _template_if(context: CompileContext, part: TemplateIf) -> _Piece:
    condition = context.compile(part.condition)
    branches = {True: _pieces(context, part.if_true), False: _pieces(context, part.if_false)}
    place = context.source.place(part.at)

    def write(scope: Scope) -> list[str | Unknown | Text]:
        with located(context.source, part.at):
            chosen = to_bool(condition(scope))
            decided = to_revealed_bool(chosen)
        if isinstance(decided, bool):
            pieces = list(_written(branches[decided], scope))
        else:
            pieces = [scope.opaque(f"if {operand(decided)}", place, decided)]
        return [_hidden(chosen, pieces)] if isinstance(chosen, Sensitive) else pieces

    return write


def _template_for(context: CompileContext, part: TemplateFor) -> _Piece:
    collection = context.compile(part.collection)
    body = _pieces(context.inside(part.key, part.value), part.body)
    place, cost = context.source.place(part.at), ROUND + steps_of_tree(part)

    def write(scope: Scope) -> list[str | Unknown | Text]:
        value = collection(scope)
        if isinstance(value, Sensitive):
            return [_hidden(value, write_over(scope, value))]
        return write_over(scope, value)

    def write_over(scope: Scope, value: Value) -> list[str | Unknown | Text]:
        hidden = reveal(value) if isinstance(value, Sensitive) else value
        if isinstance(hidden, Unknown) or is_indefinite(hidden):
            return [scope.opaque(f"for {operand(hidden)}", place, hidden)]
        with located(context.source, part.at):
            pairs = iterate(value)
            BUDGET.spend(len(pairs) * cost)
        return [piece for key, item in pairs for piece in _written(body, bind(scope, part, key, item))]

    return write


def _hidden(by: Sensitive, pieces: Iterable[str | Unknown | Text]) -> Sensitive:
    """Hide text that a sensitive value has decided."""
    return marked(by.address, _concatenated(pieces), by)


def render_template(node: Template | Literal, source: SourceText, scope: Scope) -> Value:
    """Render a template in which the names of the scope are all there is, as templatefile does: `${x}` alone is x."""
    if isinstance(node, Literal):
        return node.value
    context = CompileContext(source, frozenset(scope.locals), isolated=True)
    first = node.parts[0] if len(node.parts) == 1 else ""
    if isinstance(first, Interpolation):
        value = context.compile(first.expression)(scope)
        if value is None:
            raise context.fail(first.at, "the result of the template is null")
        return value
    return _concatenated(_written(_pieces(context, node.parts), scope))


def _concatenated(pieces: Iterable[str | Unknown | Text]) -> str | Text:
    pieces = list(pieces)
    if len(pieces) > _FEW or {*map(type, pieces)} != {str}:
        demand_length(sum(map(size_of, pieces)))
    whole = concatenate(pieces)
    if type(whole) is str:
        demand_length(len(whole))
    return whole


def _written(pieces: _Pieces, scope: Scope) -> Iterator[str | Unknown | Text]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        else:
            yield from piece(scope)
