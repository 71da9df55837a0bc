"""Models to findings; pure; one module per rule family."""

RULES = ("source", "names", "tags", "tag-policy", "task-definitions", "secret-access", "plan-review")
"""Ids of the rules of the static suite, in the order in which reports show them."""
