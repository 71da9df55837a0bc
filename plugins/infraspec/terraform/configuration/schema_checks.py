"""What the schema of a provider refuses in the source: names, missing arguments, types, numbers of blocks, references.

Source: Terraform Language Documentation, "Resources", "References to Values", "Dynamic Blocks", "lifecycle", "Type
Constraints" (Conversion of Primitive Types, Conversion of Complex Types) and "JSON Configuration Syntax". What is not
certain, such as the type of what a function returns, is no fault.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field

from infraspec.core.errors import EvaluationError, TerraformError, closest
from infraspec.core.finding import Location
from infraspec.hcl import ast
from infraspec.terraform.configuration.declarations import SourceBody, block_name
from infraspec.terraform.configuration.module import ModuleInstance, type_of
from infraspec.terraform.configuration.settings import (
    SchemaVersions,
    is_registry,
    provider_source,
    schema_versions,
)
from infraspec.terraform.configuration.static_checks import Refusals, SourceReference, StaticReferences
from infraspec.terraform.language.conversions import to_bool, to_number
from infraspec.terraform.language.types import CollectionType, ObjectType, PrimitiveType, TypeConstraint
from infraspec.terraform.language.values import type_name
from infraspec.terraform.plan import Fault
from infraspec.terraform.provider.schema import Demands, demands, provider_version, resource_types, taken_earlier

_OPEN = "*"
"""The code of what may be anything."""
_LISTS = ("L", "S", "[", "{", "1", "T")
_BLOCKS = ("[", "{", "1")
_AS_BLOCKS = ("[", "{", "1", "(", "L@", "S@")
"""What may be written as a block: nested blocks, and attributes whose type is a list or set of objects."""
_VALUES = ("var", "local", "module")
_META = frozenset({"count", "for_each", "provider", "depends_on", "//"})
_TEXTS = frozenset({ast.Literal, ast.Template, ast.Call, ast.Binary, ast.Unary})
"""What can be text, or what is not known to be none."""
_OWN: dict[type, str] = {int: "n", float: "n", bool: "b", str: "s"}
_WRITTEN: dict[type, str] = {ast.Template: "s", ast.Tuple: "T", ast.ForTuple: "T"}
_SET = frozenset({ast.Literal, ast.Name, ast.Template, ast.Tuple, ast.Object, ast.Binary, ast.Unary})
"""What is not null, but for the literal."""
_LONGEST = {"data": 3, "managed": 2}
_NONE: Counter[str] = Counter()
_BARE = re.compile(r"[\w-]+(/[\w-]+)?")
"""A source that is neither a directory, which begins with a dot, nor an address of anything."""
_META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection", "locals", "_"})
_KINDS = {"s": "string", "n": "number", "b": "bool", "M": "map", "T": "tuple", "S": "set", "{": "set"}
_NAMES = frozenset({"unknown-argument", "unknown-block", "unknown-type", "no-attribute"})
"""The faults that are none if a later version of the provider has the name."""


class MissingPartError(Exception):
    """A reference to what is not there: `owner` has no `name`; `known` is what it has, `schema` its schema's path."""

    owner = ""

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), schema: str = "", **values: str) -> None:
        super().__init__()
        self.kind, self.name, self.known, self.schema = kind, name, known, schema
        self.values = values


