"""What an expression can see while it is evaluated, and the objects that references give."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Protocol

from infraspec.terraform.functions import Files
from infraspec.terraform.symbolic import named, operand
from infraspec.unknown import Unknown, Value, computed_from


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


class Scope:
    """A module instance and the names bound inside an expression: each, count, self, iterators."""

    __slots__ = ("locals", "module")

    def __init__(self, module: Module, locals_: Mapping[str, Value] | None = None) -> None:
        self.module = module
        self.locals = locals_ or {}

    def bind(self, **names: Value) -> Scope:
        """Return a scope in which some more names are bound."""
        return Scope(self.module, {**self.locals, **names})

    def opaque(self, label: str, place: str, *values: Value) -> Unknown:
        """Return an Unknown for an expression of some values that cannot be written as an application.

        Its value depends on the place, on the module instance and on the bound names, so these make its identity.
        """
        names = ";".join(f"{key}={operand(value)}" for key, value in sorted(self.locals.items()))
        digest = f" #{_digest(names)}" if names else ""
        module = f"{self.module.address}." if self.module.address else ""
        return Unknown(f"{module}{label} ({place}{digest})", computed_from(*values))


class EvaluatedObject(Unknown):
    """A resource, data source or module as an expression sees it: as a whole unknown, by attribute not."""

    __slots__ = ()
    single = True
    """Whether this is one object, and not the objects of an unknown count or for_each."""

    def attribute(self, name: str) -> Value:
        """Return one attribute; EvaluationError if there is none of that name."""
        raise NotImplementedError

    def element(self, key: Value) -> Value:
        """Return what an index gives."""
        return self.attribute(key) if isinstance(key, str) else named(f"{self.address}[{operand(key)}]", key)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
