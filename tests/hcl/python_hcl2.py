"""python-hcl2's typed tree as ours, and what python-hcl2 is known to read differently from HashiCorp's parser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infraspec.hcl.ast import (
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Node,
    Object,
    Parentheses,
    Splat,
    Template,
    Tuple,
    Unary,
)
from infraspec.hcl.expressions import FULL_SPLAT
from infraspec.hcl.parser import parse_expression
from infraspec.hcl.templates import Directive, Pieces, assemble
from tests.hcl.trees import strip_offsets


@dataclass(frozen=True)
class Rejection:
    """Why python-hcl2 does not accept a text, and the line where it stopped, 0 if that is not known."""

    message: str
    line: int = 0

    def explanation(self, text: str) -> str:
        """Return the limits of python-hcl2 that the line shows."""
        line = text.split("\n")[self.line - 1] if self.line else ""
        return ", ".join(name for name, pattern in LIMITS.items() if re.search(pattern, line))


def reading(text: str) -> Body | Rejection:
    """Return python-hcl2's tree of a text as our Body without offsets, or why it rejects the text."""
    try:
        return _read(text)
    except Exception as error:  # noqa: BLE001 - python-hcl2 raises many kinds for text that it does not accept
        return Rejection(f"{type(error).__name__}: {str(error).splitlines()[0]}", getattr(error, "line", 0))


def _read(text: str) -> Body:
    import hcl2  # noqa: PLC0415 - slow to import

    return _body(hcl2.parses(text).body)


def _body(rule: Any) -> Body:
    attributes: dict[str, Attribute] = {}
    blocks = []
    for child in rule.children:
        kind = type(child).__name__
        if kind == "AttributeRule":
            name = _token(child.identifier)
            attributes[name] = Attribute(name, _convert(child.expression), 0, 0)
        elif kind == "BlockRule":
            kind_name, *labels = (_label(label) for label in child.labels)
            blocks.append(Block(kind_name, tuple(labels), _body(child.body), 0, 0))
    return Body(attributes, tuple(blocks))


def _token(rule: Any) -> str:
    return str(rule.token.value)


def _label(rule: Any) -> str:
    return _token(rule) if hasattr(rule, "token") else str(_string(rule).value)


def _convert(rule: Any) -> Any:
    return CONVERTERS[type(rule).__name__](rule)


def _term(rule: Any) -> Expression:
    inner: Expression = _convert(rule.expression)
    return Parentheses(inner, 0) if rule.parentheses else inner


def _binary(rule: Any) -> Binary:
    operator = str(rule.binary_term.binary_operator.token.value).strip()
    return Binary(operator, _convert(rule.expr_term), _convert(rule.binary_term.expr_term), 0)


def _number(rule: Any) -> Expression:
    value = float(rule.token.value)
    literal = Literal(int(rule.token.value) if rule.token.lark_name() == "INT_LITERAL" else value, 0)
    if value.is_integer() and not isinstance(literal.value, int):
        literal = Literal(int(value), 0)
    negative = str(rule.token.value).startswith("-")
    return Unary("-", Literal(-literal.value, 0), 0) if negative else literal  # type: ignore[operator] # a number


def _call(rule: Any) -> Call:
    name = "::".join(_token(identifier) for identifier in rule.identifiers)
    arguments = rule.arguments
    if arguments is None:
        return Call(name, (), expand=False, at=0)
    return Call(name, tuple(_convert(item) for item in arguments.arguments), expand=arguments.has_ellipsis, at=0)


def _object_item(rule: Any) -> tuple[Expression, Expression]:
    key = rule.key
    inner = key.expression if type(key).__name__ == "ObjectElemKeyExpressionRule" else key.value
    converted = _convert(inner)
    return (Literal(converted.name, 0) if isinstance(converted, Name) else converted), _convert(rule.expression)


