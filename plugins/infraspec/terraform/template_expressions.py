"""Templates compiled: interpolations and the directives if and for.

Source: Terraform Language Documentation, "Strings and Templates".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from infraspec.hcl.nodes import Interpolation, Literal, Template, TemplateFor, TemplateIf, TemplatePart
from infraspec.hcl.source import Source
from infraspec.terraform.compiling import Context, Evaluate, bind, located
from infraspec.terraform.conversions import to_bool, to_text
from infraspec.terraform.revealing import iterate, to_revealed_bool
from infraspec.terraform.scope import Scope
from infraspec.terraform.symbolic import operand
from infraspec.unknown import Sensitive, Text, Unknown, Value, concatenate

_Piece: TypeAlias = Callable[[Scope], "list[str | Unknown | Text]"]
_Pieces: TypeAlias = list[str | _Piece]


def compile_template(context: Context, node: Template) -> Evaluate:
    """Compile a template; `"${x}"` alone is x itself."""
    first = node.parts[0] if node.parts else ""
    if node.wraps and isinstance(first, Interpolation):
        return context.compile(first.expression)
    pieces = _pieces(context, node.parts)
    return lambda scope: concatenate(_written(pieces, scope))


def _pieces(context: Context, parts: tuple[str | TemplatePart, ...]) -> _Pieces:
    return [part if isinstance(part, str) else _piece(context, part) for part in parts]


def _piece(context: Context, part: TemplatePart) -> _Piece:
    match part:
        case Interpolation():
            return _interpolation(context, part)
        case TemplateIf():
            return _template_if(context, part)
        case TemplateFor():
            return _template_for(context, part)


def _interpolation(context: Context, part: Interpolation) -> _Piece:
    inner = context.compile(part.expression)

    def write(scope: Scope) -> list[str | Unknown | Text]:
        value = inner(scope)
        if isinstance(value, str):
            return [value]
        with located(context.source, part.at):
            return [to_text(value)]

    return write


def _template_if(context: Context, part: TemplateIf) -> _Piece:
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


def _template_for(context: Context, part: TemplateFor) -> _Piece:
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


def render_template(node: Template | Literal, source: Source, scope: Scope) -> Value:
    """Render a template in which the names of the scope are all there is, as templatefile does."""
    if isinstance(node, Literal):
        return node.value
    context = Context(source, frozenset(scope.locals), isolated=True)
    return concatenate(_written(_pieces(context, node.parts), scope))


def _written(pieces: _Pieces, scope: Scope) -> Iterator[str | Unknown | Text]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        else:
            yield from piece(scope)
