"""The table of functions: what each takes, and whether it copes with parts that are not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct

from infraspec.errors import EvaluationError
from infraspec.unknown import Value

Parameter: TypeAlias = Callable[[Value], Value]
"""Converts an argument to a parameter's type; raises EvaluationError."""


class Files(Protocol):
    """The files that expressions may read."""

    @property
    def root(self) -> Path:
        """The directory that relative paths start from."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path; FileAccessError if it lies outside, FileReadError if there can be no such path."""


class Function(Struct, frozen=True):
    """A function of the language.

    `parameters` convert the required arguments, `optional` those that may follow, `rest` any number of further ones.
    A `structural` function is called with arguments that hold unknown parts (never with a set that does, unless it
    takes `sets`); the result of another one is unknown then. `files` makes the files its first argument.
    """

    name: str
    compute: Callable[..., Value]
    parameters: Sequence[Parameter]
    optional: Sequence[Parameter] = ()
    rest: Parameter | None = None
    structural: bool = False
    sets: bool = False
    files: bool = False

    def convert(self, arguments: Sequence[Value]) -> list[Value]:
        """Return the arguments as the parameters want them; EvaluationError if one does not fit."""
        self._check_count(len(arguments))
        parameters = [*self.parameters, *self.optional]
        converted = []
        for position, argument in enumerate(arguments):
            parameter = parameters[position] if position < len(parameters) else self.rest
            converted.append(parameter(argument) if parameter else argument)
        return converted

    def _check_count(self, count: int) -> None:
        least, most = len(self.parameters), len(self.parameters) + len(self.optional)
        if count < least or (count > most and self.rest is None):
            expected = f"{least}" if least == most else f"{least} to {most}"
            expected = f"at least {least}" if self.rest else expected
            many = "few" if count < least else "many"
            raise EvaluationError(f"too {many} arguments", expected=expected, found=str(count))


REGISTRY: dict[str, Function] = {}


def function(
    name: str,
    *parameters: Parameter,
    optional: Sequence[Parameter] = (),
    rest: Parameter | None = None,
    structural: bool = False,
    sets: bool = False,
    files: bool = False,
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated callable as a function of the language."""

    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        REGISTRY[name] = Function(name, compute, parameters, optional, rest, structural, sets, files)
        return compute

    return register
