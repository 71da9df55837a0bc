"""Trees without offsets, to compare them by what they say, and their short notation for the cases."""

from __future__ import annotations

import json
from typing import Any

from infraspec.hcl.ast import (
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
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
    SourceText,
    Splat,
    Template,
    TemplateFor,
    TemplateIf,
    Tuple,
    Unary,
)


def strip_offsets(value: Any) -> Any:
    """Return a tree with every offset 0 and without its source, to compare trees by what they say."""
    if isinstance(value, dict):
        return {name: strip_offsets(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(strip_offsets(item) for item in value)
    if not isinstance(value, Node):
        return None if isinstance(value, SourceText) else value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return type(value)(**{name: 0 if name in ("at", "end") else strip_offsets(item) for name, item in fields.items()})


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two trees without offsets are equal; true is not 1."""
    return bool(ours == theirs) and repr(ours) == repr(theirs)


def show(node: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of node
    """Write a tree in a short notation: the operation first, as in `(+ 1 (. var x))`."""
    match node:
        case Literal():
            return json.dumps(node.value, ensure_ascii=False)
        case Template():
            return f"(template {_parts(node.parts)})"
        case Interpolation():
            return f"${{{show(node.expression)}}}"
        case TemplateIf():
            return f"%if({show(node.condition)} [{_parts(node.if_true)}] [{_parts(node.if_false)}])"
        case TemplateFor():
            return f"%for({_names(node)} {show(node.collection)} [{_parts(node.body)}])"
        case Name():
            return node.name
        case GetAttr():
            return f"(. {show(node.target)} {node.name})"
        case Index():
            return f"(at {show(node.target)} {show(node.key)})"
        case Splat():
            steps = "".join(f" {step if isinstance(step, str) else f'[{show(step)}]'}" for step in node.steps)
            return f"({'[*]' if node.full else '.*'} {show(node.target)}{steps})"
        case Call():
            return f"({node.name}!{''.join(f' {show(item)}' for item in node.arguments)}{' ...' * node.expand})"
        case Unary():
            return f"({node.operator} {show(node.operand)})"
        case Binary():
            return f"({node.operator} {show(node.left)} {show(node.right)})"
        case Conditional():
            return f"(? {show(node.condition)} {show(node.if_true)} {show(node.if_false)})"
        case Parentheses():
            return f"(paren {show(node.inner)})"
        case Tuple():
            return f"[{', '.join(show(item) for item in node.items)}]"
        case Object():
            return f"{{{', '.join(f'{show(key)}: {show(value)}' for key, value in node.items)}}}"
        case ForTuple():
            return f"[for {_names(node)} {show(node.collection)}: {show(node.result)}{_condition(node)}]"
        case ForObject():
            pair = f"{show(node.result_key)} => {show(node.result)}{' ...' * node.group}"
            return f"{{for {_names(node)} {show(node.collection)}: {pair}{_condition(node)}}}"
        case Attribute():
            return f"{node.name} = {show(node.expression)}"
        case Block():
            header = " ".join([node.type, *(json.dumps(label, ensure_ascii=False) for label in node.labels)])
            return f"{header} {{{show(node.body)}}}"
        case Body():
            return "; ".join(show(item) for item in (*node.attributes.values(), *node.blocks))
    raise TypeError(type(node))


def _parts(parts: tuple[Any, ...]) -> str:
    return " ".join(json.dumps(part, ensure_ascii=False) if isinstance(part, str) else show(part) for part in parts)


def _names(node: ForTuple | ForObject | TemplateFor) -> str:
    return node.value if node.key is None else f"{node.key}, {node.value}"


def _condition(node: ForTuple | ForObject) -> str:
    return "" if node.condition is None else f" if {show(node.condition)}"
