"""What Terraform refuses in a module directory whether or not anything reads it: each directory is checked once.

Source: Terraform Language Documentation, "Input Variables" and "Output Values".
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct, field

from infraspec.errors import ErrorCollector, EvaluationError
from infraspec.hcl.source import Source
from infraspec.terraform.body import Body
from infraspec.terraform.compiling import located
from infraspec.terraform.module import ModuleInstance
from infraspec.terraform.static_references import StaticReferences

_ARGUMENTS = {
    "variable": ("type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated", "const"),
    "output": ("value", "description", "sensitive", "depends_on", "ephemeral", "deprecated", "type"),
}
_BLOCKS = {"variable": ("validation",), "output": ("precondition",)}


class StaticChecks(Struct):
    """The checks of the directories of one evaluation; errors go to the collector."""

    collector: ErrorCollector
    _outputs: dict[int, list[tuple[str, str, Source, int]]] = field(default_factory=dict)

    def check(self, module: ModuleInstance) -> None:
        """Check the directory of a module instance, if it is the first that it makes."""
        configuration = module.configuration
        if id(configuration) in self._outputs:
            return
        references = StaticReferences(configuration, module.scope, self.collector)
        self._outputs[id(configuration)] = references.outputs
        for name, body in configuration.variables.items():
            self._known(body, "variable", name)
            with self.collector.collect():
                module.check_variable(name)
        for name, body in configuration.outputs.items():
            self._known(body, "output", name)
        references.walk()

    def check_outputs(self, module: ModuleInstance, called: Iterable[ModuleInstance]) -> None:
        """Check that the outputs that a directory names are those of the modules it calls."""
        instances = {instance.call_path[-1]: instance for instance in called}
        for call, output, source, at in self._outputs[id(module.configuration)]:
            instance = instances.get(call)
            if instance is not None and output not in instance.configuration.outputs:
                with self.collector.collect(), located(source, at):
                    instance.output(output)

    def _known(self, body: Body, kind: str, name: str) -> None:
        for argument, (attribute, source) in body.attributes.items():
            if argument not in _ARGUMENTS[kind]:
                self._refuse(
                    f'{kind} "{name}" has no argument "{argument}"', argument, _ARGUMENTS[kind], source, attribute.at
                )
        for block, source in body.blocks:
            if block.type not in _BLOCKS[kind]:
                self._refuse(
                    f'{kind} "{name}" has no block "{block.type}"', block.type, _BLOCKS[kind], source, block.at
                )

    def _refuse(self, message: str, found: str, known: tuple[str, ...], source: Source, at: int) -> None:
        close = get_close_matches(found, known, 1)
        with self.collector.collect(), located(source, at):
            raise EvaluationError(
                message, expected=", ".join(known), remedy=f"did you mean {close[0]}?" if close else "remove it"
            )
