"""Changes of findings as edits of the source: those of instances and environments that share a place are one edit."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE
from infraspec.checks.common.statement_hcl import inline_policy, policy_name, statement_of
from infraspec.core.errors import listing
from infraspec.core.finding import Finding, SourceChange
from infraspec.core.unknown import Value
from infraspec.fixes.references import Naming, UnfixableError, file_of
from infraspec.fixes.text_edits import (
    Edit,
    argument_added,
    block_added,
    blocks_after,
    first_argument,
    items_added,
)
from infraspec.fixes.tokens import closing, expression_end, indent_of, opening
from infraspec.hcl import ast
from infraspec.hcl.ast import Attribute, Expression, SourceText
from infraspec.hcl.parser import parse
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

    plans: Plans
    environments: Sequence[str]
    boundary: Path
    by_role: bool = False
    """Whether the contract has a pattern for the names of policies: they are named after their roles then."""
    _naming: Naming | None = None
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
                    site = Site(one.environment, site.resource, _root(site), site.body, site.file)
                change, edits = self._named(site, one.change)
            except UnfixableError as error:
                built.refused[one] = str(error)
                continue
            built.edits[one] = edits
            places.setdefault(_place(site, change), []).append((one, site, change))
            if change.needs:
                needed = SourceChange("root", change.into, text=change.needs)
                places.setdefault(_place(site, needed), []).append((one, site, needed))
        for items in places.values():
            try:
                edits = list(_BUILDERS[items[0][2].kind](self, items))
            except UnfixableError as error:
                for one, _, _ in items:
                    built.edits.pop(one, None)
                    built.refused[one] = str(error)
                continue
            for one, _, _ in items:
                built.edits[one] += edits
        return built

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
            for resource in self._named(own, one)[0].resources:
                by_resource.setdefault(self.shared([(own, resource)]), set()).update(one.actions)
        by_actions: dict[tuple[str, ...], list[str]] = {}
        for resource, actions in by_resource.items():
            by_actions.setdefault(tuple(sorted(actions)), []).append(resource)
        as_block = site.resource.type == DOCUMENT_TYPE
        texts = [statement_of(actions, named, as_block=as_block) for actions, named in by_actions.items()]
        if as_block:
            yield _block_replaced(site, int(path.rpartition(".")[2]), texts)
            return
        found = target(self.instance(site), f"{change.path}.{path}")
        if found is None or not isinstance(found.node, ast.Object):
            raise UnfixableError(f"{path} of {_local(site)} is not written by itself")
        assert isinstance(found.module, ModuleInstance)  # noqa: S101 - what declares is one
        file, text = file_of(found.module, found.source, self.boundary), found.source.text
        joined = ",\n".join(textwrap.indent(one, indent_of(text, found.node.at)) for one in texts).lstrip()
        yield Edit(file, found.node.at, closing(text, found.node.at).start + 1, joined)

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
        shown = " and ".join(list(dict.fromkeys(text for _, text in texts))[:2])
        raise UnfixableError(f"the instances of {_local(site)} need different texts, and no variable has them: {shown}")

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
        return {
            (one.environment, one.resource.address): {values[index]: name for values, name in ordered}
            for index, one in enumerate(siblings)
        }


_SHORTEST = 2
_FEW = 3
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_INTERPOLATED = re.compile(r"(\$\{[^}]*\})")


def _place(site: Site, change: SourceChange) -> tuple[object, ...]:
    """Return what changes share that are made together."""
    block: tuple[object, ...] = site.block
    if change.kind in {"default_tags", "root"}:
        provider = site.resource.provider if change.kind == "default_tags" else ""
        block = (_root(site).configuration.directory, provider)
    return (*block, change.kind, change.path)


def _block(resource: Resource) -> object:
    return resource.location, resource.mode, resource.type, resource.name


def _local(site: Site) -> str:
    mode = "data." if site.resource.mode == "data" else ""
    return f"{mode}{site.resource.type}.{site.resource.name}"


Words: TypeAlias = Mapping[tuple[str, str], Mapping[str, str]]


def _said(site: Site, text: str, words: Words, *, inside: bool) -> str:
    """Return a text as an instance says it: its key and its own words by their names."""
    key = site.resource.key
    for name, quoted in (("for_each", f"[{json.dumps(key)}]"), ("count", f"[{key}]")):
        if inside and key is not None and name in site.body.attributes:
            text = text.replace(quoted, f"[{'each.key' if name == 'for_each' else 'count.index'}]")
    own = dict(words.get((site.environment, site.resource.address), {}))
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

    return SourceChange(
        change.kind,
        change.into,
        change.path,
        said(change.text),
        tuple((name, said(expression)) for name, expression in change.entries),
        change.actions,
        tuple(map(said, change.resources)),
        needs=change.needs,
    )


# One builder for each kind of change


def _arguments(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Set arguments of a block, or entries of an object in one of its arguments."""
    site, path = items[0][1], items[0][2].path
    body, steps = _nested(site.body, path.split(".") if path else [])
    if not steps:
        yield from _set_arguments(builder, items, body)
        return
    entries = {name: builder.shared(texts) for name, texts in _by_name(items).items()}
    if len(steps) == 1 and steps[0] not in body.attributes:
        lines = _object(entries)
        yield _added_argument(site, body, f"{steps[0]} = {lines}")
        return
    found = target(builder.instance(site), ".".join(steps)) if body is site.body else None
    if found is not None and isinstance(found.node, ast.Object):
        module = found.module
        assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
        file = file_of(module, found.source, builder.boundary)
        yield from _set_entries(file, found.source.text, found.node, entries)
        return
    if len(steps) == 1:
        attribute, source = body.attributes[steps[0]]
        yield from _merged(file_of(site.module, source, builder.boundary), source, attribute, entries)
        return
    raise UnfixableError(f"{path} of {_local(site)} is not written as an object here")