class ReferenceTypes(Struct):
    """The types of references, as codes of the schema; `%aws_vpc` is an object of a type, `%0` one of the source."""

    _objects: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _known: dict[tuple[int, str, str], str] = field(default_factory=dict)

    def of(self, node: ast.Expression, module: ModuleInstance) -> str:
        """Return the code of an expression, `*` if it is not certain. Raises MissingPartError."""
        if type(node) is ast.GetAttr and type(node.target) is ast.Name and node.target.name in _VALUES:
            return self._remembered(node.target.name, node.name, module)
        steps: list[ast.GetAttr | ast.Index] = []
        while isinstance(node, (ast.GetAttr, ast.Index)):
            steps.append(node)
            node = node.target
        steps.reverse()
        if isinstance(node, ast.Name):
            code, used = self._root(node.name, steps, module)
        else:
            code, used = self._value(node, module), 0
        for position, step in enumerate(steps[used:], used):
            try:
                code = self._step(code, step)
            except MissingPartError as missing:
                missing.owner = _shown(node, steps[:position])
                raise
        return code

    def _value(self, node: ast.Expression, module: ModuleInstance) -> str:
        match node:
            case ast.Literal(value=value):
                return _OWN.get(type(value), _OPEN)
            case ast.Parentheses(inner=inner) | ast.Template(parts=(ast.Interpolation(expression=inner),)):
                return self.of(inner, module)
            case ast.Binary(operator=operator) | ast.Unary(operator=operator):
                return "n" if operator in "+-*/%" else "b"
            case ast.Object(items=items):
                return self._object(items, module)
            case ast.Splat():
                return self._splat(node, module)
            case ast.Call(name="values", arguments=(inner,)):
                code = self.of(inner, module)
                return f"L{code[1:]}" if code[0] == "M" else _OPEN
            case _:
                return _WRITTEN.get(type(node), _OPEN)

    def _object(self, items: Iterable[tuple[ast.Expression, ast.Expression]], module: ModuleInstance) -> str:
        """Return the code of an object that is written out; `M` with what is open if its names are not."""
        codes = {}
        for key, item in items:
            if not isinstance(key, ast.Literal):
                return f"M{_OPEN}"
            codes[str(key.value)] = self.of(item, module)
        return self._registered(codes)

    def _registered(self, codes: Mapping[str, str]) -> str:
        code = f"%{len(self._objects)}"
        self._objects[code[1:]] = codes
        return code

    def _splat(self, node: ast.Splat, module: ModuleInstance) -> str:
        code = self.of(node.target, module)
        if code[0] in ("M", "T", _OPEN) or code[1:] == _OPEN:
            return _OPEN
        element = code[1:] if code[0] in _LISTS else code
        for step in node.steps:
            try:
                element = self._step(element, step)
            except MissingPartError as missing:
                missing.owner = f"{_shown(node.target)}[*]"
                raise
        return f"L{element}"

    def _root(self, root: str, steps: list[ast.GetAttr | ast.Index], module: ModuleInstance) -> tuple[str, int]:
        """Return the code of what a reference begins with, and how many steps name it."""
        names = [step.name if isinstance(step, ast.GetAttr) else "" for step in steps[:2]]
        first, second = (*names, "", "")[:2]
        if root in _VALUES:
            return self._remembered(root, first, module), 1
        if root in ("data", "resource"):
            return self._instances(root, first, second, steps[2:], module), 2
        return self._instances("resource", root, first, steps[1:], module), 1

    def _remembered(self, root: str, name: str, module: ModuleInstance) -> str:
        key = id(module), root, name
        code = self._known.get(key)
        if code is None:
            self._known[key] = _OPEN  # of what refers to itself nothing is known
            code = self._known[key] = self._named(root, name, module)
        return code

    def _named(self, root: str, name: str, module: ModuleInstance) -> str:
        configuration = module.configuration
        if root == "local" and name in configuration.locals:
            return self.quietly(configuration.locals[name][0].expression, module)
        if root == "var" and name in configuration.variables:
            return self._variable(name, configuration.variables[name], module)
        if root == "module" and name in configuration.calls:
            called = next(module.called(name), None)
            body = configuration.calls[name]
            if called is not None:
                outputs = called.configuration.outputs.items()
                codes = {
                    output: self.quietly(of.attributes["value"][0].expression, called)
                    for output, of in outputs
                    if "value" in of.attributes
                }
                return _nesting(body) + self._registered(codes)
        return _OPEN

    def quietly(self, node: ast.Expression, module: ModuleInstance) -> str:
        """Return the code of what is looked at where it stands."""
        try:
            return self.of(node, module)
        except MissingPartError:
            return _OPEN

    def _variable(self, name: str, body: SourceBody, module: ModuleInstance) -> str:
        code = self.declared(body, module)
        if code == _OPEN and module.call_body and module.parent and name in module.call_body.attributes:
            return self.quietly(module.call_body.attributes[name][0].expression, module.parent)
        return code

    def declared(self, body: SourceBody, module: ModuleInstance) -> str:
        """Return the code of the type of a variable; any for one that is no type, which its evaluation says."""
        try:
            return self.constraint(type_of(body, module.scope))
        except EvaluationError:
            return _OPEN

    def constraint(self, constraint: TypeConstraint) -> str:
        """Return the code of a type, `*` of any."""
        match constraint:
            case PrimitiveType(name=name):
                return name[0]
            case CollectionType(name=name, element=element):
                return name[0].upper() + self.constraint(element)
            case ObjectType(attributes=attributes):
                return self._registered({one.name: self.constraint(one.type) for one in attributes})
            case _:
                return _OPEN

    def _instances(
        self, root: str, type_: str, name: str, rest: list[ast.GetAttr | ast.Index], module: ModuleInstance
    ) -> str:
        """Return the code of a resource or data source: an object, or a list or map of them."""
        body = module.configuration.resources.get(("data" if root == "data" else "managed", type_, name))
        prefix = "data." if root == "data" else ""
        if body is None or body.error or demands(prefix + type_) is None:
            return _OPEN
        nesting = _nesting(body)
        if nesting and rest and isinstance(rest[0], ast.GetAttr):
            missing = MissingPartError("no-instance-key", rest[0].name)
            missing.owner = f"{prefix}{type_}.{name}"
            missing.values["instance"] = missing.owner + ("[0]" if nesting == "L" else '["KEY"]')
            raise missing
        return f"{nesting}%{prefix}{type_}"

    def _step(self, code: str, step: ast.Expression | str) -> str:
        """Return the code of an attribute, whose name is given as text too, or of what an index gives."""
        name = step.name if isinstance(step, ast.GetAttr) else step
        kind = code[0]
        if kind in (_OPEN, "T"):
            return _OPEN
        if kind == "M":
            return code[1:]
        if not isinstance(name, str):
            return code[1:] if kind in _LISTS else _OPEN
        if kind in _LISTS or kind in "snb":
            raise MissingPartError("no-attributes", name, sort=_kind(code))
        return self._attribute(code.removeprefix("("), name)

    def _attribute(self, code: str, name: str) -> str:
        if code == _OPEN:
            return _OPEN
        key = code if code[0] == "@" else code[1:]
        found = demands(key)
        codes = self._objects[key] if found is None else found.codes
        if name not in codes:
            raise MissingPartError("no-attribute", name, codes, f"{key}.{name}" if found else "")
        return codes[name]


