"""What `lifecycle` says of a resource.

Source: Terraform Language Documentation, "lifecycle": ignore_changes is a list of attributes, or `all`.
"""

from __future__ import annotations

from infraspec.hcl.nodes import Expression, GetAttr, Index, Literal, Name, Template, Tuple
from infraspec.terraform.body import Body


def ignored_changes(body: Body) -> tuple[str, ...]:
    """Return the attributes whose changes Terraform ignores, by their first name: `tags` for `tags["Name"]`."""
    if not body.blocks:
        return ()
    return tuple(
        name
        for block, _ in body.blocks
        if block.type == "lifecycle" and "ignore_changes" in block.body.attributes
        for name in _names(block.body.attributes["ignore_changes"].expression)
    )


def _names(expression: Expression) -> list[str]:
    entries = expression.items if isinstance(expression, Tuple) else (expression,)
    return [name for name in map(_first, entries) if name]


def _first(node: Expression) -> str:
    while isinstance(node, GetAttr | Index):
        node = node.target
    if isinstance(node, Name):
        return node.name
    value = node.value if isinstance(node, Literal) else None
    if isinstance(node, Template) and len(node.parts) == 1 and isinstance(node.parts[0], str):
        value = node.parts[0]
    return value if isinstance(value, str) else ""