def _by_name(items: Iterable[Item]) -> dict[str, list[tuple[Site, str]]]:
    """Return what each instance sets an argument to, by the name of the argument."""
    values: dict[str, list[tuple[Site, str]]] = {}
    for _, site, change in items:
        for name, expression in change.entries:
            values.setdefault(name, []).append((site, expression))
    return values


def _nested(body: SourceBody, steps: list[str]) -> tuple[SourceBody, list[str]]:
    """Follow the nested blocks that a path begins with."""
    while steps and steps[0] not in body.attributes:
        number = int(steps[1]) if steps[1:] and steps[1].isdecimal() else 0
        inner = [nested for _, nested in body.nested(steps[0])]
        if number >= len(inner):
            break
        body, steps = inner[number], steps[2 if steps[1:] and steps[1].isdecimal() else 1 :]
    return body, steps


def _set_arguments(builder: PatchBuilder, items: Sequence[Item], body: SourceBody) -> Iterator[Edit]:
    """Set arguments of a block, each where it gets its value from: at the call of its module, or in a local value."""
    added, site = [], items[0][1]
    for name, texts in _by_name(items).items():
        if name not in body.attributes:
            added.append(f"{name} = {builder.shared(texts)}")
            continue
        for (file, at), (source, own) in _written_at(builder, body, name, texts).items():
            end = expression_end(source.text, at)
            here = source is body.attributes[name][1] and at == body.attributes[name][0].expression.at
            text = builder.shared(own) if here else own[0][1]
            if not here and len({text for _, text in own}) > 1:
                raise UnfixableError(f"the {name} of several instances is one text, at {source.place(at)}")
            yield Edit(file, at, end, text)
    if added:
        yield _added_argument(site, body, "\n".join(added))


