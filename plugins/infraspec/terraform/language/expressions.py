"""Expressions compiled once to closures: `compile_expression(node, source)(scope)` gives the value.

Source: Terraform Language Documentation, "Expressions", and its pages on operators, conditions and for. A part that
cannot be known yields an Unknown that names it; an expression that has no value raises EvaluationError with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from infraspec.core.errors import EvaluationError, InfraspecError, LimitError, TerraformError
from infraspec.core.limits import BUDGET, ROUND, steps_of
from infraspec.core.unknown import (
    AFTER_APPLY,
    Application,
    OpenList,
    Sensitive,
    Text,
    Unknown,
    Value,
    is_known,
    marked,
    opened,
)
from infraspec.hcl.ast import (
    Binary,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    GetAttr,
    Index,
    Literal,
    Name,
    Object,
    Parentheses,
    SourceText,
    Splat,
    Template,
    Tuple,
    Unary,
)
from infraspec.hcl.parser import parse
from infraspec.terraform.language import functions, operators, partial_values
from infraspec.terraform.language.conversions import iterate, reveal, to_bool, to_revealed_bool, to_text
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.operators import conditional_equal
from infraspec.terraform.language.partial_values import ELEMENT, Undetermined, is_scalar, named, operand
from infraspec.terraform.language.references import compile_reference, compile_splat, index_of
from infraspec.terraform.language.scope import (
    COMPILE,
    CompileContext,
    Evaluate,
    EvaluatedObject,
    Scope,
    bind,
    locate,
    located,
    steps_of_tree,
)
from infraspec.terraform.language.templates import (
    call_function,
    can_evaluate,
    compile_template,
    first_that_evaluates,
    render_file,
    render_template,
    render_text,
)
from infraspec.terraform.language.types import TypeConstraint, common_type, holds_untyped, unified
from infraspec.terraform.language.values import (
    ListValue,
    MapValue,
    SetValue,
    UnorderedTuple,
    identity,
    is_indefinite,
    normalize_number,
)


def compile_for_tuple(context: CompileContext, node: ForTuple) -> Evaluate:
    """Compile `[for k, v in c : r if x]`."""
    inside = context.inside(node.key, node.value)
    result = inside.compile(node.result)
    condition = inside.compile(node.condition) if node.condition else None
    cost = ROUND + steps_of_tree(node)

    def over(scope: Scope, value: Value) -> Value:
        items, is_open = [], False
        hidden = isinstance(value, Sensitive)
        for inner in _rounds(context, node, value, scope, condition, cost):
            keep = _keeps(context, condition, inner, node.at, hidden=hidden)
            is_open = is_open or keep is None
            if keep:
                items.append(result(inner))
        if not is_open and not is_indefinite(reveal(value) if hidden else value):
            return items
        if not is_open and len(items) > 1 and not is_known(items):
            return UnorderedTuple(items)
        unknown = scope.opaque(f"for {operand(value)}", context.source.place(node.at), value)
        return unknown if hidden else opened(unknown, items)

    return _over(context, node, over)


def compile_for_object(context: CompileContext, node: ForObject) -> Evaluate:
    """Compile `{for k, v in c : k => r... if x}`."""
    inside = context.inside(node.key, node.value)
    result_key, result = inside.compile(node.result_key), inside.compile(node.result)
    condition = inside.compile(node.condition) if node.condition else None
    cost = ROUND + steps_of_tree(node)

    def over(scope: Scope, value: Value) -> Value:
        pairs: dict[str, Value] = {}
        hidden = isinstance(value, Sensitive)
        for inner in _rounds(context, node, value, scope, condition, cost):
            keep = _keeps(context, condition, inner, node.at, hidden=hidden)
            key = result_key(inner) if keep else ""
            name = context.key(reveal(key) if hidden else key, node.result_key.at)
            if keep is None or name is None or is_indefinite(reveal(value) if hidden else value):
                return scope.opaque(f"for {operand(value)}", context.source.place(node.at), value, key)
            if keep:
                _add(context, node, pairs, name, result(inner), hidden=hidden)
        return pairs

    return _over(context, node, over)


def _over(context: CompileContext, node: ForTuple | ForObject, over: Callable[[Scope, Value], Value]) -> Evaluate:
    collection = context.compile(node.collection)

    def evaluate(scope: Scope) -> Value:
        value = collection(scope)
        value = value.whole() if isinstance(value, EvaluatedObject) else value
        hidden = reveal(value) if isinstance(value, Sensitive) else value
        if not isinstance(hidden, Unknown):
            found = over(scope, value)
            return marked(value.address, found, value) if isinstance(value, Sensitive) else found
        unknown = scope.opaque(f"for {hidden.address}", context.source.place(node.at), hidden)
        if isinstance(value, Sensitive):
            return marked(value.address, unknown, value)
        if not isinstance(value, OpenList) or isinstance(node, ForObject) or node.key:
            return unknown
        return opened(unknown, _certain(over(scope, list(value.items))))

    return evaluate


def _rounds(  # noqa: PLR0917 - the parts of a loop
    context: CompileContext,
    node: ForTuple | ForObject,
    value: Value,
    scope: Scope,
    condition: Evaluate | None,
    cost: int,
) -> Iterator[Scope]:
    """Yield the scope of each element; where there is none, the condition has to be one all the same."""
    with located(context.source, node.collection.at):
        pairs = iterate(value)
        BUDGET.spend(len(pairs) * cost)
    if condition is not None and not pairs:
        inside, doubts = scope.attempted()
        _keeps(context, condition, bind(inside, node, _ANY_ELEMENT, _ANY_ELEMENT), node.at, hidden=False)
        scope.may_fail(_ANY_ELEMENT if doubts.in_doubt else None)
    return (bind(scope, node, key, item) for key, item in pairs)


_ANY_ELEMENT = Unknown("each.value")


def _keeps(context: CompileContext, condition: Evaluate | None, scope: Scope, at: int, *, hidden: bool) -> bool | None:
    if condition is None:
        return True
    with located(context.source, at):
        keep = (to_revealed_bool if hidden else to_bool)(condition(scope))
    scope.may_fail(keep)
    if keep is None:
        raise context.fail(at, "the condition of a for expression is null")
    return keep if isinstance(keep, bool) else None


def _add(
    context: CompileContext, node: ForObject, pairs: dict[str, Value], name: str, value: Value, *, hidden: bool
) -> None:
    if node.group:
        pairs.setdefault(name, []).append(value)
    elif name in pairs:
        message = "two elements give the same key" if hidden else f'two elements give the key "{name}"'
        raise context.fail(node.at, message, remedy="add ... after the value to group by key")
    else:
        pairs[name] = value


_TUPLES_AND_OBJECTS = (Tuple, Object, ForTuple, ForObject)
_LOGIC = {"&&": (operators.AND, False), "||": (operators.OR, True)}


def compile_unary(context: CompileContext, node: Unary) -> Evaluate:
    """Compile `-x` and `!x`."""
    operand, operation = context.compile(node.operand), operators.UNARY[node.operator]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            value = operand(scope)
            scope.may_fail(value)
            return operation(value)

    return evaluate


def compile_binary(context: CompileContext, node: Binary) -> Evaluate:
    """Compile a binary operator; the right side of `&&` and `||` is evaluated only where it matters.

    A quotient of zero, and a number that is too large for us, is a value of Terraform all the same: `can(1 / 0)`.
    """
    left, right = context.compile(node.left), context.compile(node.right)
    if node.operator in _LOGIC:
        return _logic(context, node, left, right)
    if node.operator in operators.OF_OTHER_TYPES:
        return _equality(context, node, left, right)
    operation = operators.BINARY[node.operator]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            values = left(scope), right(scope)
            scope.may_fail(*values)
            try:
                return operation(*values)
            except LimitError:
                if scope.attempt is None:
                    raise
                return partial_values.binary(values[0], node.operator, values[1])

    return evaluate


def _equality(context: CompileContext, node: Binary, left: Evaluate, right: Evaluate) -> Evaluate:
    """Compile `==` and `!=`; `[…]` and `{…}` make tuples and objects, which no list, set or map equals."""
    operation, of_other_types = operators.BINARY[node.operator], operators.OF_OTHER_TYPES[node.operator]
    written = [isinstance(_bare(operand), _TUPLES_AND_OBJECTS) for operand in (node.left, node.right)]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            values = left(scope), right(scope)
            BUDGET.spend(steps_of(values[0]) + steps_of(values[1]))
            if any(
                is_written and _is_collection(other) for is_written, other in zip(written, values[::-1], strict=True)
            ):
                return of_other_types(*values)
            return operation(*_objects_as_values(*values))

    return evaluate


def _bare(node: Expression) -> Expression:
    while isinstance(node, Parentheses):
        node = node.inner
    return node


def _is_collection(value: Value) -> bool:
    while isinstance(value, Sensitive):
        value = value.reveal()
    return isinstance(value, (ListValue, MapValue, SetValue)) and not isinstance(value, UnorderedTuple)


def _logic(context: CompileContext, node: Binary, left: Evaluate, right: Evaluate) -> Evaluate:
    """Compile `&&` and `||`, which since Terraform 1.12 leave out of account the operand that does not matter."""
    operation, decisive = _LOGIC[node.operator]
    operands = ((left, node.left), (right, node.right))
    collections = [each for each, written in operands if isinstance(_bare(written), (Tuple, Object))]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            for each in collections:
                to_bool(each(scope))
            first = _operand(left, scope, node.left, decisive=decisive)
            truth = _truth(first)
            if truth is decisive and not isinstance(first, Sensitive) and scope.attempt is None:
                return decisive
            second = _operand(right, scope, node.right, decisive=decisive)
            other = _truth(second)
            scope.may_fail(first, second)
            return operation(_beside(first, other, decisive), _beside(second, truth, decisive))

    return evaluate


def _beside(operand: Value, other: Value, decisive: bool) -> Value:  # noqa: FBT001 - what an operator is decided by
    """Return an operand; an error in it counts only if the other one neither decides nor may do so."""
    if not isinstance(operand, EvaluationError):
        return operand
    if other is not decisive and not isinstance(other, Unknown):
        raise operand
    return _failed(operand)


def _operand(evaluate: Evaluate, scope: Scope, node: Expression, *, decisive: bool) -> Value:
    """Return an operand of `&&` or `||`, or the error in it, which does not matter beside an operand that decides.

    To `&&` null is as good as false, to `||` it is such an error.
    """
    try:
        value, is_certain = _in_doubt(evaluate, scope) if scope.attempt else (evaluate(scope), True)
        if value is None and not decisive:
            return False
        if isinstance(value, str) and isinstance(_bare(node), Conditional):
            _in_doubt(evaluate, scope)  # an error if its branches have no type in common
        if is_certain and isinstance(reveal(value), (list, dict)):
            _, is_certain = _in_doubt(evaluate, scope)
        if not is_certain and not isinstance(reveal(value), Unknown):
            return named(f"try({operand(value)})", value, _UNTYPED)
        return operators.truth(value) if value is None else value
    except EvaluationError as error:
        scope.may_fail(None if isinstance(_bare(node), (*_OF_ANY_TYPE, Binary, Literal)) else _UNTYPED)
        return error


def _in_doubt(evaluate: Evaluate, scope: Scope) -> tuple[Value, bool]:
    """Evaluate what may be an error, and tell whether it certainly is none."""
    inside, doubts = scope.attempted()
    value = evaluate(inside)
    return value, not doubts.in_doubt


def _truth(operand: Value) -> Value:
    return None if isinstance(operand, EvaluationError) else to_revealed_bool(operand)


def compile_conditional(context: CompileContext, node: Conditional) -> Evaluate:
    """Compile `c ? a : b`; an unknown condition yields the branches' value where both are the same."""
    condition, if_true, if_false = map(context.compile, (node.condition, node.if_true, node.if_false))
    taken = _taken(if_true, if_false, node.if_false), _taken(if_false, if_true, node.if_true)

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.condition.at):
            chosen = to_bool(condition(scope))
            decided = to_revealed_bool(chosen)
        scope.may_fail(chosen)
        if chosen is True:
            return taken[0](scope)
        if chosen is False:
            return taken[1](scope)
        if chosen is None:
            raise context.fail(node.condition.at, "the condition is null")
        if isinstance(decided, bool):
            value = taken[0 if decided else 1](scope)
        else:
            value = _either(decided, _attempt(if_true, scope), _attempt(if_false, scope))
        return marked(chosen.address, value, chosen) if isinstance(chosen, Sensitive) else value

    return evaluate


