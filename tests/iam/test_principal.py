"""What is read from the ARN of a principal, known or with unknown parts."""

from __future__ import annotations

import pytest

from infraspec.core.unknown import Text, Unknown, Value
from infraspec.iam.evaluation.decision import Outcome, decide
from infraspec.iam.policy.principals import Principal, PrincipalKind
from infraspec.iam.policy.statements import IdentityPolicy

ACCOUNT = "111122223333"
PATH, NAME, ANY_ACCOUNT = Unknown("role.path"), Unknown("role.name"), Unknown("account")


@pytest.mark.parametrize(
    ("value", "kind", "account", "name"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/app", PrincipalKind.ROLE, ACCOUNT, "app"),
        (f"arn:aws:iam::{ACCOUNT}:role/team/app", PrincipalKind.ROLE, ACCOUNT, "app"),
        (Text((f"arn:aws:iam::{ACCOUNT}:role", PATH, "app")), PrincipalKind.ROLE, ACCOUNT, "app"),
        (Text(("arn:aws:iam::", ANY_ACCOUNT, ":role", PATH, "app")), PrincipalKind.ROLE, ANY_ACCOUNT, "app"),
        (Text(("arn:aws:iam::", ANY_ACCOUNT, ":role/app")), PrincipalKind.ROLE, ANY_ACCOUNT, "app"),
        (f"arn:aws:iam::{ACCOUNT}:root", PrincipalKind.ROOT, ACCOUNT, ""),
        ("ecs-tasks.amazonaws.com", PrincipalKind.SERVICE, "", ""),
    ],
)
def test_the_parts_of_a_principal(value: Value, kind: PrincipalKind, account: Value, name: str) -> None:
    """Kind, account and name are read off, whatever stands in the place of an unknown path."""
    found = Principal.of(value)
    assert (found.kind, found.account, found.name) == (kind, account, name)


@pytest.mark.parametrize(
    "value",
    [
        Unknown("var.role_arn"),
        Text((f"arn:aws:iam::{ACCOUNT}:role", PATH, NAME)),
        Text((f"arn:aws:iam::{ACCOUNT}:", Unknown("kind"), "app")),
        Text(("arn:", Unknown("rest"))),
    ],
)
def test_an_arn_with_unknown_parts_belongs_to_an_account(value: Value) -> None:
    """What begins as an ARN is never taken for a service, so that policies of the principal count."""
    policies = [IdentityPolicy.opaque("role", Unknown("what policies it has"))]
    decision = decide(policies, "logs:PutLogEvents", "*", principal=Principal.role(value))
    assert decision.outcome is Outcome.UNDETERMINED
