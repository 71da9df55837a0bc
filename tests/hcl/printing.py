"""Write a tree as HCL text, to read it back."""

from __future__ import annotations

import json
from typing import Any

from infraspec.hcl.ast import (
    Binary,
    Call,
    Conditional,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Interpolation,
    Literal,
    Name,
    Object,
    Parentheses,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)


def write(node: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of node
    """Return HCL text whose tree is the given one; operands must be terms or in Parentheses."""
    match node:
        case Literal(value=str() as text):
            return f'"{_quoted(text)}"'
        case Literal():
            return json.dumps(node.value)
        case Template():
            return f'"{_parts(node.parts)}"'
        case Name():
            return node.name
        case GetAttr():
            return f"{write(node.target)}.{node.name}"
        case Index():
            return f"{write(node.target)}[{write(node.key)}]"
        case Splat():
            steps = "".join(f".{step}" if isinstance(step, str) else f"[{write(step)}]" for step in node.steps)
            return f"{write(node.target)}{'[*]' if node.full else '.*'}{steps}"
        case Call():
            return f"{node.name}({', '.join(map(write, node.arguments))}{'...' * node.expand})"
        case Unary():
            return f"{node.operator}{write(node.operand)}"
        case Binary():
            return f"{write(node.left)} {node.operator} {write(node.right)}"
        case Conditional():
            return f"{write(node.condition)} ? {write(node.if_true)} : {write(node.if_false)}"
        case Parentheses():
            return f"(\n{write(node.inner)}\n)"
        case Tuple():
            return f"[{', '.join(map(write, node.items))}]"
        case Object():
            return f"{{\n{''.join(f'{write(key)} = {write(value)}{chr(10)}' for key, value in node.items)}}}"
        case ForTuple():
            return f"[for {_names(node)} in {write(node.collection)} : {write(node.result)}{_condition(node)}]"
        case ForObject():
            pair = f"{write(node.result_key)} => {write(node.result)}{'...' * node.group}"
            return f"{{for {_names(node)} in {write(node.collection)} : {pair}{_condition(node)}}}"
    raise TypeError(type(node))


def _parts(parts: tuple[Any, ...]) -> str:
    return "".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    match part:
        case Interpolation():
            return f"${{{write(part.expression)}}}"
        case TemplateIf():
            otherwise = f"%{{ else }}{_parts(part.if_false)}" if part.if_false else ""
            return f"%{{ if {write(part.condition)} }}{_parts(part.if_true)}{otherwise}%{{ endif }}"
        case TemplateFor():
            return f"%{{ for {_names(part)} in {write(part.collection)} }}{_parts(part.body)}%{{ endfor }}"
    return _quoted(part)


def _quoted(text: str) -> str:
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return f"\\U{ord(character):08x}" if character < " " or character in "$%" else character


def _names(node: ForTuple | ForObject | TemplateFor) -> str:
    return node.value if node.key is None else f"{node.key}, {node.value}"


def _condition(node: ForTuple | ForObject) -> str:
    return "" if node.condition is None else f" if {write(node.condition)}"
