"""Policy documents with what `data "aws_iam_policy"` returns of AWS's own policies, whose content is known offline.

Source: Terraform AWS provider, "Data Source: aws_iam_policy". Its `name` and `arn` name one policy alone, and no policy
of the account can have the ARN of one of AWS's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infraspec.iam.managed import managed_statements
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.source_documents import STATEMENTS
from infraspec.unknown import ComputedFrom, JsonText, Unknown, Value

_VERSION = "2012-10-17"


def with_managed(plan: Plan, value: Value) -> Value:
    """Fill in the text of AWS's policies: in place of a whole document, or of the statements taken from one."""
    if isinstance(value, Unknown):
        statements = _statements(plan, value)
        return value if statements is None else {"Version": _VERSION, "Statement": list(statements)}
    if not isinstance(value, JsonText) or not isinstance(value.tree, Mapping):
        return value
    given = value.tree.get("Statement")
    if not isinstance(given, list):
        return value
    return {**value.tree, "Statement": [one for entry in given for one in _statements(plan, entry) or (entry,)]}


def _statements(plan: Plan, value: Value) -> Sequence[Value] | None:
    """Return the statements that an unknown stands for, if they are those of a policy of AWS."""
    match value:
        case Unknown(cause=ComputedFrom((document,), by)) if by == STATEMENTS:
            found = plan.find(document)
        case Unknown():
            found = plan.find(value)
        case _:
            return None
    if found is None or (found[0].mode, found[0].type, found[1]) != ("data", "aws_iam_policy", "policy"):
        return None
    return statements_of(found[0])


def statements_of(source: Resource) -> Sequence[Value] | None:
    """Return the statements of the policy that a data source names; None if they are not known here."""
    named = next((one for name in ("name", "arn") if isinstance(one := source.get(name), str)), "")
    return managed_statements(named)