def _step(rule: Any) -> str | Expression:
    kind = type(rule).__name__
    if kind == "GetAttrRule":
        return _token(rule.identifier)
    index: Expression = (
        Literal(int(rule.index.value), 0) if kind == "ShortIndexRule" else _convert(rule.index_expression)
    )
    return index


def _apply(target: Expression, step: str | Expression) -> Expression:
    return GetAttr(target, step, 0) if isinstance(step, str) else Index(target, step, 0)


def _splat(rule: Any, *, full: bool) -> Splat:
    return Splat(_convert(rule.expr_term), full, tuple(_step(item) for item in rule.attr_splat.get_attrs), 0)


def _iterators(intro: Any) -> tuple[str | None, str]:
    first = _token(intro.first_iterator)
    return (None, first) if intro.second_iterator is None else (first, _token(intro.second_iterator))


def _for_tuple(rule: Any) -> ForTuple:
    condition = rule.condition and _convert(rule.condition.condition_expr)
    collection = _convert(rule.for_intro.iterable)
    return ForTuple(*_iterators(rule.for_intro), collection, _convert(rule.value_expr), condition, 0)


def _for_object(rule: Any) -> ForObject:
    condition = rule.condition and _convert(rule.condition.condition_expr)
    collection = _convert(rule.for_intro.iterable)
    key, value = _convert(rule.key_expr), _convert(rule.value_expr)
    return ForObject(*_iterators(rule.for_intro), collection, key, value, rule.ellipsis is not None, condition, 0)


def _string(rule: Any) -> Any:
    pieces = Pieces(by_line=False)
    for part in rule.string_parts:
        _add_part(pieces, part.content)
    parts = assemble(pieces.items, lambda message, _at, _expected: ValueError(message))
    if all(isinstance(part, str) for part in parts):
        return Literal("".join(map(str, parts)), 0)
    return Template(parts, 0)


def _add_part(pieces: Pieces, part: Any) -> None:
    kind = type(part).__name__
    if kind == "InterpolationRule":
        pieces.add(Interpolation(_convert(part.expression), 0), trims_before=False, trims_after=False)
    elif kind in ("TemplateIfRule", "TemplateForRule"):
        # python-hcl2 has no other access to the bodies than the children in order.
        for child in part.children:
            _add_part(pieces, child.content if type(child).__name__ == "StringPartRule" else child)
    elif kind.startswith("Template"):
        pieces.add(_directive(kind, part), trims_before=part.strip_open, trims_after=part.strip_close)
    else:
        pieces.add_text(_unescape(str(part.value)))


def _directive(kind: str, part: Any) -> Directive:
    if kind == "TemplateIfStartRule":
        return Directive("if", 0, _convert(part.condition))
    if kind == "TemplateForStartRule":
        key = part.key_iterator and _token(part.iterator)
        return Directive("for", 0, _convert(part.collection), key, _token(part.key_iterator or part.iterator))
    return Directive(kind.removeprefix("Template").removesuffix("Rule").lower(), 0)