def _nesting(body: SourceBody) -> str:
    return "L" if "count" in body.attributes else "M" if "for_each" in body.attributes else ""


def _kind(code: str) -> str:
    if code[0] in "@%(":
        return "object"
    return _KINDS.get(code[0], "list")


def _shown(node: ast.Expression, steps: Iterable[ast.GetAttr | ast.Index] = ()) -> str:
    match node:
        case ast.Name(name=name):
            text = name
        case ast.GetAttr(target=target) | ast.Index(target=target):
            text = _shown(target, (node,))
        case _:
            text = "it"
    return text + "".join(f".{step.name}" if isinstance(step, ast.GetAttr) else "[…]" for step in steps)


class BlockPlace(Struct, frozen=True):
    """A block that is being looked at: the address of its resource, the path inside, its schema's path and its text."""

    address: str
    path: str
    schema: str
    source: ast.SourceText
    at: int

    @property
    def spot(self) -> tuple[ast.SourceText, int]:
        """Where it begins."""
        return self.source, self.at

    def inner(self, name: str, source: ast.SourceText, at: int) -> BlockPlace:
        """Return the place of a block in it."""
        path, schema = (f"{outer}.{name}".lstrip(".") for outer in (self.path, self.schema))
        return BlockPlace(self.address, path, schema, source, at)


