"""Changes of findings as edits of the source, by the kind of change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from msgspec.structs import replace

from infraspec.core.errors import listing
from infraspec.core.unknown import Value
from infraspec.fixes.json_text import members_set
from infraspec.fixes.patch_builder import Item, PatchBuilder, Plans, Site, local_address, root_of
from infraspec.fixes.policy_patches import statements
from infraspec.fixes.references import UnfixableError, file_of
from infraspec.fixes.set_entries import merged, object_text, set_entries
from infraspec.fixes.template_patches import in_template
from infraspec.fixes.text_edits import (
    Edit,
    argument_added,
    block_added,
    blocks_after,
    first_argument,
    items_added,
)
from infraspec.fixes.tokens import closing, expression_end, opening
from infraspec.hcl import ast
from infraspec.hcl.ast import Attribute, SourceText
from infraspec.hcl.parser import parse
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.source_locations import SourcePosition, target

_FEW = 3


def _arguments(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Set arguments of a block, or entries of an object in one of its arguments."""
    site, path = items[0][1], items[0][2].path
    body, steps = _nested(site.body, path.split(".") if path else [])
    if not steps:
        yield from _set_arguments(builder, items, body)
        return
    entries = {name: builder.shared(texts) for name, texts in _by_name(items).items()}
    if len(steps) == 1 and steps[0] not in body.attributes:
        lines = object_text(entries)
        yield _added_argument(site, body, f"{steps[0]} = {lines}")
        return
    found = target(builder.instance(site), ".".join(steps)) if body is site.body else None
    if found is not None and isinstance(found.node, ast.Object):
        module = found.module
        assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
        file = file_of(module, found.source, builder.boundary)
        yield from set_entries(file, found.source.text, found.node, entries)
        return
    if len(steps) == 1:
        attribute, source = body.attributes[steps[0]]
        file = file_of(site.module, source, builder.boundary)
        yield from merged(file, source.text, attribute.expression, entries)
        return
    text = target(builder.instance(site), steps[0]) if body is site.body else None
    if text is None:
        raise UnfixableError(f"{path} of {local_address(site)} is not written as an object here")
    if isinstance(text.node, ast.Template | ast.Literal):
        yield from _in_text(builder, text, steps[1:], entries)
    else:
        yield from in_template(builder, site, text, steps[1:], entries)


def _in_text(
    builder: PatchBuilder, found: SourcePosition, path: Sequence[str], entries: Mapping[str, str]
) -> Iterator[Edit]:
    """Set entries of an object in JSON text that is a heredoc."""
    module, text = found.module, found.source.text
    assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
    first = _HEREDOC.match(text, found.node.at)
    if first is None:
        raise UnfixableError("the text that it is in is not JSON here")
    yield from members_set(file_of(module, found.source, builder.boundary), text, first.end(), path, entries)


_HEREDOC = re.compile(r"<<-?\w[\w-]*\r?\n\s*(?=[\[{])")


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


