"""HCL lines to paste as a remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from infraspec.core.visible_text import hcl_string

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def attribute_line(path: str, value: str) -> str:
    """Write `name = "value"`; a dotted path becomes a map, `tags = { Name = "value" }`."""
    name, _, rest = path.partition(".")
    return f"{name} = {{ {object_key(rest)} = {hcl_string(value)} }}" if rest else f"{name} = {hcl_string(value)}"


def object_key(key: str) -> str:
    """Write a key of an object, quoted if it is no identifier."""
    return key if _IDENTIFIER.fullmatch(key) else hcl_string(key)


def tag_map(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write `tags = { … }` from (value, remarks) by key, a remark in a comment behind the value."""
    width = max((len(object_key(key)) for key in tags), default=0)
    lines = [
        f"  {object_key(key):{width}} = {hcl_string(value)}" + (f" # {'; '.join(remarks)}" if remarks else "")
        for key, (value, remarks) in tags.items()
    ]
    return "\n".join(["tags = {", *lines, "}"])


def tag_pairs(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write the list of `{ key, value }` that the resources of the provider awscc have instead of a map."""
    lines = [
        f"  {{ key = {hcl_string(key)}, value = {hcl_string(value)} }},"
        + (f" # {'; '.join(remarks)}" if remarks else "")
        for key, (value, remarks) in tags.items()
    ]
    return "\n".join(["tags = [", *lines, "]"])


def tag_blocks(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write the `tag` blocks that an aws_autoscaling_group has instead of a map."""
    return "\n".join(
        f"tag {{\n  key                 = {hcl_string(key)}\n  value               = {hcl_string(value)}"
        + (f" # {'; '.join(remarks)}" if remarks else "")
        + "\n  propagate_at_launch = true\n}"
        for key, (value, remarks) in tags.items()
    )
