"""Edits of JSON that stands in a file of its own: a template, or a text that becomes one to be given a value.

What the JSON names is passed to the template, by the call of `templatefile` or the variables of `template_file`.
Sources: Terraform Language Documentation, "templatefile Function"; Template provider documentation, "template_file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.checks.common.statement_hcl import passed_as
from infraspec.core.errors import InfraspecError
from infraspec.fixes.json_text import members_set
from infraspec.fixes.patch_builder import PatchBuilder, Site, local_address
from infraspec.fixes.references import UnfixableError, file_of, own_file
from infraspec.fixes.set_entries import merged, set_entries
from infraspec.fixes.text_edits import Edit, argument_added
from infraspec.fixes.tokens import closing, expression_end, opening
from infraspec.hcl import ast
from infraspec.hcl.ast import Expression, SourceText
from infraspec.hcl.parser import parse
from infraspec.terraform.configuration.declarations import SourceBody
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.configuration.source_locations import SourcePosition
from infraspec.terraform.language.scope import CompileContext, Scope

_DOCUMENT = re.compile(r"\s*(?=[\[{])")
_RENDERED = "rendered"
_TEMPLATE = "template_file"
_FILES = frozenset({"file", "templatefile"})


class _Rendering(Struct):
    """A file that is rendered: the call that names it, and the data source that gives it variables, if one does."""

    call: ast.Call
    source: SourceText
    module: ModuleInstance
    path: str
    body: SourceBody | None = None


def in_template(
    builder: PatchBuilder, site: Site, found: SourcePosition, path: Sequence[str], entries: Mapping[str, str]
) -> Iterator[Edit]:
    """Set entries of an object in the file that a text is made of, and pass it what they name.

    Raises UnfixableError if the text is not made of a file.
    """
    rendering = _rendering(builder, site, found)
    content = _content(rendering)
    begin = _DOCUMENT.match(content)
    if begin is None:
        raise UnfixableError(f"{rendering.path} does not begin with a list or an object")
    named, passed = _by_name(entries)
    if passed and rendering.module is not site.module:
        raise UnfixableError(f"{rendering.path} is read by another module than that of {local_address(site)}")
    file = own_file(rendering.module.files.resolve(rendering.path), rendering.path, builder.boundary)
    yield from members_set(file, content, begin.end(), path, named)
    if passed:
        yield from _passed(builder, rendering, content, passed)


def _content(rendering: _Rendering) -> str:
    try:
        return rendering.module.files.read(rendering.path).decode()
    except (InfraspecError, UnicodeDecodeError):
        raise UnfixableError(f"{rendering.path} cannot be read") from None


def _rendering(builder: PatchBuilder, site: Site, found: SourcePosition) -> _Rendering:
    """Return the file that a text is made of. Raises UnfixableError if that is none."""
    module, node = found.module, found.node
    assert isinstance(module, ModuleInstance)  # noqa: S101 - what declares is one
    scope = builder.instance(site).scope if module is site.module else Scope(module)
    if isinstance(node, ast.Call):
        return _of_call(node, found.source, module, scope)
    names = re.match(r"data\.template_file\.([\w-]+)\b", found.source.text[node.at :])
    body = module.configuration.resources.get(("data", _TEMPLATE, names[1])) if names else None
    if names is None or body is None or "template" not in body.attributes:
        raise UnfixableError(f"the text of {local_address(site)} is not written as JSON here, and is no file")
    attribute, source = body.attributes["template"]
    inner: Expression = attribute.expression
    if isinstance(inner, ast.Template) and inner.wraps and isinstance(inner.parts[0], ast.Interpolation):
        inner = inner.parts[0].expression
    instance = next(iter(module.instances(("data", _TEMPLATE, names[1]))), None)
    if not isinstance(inner, ast.Call) or instance is None:
        raise UnfixableError(f"the template of {names[0]} is not the text of a file")
    rendering = _of_call(inner, source, module, instance.scope)
    return _Rendering(rendering.call, source, module, rendering.path, body)


def _of_call(node: ast.Call, source: SourceText, module: ModuleInstance, scope: Scope) -> _Rendering:
    if node.name not in _FILES or not node.arguments or node.expand:
        raise UnfixableError(f"the text is made by the function {node.name}")
    try:
        path = CompileContext(source).compile(node.arguments[0])(scope)
    except InfraspecError:
        path = None
    if not isinstance(path, str):
        raise UnfixableError("which file the text is made of is unknown")
    return _Rendering(node, source, module, path)


def _by_name(entries: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return entries with a name for each expression in them, and these expressions by name."""
    named, passed = dict[str, str](), dict[str, str]()
    for key, expression in entries.items():
        text = f"{key if key.isidentifier() else 'value'} = {expression}\n"
        attribute = next(iter(parse(text, "value").body.attributes.values()))
        for name, start in reversed(list(_leaves(key, attribute.expression))):
            leaf = text[start : expression_end(text, start)]
            own = name.replace("-", "_") if "-" in name else passed_as(leaf.strip('"${}'))
            passed[own] = leaf
            text = f"{text[:start]}{own}{text[start + len(leaf) :]}"
        named[key] = text.partition(" = ")[2].removesuffix("\n")
    return named, passed


def _leaves(key: str, node: Expression) -> Iterator[tuple[str, int]]:
    """Yield where expressions stand that are not written out, each with the key of what it is the value of."""
    match node:
        case ast.Object():
            for name, value in node.items:
                yield from _leaves(str(name.value) if isinstance(name, ast.Literal) else key, value)
        case ast.Tuple():
            for value in node.items:
                yield from _leaves(key, value)
        case ast.Literal():
            return
        case ast.Template() if all(isinstance(part, str) for part in node.parts):
            return
        case _:
            yield key, node.at


def _passed(builder: PatchBuilder, rendering: _Rendering, content: str, passed: Mapping[str, str]) -> Iterator[Edit]:
    """Give a template variables; a file that is no template yet becomes one."""
    call, source = rendering.call, rendering.source
    file = file_of(rendering.module, source, builder.boundary)
    written = ", ".join(f"{name} = {one}" for name, one in passed.items())
    if rendering.body is not None:
        yield from _given_variables(file, rendering.body, passed)
    elif call.name == "templatefile" and len(call.arguments) > 1:
        names = call.arguments[1]
        if isinstance(names, ast.Object):
            yield from set_entries(file, source.text, names, passed)
        else:
            yield from merged(file, source.text, names, passed)
    elif "${" in content or "%{" in content:
        raise UnfixableError(f"{rendering.path} is used as it is, and contains what a template would interpret")
    else:
        end = closing(source.text, opening(source.text, call.at, "(")).start
        yield Edit(file, call.at, call.at + len(call.name), "templatefile")
        yield Edit(file, end, end, f", {{ {written} }}")


def _given_variables(file: Path, body: SourceBody, passed: Mapping[str, str]) -> Iterator[Edit]:
    written = body.attributes.get("vars")
    if written is None:
        if any(True for _ in body.nested("vars")):
            raise UnfixableError("its variables are a block, which Terraform no longer accepts")
        lines = "\n".join(f"    {name} = {one}" for name, one in passed.items()).replace("    ", "  ")
        ends = [attribute.end for attribute, source in body.attributes.values() if source is body.source]
        text = f"vars = {{\n{lines}\n}}"
        yield argument_added(file, body.source.text, body.at, text, max(ends, default=None))
        return
    attribute, source = written
    if isinstance(attribute.expression, ast.Object):
        yield from set_entries(file, source.text, attribute.expression, passed)
    else:
        yield from merged(file, source.text, attribute.expression, passed)