class SchemaChecks(Struct):
    """The checks of one directory, in its first module instance; faults are collected."""

    module: ModuleInstance
    types: ReferenceTypes
    versions: SchemaVersions
    faults: list[Fault]
    codes: dict[int, str]
    """The types of the references that were looked at, by the identity of their nodes."""

    def resources(self) -> None:
        """Look at every resource and data block."""
        module = self.module
        sources = dict[str, str]()
        for (mode, type_, name), body in _read(module.configuration.resources):
            written = body.written("provider").strip('"') if "provider" in body.attributes else type_.replace("_", ".")
            provider = re.split(r"[.\[]", written)[0]
            if provider not in sources:
                sources[provider] = provider_source(module.configuration, provider)
            source = sources[provider]
            prefix = "data." if mode == "data" else ""
            place = BlockPlace(f"{module.prefix}{prefix}{type_}.{name}", "", prefix + type_, body.source, body.at)
            if (provider == "terraform" or source.endswith("hashicorp/aws")) and type_.startswith(
                ("aws_", "terraform_")
            ):
                self._resource(prefix, type_, body, place)
            own = [(block, inner) for block, inner in body.blocks if block.type in _META_BLOCKS]
            place = BlockPlace(place.address, "", "", body.source, body.at)
            for text in {inner.name: inner for _, inner in own}.values():  # those of an override file are merged
                blocks = [each for each in own if each[1].name == text.name]
                self._body("data" if mode == "data" else "resource", {}, blocks, place)

    def language(self) -> None:
        """Look at the other blocks, which are those of the language itself."""
        declared = self.module.configuration
        for kind, bodies in (
            ("output", declared.outputs),
            ("check", declared.checks),
            ("var", declared.variables),
            ("module", declared.calls),
            ("provider", declared.providers),
        ):
            for name, body in _read(bodies):
                self._own("variable" if kind == "var" else kind, f"{self.module.prefix}{kind}.{name}", body)
        for name, body in declared.outputs.items() if self.module.parent is None else ():
            if "ephemeral" in body.attributes and body.written("ephemeral") != "false":
                self._call("reserved", f"output.{name}", body, "ephemeral", "an output of the root module")
        for name, body in _read(declared.calls):
            if "source" in body.attributes:
                self._module(name, body)
        for body in declared.terraform:
            self._own("terraform", f"{self.module.prefix}terraform", body)
        for kind, body in (*declared.refactorings, *declared.others):
            self._own(kind, f"{self.module.prefix}{kind}", body)

    def _module(self, name: str, call: SourceBody) -> None:
        """Look at the source of a module, and at what it is given.

        Source: Terraform Language Documentation, "Module Sources", and "Providers Within Modules".
        """
        address, written = f"{self.module.prefix}module.{name}", call.written("source")
        source = written.strip('"')
        if written != source and not is_registry(source):
            if _BARE.fullmatch(source):
                self._call("no-source", address, call, "source", source=source)
            elif "version" in call.attributes:
                self._call("no-version", address, call, "version", source=source)
        for called in [*self.module.called(name)][:1]:
            for argument in call.inputs():
                variable = called.configuration.variables.get(argument)
                code = self.types.declared(variable, called) if variable else _OPEN
                if found := self._misfit(call.attributes[argument][0].expression, code):
                    self._call("wrong-type", address, call, argument, kind=_kind(code), found=found)
            self._providers(address, call, called)

    def _providers(self, address: str, call: SourceBody, called: ModuleInstance) -> None:
        """Compare the providers that a module is given with those that it has, and requires."""
        own = {
            name: one.place()
            for name, one in called.configuration.providers.items()
            if one.blocks or one.attributes.keys() - {"alias", "version"}
        }
        for argument in {"count", "for_each", "depends_on"} & call.attributes.keys() if own else ():
            self._call("own-provider", address, call, argument, provider=next(iter(own.values())))
        for name, passed in called.passed.items():
            one, other = (re.split(r"[.\[]", key)[0] for key in (passed, name))
            given, taken = provider_source(self.module.configuration, one), provider_source(called.configuration, other)
            if name in own:
                self._call("given-provider", address, call, "providers", provider=own[name], found=passed)
            elif given != taken:
                self._call("other-provider", address, call, "providers", given=given, taken=taken, found=passed)

    def _call(
        self, kind: str, address: str, body: SourceBody, name: str, owner: str = "module", /, **values: str
    ) -> None:
        attribute, source = body.attributes[name]
        place = BlockPlace(address, "", owner, source, attribute.at)
        self._say(kind, place, name, place.spot, **values)

    def _own(self, kind: str, address: str, body: SourceBody) -> None:
        self._body(kind, body.attributes, body.blocks, BlockPlace(address, kind, kind, body.source, body.at))

    def _resource(self, prefix: str, type_: str, body: SourceBody, place: BlockPlace) -> None:
        if demands(prefix + type_) is not None:
            self._body(prefix + type_, body.attributes, body.blocks, place)
            return
        known = [one.removeprefix("data.") for one in resource_types(f"{prefix}aws_")]
        known += ["terraform_remote_state" if prefix else "terraform_data"]
        self._say(
            "unknown-type", place, "", place.spot, known, name=type_, sort="data source" if prefix else "resource"
        )

    def _body(
        self,
        structure: str,
        attributes: Mapping[str, tuple[ast.Attribute, ast.SourceText]],
        blocks: Iterable[tuple[ast.Block, ast.SourceText]],
        place: BlockPlace,
    ) -> None:
        """Compare a body with what its schema demands."""
        wanted = demands(structure)
        if wanted is None:
            return
        codes, unsettable = wanted.codes, wanted.unsettable
        for name, (attribute, source) in attributes.items():
            code = codes.get(name)
            if code is None or name in unsettable:
                self._name(attribute, source, wanted, place)
            elif not self._fits(attribute.expression, code):
                self._argument(name, code, attribute, source, place)
        counted = Counter(self._blocks(blocks, codes, unsettable, place)) if blocks else _NONE
        for name in wanted.required - attributes.keys():
            if name not in counted:
                block = codes[name].startswith(_BLOCKS)
                self._say("missing-block" if block else "missing-argument", place, name, place.spot)
        for name, number in counted.items():
            if number > 1 and codes.get(name, _OPEN)[0] in "1(":
                self._say("too-many-blocks", place, name, place.spot, found=number)

    def _fits(self, node: ast.Expression, code: str) -> bool:
        """Tell, at one glance, whether a value is certainly of a type; most are."""
        if code == "s":
            return type(node) in _TEXTS or self.codes.get(id(node)) == "s"
        if isinstance(node, ast.Literal):
            return _OWN.get(type(node.value)) == code
        return isinstance(node, ast.Call) or self.codes.get(id(node)) == code

    def _name(self, attribute: ast.Attribute, source: ast.SourceText, wanted: Demands, place: BlockPlace) -> None:
        """Look at an argument that the schema has not, or that no configuration may set; null sets nothing."""
        name, node = attribute.name, attribute.expression
        if name not in wanted.codes:
            if _OPEN not in wanted.codes and (place.path or name not in _META):
                known = wanted.codes.keys() - wanted.unsettable
                self._say("unknown-argument", place, name, (source, attribute.at), known)
        elif type(node) in _SET and node != ast.Literal(None, node.at):
            self._say("computed", place, name, (source, attribute.at))

    def _blocks(
        self,
        blocks: Iterable[tuple[ast.Block, ast.SourceText]],
        codes: Mapping[str, str],
        unsettable: frozenset[str],
        place: BlockPlace,
    ) -> Iterator[str]:
        """Look at nested blocks, and yield the name of each; that of a dynamic one in a way that it counts as one."""
        dynamic: dict[str, None] = {}
        for block, source in blocks:
            name = block_name(block)
            if place.schema and not place.path and name in _META_BLOCKS:
                continue
            code = codes.get(name) or codes.get(_OPEN)
            if code is None or (name not in codes and code == _OPEN):
                self._say("unknown-block", place, name, (source, block.at), codes)
            elif name in unsettable:
                self._say("computed", place, name, (source, block.at))
            elif not (code.startswith(_AS_BLOCKS) or (code == _OPEN and "aws_" in place.schema)):
                self._say("no-block", place, name, (source, block.at), kind=_kind(code))
            elif code.lstrip("[{1(LS")[0] in "@%":
                self._nested(name, code.lstrip("[{1(LS"), block, source, place)
            if block.type == "dynamic":
                dynamic[name] = None
            else:
                yield name
        yield from dynamic

    def _nested(self, name: str, code: str, block: ast.Block, source: ast.SourceText, place: BlockPlace) -> None:
        structure = code if code[0] == "@" else code[1:]
        if block.type == "provisioner":  # each has a schema of its own
            structure = name = ".".join((name, *block.labels))
        inner = place.inner(name, source, block.at)
        if block.type != "dynamic":
            self._inner(structure, block, source, inner)
        for one in block.body.blocks if block.type == "dynamic" else ():
            if one.type == "content":
                self._inner(structure, one, source, inner)

    def _inner(self, structure: str, block: ast.Block, source: ast.SourceText, place: BlockPlace) -> None:
        attributes = {key: (attribute, source) for key, attribute in block.body.attributes.items()}
        self._body(structure, attributes, [(each, source) for each in block.body.blocks], place)

    def _argument(
        self, name: str, code: str, attribute: ast.Attribute, source: ast.SourceText, place: BlockPlace
    ) -> None:
        """Look at the value of an argument."""
        node = attribute.expression
        if source.name.endswith(".json") and code.startswith(_AS_BLOCKS):
            self._json_blocks(name, code.lstrip("[{1(LS"), node, source, place)
        elif code.startswith(_BLOCKS):
            self._say("no-argument", place, name, (source, attribute.at))
        elif found := self._misfit(node, code):
            self._say("wrong-type", place, name, (source, node.at), kind=_kind(code), found=found)

    def _json_blocks(
        self, name: str, structure: str, node: ast.Expression, source: ast.SourceText, place: BlockPlace
    ) -> None:
        """Look at nested blocks in JSON: objects, or lists of them."""
        for item in node.items if isinstance(node, ast.Tuple) else (node,):
            if isinstance(item, ast.Object) and structure.startswith("@"):
                keys = [(str(key.value), key.at, value) for key, value in item.items if isinstance(key, ast.Literal)]
                attributes = {
                    key: (ast.Attribute(key, value, at, value.at), source) for key, at, value in keys if key != "//"
                }
                if "dynamic" not in attributes:
                    self._body(structure, attributes, (), place.inner(name, source, item.at))

    def _misfit(self, node: ast.Expression, code: str) -> str:
        """Return what an expression is if it cannot be converted to the type of a code, else an empty text."""
        match node:
            case ast.Literal(value=value):
                return _misfit_of(value, code)
            case ast.Parentheses(inner=inner) | ast.Template(parts=(ast.Interpolation(expression=inner),)):
                return self._misfit(inner, code)
            case ast.Tuple(items=items) if code[0] in "LS":
                return next(filter(None, (self._misfit(item, code[1:]) for item in items)), "")
            case ast.Object(items=items) if code[0] == "M":
                return next(filter(None, (self._misfit(item, code[1:]) for _, item in items)), "")
            case ast.Object():
                return _unlike(f"M{_OPEN}", code) and "object"
            case ast.Conditional(if_true=one, if_false=other):
                return self._misfit(one, code) and self._misfit(other, code)
            case ast.GetAttr(target=ast.Name(name="var" | "local" as root), name=name) if code in "nb":
                return self._misfit_of_value(root, name, code)
        found = self.codes.get(id(node))
        return _unlike(self.types.quietly(node, self.module) if found is None else found, code)

    def _misfit_of_value(self, root: str, name: str, code: str) -> str:
        """Return what a variable or local value is that is known not to be a number or bool."""
        try:
            value = self.module.variable(name) if root == "var" else self.module.local(name)
        except TerraformError:
            return ""
        constant = isinstance(value, (bool, int, float, str))
        return type_name(value) if isinstance(value, (list, dict)) or (constant and _misfit_of(value, code)) else ""

    def references(self, references: Iterable[SourceReference]) -> None:
        """Look for the attributes that references name."""
        single: dict[tuple[str, ...], Mapping[str, str]] = {}
        for reference in references:
            resource = reference.names[:-1]
            if resource not in single:
                single[resource] = self._single(resource)
            code = single[resource].get(reference.names[-1])
            if code and type(reference.node) is ast.GetAttr and type(reference.node.target) is ast.GetAttr:
                self.codes[id(reference.node)] = code
                continue
            try:
                self.codes[id(reference.node)] = self.types.of(reference.node, self.module)
            except MissingPartError as missing:
                spot = (reference.source, reference.node.at)
                place = BlockPlace(self.module.address or "the root module", missing.owner, missing.schema, *spot)
                values = {"owner": missing.owner, "name": missing.name, **missing.values}
                self._say(missing.kind, place, "", spot, missing.known, **values)

    def _single(self, names: tuple[str, ...]) -> Mapping[str, str]:
        """Return the codes of the attributes of a resource or data source that there is one of, by its names."""
        mode = "data" if names[:1] == ("data",) else "managed"
        if len(names) != _LONGEST[mode]:
            return {}
        body = self.module.configuration.resources.get((mode, names[-2], names[-1]))
        is_single = body is not None and body.error is None and not _nesting(body)
        wanted = demands("data." * (mode == "data") + names[-2]) if is_single else None
        return wanted.codes if wanted else {}

    def _say(
        self,
        kind: str,
        place: BlockPlace,
        name: str,
        spot: tuple[ast.SourceText, int],
        known: Iterable[str] = (),
        /,
        **values: object,
    ) -> None:
        """Collect a fault, unless an earlier version of the provider that may be taken takes it."""
        schema = f"{place.schema}.{name}" if name else place.schema
        aws = schema.removeprefix("data.").startswith(("aws_", "@"))
        taken = aws and schema in taken_earlier(self.versions.major)
        if taken and not self.versions.current:
            return
        if taken or (aws and self.versions.earlier):
            kind = "earlier"
        elif aws and kind in _NAMES and self.versions.newer:
            kind = "newer"
        elif kind == "computed" and not (aws or schema.startswith(("terraform_", "data.terraform_"))):
            kind = "reserved"
        given = {"name": name, "owner": place.schema or place.address, **values}
        close = closest(str(given["name"]), sorted(known))
        given["hint"] = f"did you mean {close}? Write {close} in place of {given['name']}" if close else "remove it"
        given["schema"] = f"the schema of hashicorp/aws {provider_version()}" if aws else "Terraform"
        subject = f"{place.path}.{given['name']}".strip(".")
        source, at = spot
        self.faults.append(Fault(kind, place.address, subject, Location(source.name, source.line(at)), given))


