"""How an attribute is named inside of a module: by what carries it already, or by outputs and variables to add.

A module sees the outputs of the modules that it calls, and its own variables. Source: Terraform Language Documentation,
"Output Values" and "Input Variables".
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field

from infraspec.checks.common.statement_hcl import module_steps, passed_as
from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Unknown, Value
from infraspec.fixes.text_edits import Edit, argument_added, blocks_at_end
from infraspec.hcl.ast import SourceText
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.module import ModuleInstance

_JSON = ".json"


class UnfixableError(Exception):
    """A finding has no patch; the text says why in one line."""


def file_of(module: ModuleInstance, source: SourceText, boundary: Path) -> Path:
    """Return the file of a text of a module. Raises UnfixableError if it is not to be edited."""
    path = own_file(module.configuration.directory / Path(source.name).name, source.name, boundary)
    if path.name.endswith(_JSON):
        raise UnfixableError(f"{source.name} is JSON: `infraspec fix` edits HCL")
    return path


def own_file(file: Path, shown: str, boundary: Path) -> Path:
    """Return a file of the repository, resolved. Raises UnfixableError if it is not to be edited."""
    path = file.resolve()
    if ".terraform" in path.parts or not path.is_relative_to(boundary.resolve()):
        raise UnfixableError(f"it is in {shown}, a module that this repository does not own")
    if not path.is_file():
        raise UnfixableError(f"{shown} is written by a tool when it runs, and no file of this repository")
    return path


class Naming(Struct):
    """Names attributes inside of modules; `boundary` is the directory of the repository."""

    boundary: Path
    _visible: dict[int, dict[str, Value]] = field(default_factory=dict)

    def visible(self, module: ModuleInstance) -> Mapping[str, Value]:
        """Return what an expression of a module can name beside its resources: variables, locals, outputs of calls."""
        if id(module) not in self._visible:
            self._visible[id(module)] = dict(_visible(module))
        return self._visible[id(module)]

    def named(
        self, modules: Mapping[str, ModuleInstance], module: ModuleInstance, address: str
    ) -> tuple[str, list[Edit]]:
        """Return the expression for an attribute, and the edits that pass it to the module if nothing does.

        Raises UnfixableError if a module on the way is not to be edited.
        """
        here, there = module_steps(module.address), module_steps(address)
        local = address.removeprefix("".join(f"{step}." for step in there))
        if here == there:
            return local, []
        carrying = self._carrying(module, address)
        if carrying:
            return carrying, []
        edits: list[Edit] = []
        differing = (depth for depth, (own, other) in enumerate(zip(here, there, strict=False)) if own != other)
        shared = next(differing, min(len(here), len(there)))
        value, name = local, passed_as(local)
        for depth in range(len(there), shared, -1):
            child = _module(modules, there[:depth])
            value = f"{there[depth - 1]}.{self._output(child, address, name, value, edits)}"
        for depth in range(shared, len(here)):
            child, parent = _module(modules, here[: depth + 1]), _module(modules, here[:depth])
            value = self._variable(parent, child, address, name, value, edits)
        return value, edits

    def _carrying(self, module: ModuleInstance, address: str) -> str:
        found = (name for name, value in self.visible(module).items() if _is(value, address))
        return min(found, key=len, default="")

    def _output(self, child: ModuleInstance, address: str, name: str, value: str, edits: list[Edit]) -> str:
        """Return the output of a module that is an attribute, added if there is none."""
        for output in child.configuration.outputs:
            with suppress(InfraspecError):
                if _is(child.output(output), address):
                    return output
        name = free_name(name, child.configuration.outputs)
        edits.append(self.declared(child, "outputs.tf", f'output "{name}" {{\n  value = {value}\n}}'))
        return name

    def _variable(  # noqa: PLR0917 - one step of the way
        self, parent: ModuleInstance, child: ModuleInstance, address: str, name: str, value: str, edits: list[Edit]
    ) -> str:
        """Return the variable of a module that carries an attribute, added with its argument if there is none."""
        carrying = self._carrying(child, address)
        if carrying:
            return carrying
        call: SourceBody | None = child.call_body
        if call is None:
            raise UnfixableError(f"{child.address} is not called in this source")
        name = free_name(name, child.configuration.variables)
        file = file_of(parent, call.source, self.boundary)
        ends = [attribute.end for attribute, source in call.attributes.values() if source is call.source]
        edits.append(argument_added(file, call.source.text, call.at, f"{name} = {value}", max(ends, default=None)))
        edits.append(self.declared(child, "variables.tf", f'variable "{name}" {{\n  type = string\n}}'))
        return f"var.{name}"

    def declared(self, module: ModuleInstance, usual: str, block: str) -> Edit:
        """Return what adds blocks to the usual file of a module, or to the first that it has."""
        sources = {Path(source.name).name: source for source in _sources(module)}
        source = sources.get(usual) or sources[min(sources)]
        return blocks_at_end(file_of(module, source, self.boundary), source.text, block)


def _sources(module: ModuleInstance) -> Iterator[SourceText]:
    configuration = module.configuration
    for table in (configuration.outputs, configuration.variables, configuration.resources, configuration.calls):
        yield from (body.source for body in table.values())


def _visible(module: ModuleInstance) -> Iterator[tuple[str, Value]]:
    configuration = module.configuration
    for name in configuration.variables:
        with suppress(InfraspecError):
            yield f"var.{name}", module.variable(name)
    for name in configuration.locals:
        with suppress(InfraspecError):
            yield f"local.{name}", module.local(name)
    for call in configuration.calls:
        with suppress(InfraspecError):
            for called in module.called(call):
                own = called.address.removeprefix(module.prefix)
                for output in called.configuration.outputs:
                    with suppress(InfraspecError):
                        yield f"{own}.{output}", called.output(output)


def _is(value: Value, address: str) -> bool:
    return isinstance(value, Unknown) and value.address == address


def _module(modules: Mapping[str, ModuleInstance], steps: list[str]) -> ModuleInstance:
    found = modules.get(".".join(steps))
    if found is None:
        raise UnfixableError(f"{'.'.join(steps)} is not in this source")
    return found


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name that is not taken: the given one, or that with the next number."""
    while name in taken:
        number = re.search(r"_(\d+)$", name)
        name = f"{name[: number.start()]}_{int(number[1]) + 1}" if number else f"{name}_2"
    return name
