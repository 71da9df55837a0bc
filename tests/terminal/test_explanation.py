"""The layers of a decision on a terminal: what each kind of policies says, and by which statement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infraspec.checks.access.explanation import explain
from infraspec.cli.terminal import show
from infraspec.cli.terminal_view import view
from infraspec.reporting.explanation import explanation_document
from tests.terminal.screen import on_terminal
from tests.terraform.sources import plan_of

READ, SECRET = "secretsmanager:GetSecretValue", "aws_secretsmanager_secret.db"
NONE = "none known"
SOURCE = """
    variable "condition" {{ type = string }}
    resource "aws_secretsmanager_secret" "db" {{ name = "db" }}
    resource "aws_iam_policy" "boundary" {{
      name   = "boundary"
      policy = jsonencode({{ Version = "2012-10-17", Statement = [{boundary}] }})
    }}
    resource "aws_iam_role" "app" {{
      name                 = "app"
      {limit}
    }}
    resource "aws_iam_role_policy" "app" {{
      role   = aws_iam_role.app.id
      policy = jsonencode({{ Statement = [{own}] }})
    }}
    {resource}
"""
LIMIT = "permissions_boundary = aws_iam_policy.boundary.arn"
RESOURCE = """
    resource "aws_secretsmanager_secret_policy" "db" {{
      secret_arn = aws_secretsmanager_secret.db.arn
      policy     = jsonencode({{ Statement = [{}] }})
    }}
"""


def statement(effect: str, action: str, **more: str) -> str:
    """Return a statement of a policy about everything, as HCL."""
    parts = {"Effect": f'"{effect}"', "Action": f'"{action}"', "Resource": '"*"', **more}
    return "{ " + ", ".join(f"{key} = {value}" for key, value in parts.items()) + " }"


ALLOW, DENY, OTHER = statement("Allow", READ), statement("Deny", READ), statement("Allow", "s3:GetObject")
KIN, DENY_OTHER = statement("Allow", "secretsmanager:DescribeSecret"), statement("Deny", "s3:GetObject")
PERHAPS = statement("Deny", READ, Condition='{ StringEquals = { "aws:SourceVpc" = var.condition } }')
ANYONE = statement("Allow", READ, Principal='"*"')
CASES = {
    "allowed": (ALLOW, None, None, ["allows app Statement.0", NONE, NONE]),
    "nothing": (OTHER, None, None, ["does not allow", NONE, NONE]),
    "something else": (f"{DENY_OTHER}, {KIN}", None, None, ["does not allow closest: app Statement.1", NONE, NONE]),
    "limited": (ALLOW, OTHER, None, ["allows app Statement.0", "does not allow", NONE]),
    "within the boundary": (ALLOW, ALLOW, None, ["allows app Statement.0", "allows boundary Statement.0", NONE]),
    "denied by the boundary": (ALLOW, DENY, None, ["allows app Statement.0", "denies boundary Statement.0", NONE]),
    "an empty boundary": (ALLOW, "", None, ["allows app Statement.0", "does not allow", NONE]),
    "two statements": (
        f"{ALLOW}, {DENY}", None, None, ["denies app Statement.1", "allows app Statement.0", NONE, NONE],
    ),
    "perhaps": (f"{ALLOW}, {PERHAPS}", None, None, ["may deny app Statement.1", "allows app Statement.0", NONE, NONE]),
    "by the resource": (OTHER, None, ANYONE, ["does not allow", NONE, "allows db Statement.0"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_layers(case: str, tmp_path: Path) -> None:
    """Each layer says what it does by a statement, that it does not allow, or that there is none of its kind."""
    own, boundary, resource, expected = CASES[case]
    source = SOURCE.format(
        own=own,
        boundary=boundary or "",
        limit="" if boundary is None else LIMIT,
        resource="" if resource is None else RESOURCE.format(resource),
    )
    found = explain(plan_of(tmp_path, source), "app", READ, SECRET)
    lines = on_terminal(lambda: show(*view(explanation_document(found))), 160).lines
    head = next(number for number, line in enumerate(lines) if line.split() == ["layer", "answer", "statement"])
    rows = [row for row in map(_row, lines[head:]) if row]

    assert rows == expected


def _row(line: str) -> str:
    """Return the answer and the statement of a line without the type of its address; nothing of other lines."""
    found = re.match(r"  (?:identity policies|permissions boundary|resource policy)\s+(.*)", line)
    return re.sub(r" aws_\w+\.", " ", " ".join(found[1].split())) if found else ""
