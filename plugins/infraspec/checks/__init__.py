"""Models to findings; pure; one module per rule family."""

RULES = (
    "source",
    "names",
    "tags",
    "tag-policy",
    "task-definitions",
    "secret-access",
    "policies",
    "secret-readers",
    "alarms",
    "plan-review",
    "no-diff",
    "state-backend",
    "state-bucket",
    "versions",
    "consistency",
    "modules",
    "playbooks",
    "incidents",
    "process",
)
"""Ids of the rules of the static suite, in the order in which reports show them."""