def _items(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Add the items of lists to those of arguments."""
    site, body = items[0][1], items[0][1].body
    for name, texts in _by_name(items).items():
        added = builder.shared(texts)
        if name not in body.attributes:
            yield _added_argument(site, body, f"{name} = {added}")
            continue
        attribute, source = body.attributes[name]
        file, node = file_of(site.module, source, builder.boundary), attribute.expression
        if isinstance(node, ast.Tuple):
            yield from items_added(file, source.text, node.at, [added[1:-1]], commas=True)
            continue
        yield Edit(file, node.at, node.at, "concat(")
        yield Edit(file, _end(source, attribute), _end(source, attribute), f", {added})")


def _blocks(_builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    site, path = items[0][1], items[0][2].path
    body, rest = _nested(site.body, path.split(".") if path else [])
    if rest or body.source is not site.body.source:
        raise UnfixableError(f"{path} of {local_address(site)} is not written as a block of its own")
    for text in dict.fromkeys(change.text for _, _, change in items):
        yield block_added(site.file, site.text, body.at, text)


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
            if block.type == "variable" and block.labels[0] in root_of(site).configuration.variables:
                continue  # it asks for the value already
            by_labels.setdefault(text.partition("{")[0], []).append((siblings[site.environment], text))
    blocks: dict[str, list[str]] = {}
    for labels, texts in by_labels.items():
        usual = "variables.tf" if labels.startswith("variable ") else "main.tf"
        shared = builder.shared(texts, inside=False, siblings=list(siblings.values()))
        blocks.setdefault(usual, []).append(shared)
    for usual, own in blocks.items():
        yield builder.naming.declared(root_of(items[0][1]), usual, "\n\n".join(own))


def _roots(builder: PatchBuilder, site: Site) -> dict[str, Site]:
    """Return, by environment, the root modules that are made of the same directory as that of a site."""
    root, roots = root_of(site), {name: builder.plans(name).modules[""] for name in builder.environments}
    return {
        name: Site(name, site.resource, one, site.body, site.file)
        for name, one in roots.items()
        if one.configuration.directory == root.configuration.directory
    }


def _default_tags(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Give all resources of a provider configuration of the root module tags that they lack."""
    site, root = items[0][1], root_of(items[0][1])
    siblings = _roots(builder, site)
    entries = _by_name((one, siblings[own.environment], change) for one, own, change in items)
    body = root.configuration.providers.get(site.resource.provider or "aws")
    everyone = list(siblings.values())
    values = {name: builder.shared(texts, inside=False, siblings=everyone) for name, texts in entries.items()}
    if body is None:
        if site.resource.provider not in {"", "aws"}:
            raise UnfixableError(f"the root module has no block for the provider of {local_address(site)}")
        tags = object_text(values, "    ")
        block = f'provider "aws" {{\n  default_tags {{\n    tags = {tags}\n  }}\n}}'
        yield builder.naming.declared(root, "providers.tf", block)
        return
    file = file_of(root, body.source, builder.boundary)
    inner = next((nested for _, nested in body.nested("default_tags")), None)
    text = body.source.text
    if inner is None:
        yield block_added(file, text, body.at, f"default_tags {{\n  tags = {object_text(values, '  ')}\n}}")
    elif "tags" in inner.attributes:
        attribute, source = inner.attributes["tags"]
        if isinstance(attribute.expression, ast.Object):
            yield from set_entries(file, text, attribute.expression, values)
        else:
            yield from merged(file, source.text, attribute.expression, values)
    else:
        yield argument_added(file, text, inner.at, f"tags = {object_text(values)}", None)


def _shared_tags(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Merge a map that the module has for its resources into the tags of one, whose own ones win.

    Without a map, what all other resources of the module write is taken; where the module is given tags, and its caller
    has the map, it gets that.
    """
    site, keys = items[0][1], {name for _, _, change in items for name, _ in change.entries}
    try:
        name = _map_with(builder.naming.visible(site.module), keys, list(_tags_of(site.module)))
    except UnfixableError:
        usual = _usual_values(site.module, keys)
        if keys <= usual.keys():
            entries = tuple((key, usual[key]) for key in sorted(keys))
            yield from _arguments(builder, [(one, own, replace(each, entries=entries)) for one, own, each in items])
            return
        variable = _variable_of_tags(site)
        if not variable:
            raise
        for module in {id(own.module.call_body): own.module for _, own, _ in items}.values():
            yield from _given_tags(builder, module, variable, keys)
        return
    yield from _with_map(builder, site.module, site.body, "tags", name)


def _given_tags(builder: PatchBuilder, module: ModuleInstance, variable: str, keys: AbstractSet[str]) -> Iterator[Edit]:
    parent, call = module.parent, module.call_body
    if parent is None or call is None:
        raise UnfixableError(f"no map with {listing(sorted(keys), _FEW)} is given to var.{variable}")
    used = [call.source.text[at.expression.at : _end(source, at)] for at, source in call.attributes.values()]
    name = _map_with(builder.naming.visible(parent), keys, [*_tags_of(parent), *used])
    yield from _with_map(builder, parent, call, variable, name)


def _with_map(
    builder: PatchBuilder, module: ModuleInstance, body: SourceBody, argument: str, name: str
) -> Iterator[Edit]:
    """Set an argument to a map, or merge that into it."""
    written = body.attributes.get(argument)
    if written is None:
        ends = [attribute.end for attribute, source in body.attributes.values() if source is body.source]
        file = file_of(module, body.source, builder.boundary)
        line = f"{argument} = {name}"
        yield argument_added(file, body.source.text, body.at, line, max(ends, default=None))
        return
    attribute, source = written
    file, node, text = file_of(module, source, builder.boundary), attribute.expression, source.text
    if isinstance(node, ast.Call) and node.name == "merge" and not node.expand:
        yield first_argument(file, text, node.at, name)
        return
    yield Edit(file, node.at, node.at, f"merge({name}, ")
    yield Edit(file, _end(source, attribute), _end(source, attribute), ")")


def _variable_of_tags(site: Site) -> str:
    """Return the variable that the tags of a resource are made of, if they are; an empty text if not."""
    written = site.body.attributes.get("tags")
    if written is None:
        return ""
    attribute, source = written
    found = re.findall(r"\bvar\.(\w+)", source.text[attribute.expression.at : _end(source, attribute)])
    return next((name for name in found if "tags" in name), "")


def _map_with(visible: Mapping[str, Value], keys: AbstractSet[str], used: Sequence[str]) -> str:
    """Return the name of a map that has some keys: the one that most tags of the module are made of.

    Raises UnfixableError if there is none.
    """
    named = [name for name, value in visible.items() if isinstance(value, Mapping) and keys <= value.keys()]
    if not named:
        raise UnfixableError(f"no variable or local value of the module is a map with {listing(sorted(keys), _FEW)}")
    pattern = {name: re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.\[])") for name in named}
    return min(named, key=lambda name: (-sum(bool(pattern[name].search(text)) for text in used), len(name)))


_ANYWHERE = re.compile(r'(?:var|local)\.\w+|"[^"$%\\]*"')
"""What means the same in every resource of a module."""


def _usual_values(module: ModuleInstance, keys: AbstractSet[str]) -> Mapping[str, str]:
    """Return how all tags of a module that have some keys write their values, where they do it alike."""
    found: dict[str, set[str]] = {}
    for body in module.configuration.resources.values():
        if (written := body.attributes.get("tags")) is None:
            continue
        node, text = written[0].expression, written[1].text
        for part in node.arguments if isinstance(node, ast.Call) and node.name == "merge" else (node,):
            for key, value in part.items if isinstance(part, ast.Object) else ():
                if isinstance(key, ast.Literal) and key.value in keys:
                    found.setdefault(str(key.value), set()).add(text[value.at : expression_end(text, value.at)])
    alike = {key: next(iter(texts)) for key, texts in found.items() if len(texts) == 1}
    return {key: text for key, text in alike.items() if _ANYWHERE.fullmatch(text)}


def _tags_of(module: ModuleInstance) -> Iterator[str]:
    """Yield the expressions of tags of the resources of a module."""
    for body in module.configuration.resources.values():
        if (written := body.attributes.get("tags")) is not None:
            attribute, source = written
            yield source.text[attribute.expression.at : _end(source, attribute)]


_KINDS: Mapping[str, Callable[[PatchBuilder, Sequence[Item]], Iterator[Edit]]] = {
    "arguments": _arguments,
    "items": _items,
    "statement": statements,
    "block": _blocks,
    "beside": _beside,
    "root": _of_root,
    "default_tags": _default_tags,
    "shared_tags": _shared_tags,
}


def patch_builder(
    plans: Plans,
    environments: Sequence[str],
    boundary: Path,
    *,
    by_role: bool = False,
    value_files: Mapping[str, Path] | None = None,
) -> PatchBuilder:
    """Return what builds patches of all kinds; `boundary` is the directory of the repository."""
    return PatchBuilder(_KINDS, plans, environments, boundary, by_role, value_files or {})
