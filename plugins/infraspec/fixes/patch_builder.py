"""What builds patches: where changes of findings go, and what instances and environments that share a place say."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE
from infraspec.checks.common.statement_hcl import statement_of
from infraspec.core.finding import Finding, SourceChange
from infraspec.core.visible_text import hcl_string
from infraspec.fixes.references import Naming, UnfixableError, file_of, free_name, own_file
from infraspec.fixes.text_edits import (
    Edit,
)
from infraspec.fixes.tokens import closing, indent_of
from infraspec.hcl import ast
from infraspec.hcl.ast import Block
from infraspec.hcl.files import read_text
from infraspec.hcl.parser import parse
from infraspec.resource_types import resource_type
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.instances import ResourceInstance
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.source_locations import target
from infraspec.terraform.plan import Plan, Resource

Plans: TypeAlias = Callable[[str], Plan]


class Wanted(Struct, frozen=True):
    """A finding of an environment, and which of its changes is tried."""

    environment: str
    finding: Finding
    attempt: int = 0

    @property
    def change(self) -> SourceChange:
        """The change that is tried."""
        return self.finding.changes[self.attempt]

    @property
    def following(self) -> Wanted | None:
        """The finding with the next of its changes."""
        more = self.attempt + 1 < len(self.finding.changes)
        return Wanted(self.environment, self.finding, self.attempt + 1) if more else None


class Site(Struct, frozen=True):
    """An instance of a block that a change goes into, and the text it stands in."""

    environment: str
    resource: Resource
    module: ModuleInstance
    body: SourceBody
    file: Path

    @property
    def text(self) -> str:
        """The text of the file."""
        return self.body.source.text

    @property
    def block(self) -> tuple[Path, int]:
        """What instances of one block share."""
        return self.file, self.body.at


Item: TypeAlias = tuple[Wanted, Site, SourceChange]


class Built(Struct):
    """Edits, with the findings that they are to fix, and why others have none."""

    edits: dict[Wanted, list[Edit]] = field(default_factory=dict)
    refused: dict[Wanted, str] = field(default_factory=dict)


class PatchBuilder(Struct):
    """Builds patches of the source that plans were made of; `boundary` is the directory of the repository."""

    kinds: Mapping[str, Callable[[PatchBuilder, Sequence[Item]], Iterator[Edit]]]
    """What builds the edits of changes that go into one place together, by their kind."""
    plans: Plans
    environments: Sequence[str]
    boundary: Path
    by_role: bool = False
    """Whether the contract has a pattern for the names of policies: they are named after their roles then."""
    value_files: Mapping[str, Path] = {}
    """The last variable file of each environment that has one."""
    _naming: Naming | None = None
    _given: list[Edit] = field(default_factory=list)
    _instances: dict[str, dict[object, list[Resource]]] = field(default_factory=dict)

    @property
    def naming(self) -> Naming:
        """What names attributes inside of modules."""
        if self._naming is None:
            self._naming = Naming(self.boundary)
        return self._naming

    def build(self, wanted: Iterable[Wanted]) -> Built:
        """Return the edits of the changes of findings: those that go into one place together."""
        built = Built()
        places: dict[tuple[object, ...], list[Item]] = {}
        for one in wanted:
            try:
                site = self.site(one.environment, one.change.into)
                if one.change.kind == "root":
                    site = Site(one.environment, site.resource, root_of(site), site.body, site.file)
                change, edits = self._named(site, one.change)
                change = with_free_labels(site, change, self.plans(one.environment))
            except UnfixableError as error:
                built.refused[one] = str(error)
                continue
            built.edits[one] = edits
            places.setdefault(_place(site, change), []).append((one, site, change))
            if change.needs:
                needed = SourceChange("root", change.into, text=change.needs)
                places.setdefault(_place(site, needed), []).append((one, site, needed))
            if change.beside:
                needed = SourceChange("beside", change.into, text=change.beside)
                places.setdefault(_place(site, needed), []).append((one, site, needed))
        for everyone in places.values():
            if items := [item for item in everyone if item[0] not in built.refused]:
                self._build_place(built, items)
        return built

    def _build_place(self, built: Built, items: Sequence[Item]) -> None:
        """Build the edits of one place; what is refused there is left out at all of its places."""
        self._given.clear()
        try:
            edits = [*self.kinds[items[0][2].kind](self, items), *self._given]
        except UnfixableError as error:
            for one, _, _ in items:
                built.edits.pop(one, None)
                built.refused[one] = str(error)
            return
        for one, _, _ in items:
            built.edits[one] += edits

    def site(self, environment: str, address: str) -> Site:
        """Return the place of a resource or data source. Raises UnfixableError if it is not to be edited."""
        plan = self.plans(environment)
        resource = plan.by_address.get(address)
        module: ModuleInstance | None = plan.modules.get(resource.module) if resource else None
        if resource is None or module is None:
            raise UnfixableError(f"{address} is not in the source")
        body = module.configuration.resources[resource.mode, resource.type, resource.name]
        return Site(environment, resource, module, body, file_of(module, body.source, self.boundary))

    def instance(self, site: Site) -> ResourceInstance:
        """Return the evaluated instance of a site."""
        resource = site.resource
        declared = (resource.mode, resource.type, resource.name)
        return next(one for one in site.module.instances(declared) if one.address == resource.address)

    def _named(self, site: Site, change: SourceChange) -> tuple[SourceChange, list[Edit]]:
        """Return a change with the expressions that name its references, and the edits that pass these."""
        modules, edits, renamed = self.plans(site.environment).modules, list[Edit](), dict[str, str]()
        for address, expression in change.references:
            renamed[expression], passing = self.naming.named(modules, site.module, address)
            edits += passing
        return _renamed(change, renamed), edits

    def siblings(self, site: Site) -> list[Site]:
        """Return the instances of a block in all environments."""
        resource, found = site.resource, list[Site]()
        for name in self.environments:
            for other in self._by_block(name).get(_block(resource), ()):
                found.append(self.site(name, other.address))
        return found

    def replaced(self, path: str, needs: Sequence[tuple[Site, SourceChange]]) -> Iterator[Edit]:
        """Return what replaces a statement, `Statement.1`, by those that allow what instances need and no more.

        Raises UnfixableError where it is not written by itself.
        """
        site, change = needs[0]
        by_resource: dict[str, set[str]] = {}
        for own, one in needs:
            named, passing = self._named(own, one)
            yield from passing
            for resource in named.resources:
                by_resource.setdefault(self.shared([(own, resource)]), set()).update(one.actions)
        by_actions: dict[tuple[str, ...], list[str]] = {}
        for resource, actions in by_resource.items():
            by_actions.setdefault(tuple(sorted(actions)), []).append(resource)
        as_block = site.resource.type == DOCUMENT_TYPE
        texts = [statement_of(actions, named, as_block=as_block) for actions, named in by_actions.items()]
        yield self.in_place_of(site, change.path, path, texts)

    def in_place_of(self, site: Site, document: str, path: str, texts: Sequence[str]) -> Edit:
        """Return what puts statements in the place of one of a document, `Statement.1`, or raise UnfixableError."""
        if site.resource.type == DOCUMENT_TYPE:
            return block_replaced(site, int(path.rpartition(".")[2]), texts)
        found = target(self.instance(site), f"{document}.{path}")
        is_alone = path[-1:].isdigit() or not texts[1:]  # else it is no item of a list
        if found is None or not isinstance(found.node, ast.Object) or not is_alone:
            raise UnfixableError(f"{path} of {local_address(site)} is not written by itself")
        assert isinstance(found.module, ModuleInstance)  # noqa: S101 - what declares is one
        file, text = file_of(found.module, found.source, self.boundary), found.source.text
        joined = ",\n".join(textwrap.indent(one, indent_of(text, found.node.at)) for one in texts).lstrip()
        return Edit(file, found.node.at, closing(text, found.node.at).start + 1, joined)

    def _by_block(self, environment: str) -> Mapping[object, list[Resource]]:
        if environment not in self._instances:
            found: dict[object, list[Resource]] = {}
            for resource in self.plans(environment).resources:
                found.setdefault(_block(resource), []).append(resource)
            self._instances[environment] = found
        return self._instances[environment]

    def shared(
        self, texts: Sequence[tuple[Site, str]], *, inside: bool = True, siblings: Sequence[Site] | None = None
    ) -> str:
        """Return one text that is each of the texts in its instance: by each.key, and by variables that differ.

        `inside` tells that the text is a part of the block, which knows each.key, `siblings` are all that share the
        place, if that is not the block. Raises UnfixableError if there is none.
        """
        site = texts[0][0]
        siblings = self.siblings(site) if siblings is None else siblings
        words = self._words(siblings) if len(siblings) > 1 else {}
        said = dict.fromkeys(_said(one, text, words, inside=inside) for one, text in texts)
        if len(said) == 1:
            return next(iter(said))
        if (named := self._by_environment(texts, siblings)) is not None:
            return named
        shown = " and ".join(list(dict.fromkeys(text for _, text in texts))[:2])
        raise UnfixableError(
            f"the instances of {local_address(site)} need different texts, and no variable has them: {shown}"
        )

    def _by_environment(self, texts: Sequence[tuple[Site, str]], siblings: Sequence[Site]) -> str | None:
        """Return a text of a root module in which a new variable has the name of each environment, from its file."""
        module, files = siblings[0].module, {one.environment: self.value_files.get(one.environment) for one in siblings}
        if module.parent is not None or not all(files.values()):
            return None
        variables = module.configuration.variables
        name = next((one for one in _NAMES_OF_ENVIRONMENTS if one not in variables), "")
        said = {
            _said(site, text, {_key(site): {site.environment: f"var.{name}"}}, inside=False) for site, text in texts
        }
        if len(said) > 1 or not name:
            return None
        edits = [self.naming.declared(module, "variables.tf", f'variable "{name}" {{\n  type = string\n}}')]
        for environment, file in files.items():
            assert file is not None  # noqa: S101 - all are files
            path = own_file(file, file.name, self.boundary)
            text = read_text(path, file.name)
            line_end = "\n" if text and not text.endswith("\n") else ""
            edits.append(Edit(path, len(text), len(text), f"{line_end}{name} = {hcl_string(environment)}\n"))
        self._given += edits
        return said.pop()

    def _words(self, siblings: Sequence[Site]) -> dict[tuple[str, str], dict[str, str]]:
        """Return, by the environment and address of an instance, the names that stand for a text of its own."""
        visible = [self.naming.visible(one.module) for one in siblings]
        names: dict[tuple[str, ...], str] = {}
        for name in visible[0]:
            values = tuple(each.get(name) for each in visible)
            if len(set(map(repr, values))) > 1 and all(type(one) is str and len(one) >= _SHORTEST for one in values):
                key = tuple(str(one) for one in values)
                names.setdefault(key, name)
        ordered = sorted(names.items(), key=lambda item: -sum(map(len, item[0])))
        return {_key(one): {values[index]: name for values, name in ordered} for index, one in enumerate(siblings)}


_NAMES_OF_ENVIRONMENTS = ("environment", "environment_name", "deployment_environment")
_SHORTEST = 2
_FEW = 3
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_INTERPOLATED = re.compile(r"(\$\{[^}]*\})")


def _place(site: Site, change: SourceChange) -> tuple[object, ...]:
    """Return what changes share that are made together."""
    block: tuple[object, ...] = site.block
    if change.kind in {"default_tags", "root"}:
        provider = site.resource.provider if change.kind == "default_tags" else ""
        block = (root_of(site).configuration.directory, provider)
    return (*block, change.kind, change.path, change.instead)


def _key(site: Site) -> tuple[str, str]:
    return site.environment, site.resource.address


def _block(resource: Resource) -> object:
    return resource.location, resource.mode, resource.type, resource.name


def local_address(site: Site) -> str:
    """Return what a block is called inside of its module."""
    mode = "data." if site.resource.mode == "data" else ""
    return f"{mode}{site.resource.type}.{site.resource.name}"


Words: TypeAlias = Mapping[tuple[str, str], Mapping[str, str]]


def _said(site: Site, text: str, words: Words, *, inside: bool) -> str:
    """Return a text as an instance says it: its key and its own words by their names."""
    key = site.resource.key
    for name, quoted in (("for_each", f"[{json.dumps(key)}]"), ("count", f"[{key}]")):
        if inside and key is not None and name in site.body.attributes:
            text = text.replace(quoted, f"[{'each.key' if name == 'for_each' else 'count.index'}]")
    own = dict(words.get(_key(site), {}))
    if inside and isinstance(key, str) and "for_each" in site.body.attributes:
        own.setdefault(key, "each.key")
    return _QUOTED.sub(lambda found: _with_words(found[0], own), text) if own else text


def _with_words(quoted: str, words: Mapping[str, str]) -> str:
    if (name := words.get(quoted[1:-1])) is not None:
        return name
    for value, name in words.items():
        pieces = _INTERPOLATED.split(quoted)
        quoted = "".join(
            piece if index % 2 else re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", f"${{{name}}}", piece)
            for index, piece in enumerate(pieces)
        )
    return quoted


def _renamed(change: SourceChange, renamed: Mapping[str, str]) -> SourceChange:
    def said(text: str) -> str:
        for old, new in renamed.items():
            if old and old != new:
                text = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w\[])", lambda _: new, text)  # noqa: B023 - at once
        return text

    return replace(
        change,
        text=said(change.text),
        entries=tuple((name, said(expression)) for name, expression in change.entries),
        resources=tuple(map(said, change.resources)),
        needs=said(change.needs),
        beside=said(change.beside),
    )


def with_free_labels(site: Site, change: SourceChange, plan: Plan) -> SourceChange:
    """Return a change whose new resources have labels that their module does not have yet.

    Raises UnfixableError if one would have the name of a resource that there is.
    """
    declared, renamed = site.module.configuration.resources, dict[str, str]()
    for text in filter(None, (change.text if change.kind in {"beside", "root"} else "", change.beside)):
        for block in parse(text, "blocks").body.blocks:
            if block.type != "resource":
                continue
            type_, name = block.labels
            taken = {known for mode, other, known in declared if (mode, other) == ("managed", type_)}
            _check_name(plan, type_, block)
            if name in taken:
                renamed[f"{type_}.{name}"] = free_name(name, taken)
    for address, label in renamed.items():
        type_, _, old = address.partition(".")
        change = _relabelled(change, type_, old, label)
    return change


def _check_name(plan: Plan, type_: str, block: Block) -> None:
    """Raise UnfixableError if a resource has the name of a new one, which would overwrite it or be refused."""
    known = resource_type(type_)
    argument = "" if known.identity else known.name
    written = block.body.attributes.get(argument)
    name = written.expression.value if written and isinstance(written.expression, ast.Literal) else None
    for other in plan.managed(type_) if name is not None else ():
        if other.get(argument) == name:
            raise UnfixableError(f"{other.address} has the name {name} already: change it there")


def _relabelled(change: SourceChange, type_: str, old: str, new: str) -> SourceChange:
    said = _renamed(change, {f"{type_}.{old}": f"{type_}.{new}"})
    header, other = f'resource "{type_}" "{old}"', f'resource "{type_}" "{new}"'
    return replace(said, text=said.text.replace(header, other), beside=said.beside.replace(header, other))


def block_replaced(site: Site, number: int, texts: Sequence[str]) -> Edit:
    """Return what takes the place of a statement of a policy document. Raises UnfixableError."""
    blocks = [block for block, source in site.body.blocks if block.type == "statement" and source is site.body.source]
    merged = {"source_policy_documents", "override_policy_documents", "source_json", "override_json"}
    if merged & site.body.attributes.keys() or number >= len(blocks) or len(blocks) != len(site.body.blocks):
        raise UnfixableError(f"the statements of {local_address(site)} are not written one by one")
    block, indent = blocks[number], indent_of(site.text, blocks[number].at)
    return Edit(site.file, block.at, block.end, "\n\n".join(textwrap.indent(one, indent) for one in texts).lstrip())


def root_of(site: Site) -> ModuleInstance:
    """Return the root module."""
    module = site.module
    while module.parent is not None:
        module = module.parent
    return module


def applied(built: Built) -> list[Edit]:
    """Return all edits, each once."""
    return list(dict.fromkeys(edit for edits in built.edits.values() for edit in edits))
