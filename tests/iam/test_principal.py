"""What is read from the ARN of a principal, known or with unknown parts."""

from __future__ import annotations

import pytest

from infraspec.core.truth import Truth
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.iam.evaluation.decision import Outcome, decide
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.principals import (
    Principal,
    PrincipalKind,
    StatementPrincipal,
    covers_principal,
    principals_of,
)
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


ROLE, OTHERS = f"arn:aws:iam::{ACCOUNT}:role/app", {"AWS": [ROOT := f"arn:aws:iam::{ACCOUNT}:root"]}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", ["everyone"]),
        ({"AWS": ["*", ROLE], "Service": "sns.amazonaws.com"}, ["everyone", ROLE, "sns.amazonaws.com"]),
        ({"Federated": Unknown("var.issuer")}, ["${var.issuer}"]),
        ({"Service": "*"}, ["*"]),
    ],
)
def test_the_principals_of_a_statement(principal: Value, expected: list[str]) -> None:
    """Each is told by its name, and everyone as that."""
    assert expected == list(map(str, principals_of(Statement("s", "Allow", principal=principal))))


def test_whom_a_statement_covers() -> None:
    """All but some are covered by the same exception alone; an account leaves its roles to their own policies."""
    excepted = Statement("s", "Allow", not_principal=OTHERS)
    named, own = Statement("s", "Allow", principal=OTHERS), Statement("s", "Allow")
    role = StatementPrincipal("AWS", ROLE)
    assert [f"everyone but {{AWS:[{ROOT}]}}"] == [str(one).replace('"', "") for one in principals_of(excepted)]
    table = [
        (own, None, Truth.YES), (named, None, Truth.MAYBE), (excepted, None, Truth.MAYBE),
        (excepted, principals_of(excepted)[0], Truth.YES), (excepted, role, Truth.MAYBE),
        (named, principals_of(excepted)[0], Truth.MAYBE), (named, role, Truth.MAYBE),
        (named, StatementPrincipal("AWS", ACCOUNT), Truth.YES),
        (named, StatementPrincipal("Service", "sns.amazonaws.com"), Truth.NO),
    ]  # fmt: skip
    for statement, principal, expected in table:
        assert (principal, expected) == (principal, covers_principal(statement, principal, lambda value: value))
