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
    "alarm-state",
    "alarm-delivery",
    "rollout",
    "stopped-tasks",
    "next-start",
)
"""Ids of the rules of both suites, in the order in which reports show them."""
