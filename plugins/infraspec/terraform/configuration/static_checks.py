"""What Terraform refuses in a module directory whether or not anything reads it: each directory is checked once.

Source: Terraform Language Documentation, "Input Variables" and "Output Values".

Terraform refuses a reference to what is not declared, and a function that the language does not have, wherever they
stand: in an attribute that nothing reads, and inside `try`. Attributes are evaluated on first use here, so the syntax
tree of every directory is walked once. What looks wrong is evaluated, and the evaluator has the last word.
Source: Terraform Language Documentation, "References to Values", "Dynamic Blocks" and "For Expressions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import Struct, field

from infraspec.core.errors import ErrorCollector, EvaluationError, UndeclaredError
from infraspec.hcl import ast
from infraspec.terraform.configuration.declarations import SourceBody, block_name
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.settings import is_before_version_1, required_providers
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.functions import call, exists
from infraspec.terraform.language.references import look_up
from infraspec.terraform.language.scope import located
from infraspec.terraform.plan import Fault
from infraspec.terraform.provider.schema import demands

_NO_NAMES: frozenset[str] = frozenset()
_ELSEWHERE = frozenset({"path", "terraform", "tofu", "ephemeral", "action", "self"})
"""Roots of references to what is not declared, or not evaluated."""
_TRAVERSALS = frozenset({ast.GetAttr, ast.Index, ast.Name})
_PLAIN: dict[type, Callable[[Any], Iterable[Any]]] = {
    ast.Template: attrgetter("parts"),
    ast.Interpolation: lambda node: (node.expression,),
    ast.Tuple: attrgetter("items"),
    ast.Object: lambda node: chain.from_iterable(node.items),
    ast.Parentheses: lambda node: (node.inner,),
}
"""The nodes all parts of which are evaluated, with these parts: nodes, or text."""
_VALUES = frozenset({"var", "local", "module"})
_STEPS = {"data": 2, "resource": 2}
"""How many names follow a root that is followed by more than one."""
_DEEPEST = {"var": 1, "local": 1, "each": 1, "module": 2}
"""How many attributes a reference may have that is there if it is declared; one of a resource is unknown at least."""
_TOTAL = frozenset({"concat", "jsonencode", "merge"})
"""Functions that have a value for all arguments of their types."""
_CERTAIN = (ast.Conditional, ast.Unary)
_LOGICAL = frozenset({"==", "!=", "&&", "||"})
_NAMES_OF_ANOTHER_KIND = {
    "resource": frozenset({"provider"}),
    "module": frozenset({"providers"}),
    "output": frozenset({"type"}),
    "action_trigger": frozenset({"events", "actions"}),
    "lifecycle": frozenset({"ignore_changes"}),
    "dynamic": frozenset({"iterator"}),
    "provisioner": frozenset({"when", "on_failure"}),
}
"""The arguments of each kind of block that are no expressions, or are checked elsewhere."""


class SourceReference(Struct, frozen=True):
    """A reference to a part of what is declared, with the names in it: `module`, `db`, `endpoint`; `at` is its root."""

    node: ast.Expression
    source: ast.SourceText
    names: tuple[str, ...]
    at: int


class StaticReferences(Struct):
    """The walk over one directory, in the scope of the first module instance that it makes.

    `resources` are the references to attributes of resources and data sources. `evaluated` are those to parts of
    variables, local values and modules that are evaluated in any case: Terraform looks for such a part when it
    evaluates the expression, not before.
    """

    module: ModuleInstance
    collector: ErrorCollector
    resources: list[SourceReference] = field(default_factory=list)
    evaluated: list[SourceReference] = field(default_factory=list)
    possible: list[SourceReference] = field(default_factory=list)
    """Those that are evaluated in some case."""
    is_suspect: bool = False
    """Whether what is not declared may be found where it is evaluated."""
    functions: list[tuple[ast.Call, ast.SourceText]] = field(default_factory=list)
    """The calls that are evaluated in any case: a function that does not exist is an error like others."""
    doubtful: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """The arguments and blocks that may have no value, by the id of their body: with a call, an index, a part of a
    value, a variable that is null by default, or the object itself."""
    own: tuple[str, ...] = ()
    null: frozenset[str] = _NO_NAMES
    is_doubtful: bool = False

    def walk(self) -> None:
        """Collect the errors of every expression of the directory."""
        configuration = self.module.configuration
        self.null = frozenset(name for name, body in configuration.variables.items() if _is_null(body))
        for attribute, source in configuration.locals.values():
            self._visit(attribute.expression, source, _NO_NAMES)
        for kind, bodies in (
            ("variable", configuration.variables),
            ("output", configuration.outputs),
            ("resource", configuration.resources),
            ("module", configuration.calls),
            ("check", configuration.checks),
            ("provider", configuration.providers),
        ):
            for key, body in bodies.items():
                self.own, doubtful = key[1:] if isinstance(key, tuple) else (), list[str]()
                bound = frozenset(
                    name for name, argument in (("each", "for_each"), ("count", "count")) if argument in body.attributes
                )
                if kind != "variable":  # its arguments are constants, and a type
                    doubtful += self._attributes(body.attributes.values(), kind, bound)
                for block, source in body.blocks:
                    if self._block(block, source, bound):
                        doubtful.append(block_name(block))
                if doubtful:
                    self.doubtful[id(body)] = tuple(dict.fromkeys(doubtful))
        self._functions()

    def _block(self, block: ast.Block, source: ast.SourceText, bound: frozenset[str]) -> bool:
        """Look at a block; tell whether something in it may have no value."""
        attributes = block.body.attributes
        doubtful = self._attributes(((attribute, source) for attribute in attributes.values()), block.type, bound)
        if block.type == "dynamic":  # Terraform looks at its content where for_each makes a block of it
            self.is_suspect |= self._is_doubtful(block, bound)
            return True
        found = [self._block(inner, source, bound) for inner in block.body.blocks]
        return bool(doubtful) or any(found)

    def _attributes(
        self, attributes: Iterable[tuple[ast.Attribute, ast.SourceText]], kind: str, bound: frozenset[str]
    ) -> list[str]:
        """Look at arguments; return the names of those that may have no value."""
        skipped, doubtful = _NAMES_OF_ANOTHER_KIND.get(kind, _NO_NAMES), []
        for attribute, source in attributes:
            if attribute.name not in skipped:
                self.is_doubtful = False
                self._visit(attribute.expression, source, bound)
                if self.is_doubtful:
                    doubtful.append(attribute.name)
        return doubtful

    def _visit(self, node: ast.Node, source: ast.SourceText, bound: frozenset[str]) -> None:
        kind = type(node)
        if kind is ast.Literal:
            return
        if kind in _TRAVERSALS:
            self._traversal(node, source, bound)
        elif kind in _PLAIN:
            for part in _PLAIN[kind](node):
                if type(part) is not str:
                    self._visit(part, source, bound)
        else:
            self._branching(node, source, bound)

    def _branching(self, node: ast.Node, source: ast.SourceText, bound: frozenset[str]) -> None:
        """Look at an expression that may leave a part out, or that binds names."""
        if isinstance(node, ast.Call):
            self.functions.append((node, source))
            self.is_suspect |= not exists(node.name)
            self.is_doubtful |= node.name not in _TOTAL
            if node.name.removeprefix("core::") == "convert":  # its second argument is a type
                self._inside(node.arguments[:1], source, bound)
                return
        elif not isinstance(node, _CERTAIN) and not (isinstance(node, ast.Binary) and node.operator in _LOGICAL):
            self.is_doubtful = True
        if isinstance(node, (ast.ForTuple, ast.ForObject, ast.TemplateFor)):
            self._visit(node.collection, source, bound)
            bound |= {name for name in (node.key, node.value) if name}
        elif isinstance(node, ast.Splat) and (root := _root(node)) and root.name not in bound:
            self._record(SourceReference(node, source, (root.name,), root.at))
        certain, part = (len(self.evaluated), len(self.functions)), _certain_part(node)
        for name in node.__struct_fields__:
            self._inside(getattr(node, name), source, bound)
            if name == part:
                certain = len(self.evaluated), len(self.functions)
        if part is not None:
            self.possible += self.evaluated[certain[0] :]
            del self.evaluated[certain[0] :], self.functions[certain[1] :]

    def _inside(self, value: object, source: ast.SourceText, bound: frozenset[str]) -> None:
        """Look at what a field of a node holds: a node, a tuple of nodes, or something else."""
        if isinstance(value, ast.Node):
            self._visit(value, source, bound)
        elif isinstance(value, tuple):
            for item in value:
                self._inside(item, source, bound)

    def _traversal(self, node: Any, source: ast.SourceText, bound: frozenset[str]) -> None:
        """Look at `var.x`, `module.db["a"].endpoint` or `aws_x.y[0].arn`, its indexes included."""
        steps: list[str] = []
        target = node
        while (kind := type(target)) is not ast.Name:
            if kind is ast.GetAttr:
                steps.append(target.name)
            elif kind is ast.Index:
                self.is_doubtful = True
                self._visit(target.key, source, bound)
            else:
                self.is_doubtful = True
                self._visit(target, source, bound)
                return
            target = target.target
        if steps:
            of_null = target.name == "var" and steps[-1] in self.null
            too_deep = len(steps) > _DEEPEST.get(target.name, len(steps))
            self.is_doubtful |= too_deep or of_null or (target.name, steps[-1]) == self.own
        if target.name in bound or target.name in _ELSEWHERE:
            return
        steps.reverse()
        if not self._is_declared(target.name, steps):
            with self.refusing(source, target.at):
                if target.name in ("each", "count") or len(steps) < _STEPS.get(target.name, 1):
                    compile_expression(target, source)(self.module.scope)
                look_up(self.module, target.name, *steps)
        elif len(steps) > 1:
            self._record(SourceReference(node, source, (target.name, *steps), target.at))

    def _record(self, reference: SourceReference) -> None:
        """Keep a reference, of which what is declared is not looked at before it is evaluated."""
        (self.evaluated if reference.names[0] in _VALUES else self.resources).append(reference)

    def _is_declared(self, root: str, steps: list[str]) -> bool:
        first = steps[0] if steps else ""
        match root:
            case "var":
                return first in self.module.configuration.variables
            case "local":
                return first in self.module.configuration.locals
            case "module":
                return first in self.module.configuration.calls
            case "data" | "resource":
                mode = "data" if root == "data" else "managed"
                declared = len(steps) > 1 and (mode, first, steps[1]) in self.module.configuration.resources
                is_data = root == "data" and len(steps) > 1
                return declared or (is_data and self.module.configuration.is_of_check(first, steps[1]))
            case _:
                return ("managed", root, first) in self.module.configuration.resources

    def _is_doubtful(self, block: ast.Block, bound: frozenset[str]) -> bool:
        """Tell whether something in a dynamic block refers to what is not declared."""
        arguments = block.body.attributes
        if block.type == "dynamic":
            iterator = arguments["iterator"].expression if "iterator" in arguments else None
            bound |= {iterator.name if isinstance(iterator, ast.Name) else block.labels[0]}
        names = chain.from_iterable(referred(each.expression, bound) for each in arguments.values())
        is_found = any(root not in _ELSEWHERE and not self._is_declared(root, steps) for root, *steps in names)
        return is_found or any(self._is_doubtful(inner, bound) for inner in block.body.blocks)

    def _functions(self) -> None:
        for node, source in self.functions:
            if not exists(node.name):
                with self.refusing(source, node.at):
                    call(node.name, [], self.module.files)

    @contextmanager
    def refusing(self, source: ast.SourceText, at: int) -> Iterator[None]:
        """Note what is not declared; another error ends the run."""
        with self.collector.collect():
            try:
                with located(source, at):
                    yield
            except UndeclaredError as error:
                self.module.evaluation.refuse(error)


def _root(node: ast.Expression) -> ast.Name | None:
    """Return what a reference with a splat in it begins with, None if that is no name."""
    while isinstance(node, (ast.GetAttr, ast.Index, ast.Splat)):
        node = node.target
    if isinstance(node, ast.Call) and node.name == "values" and node.arguments:
        return _root(node.arguments[0])
    return node if isinstance(node, ast.Name) and node.name not in _ELSEWHERE else None


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


def _is_null(variable: SourceBody) -> bool:
    default = variable.attributes.get("default")
    return (
        default is not None and isinstance(default[0].expression, ast.Literal) and default[0].expression.value is None
    )


class StaticChecks(Struct):
    """The checks of the directories of one evaluation; errors go to the collector."""

    collector: ErrorCollector
    references: dict[int, StaticReferences] = field(default_factory=dict)

    def check(self, module: ModuleInstance) -> None:
        """Check the directory of a module instance, if it is the first that it makes."""
        configuration = module.configuration
        if id(configuration) in self.references:
            return
        references = StaticReferences(module, self.collector)
        self.references[id(configuration)] = references
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
        references = self.references[id(module.configuration)]
        for reference in (*references.evaluated, *references.possible):
            root, name, *rest = (*reference.names, "")
            instance = instances.get(name) if root == "module" else None
            if instance is None or not rest[0] or rest[0] in instance.configuration.outputs:
                continue
            references.is_suspect = True
            if reference in references.evaluated:
                with references.refusing(reference.source, reference.at):
                    instance.output(rest[0])

    def _known(self, body: SourceBody, kind: str, name: str) -> None:
        """Refuse the arguments and blocks that a block of a kind has not."""
        wanted = demands(kind)
        codes = wanted.codes if wanted else {}
        blocks = tuple(one for one, code in codes.items() if code[0] == "[")
        subject = f'{kind} "{name}" has no'
        for argument, (attribute, source) in body.attributes.items():
            known = tuple(one for one in codes if one not in blocks)
            self._refuse(f"{subject} argument", argument, known, source, attribute.at)
        for block, source in body.blocks:
            self._refuse(f"{subject} block", block.type, blocks, source, block.at)

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


_EDITION = "TF2021"
_REMOVED = frozenset({"chef", "habitat", "puppet", "salt-masterless"})
_QUOTED = {"string": "string", "list": "list(string)", "map": "map(string)"}
_OF_A_SOURCE = frozenset({"var", "local", "path", "terraform", "tofu", "each", "count"})
_INDEX = re.compile(r"\[.*?\]")
_OBJECT = re.compile(r"(?:module\.[^.]+\.)*(?!data\.|module\.)[^.]+\.[^.]+")


class Refusals(Struct):
    """What Terraform refuses of a directory whatever its providers are, in the first module instance that it makes.

    Source: Terraform Language Documentation, "Custom Conditions", "Input Variables", "Output Values", "Import existing
    resources", "Provider Requirements", "Module Sources", "terraform block" and "Provisioners".
    """

    module: ModuleInstance

    def faults(self) -> Iterator[Fault]:
        """Yield all of them."""
        configuration = self.module.configuration
        yield from self._conditions()
        yield from self._of_variables(is_old=is_before_version_1(configuration))
        yield from self._of_outputs()
        yield from self._of_settings()
        yield from self._of_imports()
        for name, body in configuration.calls.items():
            of_others = {names[0] for names in self._referred(body, "source")} - _OF_A_SOURCE
            if of_others:
                yield self._fault("source-of-object", f"module.{name}", "source", body, name=min(of_others))
        for (mode, type_, name), body in configuration.resources.items():
            address = f"{'data.' * (mode == 'data')}{type_}.{name}"
            for block, inner in body.nested("provisioner") if mode == "managed" else ():
                if block.labels[:1] and block.labels[0] in _REMOVED and not is_before_version_1(configuration):
                    yield self._fault("removed-provisioner", address, "", inner, name=block.labels[0])
            if any(names[0] == "action" for names in self._referred(body, "depends_on")):
                yield self._fault("depends-on-action", address, "depends_on", body)

    def _fault(self, kind: str, address: str, name: str, body: SourceBody, /, **values: str) -> Fault:
        place = (body.location_of(name) if name else None) or body.location
        return Fault(kind, f"{self.module.prefix}{address}", name, place, {"owner": address, **values})

    def _referred(self, body: SourceBody, name: str) -> Iterator[tuple[str, ...]]:
        """Yield the names of what an argument refers to."""
        return referred(body.attributes[name][0].expression) if name in body.attributes else iter(())

    def _conditions(self) -> Iterator[Fault]:
        configuration = self.module.configuration
        for owner, bodies in (
            ("var", configuration.variables),
            ("output", configuration.outputs),
            ("check", configuration.checks),
        ):
            for name, body in bodies.items():
                for _, inner in body.nested("validation", "precondition", "assert"):
                    yield from self._condition((owner, name), inner)
        for (mode, type_, name), body in configuration.resources.items():
            names = ("data",) * (mode == "data") + (type_, name)
            for _, lifecycle in body.nested("lifecycle"):
                for _, inner in lifecycle.nested("precondition", "postcondition"):
                    yield from self._condition(names, inner)

    def _condition(self, own: tuple[str, ...], body: SourceBody) -> Iterator[Fault]:
        address, found = ".".join(own), [*self._referred(body, "condition")]
        if "condition" in body.attributes and not found:
            yield self._fault("no-reference", address, "condition", body)
        elif own[0] == "var" and own not in (names[:2] for names in found):
            yield self._fault("no-own-reference", address, "condition", body)
        for name in ("condition", "error_message") if own[0] not in ("var", "output", "check") else ():
            names = (each[each[0] == "resource" :] for each in self._referred(body, name))
            if any(each[: len(own)] == own for each in names):
                yield self._fault("refers-to-itself", address, name, body)

    def _of_variables(self, *, is_old: bool) -> Iterator[Fault]:
        for name, body in self.module.configuration.variables.items():
            address, quoted = f"var.{name}", _constant(body, "type")
            if isinstance(quoted, str) and quoted in _QUOTED and not is_old and not body.source.name.endswith(".json"):
                yield self._fault("quoted-type", address, "type", body, type=_QUOTED[quoted], found=quoted)
            for mark in ("sensitive", "ephemeral") if _constant(body, "const") is True else ():
                if _constant(body, mark) is True:
                    yield self._fault("const-variable", address, "const", body, name=mark)

    def _of_outputs(self) -> Iterator[Fault]:
        for name, body in self.module.configuration.outputs.items():
            for mark in ("ephemeral",) if self.module.parent else ("sensitive", "ephemeral"):
                is_said = mark in body.attributes and _constant(body, mark) is not False
                if is_said or "value" not in body.attributes:
                    continue
                if _Marked(self.module, mark).holds(body.attributes["value"][0].expression):
                    kind = "ephemeral-output" if mark == "ephemeral" else "sensitive-output"
                    yield self._fault(kind, f"output.{name}", "value", body)

    def _of_settings(self) -> Iterator[Fault]:
        configuration = self.module.configuration
        for body in configuration.terraform:
            edition = body.written("language") if "language" in body.attributes else _EDITION
            if edition != _EDITION:
                yield self._fault("edition", "terraform", "language", body, found=edition, edition=_EDITION)
            for _, inner in body.nested("provider_meta"):
                for name in inner.attributes:
                    if any(self._referred(inner, name)):
                        yield self._fault("no-constant", "terraform.provider_meta", name, inner, name=name)
        for required in required_providers(configuration):
            before, _, type_ = required.source.rpartition("/")
            if type_.startswith("terraform-") and required.location:
                better = f"{before}/{type_.removeprefix('terraform-').removeprefix('provider-')}"
                values = {"source": required.source, "better": better}
                yield Fault(
                    "provider-prefix", self.module.prefix + "terraform", required.name, required.location, values
                )

    def _of_imports(self) -> Iterator[Fault]:
        seen = set[str]()
        for kind, body in self.module.configuration.refactorings:
            if kind != "import" or "to" not in body.attributes:
                continue
            written = body.written("to").strip('"')
            address, plain = f"import {written}", _INDEX.sub("", written).removeprefix("resource.")
            if not _OBJECT.fullmatch(plain):
                yield self._fault("no-import-target", address, "to", body, found=written)
            elif "provider" in body.attributes and (
                plain.startswith("module.") or ("managed", *plain.split(".")) in self.module.configuration.resources
            ):
                yield self._fault("import-provider", address, "provider", body)
            if "for_each" not in body.attributes and written in seen:
                yield self._fault("second-import", address, "to", body, found=written)
            seen.add(written if "for_each" not in body.attributes else "")


def _constant(body: SourceBody, name: str) -> object:
    """Return the constant that an argument is, None if it is none."""
    return getattr(body.attributes[name][0].expression, "value", None) if name in body.attributes else None


def referred(node: ast.Node, bound: frozenset[str] = _NO_NAMES) -> Iterator[tuple[str, ...]]:
    """Yield the names of each reference in an expression: `var`, `x`; those after an index are among them."""
    steps: list[str] = []
    pending: list[object] = []
    while isinstance(node, (ast.GetAttr, ast.Index)):
        if isinstance(node, ast.GetAttr):
            steps.append(node.name)
        else:
            pending.append(node.key)
        node = node.target
    if isinstance(node, ast.Name):
        if node.name not in bound:
            yield (node.name, *reversed(steps))
    else:
        pending += [getattr(node, name) for name in node.__struct_fields__]
    if isinstance(node, (ast.ForTuple, ast.ForObject, ast.TemplateFor)):
        bound |= {name for name in (node.key, node.value) if name}
    while pending:
        part = pending.pop(0)
        if isinstance(part, ast.Node):
            yield from referred(part, bound)
        elif isinstance(part, tuple):
            pending[:0] = part


class _Marked(Struct):
    """Whether an expression is certainly sensitive, or ephemeral, as what a variable is declared that it is made of."""

    module: ModuleInstance
    mark: str
    passed: set[str] = field(default_factory=set)

    def holds(self, node: ast.Node) -> bool:
        """Tell whether any value of the expression has the mark."""
        configuration = self.module.configuration
        match node:
            case ast.GetAttr(target=ast.Name(name="var"), name=name) if name in configuration.variables:
                return _constant(configuration.variables[name], self.mark) is True
            case ast.GetAttr(target=ast.Name(name="local"), name=name) if name in configuration.locals:
                if name in self.passed:
                    return False
                self.passed.add(name)
                return self.holds(configuration.locals[name][0].expression)
            case ast.GetAttr(
                target=ast.GetAttr(target=ast.Name(name="module"), name=call_name)
                | ast.Index(target=ast.GetAttr(target=ast.Name(name="module"), name=call_name)),
                name=name,
            ) if call_name in configuration.calls:
                called = next(self.module.called(call_name), None)
                body = called.configuration.outputs.get(name) if called else None
                if called is None or body is None or "value" not in body.attributes:
                    return False
                given = body.attributes["value"][0].expression
                return _constant(body, self.mark) is True or _Marked(called, self.mark).holds(given)
            case ast.Name(name=name) | ast.Call(name=name):
                marking = "sensitive" if isinstance(node, ast.Call) else "ephemeral"
                return name == self.mark == marking
        parts = _MARKING[type(node)](node) if type(node) in _MARKING else ()
        return any(self.holds(part) for part in parts if isinstance(part, ast.Node))


_MARKING: dict[type, Callable[[Any], Iterable[Any]]] = {
    **_PLAIN,
    ast.GetAttr: lambda node: (node.target,),
    ast.Index: lambda node: (node.target,),
    ast.Conditional: lambda node: (node.condition,),
    ast.Binary: lambda node: () if node.operator in ("&&", "||") else (node.left, node.right),
}
"""The nodes whose value has a mark if one of these parts has it."""
