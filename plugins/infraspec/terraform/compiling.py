"""What compiling an expression needs: the text, the names in sight, places for errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import Struct

from infraspec.errors import EvaluationError, TerraformError
from infraspec.hcl.nodes import Expression, ForObject, ForTuple, Node, TemplateFor
from infraspec.hcl.source import Source
from infraspec.terraform.conversions import to_text
from infraspec.terraform.scope import Scope
from infraspec.unknown import Value

Evaluate: TypeAlias = Callable[[Scope], Value]
_NO_NAMES: frozenset[str] = frozenset()

COMPILE: dict[type[Node], Callable[..., Evaluate]] = {}
"""How to compile each type of node; the module `expressions` fills it."""


class Context(Struct, frozen=True):
    """One text, and the names that are iterators in the part being compiled.

    `isolated` says that only these names exist, as in templatefile and in variable files.
    """

    source: Source
    bound: frozenset[str] = _NO_NAMES
    isolated: bool = False

    def compile(self, node: Expression) -> Evaluate:
        """Return the closure of an expression."""
        return COMPILE[type(node)](self, node)

    def inside(self, *names: str | None) -> Context:
        """Return a context in which more names are iterators."""
        return Context(self.source, self.bound | {name for name in names if name}, self.isolated)

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
def located(source: Source, at: int) -> Iterator[None]:
    """Give an error raised inside the place of a node, unless it has one."""
    try:
        yield
    except TerraformError as error:
        locate(error, source, at)
        raise


def locate(error: TerraformError, source: Source, at: int) -> None:
    """Set the place and excerpt of an error that has none."""
    if not error.place:
        error.place = source.place(at)
        error.excerpt = source.excerpt(at)


def bind(scope: Scope, node: ForTuple | ForObject | TemplateFor, key: Value, item: Value) -> Scope:
    """Return the scope of one round of a for expression."""
    names = {**scope.locals, node.value: item}
    if node.key:
        names[node.key] = key
    return Scope(scope.module, names)
