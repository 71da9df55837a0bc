"""HCL lines to paste as a remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def quote(text: str) -> str:
    """Write text as a quoted HCL template without interpolation."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def attribute_line(path: str, value: str) -> str:
    """Write `name = "value"`; a dotted path becomes a map, `tags = { Name = "value" }`."""
    name, _, rest = path.partition(".")
    return f"{name} = {{ {object_key(rest)} = {quote(value)} }}" if rest else f"{name} = {quote(value)}"


def object_key(key: str) -> str:
    """Write a key of an object, quoted if it is no identifier."""
    return key if _IDENTIFIER.fullmatch(key) else quote(key)


def tag_map(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write `tags = { … }` from (value, remarks) by key, a remark in a comment behind the value."""
    width = max((len(object_key(key)) for key in tags), default=0)
    lines = [
        f"  {object_key(key):{width}} = {quote(value)}" + (f" # {'; '.join(remarks)}" if remarks else "")
        for key, (value, remarks) in tags.items()
    ]
    return "\n".join(["tags = {", *lines, "}"])


def tag_pairs(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write the list of `{ key, value }` that the resources of the provider awscc have instead of a map."""
    lines = [
        f"  {{ key = {quote(key)}, value = {quote(value)} }}," + (f" # {'; '.join(remarks)}" if remarks else "")
        for key, (value, remarks) in tags.items()
    ]
    return "\n".join(["tags = [", *lines, "]"])


def tag_blocks(tags: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """Write the `tag` blocks that an aws_autoscaling_group has instead of a map."""
    return "\n".join(
        f"tag {{\n  key                 = {quote(key)}\n  value               = {quote(value)}"
        + (f" # {'; '.join(remarks)}" if remarks else "")
        + "\n  propagate_at_launch = true\n}"
        for key, (value, remarks) in tags.items()
    )
