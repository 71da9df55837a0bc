"""Patches of policies: statements that are added to one, or a policy of its own for a role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE
from infraspec.checks.common.statement_hcl import inline_policy, policy_name, statement_of
from infraspec.core.visible_text import hcl_string
from infraspec.fixes.json_text import as_json
from infraspec.fixes.patch_builder import Item, PatchBuilder, Site, local_address
from infraspec.fixes.references import UnfixableError, file_of
from infraspec.fixes.text_edits import (
    Edit,
    block_added,
    blocks_after,
    items_added,
)
from infraspec.fixes.tokens import closing, expression_end
from infraspec.hcl import ast
from infraspec.hcl.ast import Expression
from infraspec.terraform.configuration.instances import ResourceInstance
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.source_locations import target


def statements(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Add statements to a policy, or give the role one."""
    site, path = items[0][1], items[0][2].path
    as_block = site.resource.type == DOCUMENT_TYPE
    if not as_block and not path:
        yield from _own_policies(builder, items)
        return
    texts = list(dict.fromkeys(_statement_texts(builder, items, as_block=as_block)))
    if items[0][2].instead:
        yield builder.in_place_of(site, path, items[0][2].instead, texts)
    elif as_block:
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
        raise UnfixableError(f"instances of {local_address(items[0][1])} need different actions, and share the policy")
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
            raise UnfixableError(f"the statements of {local_address(site)} are not written as a list here")


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
    statements = list(map(as_json, texts))
    if text[begin.end()] == "[":
        yield from items_added(file, text, begin.end(), statements, commas=True, is_json=True)
        return
    end = closing(text, begin.end()).start + 1
    yield Edit(file, begin.end(), begin.end(), "[")
    yield Edit(file, end, end, f", {', '.join(statements)}]")


def _own_policies(builder: PatchBuilder, items: Sequence[Item]) -> Iterator[Edit]:
    """Give roles policies of their own: instances that need the same have one resource."""
    site = items[0][1]
    if site.resource.type != "aws_iam_role":
        raise UnfixableError(f"{local_address(site)} is no role")
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


def _written(key: str | int | None) -> str:
    return hcl_string(key) if isinstance(key, str) else str(key)


def _role(builder: PatchBuilder, items: Sequence[Item]) -> tuple[str, str]:
    """Return the expression for the id of the roles that need something, and the argument that makes one for each."""
    site, own = items[0][1], f"aws_iam_role.{items[0][1].resource.name}"
    keys = list(dict.fromkeys(one.resource.key for _, one, _ in items))
    if keys == [None]:
        return f"{own}.id", ""
    if len(keys) == 1 and len({one.resource.key for one in builder.siblings(site)}) > 1:
        return f"{own}[{_written(keys[0])}].id", ""
    everyone = {one.resource.key for one in builder.siblings(site)} == set(keys)
    if "for_each" in site.body.attributes:
        some = f"toset([{', '.join(map(_written, keys))}])"
        return f"{own}[each.key].id", f"  for_each = {own if everyone else some}\n\n"
    if not everyone:
        raise UnfixableError(f"some instances of {local_address(site)} need it, and others must not have it")
    return f"{own}[count.index].id", f"  count = length({own})\n\n"