def _written_at(
    builder: PatchBuilder, body: SourceBody, name: str, texts: Sequence[tuple[Site, str]]
) -> dict[tuple[Path, int], tuple[SourceText, list[tuple[Site, str]]]]:
    """Return, by the place of the text that an argument gets its value from, what instances set it to."""
    found: dict[tuple[Path, int], tuple[SourceText, list[tuple[Site, str]]]] = {}
    for site, text in texts:
        attribute, source = body.attributes[name]
        node, module = attribute.expression, site.module
        end = target(builder.instance(site), name) if body is site.body else None
        if end is not None and isinstance(end.node, ast.Literal | ast.Template):
            assert isinstance(end.module, ModuleInstance)  # noqa: S101 - what declares is one
            node, source, module = end.node, end.source, end.module
        file = file_of(module, source, builder.boundary)
        found.setdefault((file, node.at), (source, []))[1].append((site, text))
    return found


def _end(source: SourceText, attribute: Attribute) -> int:
    return expression_end(source.text, attribute.expression.at)


def _added_argument(site: Site, body: SourceBody, lines: str) -> Edit:
    ends = [attribute.end for attribute, source in body.attributes.values() if source is body.source]
    return argument_added(site.file, body.source.text, body.at, lines, max(ends, default=None))


def _object(entries: Mapping[str, str], indent: str = "") -> str:
    width, keys = max(map(len, _keys(entries))), _keys(entries)
    return "\n".join(["{", *(f"{indent}  {key:{width}} = {value}" for key, value in keys.items()), f"{indent}}}"])


def _keys(entries: Mapping[str, str]) -> dict[str, str]:
    return {name if re.fullmatch(r"[A-Za-z_][\w-]*", name) else json.dumps(name): one for name, one in entries.items()}


def _set_entries(file: Path, text: str, node: ast.Object, entries: Mapping[str, str]) -> Iterator[Edit]:
    present = {str(key.value): value for key, value in node.items if isinstance(key, ast.Literal)}
    for name in entries.keys() & present.keys():
        yield Edit(file, present[name].at, expression_end(text, present[name].at), entries[name])
    added = _keys({name: one for name, one in entries.items() if name not in present})
    if added:
        yield from items_added(file, text, node.at, [f"{key} = {one}" for key, one in added.items()], commas=False)


def _merged(file: Path, source: SourceText, attribute: Attribute, entries: Mapping[str, str]) -> Iterator[Edit]:
    """Merge entries over the value of an argument."""
    node, text = attribute.expression, source.text
    last = node.arguments[-1] if isinstance(node, ast.Call) and node.name == "merge" and node.arguments else None
    if isinstance(last, ast.Object) and isinstance(node, ast.Call) and not node.expand:
        yield from _set_entries(file, text, last, entries)
        return
    end = _end(source, attribute)
    if last is not None and isinstance(node, ast.Call) and not node.expand:
        yield from items_added(file, text, opening(text, node.at, "("), [_object(entries)], commas=True)
        return
    written = ", ".join(f"{key} = {one}" for key, one in _keys(entries).items())
    yield Edit(file, node.at, node.at, "merge(")
    yield Edit(file, end, end, f", {{ {written} }})")


