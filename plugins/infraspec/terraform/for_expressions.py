"""for expressions compiled.

Source: Terraform Language Documentation, "for Expressions".
"""

from __future__ import annotations

from collections.abc import Callable

from infraspec.hcl.nodes import ForObject, ForTuple
from infraspec.terraform.compiling import Context, Evaluate, bind, located
from infraspec.terraform.conversions import to_bool
from infraspec.terraform.revealing import iterate, reveal, to_revealed_bool
from infraspec.terraform.scope import Scope
from infraspec.terraform.symbolic import operand
from infraspec.unknown import OpenList, Sensitive, Unknown, Value, opened


def compile_for_tuple(context: Context, node: ForTuple) -> Evaluate:
    """Compile `[for k, v in c : r if x]`."""
    collection, inside = context.compile(node.collection), context.inside(node.key, node.value)
    result = inside.compile(node.result)
    condition = inside.compile(node.condition) if node.condition else None

    def evaluate(scope: Scope) -> Value:
        value = collection(scope)
        unknown = _over(context, node, value, scope, evaluate_over)
        if not isinstance(value, OpenList) or not isinstance(unknown, Unknown) or node.key:
            return unknown
        certain = evaluate_over(scope, list(value.items))
        return opened(unknown, certain.items if isinstance(certain, OpenList) else certain)

    def evaluate_over(scope: Scope, value: Value) -> Value:
        items, is_open = [], False
        hidden = isinstance(value, Sensitive)
        for key, item in _pairs(context, node, value):
            inner = bind(scope, node, key, item)
            keep = _keeps(context, condition, inner, node.at, hidden=hidden)
            is_open = is_open or keep is None
            if keep:
                items.append(result(inner))
        if not is_open:
            return items
        unknown = scope.opaque(f"for {operand(value)}", context.source.place(node.at), value)
        return unknown if hidden else opened(unknown, items)

    return evaluate


def compile_for_object(context: Context, node: ForObject) -> Evaluate:
    """Compile `{for k, v in c : k => r... if x}`."""
    collection, inside = context.compile(node.collection), context.inside(node.key, node.value)
    result_key, result = inside.compile(node.result_key), inside.compile(node.result)
    condition = inside.compile(node.condition) if node.condition else None

    def evaluate(scope: Scope) -> Value:
        return _over(context, node, collection(scope), scope, evaluate_over)

    def evaluate_over(scope: Scope, value: Value) -> Value:
        pairs: dict[str, Value] = {}
        hidden = isinstance(value, Sensitive)
        for key, item in _pairs(context, node, value):
            inner = bind(scope, node, key, item)
            keep = _keeps(context, condition, inner, node.at, hidden=hidden)
            name = _key(context, node, result_key(inner), hidden=hidden) if keep else ""
            if keep is None or name is None:
                return scope.opaque(f"for {operand(value)}", context.source.place(node.at), value)
            if keep:
                _add(context, node, pairs, name, result(inner), hidden=hidden)
        return pairs

    return evaluate


def _over(
    context: Context, node: ForTuple | ForObject, value: Value, scope: Scope, over: Callable[[Scope, Value], Value]
) -> Value:
    if isinstance(value, Sensitive):
        return Sensitive(value.address, over(scope, value))
    if isinstance(value, Unknown):
        return scope.opaque(f"for {value.address}", context.source.place(node.at), value)
    return over(scope, value)


def _pairs(context: Context, node: ForTuple | ForObject, value: Value) -> list[tuple[Value, Value]]:
    with located(context.source, node.collection.at):
        return iterate(value)


def _keeps(context: Context, condition: Evaluate | None, scope: Scope, at: int, *, hidden: bool) -> bool | None:
    if condition is None:
        return True
    with located(context.source, at):
        keep = (to_revealed_bool if hidden else to_bool)(condition(scope))
    if keep is None:
        raise context.fail(at, "the condition of a for expression is null")
    return keep if isinstance(keep, bool) else None


def _key(context: Context, node: ForObject, value: Value, *, hidden: bool) -> str | None:
    return context.key(reveal(value) if hidden else value, node.result_key.at)


def _add(context: Context, node: ForObject, pairs: dict[str, Value], name: str, value: Value, *, hidden: bool) -> None:
    if node.group:
        pairs.setdefault(name, []).append(value)
    elif name in pairs:
        message = "two elements give the same key" if hidden else f'two elements give the key "{name}"'
        raise context.fail(node.at, message, remedy="add ... after the value to group by key")
    else:
        pairs[name] = value
