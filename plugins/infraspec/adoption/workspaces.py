"""The workspaces of a root module: those that its source compares with or looks up, and those that a pipeline selects.

Source: Terraform Language Documentation, "Workspaces" (`terraform.workspace`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from infraspec.adoption.roots import Root
from infraspec.adoption.words import environment_word
from infraspec.errors import InfraspecError
from infraspec.hcl.files import parse_variables
from infraspec.hcl.nodes import Expression, Literal, Object

_WORKSPACE = r"terraform\.workspace"
_COMPARED = re.compile(rf"""{_WORKSPACE}\s*[!=]=\s*"([A-Za-z0-9_-]+)\"""")
_SELECTED = re.compile(r"terraform\s+workspace\s+(?:select|new)\s+(?:-\S+\s+)*([A-Za-z0-9_-]+)\b")
_AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


def workspaces_of(root: Root, pipelines: Iterable[str]) -> list[str]:
    """Return the workspaces that are environments by their names, in the order they were found.

    A map that is looked up by the workspace, or by a local value that is made of it, has its name for a key:
    `var.instance_type[terraform.workspace]`.
    """
    texts = list(root.texts())
    compared = _compared(texts)
    selected = (name for text in pipelines for name in _SELECTED.findall(text))
    looked_up = (name for map_ in _looked_up(root, texts) for name in _keys(root, *map_))
    names = dict.fromkeys((*compared, *selected, *looked_up))
    return [name for name in names if environment_word(name)]


def deploys_default(root: Root) -> bool:
    """Tell whether the default workspace is one that is deployed: there are no others, or the source asks for it."""
    return not root.uses_workspaces or "default" in _compared(root.texts())


def _compared(texts: Iterable[str]) -> Iterator[str]:
    return (name for text in texts for name in _COMPARED.findall(text))


def _looked_up(root: Root, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the maps that are looked up by the workspace: ("var", "instance_type")."""
    made_of_it = [
        name
        for name, (attribute, source) in root.configuration.locals.items()
        if "terraform.workspace" in source.text[attribute.at : attribute.end]
    ]
    key = "|".join([_WORKSPACE, *(rf"local\.{re.escape(name)}\b(?!\.)" for name in made_of_it)])
    map_ = r"\b(?P<kind>var|local)\.(?P<name>[\w-]+)"
    for form in (
        rf"{map_}\s*\[\s*(?:{key})\s*\]",
        rf"\blookup\(\s*{map_}\s*,\s*(?:{key})",
        rf"\bcontains\(\s*keys\(\s*{map_}\s*\)\s*,\s*(?:{key})",
    ):
        for text in texts:
            yield from ((found["kind"], found["name"]) for found in re.finditer(form, text))


def _keys(root: Root, kind: str, name: str) -> Iterator[str]:
    """Yield the keys that a local value or a variable is written with, in its default or in a file loaded by itself."""
    configuration = root.configuration
    if kind == "local":
        if name in configuration.locals:
            yield from _literal_keys(configuration.locals[name][0].expression)
        return
    for attributes in _automatic(root):
        if name in attributes:
            yield from _literal_keys(attributes[name])
    body = configuration.variables.get(name)
    if body is not None and "default" in body.attributes:
        yield from _literal_keys(body.attributes["default"][0].expression)


def _automatic(root: Root) -> Iterator[dict[str, Expression]]:
    for pattern in _AUTOMATIC:
        for path in sorted(root.directory.glob(pattern)):
            try:
                attributes = parse_variables(path, path.name).body.attributes
            except InfraspecError:
                continue
            yield {name: attribute.expression for name, attribute in attributes.items()}


def _literal_keys(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Object):
        yield from (key.value for key, _ in expression.items if isinstance(key, Literal) and isinstance(key.value, str))
