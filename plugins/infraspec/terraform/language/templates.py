"""Templates compiled: interpolations and the directives if and for.

Source: Terraform Language Documentation, "Strings and Templates", and the functions "try", "can", "templatefile" and
"templatestring".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from infraspec.core.errors import EvaluationError, InfraspecError
from infraspec.core.unknown import (
    AbsentModule,
    Application,
    MissingVariable,
    OpenList,
    Sensitive,
    Text,
    Unknown,
    Value,
    concatenate,
    sources,
)
from infraspec.hcl.ast import Interpolation, Literal, SourceText, Template, TemplateFor, TemplateIf, TemplatePart
from infraspec.hcl.parser import parse_template
from infraspec.terraform.language import functions
from infraspec.terraform.language.conversions import iterate, to_bool, to_revealed_bool, to_text
from infraspec.terraform.language.functions.filesystem import unreadable
from infraspec.terraform.language.functions.patterns import matches_beginning
from infraspec.terraform.language.partial_values import ELEMENT, known_prefix, named, operand
from infraspec.terraform.language.scope import CompileContext, Evaluate, Scope, bind, located

Render: TypeAlias = Callable[[Template | Literal, SourceText, Scope], Value]


def call_function(name: str, arguments: list[Value] | Unknown, scope: Scope) -> Value:
    """Call a function of the language; unknown expanded arguments make the result unknown."""
    if isinstance(arguments, Unknown):
        return named(f"{name}({arguments.address}...)", arguments)
    return functions.call(name, arguments, scope.module.files)


_CAN_FAIL = frozenset({ELEMENT, "element", "index", "jsondecode", "one", "regex", "tobool", "tonumber", "yamldecode"})


def _may_be_absent(unknown: Unknown) -> bool:
    """Tell whether something may turn out not to exist: in a variable, an absent module or an uncertain instance.

    So may the result of a function that does not take every text.
    """
    call = Application.of(unknown)
    if call is not None and call.function in _CAN_FAIL:
        return True
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
    if type(value) in (Unknown, OpenList) and _may_be_absent(value) and not _matches(value, scope):
        return named(f"can({value.address})", value)
    return True


def _matches(unknown: Unknown, scope: Scope) -> bool:
    """Tell whether an unknown is a match that there certainly is."""
    call = Application.of(unknown)
    if call is None or call.function != "regex":
        return False
    pattern, text = call.arguments
    return matches_beginning(pattern, known_prefix(functions.begun(text, scope.module.files)))


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
    source = SourceText("templatestring", text)
    return _render("templatestring", (parse_template(text, source.name), source), names, scope, render)


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
    return render(*parsed, Scope(scope.module, names))


def _parse_file(file: Path, shown: str) -> tuple[Template | Literal, SourceText]:
    try:
        return _parse(file, file.stat().st_mtime_ns, shown)
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(shown, error) from None


@lru_cache(maxsize=256)
def _parse(file: Path, _stamp: int, shown: str) -> tuple[Template | Literal, SourceText]:
    text = file.read_text(encoding="utf-8")
    return parse_template(text, shown), SourceText(shown, text)


def _expect_two(function: str, arguments: list[Value]) -> None:
    if len(arguments) != 2:  # noqa: PLR2004 - a template and its variables
        raise EvaluationError(f"{function} takes 2 arguments", found=f"{len(arguments)}")


def _described(argument: Callable[[Scope], Value], scope: Scope) -> str:
    try:
        return operand(argument(scope))
    except EvaluationError as error:
        return f"error({error.message})"


_Piece: TypeAlias = Callable[[Scope], "list[str | Unknown | Text]"]
_Pieces: TypeAlias = list[str | _Piece]


def compile_template(context: CompileContext, node: Template) -> Evaluate:
    """Compile a template; `"${x}"` alone is x itself."""
    first = node.parts[0] if node.parts else ""
    if node.wraps and isinstance(first, Interpolation):
        return context.compile(first.expression)
    pieces = _pieces(context, node.parts)
    return lambda scope: concatenate(_written(pieces, scope))


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
        if isinstance(chosen, Sensitive):
            return [_hidden(chosen, _written(branches[bool(decided)], scope))]
        if isinstance(chosen, Unknown) or chosen is None:
            return [scope.opaque(f"if {operand(chosen)}", place, chosen)]
        return list(_written(branches[chosen], scope))

    return write


def _template_for(context: CompileContext, part: TemplateFor) -> _Piece:
    collection = context.compile(part.collection)
    body = _pieces(context.inside(part.key, part.value), part.body)
    place = context.source.place(part.at)

    def write(scope: Scope) -> list[str | Unknown | Text]:
        value = collection(scope)
        if isinstance(value, Sensitive):
            return [_hidden(value, write_over(scope, value))]
        return write_over(scope, value)

    def write_over(scope: Scope, value: Value) -> list[str | Unknown | Text]:
        if isinstance(value, Unknown) and not isinstance(value, Sensitive):
            return [scope.opaque(f"for {operand(value)}", place, value)]
        with located(context.source, part.at):
            pairs = iterate(value)
        return [piece for key, item in pairs for piece in _written(body, bind(scope, part, key, item))]

    return write


def _hidden(by: Sensitive, pieces: Iterable[str | Unknown | Text]) -> Sensitive:
    """Hide text that a sensitive value has decided."""
    return Sensitive(by.address, concatenate(pieces))


def render_template(node: Template | Literal, source: SourceText, scope: Scope) -> Value:
    """Render a template in which the names of the scope are all there is, as templatefile does."""
    if isinstance(node, Literal):
        return node.value
    context = CompileContext(source, frozenset(scope.locals), isolated=True)
    return concatenate(_written(_pieces(context, node.parts), scope))


def _written(pieces: _Pieces, scope: Scope) -> Iterator[str | Unknown | Text]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        else:
            yield from piece(scope)
