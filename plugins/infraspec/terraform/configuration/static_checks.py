"""What Terraform refuses in a module directory whether or not anything reads it: each directory is checked once.

Source: Terraform Language Documentation, "Input Variables" and "Output Values".

Terraform refuses a reference to what is not declared, and a function that the language does not have, wherever they
stand: in an attribute that nothing reads, and inside `try`. Attributes are evaluated on first use here, so the syntax
tree of every directory is walked once. What looks wrong is evaluated, and the evaluator has the last word.
Source: Terraform Language Documentation, "References to Values", "Dynamic Blocks" and "For Expressions".
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct, field

from infraspec.core.errors import ErrorCollector, EvaluationError
from infraspec.hcl import ast
from infraspec.terraform.configuration.declarations import Configuration, SourceBody
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.functions import call, exists
from infraspec.terraform.language.scope import Scope, located

_NO_NAMES: frozenset[str] = frozenset()
_ELSEWHERE = frozenset({"path", "terraform", "tofu", "ephemeral", "action", "self"})
"""Roots of references to what is not declared, or not evaluated."""
_NAMES_OF_ANOTHER_KIND = {
    "resource": frozenset({"provider"}),
    "module": frozenset({"providers", "source", "version"}),
    "output": frozenset({"type"}),
    "action_trigger": frozenset({"events", "actions"}),
    "lifecycle": frozenset({"ignore_changes"}),
    "dynamic": frozenset({"iterator"}),
    "provisioner": frozenset({"when", "on_failure"}),
}
"""The arguments of each kind of block that are no expressions, or are checked elsewhere."""


class StaticReferences(Struct):
    """The walk over one directory, in the scope of the first module instance that it makes.

    `outputs` are the outputs of called modules that it names wherever it is evaluated: (call, output, source, offset).
    Terraform looks for an output when it evaluates the expression, not before.
    """

    configuration: Configuration
    scope: Scope
    collector: ErrorCollector
    outputs: list[tuple[str, str, ast.SourceText, int]] = field(default_factory=list)
    functions: list[tuple[ast.Call, ast.SourceText]] = field(default_factory=list)
    """The calls that are evaluated in any case: a function that there is not is an error like others."""

    def walk(self) -> None:
        """Collect the errors of every expression of the directory."""
        configuration = self.configuration
        for attribute, source in configuration.locals.values():
            self._visit(attribute.expression, source, _NO_NAMES)
        for kind, bodies in (
            ("variable", configuration.variables.values()),
            ("output", configuration.outputs.values()),
            ("resource", configuration.resources.values()),
            ("module", configuration.calls.values()),
            ("provider", configuration.providers.values()),
        ):
            for body in bodies:
                bound = frozenset(
                    name for name, argument in (("each", "for_each"), ("count", "count")) if argument in body.attributes
                )
                if kind != "variable":  # its arguments are constants, and a type
                    self._attributes(body.attributes.values(), kind, bound)
                for block, source in body.blocks:
                    self._block(block, source, bound)
        self._functions()

    def _block(self, block: ast.Block, source: ast.SourceText, bound: frozenset[str]) -> None:
        attributes = block.body.attributes
        self._attributes(((attribute, source) for attribute in attributes.values()), block.type, bound)
        if block.type == "dynamic":
            return  # Terraform looks at its content where for_each makes a block of it
        for inner in block.body.blocks:
            self._block(inner, source, bound)

    def _attributes(
        self, attributes: Iterable[tuple[ast.Attribute, ast.SourceText]], kind: str, bound: frozenset[str]
    ) -> None:
        skipped = _NAMES_OF_ANOTHER_KIND.get(kind, _NO_NAMES)
        for attribute, source in attributes:
            if attribute.name not in skipped:
                self._visit(attribute.expression, source, bound)

    def _visit(self, node: ast.Node, source: ast.SourceText, bound: frozenset[str]) -> None:
        if isinstance(node, ast.Literal):
            return
        if isinstance(node, ast.GetAttr | ast.Index | ast.Name):
            self._traversal(node, source, bound)
            return
        if isinstance(node, ast.Call):
            self.functions.append((node, source))
            if node.name.removeprefix("core::") == "convert":  # its second argument is a type
                self._inside(node.arguments[:1], source, bound)
                return
        elif isinstance(node, ast.ForTuple | ast.ForObject | ast.TemplateFor):
            self._visit(node.collection, source, bound)
            bound |= {name for name in (node.key, node.value) if name}
        certain, part = (len(self.outputs), len(self.functions)), _certain_part(node)
        for name in node.__struct_fields__:
            self._inside(getattr(node, name), source, bound)
            if name == part:
                certain = len(self.outputs), len(self.functions)
        if part is not None:
            del self.outputs[certain[0] :], self.functions[certain[1] :]

    def _inside(self, value: object, source: ast.SourceText, bound: frozenset[str]) -> None:
        """Look at what a field of a node holds: a node, a tuple of nodes or of pairs of them, or something else."""
        if isinstance(value, ast.Node):
            self._visit(value, source, bound)
        elif isinstance(value, tuple):
            for item in value:
                self._inside(item, source, bound)

    def _traversal(self, node: ast.Expression, source: ast.SourceText, bound: frozenset[str]) -> None:
        """Look at `var.x`, `module.db["a"].endpoint` or `aws_x.y[0].arn`, its indexes included."""
        steps: list[str] = []
        target: ast.Expression = node
        while not isinstance(target, ast.Name):
            if isinstance(target, ast.GetAttr):
                steps.append(target.name)
            elif isinstance(target, ast.Index):
                self._visit(target.key, source, bound)
            else:
                self._visit(target, source, bound)
                return
            target = target.target
        if target.name in bound or target.name in _ELSEWHERE:
            return
        steps.reverse()
        if not self._is_declared(target.name, steps):
            with self.collector.collect():
                compile_expression(node, source, bound)(self.scope)
        elif target.name == "module" and len(steps) > 1:
            self.outputs.append((steps[0], steps[1], source, target.at))

    def _is_declared(self, root: str, steps: list[str]) -> bool:
        first = steps[0] if steps else ""
        match root:
            case "var":
                return first in self.configuration.variables
            case "local":
                return first in self.configuration.locals
            case "module":
                return first in self.configuration.calls
            case "data" | "resource":
                mode = "data" if root == "data" else "managed"
                return len(steps) > 1 and (mode, first, steps[1]) in self.configuration.resources
            case _:
                return ("managed", root, first) in self.configuration.resources

    def _functions(self) -> None:
        for node, source in self.functions:
            if not exists(node.name):
                with self.collector.collect(), located(source, node.at):
                    call(node.name, [], self.scope.module.files)


def _certain_part(node: ast.Node) -> str | None:
    """Return the field of an expression that is evaluated in any case, where others may not be; None if all are.

    Of the arguments of `try` and `can` it is none: they take an output that is not there for one without a value.
    """
    match node:
        case ast.Conditional() | ast.TemplateIf():
            return "condition"
        case ast.Binary(operator="&&" | "||"):
            return "left"
        case ast.ForTuple() | ast.ForObject() | ast.TemplateFor():
            return "collection"
        case ast.Call(name="try" | "can"):
            return ""
        case _:
            return None


_ARGUMENTS = {
    "variable": ("type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated", "const"),
    "output": ("value", "description", "sensitive", "depends_on", "ephemeral", "deprecated", "type"),
}
_BLOCKS = {"variable": ("validation",), "output": ("precondition",)}


class StaticChecks(Struct):
    """The checks of the directories of one evaluation; errors go to the collector."""

    collector: ErrorCollector
    _outputs: dict[int, list[tuple[str, str, ast.SourceText, int]]] = field(default_factory=dict)

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
        for name, output, source, at in self._outputs[id(module.configuration)]:
            instance = instances.get(name)
            if instance is not None and output not in instance.configuration.outputs:
                with self.collector.collect(), located(source, at):
                    instance.output(output)

    def _known(self, body: SourceBody, kind: str, name: str) -> None:
        """Refuse the arguments and blocks that a block of a kind has not."""
        subject = f'{kind} "{name}" has no'
        for argument, (attribute, source) in body.attributes.items():
            self._refuse(f"{subject} argument", argument, _ARGUMENTS[kind], source, attribute.at)
        for block, source in body.blocks:
            self._refuse(f"{subject} block", block.type, _BLOCKS[kind], source, block.at)

    def _refuse(self, message: str, found: str, known: tuple[str, ...], source: ast.SourceText, at: int) -> None:
        if found in known:
            return
        close = get_close_matches(found, known, 1)
        with self.collector.collect(), located(source, at):
            raise EvaluationError(
                f'{message} "{found}"',
                expected=", ".join(known),
                remedy=f"did you mean {close[0]}?" if close else "remove it",
            )