def _taken(taken: Evaluate, untaken: Evaluate, other: Expression) -> Evaluate:
    """Compile the branch that is taken, converted to the type that both branches have in common.

    What `try` or `can` evaluates fails if they have none; elsewhere `terraform validate` tells that. An error in the
    branch that is not taken does not matter: it is then of any type, as null is.
    """
    is_null = isinstance(bare := _bare(other), Literal) and bare.value is None

    def evaluate(scope: Scope) -> Value:
        value = taken(scope)
        if is_null or (scope.attempt is None and _keeps_type(value)):
            return value
        inside, doubts = scope.attempted()
        try:
            counterpart = untaken(inside)
        except InfraspecError as error:
            if isinstance(bare, _OF_ANY_TYPE) and not isinstance(error, LimitError):
                return value
            counterpart = _UNTYPED
        if scope.attempt is not None:
            return _attempted(value, counterpart, scope, may_fail=doubts.in_doubt)
        return common_type(value, counterpart)

    return evaluate


def _attempted(value: Value, counterpart: Value, scope: Scope, *, may_fail: bool) -> Value:
    """Return what `try` or `can` sees of the branch taken: where its type is not certain, something unknown."""
    branches = ["" if is_scalar(branch) else branch for branch in (reveal(value), reveal(counterpart))]
    uncertain = may_fail or any(map(holds_untyped, branches))
    converted, is_certain = value, is_known(counterpart)
    try:
        unified(branches)
        converted = common_type(value, counterpart)
    except EvaluationError:
        if not uncertain:
            raise
    except Undetermined:
        uncertain, is_certain = True, False
    if not uncertain:
        return converted
    unknown = named(f"{operand(value)} of the type of {operand(counterpart)}", value, counterpart, _UNTYPED)
    scope.may_fail(unknown)
    is_certain = is_certain and identity(converted) == identity(value)
    return value if is_certain or _keeps_type(value) else unknown