_Key = TypeVar("_Key")


def _read(bodies: Mapping[_Key, SourceBody]) -> Iterator[tuple[_Key, SourceBody]]:
    """Yield the bodies that have no syntax error."""
    return ((name, body) for name, body in bodies.items() if body.error is None)


def _misfit_of(value: object, code: str) -> str:
    """Return what a constant is if it cannot be converted; only where a number or bool is due, the text itself."""
    if value is None or code in ("s", _OPEN):
        return ""
    if code not in ("n", "b"):
        return type_name(value)
    try:
        to_number(value) if code == "n" else to_bool(value)
    except TerraformError:
        return json.dumps(value)
    return ""


def _unlike(found: str, code: str) -> str:
    """Return the kind of a type that cannot be converted to another, else an empty text."""
    one, other = found[0], code[0]
    if _OPEN in (one, other) or one == other == "M":
        return ""
    fits = {
        "s": one in "snb",
        "n": one in "sn",
        "b": one in "sb",
        "M": one in "M%@(",
    }.get(other, one in _LISTS if other in "LS" else one in "%@(M")
    return "" if fits else _kind(found)


def faults(
    modules: Iterable[ModuleInstance], references: Mapping[int, StaticReferences], root: Path
) -> tuple[Fault, ...]:
    """Compare the source of all modules with the schemas; each directory is looked at once."""
    first: dict[int, ModuleInstance] = {}
    for module in modules:
        first.setdefault(id(module.configuration), module)
    configurations = [module.configuration for module in first.values()]
    versions = schema_versions(root, configurations, provider_version())
    types = ReferenceTypes()
    found: list[Fault] = []
    for key, module in first.items():
        checks = SchemaChecks(module, types, versions, found, {})
        checks.references((*references[key].resources, *references[key].evaluated))
        checks.resources()
        checks.language()
        found.extend(Refusals(module).faults())
    return tuple(found)
