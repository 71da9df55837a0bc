"""Statements of identity policies that allow far more than one workload needs.

Source: AWS Security Hub, control IAM.21 (no wildcard actions for services), and IAM User Guide, "Grant a user
permissions to pass a role to an AWS service".
"""

from __future__ import annotations

import re

from infraspec.iam.document import PolicyDocument, Statement

_WHOLE_SERVICE = re.compile(r"^(\*|[\w-]+:\*)$")
_ANY_ROLE = ("iam:passrole", "sts:assumerole")
MANAGED = re.compile(r":policy/(?:[\w-]+/)*(AdministratorAccess|PowerUserAccess|IAMFullAccess|SystemAdministrator)$")
"""AWS managed policies that are as broad."""


def broad_statements(after: PolicyDocument | None, before: PolicyDocument | None) -> list[Statement]:
    """Return the statements that are broad and were not there before."""
    old = {_meaning(statement) for statement in before.statements} if before else set()
    statements = after.statements if after else ()
    return [statement for statement in statements if _is_broad(statement) and _meaning(statement) not in old]


def _is_broad(statement: Statement) -> bool:
    if statement.effect != "Allow" or statement.condition is not None:
        return False
    if statement.resources is not None and "*" not in statement.resources:
        return False
    if statement.not_actions is not None:
        return True
    return any(
        isinstance(action, str) and (_WHOLE_SERVICE.match(action) or action.lower() in _ANY_ROLE)
        for action in statement.actions or ()
    )


def _meaning(statement: Statement) -> str:
    return repr((statement.actions, statement.not_actions, statement.resources, statement.not_resources))