_UNTYPED = Unknown("type")
_OF_ANY_TYPE = (Call, GetAttr, Index, Name)
"""What is of any type where it has no value; other expressions are of theirs even then, such as a tuple."""


def _keeps_type(value: Value) -> bool:
    """Tell whether a value is the same in every type that it may have in common with another."""
    return value is None or (isinstance(value, (str, Text, Unknown)) and not isinstance(value, Sensitive))


def _attempt(evaluate: Evaluate, scope: Scope) -> Value:
    try:
        return evaluate(scope)
    except EvaluationError as error:
        return _failed(error)


def _failed(error: EvaluationError) -> Unknown:
    return Unknown(f"error({error.message})", AFTER_APPLY)


def _either(condition: Value, if_true: Value, if_false: Value) -> Value:
    if_true, if_false = common_type(if_true, if_false), common_type(if_false, if_true)
    if conditional_equal(if_true, if_false):
        return if_true
    unknown = named(f"{operand(condition)} ? {operand(if_true)} : {operand(if_false)}", condition, if_true, if_false)
    return opened(unknown, _in_both(if_true, if_false))


def _in_both(one: Value, other: Value) -> Iterator[Value]:
    """Yield the text that two lists have, or what of it is certain."""
    there = {identity(item) for item in _certain(other)}
    return (item for item in _certain(one) if identity(item) in there)