def _unescape(text: str) -> str:
    simple = {"n": "\n", "r": "\r", "t": "\t"}

    def decode(found: re.Match[str]) -> str:
        digits = found[1] or found[2]
        return chr(int(digits, 16)) if digits else simple.get(found[3], found[3]) if found[3] else found[0][1:]

    return re.sub(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|\$\$\{|%%\{", decode, text)


def _heredoc(rule: Any) -> Expression:
    """Parse the raw token with our own parser; python-hcl2 leaves it as it is."""
    node: Expression = strip_offsets(parse_expression(str(rule.heredoc.value), "heredoc"))
    return node


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "ExprTermRule": _term,
    "ConditionalRule": lambda rule: Conditional(
        _convert(rule.condition), _convert(rule.if_true), _convert(rule.if_false), 0
    ),
    "BinaryOpRule": _binary,
    "UnaryOpRule": lambda rule: Unary(rule.operator.strip(), _convert(rule.expr_term), 0),
    "IntLitRule": _number,
    "FloatLitRule": _number,
    "IdentifierRule": lambda rule: Name(_token(rule), 0),
    "KeywordRule": lambda rule: Name(_token(rule), 0),
    "LiteralValueRule": lambda rule: Literal({"true": True, "false": False, "null": None}[_token(rule)], 0),
    "StringRule": _string,
    "HeredocTemplateRule": _heredoc,
    "HeredocTrimTemplateRule": _heredoc,
    "TupleRule": lambda rule: Tuple(tuple(_convert(item) for item in rule.elements), 0),
    "ObjectRule": lambda rule: Object(tuple(_object_item(item) for item in rule.elements), 0),
    "FunctionCallRule": _call,
    "GetAttrExprTermRule": lambda rule: _apply(_convert(rule.expr_term), _step(rule.get_attr)),
    "IndexExprTermRule": lambda rule: _apply(_convert(rule.children[0]), _step(rule.children[1])),
    "AttrSplatExprTermRule": lambda rule: _splat(rule, full=False),
    "FullSplatExprTermRule": lambda rule: _splat(rule, full=True),
    "ForTupleExprRule": _for_tuple,
    "ForObjectExprRule": _for_object,
}


REPAIRS: dict[str, Callable[[str], str]] = {
    "a byte order mark": lambda text: text.removeprefix("\ufeff"),
    "blanks after a heredoc's end marker (python-hcl2 issue 343)": lambda text: re.sub(
        r"(?<=<)(-?)([\w-]+)(\r?\n(?:.*\n)*?[ \t]*\2)[ \t]+(?=\r?\n)", r"\1\2\3", text
    ),
}
"""What python-hcl2 cannot read, and how to write the same so that it can."""

LIMITS = {
    "a trim marker in an interpolation": r"\$\{~|~\}",
    "a letter outside ASCII in a name": r"^[^\"#]*[^\W\d_a-zA-Z]",
    "a namespaced function": r"\w::\w",
    "a form of number": r"\d[eE]|\d\.(?!\d)",
    "a comment inside a line": r"/\*.*?\*/[ \t]*[\w\"{]",
}
"""What a line holds, as a regular expression, that makes python-hcl2 reject it and so the file."""

STRICTNESS = (
    "is set twice",
    "is not a number",
    "begins no escape sequence",
    "does not end with its line",
    "quoted text ends with its line",
    "has no body",
    "of one line",
    "neither an argument nor a block",
    "an argument or a block is missing",
    "the heredoc is not closed",
    "a label holds a template",
    "template directive",
)
"""Parts of the messages of errors that HashiCorp's parser reports too, and python-hcl2 does not."""


def as_python_hcl2(node: Any) -> Any:
    """Return what python-hcl2 makes of splats: all that follows is inside an attribute splat; splats do not nest."""
    if isinstance(node, tuple):
        return tuple(as_python_hcl2(item) for item in node)
    if not isinstance(node, Node):
        return node
    if isinstance(node, ForTuple) and node.value == FULL_SPLAT:
        return as_python_hcl2(_unnest(node.result, node.collection))
    fields = {name: as_python_hcl2(getattr(node, name)) for name in node.__struct_fields__}
    target = fields.get("target")
    if isinstance(node, (GetAttr, Index)) and isinstance(target, Splat):
        step = fields["name"] if isinstance(node, GetAttr) else fields["key"]
        return Splat(target.target, target.full, (*target.steps, step), 0)
    return type(node)(**fields)


def _unnest(node: Any, elements: Any) -> Any:
    """Put the splatted elements in the place of the iterator, so that a nested splat follows the outer one."""
    if isinstance(node, Name) and node.name == FULL_SPLAT:
        return elements
    if isinstance(node, ForTuple) and node.value == FULL_SPLAT:
        return _unnest(node.result, _unnest(node.collection, elements))
    fields = {name: getattr(node, name) for name in node.__struct_fields__}
    return type(node)(**{name: _unnest(item, elements) if name == "target" else item for name, item in fields.items()})
