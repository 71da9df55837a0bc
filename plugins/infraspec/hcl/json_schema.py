"""Which members of Terraform's JSON configuration are blocks, and which text in it is an expression.

JSON does not say what is a block, so a reader needs the schema: Terraform documentation, "JSON Configuration Syntax".
Nested blocks of a provider's schema are not known here and stay attributes.
"""

from __future__ import annotations

from typing import Final

FILE: Final = ""
"""The parent of the blocks of a file."""

_RESOURCE: Final = {"lifecycle": 0, "provisioner": 1, "connection": 0, "dynamic": 1}
BLOCKS: Final[dict[str, dict[str, int]]] = {
    FILE: {
        "action": 2,
        "check": 1,
        "data": 2,
        "ephemeral": 2,
        "import": 0,
        "locals": 0,
        "module": 1,
        "moved": 0,
        "output": 1,
        "provider": 1,
        "removed": 0,
        "resource": 2,
        "terraform": 0,
        "variable": 1,
    },
    "action": {"config": 0},
    "check": {"data": 2, "assert": 0},
    "cloud": {"workspaces": 0},
    "content": {"dynamic": 1},
    "data": _RESOURCE,
    "dynamic": {"content": 0},
    "ephemeral": _RESOURCE,
    "lifecycle": {"precondition": 0, "postcondition": 0, "action_trigger": 0},
    "output": {"precondition": 0},
    "provisioner": {"connection": 0},
    "removed": {"lifecycle": 0, "provisioner": 1},
    "resource": _RESOURCE,
    "terraform": {"backend": 1, "cloud": 0, "required_providers": 0, "provider_meta": 1},
    "variable": {"validation": 0},
}
"""By the type of the parent block, its block types and how many labels each has."""

_REFERRING: Final = frozenset({"depends_on", "provider"})
EXPRESSIONS: Final[dict[str, frozenset[str]]] = {
    "action": _REFERRING,
    "data": _REFERRING,
    "dynamic": frozenset({"iterator"}),
    "ephemeral": _REFERRING,
    "import": frozenset({"to", "provider"}),
    "lifecycle": frozenset({"ignore_changes", "replace_triggered_by"}),
    "module": frozenset({"depends_on", "providers"}),
    "moved": frozenset({"from", "to"}),
    "output": frozenset({"depends_on"}),
    "provisioner": frozenset({"when", "on_failure"}),
    "removed": frozenset({"from"}),
    "resource": _REFERRING,
    "variable": frozenset({"type"}),
}
"""By the type of the block, the attributes whose text is an expression: `"aws_s3_bucket.logs"` refers to the bucket."""

LITERALS: Final[dict[str, frozenset[str]]] = {"variable": frozenset({"default", "description"})}
"""By the type of the block, the attributes whose text is taken as it is, `${` included."""
