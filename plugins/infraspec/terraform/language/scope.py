"""What an expression can see while it is evaluated, and the objects that references give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Protocol, TypeAlias

from msgspec import Struct

from infraspec.core.errors import DivisionByZeroError, EvaluationError, LimitError, TerraformError, UndeclaredError
from infraspec.core.limits import BUDGET, MOST_REFERENCES, size_of
from infraspec.core.unknown import BeyondLimit, Erroneous, Sensitive, Unknown, Value, computed_from, unknowns
from infraspec.hcl.ast import Binary, Expression, ForObject, ForTuple, Node, SourceText, TemplateFor
from infraspec.terraform.language.conversions import reveal, to_text
from infraspec.terraform.language.functions.parameters import Files
from infraspec.terraform.language.partial_values import named, operand


class Module(Protocol):
    """The module instance that an expression stands in."""

    @property
    def address(self) -> str:
        """`module.a["x"]`, empty in the root."""

    @property
    def files(self) -> Files:
        """What expressions may read."""

    def variable(self, name: str) -> Value:
        """Return `var.name`."""

    def local(self, name: str) -> Value:
        """Return `local.name`."""

    def call(self, name: str) -> Value:
        """Return `module.name`."""

    def reference(self, mode: str, type_: str, name: str) -> Value:
        """Return a resource or data source: an object, or a list or dict of objects."""

    def path(self, name: str) -> str:
        """Return `path.module`, `path.root` or `path.cwd`."""

    def workspace(self) -> str:
        """Return `terraform.workspace`."""


class Attempt(Struct):
    """What `try` or `can` evaluates; `in_doubt` once it may fail for some value of what is not known in it."""

    in_doubt: bool = False


class Scope:
    """A module instance and the names bound inside an expression: each, count, self, iterators.

    `attempt` is that of the innermost `try` or `can` around, which an error does not pass. What a reference leads to,
    such as a local value, is evaluated in a scope of its own: an error in it is not caught.
    """

    __slots__ = ("attempt", "locals", "module")

    def __init__(
        self, module: Module, locals_: Mapping[str, Value] | None = None, attempt: Attempt | None = None
    ) -> None:
        self.module = module
        self.locals = locals_ or {}
        self.attempt = attempt

    def bind(self, **names: Value) -> Scope:
        """Return a scope in which some more names are bound."""
        return self.within({**self.locals, **names})

    def within(self, names: Mapping[str, Value]) -> Scope:
        """Return a scope of the same module and attempt in which these names are bound, and no others."""
        return Scope(self.module, names, self.attempt)

    def attempted(self) -> tuple[Scope, Attempt]:
        """Return a scope in which an error may be caught, and what is to be known of it."""
        attempt = Attempt()
        return Scope(self.module, self.locals, attempt), attempt

    def may_fail(self, *values: Value) -> None:
        """Note that a step depends on values, of which one that is not known may leave it without a result."""
        if self.attempt is not None and not self.attempt.in_doubt:
            self.attempt.in_doubt = any(not isinstance(part, Sensitive) for part in unknowns(reveal(list(values))))

    def opaque(self, label: str, place: str, *values: Value) -> Unknown:
        """Return an Unknown for an expression of some values that cannot be written as an application.

        Its value depends on the place, on the module instance and on the bound names, so these make its identity.
        """
        self.may_fail(*values)
        names = ";".join(f"{key}={operand(value)}" for key, value in sorted(self.locals.items()))
        digest = f" #{_digest(names)}" if names else ""
        module = f"{self.module.address}." if self.module.address else ""
        return Unknown(f"{module}{label} ({place}{digest})", computed_from(*values))

    def beyond(self, error: LimitError) -> Unknown:
        """Return an Unknown for an expression that passes a limit."""
        self.module.files.allowance.exceeded.append(error)
        return self._unknown("an expression", error, BeyondLimit)

    def refused(self, error: UndeclaredError) -> Unknown:
        """Return an Unknown for what is made of a name that is not declared."""
        self.module.files.allowance.refused.append(error)
        return self._unknown("what is not declared", error, Erroneous)

    def _unknown(self, label: str, error: TerraformError, cause: type[BeyondLimit | Erroneous]) -> Unknown:
        address = self.opaque(label, error.place).address
        details = "; ".join(filter(None, (error.expected, error.remedy)))
        unknown = Unknown(address, cause(f"{error.place}: {error.message}: {details}"))
        self.may_fail(unknown)
        return unknown


class EvaluatedObject(Unknown):
    """A resource, data source or module as an expression sees it: as a whole unknown, by attribute not."""

    __slots__ = ()
    single = True
    """Whether this is one object, and not the objects of an unknown count or for_each."""

    certain = True
    """Whether it is known which parts it has."""

    def attribute(self, name: str) -> Value:
        """Return one attribute; EvaluationError if there is none of that name."""
        raise NotImplementedError

    def whole(self) -> Value:
        """Return the object with all of its attributes, as far as these are known."""
        return self

    def element(self, key: Value) -> Value:
        """Return what an index gives."""
        return self.attribute(key) if isinstance(key, str) else named(f"{self.address}[{operand(key)}]", key)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


Evaluate: TypeAlias = Callable[[Scope], Value]
_NO_NAMES: frozenset[str] = frozenset()

COMPILE: dict[type[Node], Callable[..., Evaluate]] = {}
"""How to compile each type of node; the module `expressions` fills it."""


class CompileContext(Struct, frozen=True):
    """One text, and the names that are iterators in the part being compiled.

    `isolated` says that only these names exist, as in templatefile and in variable files.
    """

    source: SourceText
    bound: frozenset[str] = _NO_NAMES
    isolated: bool = False

    def compile(self, node: Expression) -> Evaluate:
        """Return the closure of an expression."""
        return COMPILE[type(node)](self, node)

    def inside(self, *names: str | None) -> CompileContext:
        """Return a context in which more names are iterators."""
        return CompileContext(self.source, self.bound | {name for name in names if name}, self.isolated)

    def fail(self, at: int, message: str, **details: str) -> EvaluationError:
        """Return an error at a node."""
        error = EvaluationError(message, **details)
        locate(error, self.source, at)
        return error

    def key(self, value: Value, at: int) -> str | None:
        """Return a value as the key of an object, None if it is not known."""
        if value is None:
            raise self.fail(at, "the key of an object is null")
        with located(self.source, at):
            name = to_text(value)
        return name if isinstance(name, str) else None


@contextmanager
def located(source: SourceText, at: int) -> Iterator[None]:
    """Give an error raised inside the place of a node, unless it has one."""
    try:
        yield
    except TerraformError as error:
        locate(error, source, at)
        raise


def locate(error: TerraformError, source: SourceText, at: int) -> None:
    """Set the place and excerpt of an error that has none."""
    if not error.place:
        error.place = source.place(at)
        error.excerpt = source.excerpt(at)


def budgeted(evaluate: Evaluate, source: SourceText, at: int) -> Evaluate:
    """Return a closure that has a budget of its own, and an unknown for what passes a limit or is not declared."""

    def bounded(scope: Scope) -> Value:
        before = BUDGET.begin(scope.module.files.allowance)
        try:
            if BUDGET.depth > MOST_REFERENCES:
                raise too_deep(source.place(at))
            value = evaluate(scope)
            size_of(value)
        except DivisionByZeroError:
            raise
        except LimitError as error:
            locate(error, source, at)
            return scope.beyond(error)
        except UndeclaredError as error:
            if scope.attempt is not None:
                raise
            locate(error, source, at)
            return scope.refused(error)
        except RecursionError:
            return scope.beyond(too_deep(source.place(at)))
        finally:
            BUDGET.end(before)
        return value

    return bounded


_STEPS_OF_ARITHMETIC = 60
"""It is exact, and slow."""


def steps_of_tree(node: Node) -> int:
    """Count the steps that evaluating a tree takes at most, but for functions and what references lead to."""
    count = 0
    pending: list[object] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, Node):
            count += _STEPS_OF_ARITHMETIC if isinstance(each, Binary) and each.operator in "+-*/%" else 1
            pending.extend(getattr(each, name) for name in each.__struct_fields__)
        elif isinstance(each, tuple):
            pending.extend(each)
    return count


def too_deep(place: str) -> LimitError:
    """Return the error for references that lead one into the next without end in sight."""
    return LimitError(
        "the configuration refers too deeply",
        place=place,
        expected="fewer locals, modules or calls that lead one into the next",
    )


def bind(scope: Scope, node: ForTuple | ForObject | TemplateFor, key: Value, item: Value) -> Scope:
    """Return the scope of one round of a for expression."""
    names = {**scope.locals, node.value: item}
    if node.key:
        names[node.key] = key
    return scope.within(names)