def _certain(value: Value) -> Sequence[Value]:
    items = value.items if isinstance(value, OpenList) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, (str, Text, Unknown))]


def _objects_as_values(left: Value, right: Value) -> tuple[Value, Value]:
    """Let a resource compare with null as a value that is there; its attributes may be unknown, itself it is not."""
    return _object_as_value(left, right), _object_as_value(right, left)


def _object_as_value(value: Value, other: Value) -> Value:
    return {} if isinstance(value, EvaluatedObject) and value.single and other is None else value


def compile_expression(
    node: Expression, source: SourceText, bound: frozenset[str] = frozenset(), *, isolated: bool = False
) -> Evaluate:
    """Compile an expression in which the names of `bound` are iterators; `isolated`: in which only they exist."""
    return CompileContext(source, bound, isolated).compile(node)


def compile_literal(_: CompileContext, node: Literal) -> Evaluate:
    """Compile a number, text, true, false or null."""
    value = normalize_number(node.value) if isinstance(node.value, Decimal) else node.value
    return lambda scope: value  # noqa: ARG005 - a closure takes a scope


def compile_parentheses(context: CompileContext, node: Parentheses) -> Evaluate:
    """Compile what the parentheses hold."""
    return context.compile(node.inner)


def compile_tuple(context: CompileContext, node: Tuple) -> Evaluate:
    """Compile `[a, b]`."""
    items = [context.compile(item) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _key(node: Literal) -> str:
    return f"{node.value:f}" if isinstance(node.value, Decimal) else str(to_text(node.value))


def compile_object(context: CompileContext, node: Object) -> Evaluate:
    """Compile `{ a = 1, (b) = 2 }`; a key that is not known makes the whole object unknown."""
    if all(isinstance(key, Literal) for key, _ in node.items):
        static = [(_key(key), context.compile(value)) for key, value in node.items if isinstance(key, Literal)]
        return lambda scope: {key: value(scope) for key, value in static}
    items = [(context.compile(key), context.compile(value)) for key, value in node.items]
    place = context.source.place(node.at)

    def evaluate(scope: Scope) -> Value:
        result = {}
        for key, value in items:
            written = key(scope)
            name = context.key(written, node.at)
            if name is None:
                return scope.opaque("object", place, written)
            result[name] = value(scope)
        return result

    return evaluate


def compile_call(context: CompileContext, node: Call) -> Evaluate:
    """Compile a function call; try, can and the template functions evaluate their arguments themselves."""
    name = node.name.removeprefix("core::")
    if name == "convert" and len(node.arguments) > 1:
        return _compile_convert(context, node)
    arguments = [context.compile(argument) for argument in node.arguments]
    special = _SPECIAL.get(name)

    def evaluate(scope: Scope) -> Value:
        try:
            if special is not None:
                return special(arguments, scope)
            return call_function(name, _values(arguments, scope, expand=node.expand), scope)
        except TerraformError as error:
            locate(error, context.source, node.at)
            raise

    return evaluate


def _compile_convert(context: CompileContext, node: Call) -> Evaluate:
    """Compile `convert(value, type)`, whose second argument is a type constraint."""
    value, kind = context.compile(node.arguments[0]), node.arguments[1]

    def evaluate(scope: Scope) -> Value:
        with located(context.source, node.at):
            constraint = TypeConstraint.from_expression(kind, lambda default: context.compile(default)(scope))
            given = value(scope)
            scope.may_fail(given)
            return constraint.convert(given)

    return evaluate


def _decode_variables(arguments: list[Evaluate], scope: Scope) -> Value:
    """Return the values of a text such as `a = 1`. Source: Terraform Language, "decode_tfvars" Function."""
    (given,) = (argument(scope) for argument in arguments)
    text = reveal(given)
    if not isinstance(text, str):
        scope.may_fail(text)
        return named(f"provider::terraform::decode_tfvars({operand(given)})", given)
    source = SourceText("decode_tfvars", text)
    try:
        body = parse(text, source.name).body
        if body.blocks:
            raise EvaluationError("there is a block")
        values = {
            each.name: CompileContext(source, isolated=True).compile(each.expression)(scope)
            for each in body.attributes.values()
        }
    except InfraspecError:
        raise EvaluationError("this is no text of variables", expected="NAME = VALUE in each line") from None
    return marked(given.address, values, given) if isinstance(given, Sensitive) else values


def _values(arguments: list[Evaluate], scope: Scope, *, expand: bool) -> list[Value] | Unknown:
    values = [argument(scope) for argument in arguments]
    if not expand:
        return values
    last = values.pop()
    if isinstance(last, Unknown):
        return last
    if not isinstance(last, list):
        raise EvaluationError("the argument before ... is not a list")
    return values + last


def _template_file(arguments: list[Evaluate], scope: Scope) -> Value:
    return render_file([argument(scope) for argument in arguments], scope, render_template)


def _template_string(arguments: list[Evaluate], scope: Scope) -> Value:
    return render_text([argument(scope) for argument in arguments], scope, render_template)


_SPECIAL: dict[str, Callable[[list[Evaluate], Scope], Value]] = {
    "try": first_that_evaluates,
    "can": can_evaluate,
    "templatefile": _template_file,
    "templatestring": _template_string,
    "provider::terraform::decode_tfvars": _decode_variables,
}
COMPILE.update(
    {
        Literal: compile_literal,
        Template: compile_template,
        Name: compile_reference,
        GetAttr: compile_reference,
        Index: compile_reference,
        Splat: compile_splat,
        Call: compile_call,
        Unary: compile_unary,
        Binary: compile_binary,
        Conditional: compile_conditional,
        Parentheses: compile_parentheses,
        Tuple: compile_tuple,
        Object: compile_object,
        ForTuple: compile_for_tuple,
        ForObject: compile_for_object,
    }
)


def again(call: Application) -> Value:
    """Return the result of a function, or of an index, of which more is known. Raises EvaluationError."""
    if call.function in (ELEMENT, "element") and isinstance(call.arguments[0], Unknown):
        return functions.first_pieces(*call.arguments)
    if call.function == ELEMENT:
        return index_of(*call.arguments)
    return functions.call(call.function, call.arguments, RootFiles(Path(), Path()))
