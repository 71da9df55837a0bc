"""The view of `infraspec plan`: a tree of modules, their resources with attributes, then the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from infraspec.cli.terminal.parts import highlighted, words
from infraspec.reporting.planned_values import attributes, children, counts, outputs, planned
from infraspec.terraform.plan import Plan, Resource

_HIDDEN = r"(?m)\(known after apply: .*?\)(?=$|,)|\(sensitive value\)"


def view(plan: Plan) -> Iterator[RenderableType]:
    """Yield what is shown of a plan: all values that its text has, by module."""
    tree = Tree(words(plan.origin, "bold"), guide_style="dim")
    _add(tree, "", planned(plan))
    yield tree
    for output in outputs(plan):
        yield Text()
        yield _source(output)
    yield words(f"\n{counts(plan)}", "bold")


def _add(tree: Tree, module: str, resources: Sequence[Resource]) -> None:
    for resource in resources:
        if resource.module == module:
            tree.add(_resource(resource))
    for child in children(module, resources):
        below = [one for one in resources if one.module == child or one.module.startswith(f"{child}.")]
        _add(tree.add(words(child, "bold blue")), child, below)


def _resource(resource: Resource) -> Group:
    place = f"  ({resource.location})" if resource.location else ""
    return Group(words(f"{resource.address}{place}", "bold"), _source("\n".join(attributes(resource))))


def _source(text: str) -> Text:
    shown = highlighted(text, "terraform")
    shown.highlight_regex(_HIDDEN, "dim italic")
    return shown