def _statements(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Add statements to a policy, or give the role one."""
    site, path = items[0][1], items[0][2].path
    as_block = site.resource.type == DOCUMENT_TYPE
    if not as_block and not path:
        yield from _own_policies(builder, items)
        return
    texts = list(dict.fromkeys(_statement_texts(builder, items, as_block=as_block)))
    if as_block:
        joined = "\n\n".join(texts)
        yield block_added(site.file, site.text, site.body.at, joined)
    else:
        yield from _extended(builder, site, path, texts)


def _statement_texts(
    builder: PatchBuilder, items: Sequence[Item], *, as_block: bool, inside: bool = True
) -> Iterator[str]:
    """Yield one statement for the same actions: every instance has to need the same resources, as it says them.

    Raises UnfixableError where one instance needs what another one would get with it.
    """
    said: dict[str, list[tuple[Site, str]]] = {}
    for _, site, change in items:
        if change.text:
            said.setdefault(change.text, []).append((site, change.text))
    yield from (builder.shared([pair]) for pairs in said.values() for pair in pairs[:1])
    by_actions: dict[tuple[str, ...], dict[tuple[str, str], tuple[Site, list[str]]]] = {}
    for _, site, change in items:
        if change.actions:
            own = by_actions.setdefault(tuple(sorted(change.actions)), {})
            own.setdefault((site.environment, site.resource.address), (site, []))[1].extend(change.resources)
    needing = [set(instances) for instances in by_actions.values()]
    if any(one != needing[0] for one in needing):
        raise UnfixableError(f"instances of {_local(items[0][1])} need different actions, and share the policy")
    for actions, instances in by_actions.items():
        texts = [(site, "\n".join(dict.fromkeys(resources))) for site, resources in instances.values()]
        resources = builder.shared(texts, inside=inside).split("\n")
        yield statement_of(actions, resources, as_block=as_block)


def _extended(builder: PatchBuilder, site: Site, path: str, texts: Sequence[str]) -> Iterator[Edit]:
    """Add statements, which are objects, to a document that an argument has."""
    instance = builder.instance(site)
    found = target(instance, f"{path}.Statement")
    if found is None:
        yield from _extended_text(builder, instance, path, texts)
        return
    module = found.module
    assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
    file, text = file_of(module, found.source, builder.boundary), found.source.text
    match found.node:
        case ast.Tuple():
            yield from items_added(file, text, found.node.at, texts, commas=True)
        case ast.Object():
            end = closing(text, found.node.at).start + 1
            yield Edit(file, found.node.at, found.node.at, "[")
            yield Edit(file, end, end, f", {', '.join(texts)}]")
        case _:
            raise UnfixableError(f"the statements of {_local(site)} are not written as a list here")


_STATEMENTS = re.compile(r'"Statement"\s*:\s*(?=[\[{])')


def _extended_text(
    builder: PatchBuilder, instance: ResourceInstance, path: str, texts: Sequence[str]
) -> Iterator[Edit]:
    """Add statements to a document that is JSON text in the source."""
    found = target(instance, path)
    node: Expression | None = found.node if found else None
    if found is None or not isinstance(node, ast.Template | ast.Literal):
        raise UnfixableError(f"the document of {instance.address} is not written out in the source")
    text, module = found.source.text, found.module
    assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
    file = file_of(module, found.source, builder.boundary)
    begin = _STATEMENTS.search(text, node.at, expression_end(text, node.at))
    if begin is None or text[node.at] != "<":
        raise UnfixableError(f"the document of {instance.address} is not JSON text in the source")
    statements = list(map(_as_json, texts))
    if text[begin.end()] == "[":
        yield from items_added(file, text, begin.end(), statements, commas=True)
        return
    end = closing(text, begin.end()).start + 1
    yield Edit(file, begin.end(), begin.end(), "[")
    yield Edit(file, end, end, f", {', '.join(statements)}]")


def _as_json(statement: str) -> str:
    """Write a statement, an object of HCL, as JSON with its references interpolated."""
    text = f"statement = {statement}\n"
    return json.dumps(_plain(text, parse(text, "statement").body.attributes["statement"].expression), indent=2)


def _plain(text: str, node: Expression) -> object:
    match node:
        case ast.Object():
            keys = (key.value if isinstance(key, ast.Literal) else "" for key, _ in node.items)
            return {str(key): _plain(text, value) for key, (_, value) in zip(keys, node.items, strict=True)}
        case ast.Tuple():
            return [_plain(text, item) for item in node.items]
        case ast.Literal():
            return node.value
    written = text[node.at : expression_end(text, node.at)]
    return written[1:-1] if written.startswith('"') else f"${{{written}}}"


def _own_policies(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Give roles policies of their own: instances that need the same have one resource."""
    site = items[0][1]
    if site.resource.type != "aws_iam_role":
        raise UnfixableError(f"{_local(site)} is no role")
    by_instance: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        by_instance.setdefault((item[1].environment, item[1].resource.address), []).append(item)
    by_need: dict[tuple[tuple[str, ...], ...], list[Item]] = {}
    for own in by_instance.values():
        needs = {tuple(sorted(change.actions)) for _, _, change in own}
        by_need.setdefault(tuple(sorted(needs)), []).extend(own)
    taken = {known for _, type_, known in site.module.configuration.resources if type_ == "aws_iam_role_policy"}
    blocks = []
    for group in by_need.values():
        name = policy_name([action for _, _, change in group for action in change.actions])
        label = f"{site.resource.name}_{name}"
        while label in taken:
            label += "_more"
        taken.add(label)
        role, each = _role(builder, group)
        texts = _statement_texts(builder, group, as_block=False, inside="each." in role or "count." in role)
        suffix = label.removeprefix(f"{site.resource.name}_")
        named = f"${{{role.removesuffix('.id')}.name}}-{suffix.replace('_', '-')}" if builder.by_role else suffix
        blocks.append(inline_policy(label, named, role, texts, each))
    yield blocks_after(site.file, site.text, site.body.at, "\n\n".join(blocks))


def _role(builder: PatchBuilder, items: Sequence[Item]) -> tuple[str, str]:
    """Return the expression for the id of the roles that need something, and the argument that makes one for each."""
    site, own = items[0][1], f"aws_iam_role.{items[0][1].resource.name}"
    keys = list(dict.fromkeys(one.resource.key for _, one, _ in items))
    if keys == [None]:
        return f"{own}.id", ""
    if len(keys) == 1 and len({one.resource.key for one in builder.siblings(site)}) > 1:
        return f"{own}[{json.dumps(keys[0])}].id", ""
    everyone = {one.resource.key for one in builder.siblings(site)} == set(keys)
    if "for_each" in site.body.attributes:
        return f"{own}[each.key].id", f"  for_each = {own if everyone else f'toset({json.dumps(keys)})'}\n\n"
    if not everyone:
        raise UnfixableError(f"some instances of {_local(site)} need it, and others must not have it")
    return f"{own}[count.index].id", f"  count = length({own})\n\n"


def _blocks(_builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    site = items[0][1]
    for text in dict.fromkeys(change.text for _, _, change in items):
        yield block_added(site.file, site.text, site.body.at, text)


def _block_replaced(site: Site, number: int, texts: Sequence[str]) -> Edit:
    blocks = [block for block, source in site.body.blocks if block.type == "statement" and source is site.body.source]
    merged = {"source_policy_documents", "override_policy_documents", "source_json", "override_json"}
    if merged & site.body.attributes.keys() or number >= len(blocks) or len(blocks) != len(site.body.blocks):
        raise UnfixableError(f"the statements of {_local(site)} are not written one by one")
    block, indent = blocks[number], indent_of(site.text, blocks[number].at)
    return Edit(site.file, block.at, block.end, "\n\n".join(textwrap.indent(one, indent) for one in texts).lstrip())


def _beside(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Add blocks to the module, each once: those of environments and instances by what these share."""
    by_labels: dict[str, list[tuple[Site, str]]] = {}
    for _, site, change in items:
        by_labels.setdefault(change.text.partition("{")[0], []).append((site, change.text))
    site = items[0][1]
    for texts in by_labels.values():
        yield blocks_after(site.file, site.text, site.body.at, builder.shared(texts, inside=False))


def _of_root(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Add blocks to the root module, each once: to its variables.tf and main.tf, if it has these."""
    siblings = _roots(builder, items[0][1])
    by_labels: dict[str, list[tuple[Site, str]]] = {}
    for _, site, change in items:
        for block in parse(change.text, "blocks").body.blocks:
            text = change.text[block.at : closing(change.text, opening(change.text, block.at)).start + 1]
            by_labels.setdefault(text.partition("{")[0], []).append((siblings[site.environment], text))
    blocks: dict[str, list[str]] = {}
    for labels, texts in by_labels.items():
        usual = "variables.tf" if labels.startswith("variable ") else "main.tf"
        shared = builder.shared(texts, inside=False, siblings=list(siblings.values()))
        blocks.setdefault(usual, []).append(shared)
    for usual, own in blocks.items():
        yield builder.naming.declared(_root(items[0][1]), usual, "\n\n".join(own))


def _roots(builder: PatchBuilder, site: Site) -> dict[str, Site]:
    """Return, by environment, the root modules that are made of the same directory as that of a site."""
    root, roots = _root(site), {name: builder.plans(name).modules[""] for name in builder.environments}
    return {
        name: Site(name, site.resource, one, site.body, site.file)
        for name, one in roots.items()
        if one.configuration.directory == root.configuration.directory
    }


def _default_tags(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Give all resources of a provider configuration of the root module tags that they lack."""
    site, root = items[0][1], _root(items[0][1])
    siblings = _roots(builder, site)
    entries = _by_name((one, siblings[own.environment], change) for one, own, change in items)
    body = root.configuration.providers.get(site.resource.provider or "aws")
    if body is None:
        raise UnfixableError(f"the root module has no block for the provider of {_local(site)}")
    file = file_of(root, body.source, builder.boundary)
    everyone = list(siblings.values())
    values = {name: builder.shared(texts, inside=False, siblings=everyone) for name, texts in entries.items()}
    inner = next((nested for _, nested in body.nested("default_tags")), None)
    text = body.source.text
    if inner is None:
        yield block_added(file, text, body.at, f"default_tags {{\n  tags = {_object(values, '  ')}\n}}")
    elif "tags" in inner.attributes:
        attribute, source = inner.attributes["tags"]
        if isinstance(attribute.expression, ast.Object):
            yield from _set_entries(file, text, attribute.expression, values)
        else:
            yield from _merged(file, source, attribute, values)
    else:
        yield argument_added(file, text, inner.at, f"tags = {_object(values)}", None)


def _shared_tags(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Merge a map that the module has for its resources into the tags of one, whose own ones win."""
    site, keys = items[0][1], {name for _, _, change in items for name, _ in change.entries}
    name = _map_with(builder.naming.visible(site.module), keys, list(_tags_of(site.module)))
    written = site.body.attributes.get("tags")
    if written is None:
        yield _added_argument(site, site.body, f"tags = {name}")
        return
    attribute, source = written
    file, node, text = file_of(site.module, source, builder.boundary), attribute.expression, source.text
    if isinstance(node, ast.Call) and node.name == "merge" and not node.expand:
        yield first_argument(file, text, node.at, name)
        return
    end = _end(source, attribute)
    yield Edit(file, node.at, node.at, f"merge({name}, ")
    yield Edit(file, end, end, ")")


def _map_with(visible: Mapping[str, Value], keys: Collection[str], used: Sequence[str]) -> str:
    """Return the name of a map that has some keys: the one that most tags of the module are made of.

    Raises UnfixableError if there is none.
    """
    named = [name for name, value in visible.items() if isinstance(value, Mapping) and keys <= value.keys()]
    if not named:
        raise UnfixableError(f"no variable or local value of the module is a map with {listing(sorted(keys), _FEW)}")
    pattern = {name: re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.\[])") for name in named}
    return min(named, key=lambda name: (-sum(bool(pattern[name].search(text)) for text in used), len(name)))


def _tags_of(module: ModuleInstance) -> Iterator[str]:
    """Yield the expressions of tags of the resources of a module."""
    for body in module.configuration.resources.values():
        if (written := body.attributes.get("tags")) is not None:
            attribute, source = written
            yield source.text[attribute.expression.at : _end(source, attribute)]


def _root(site: Site) -> ModuleInstance:
    module = site.module
    while module.parent is not None:
        module = module.parent
    return module


_BUILDERS: Mapping[str, Callable[[PatchBuilder, Sequence[Item]], Iterator[Edit]]] = {
    "arguments": _arguments,
    "statement": _statements,
    "block": _blocks,
    "beside": _beside,
    "root": _of_root,
    "default_tags": _default_tags,
    "shared_tags": _shared_tags,
}


def applied(built: Built) -> list[Edit]:
    """Return all edits, each once."""
    return list(dict.fromkeys(edit for edits in built.edits.values() for edit in edits))
