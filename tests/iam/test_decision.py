"""Decisions, and what is said of them."""

from __future__ import annotations

import pytest

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Unknown, Value
from infraspec.iam.evaluation.decision import Outcome, decide, why
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy, managed_policy
from infraspec.resource_types.managed_policies import of_aws

ALLOWED, EXPLICIT, IMPLICIT, OPEN = (
    Outcome.ALLOWED, Outcome.EXPLICITLY_DENIED, Outcome.IMPLICITLY_DENIED, Outcome.UNDETERMINED,
)  # fmt: skip
DB = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"
READ = "secretsmanager:GetSecretValue"
ROLE = "arn:aws:iam::111122223333:role/app"
CONDITION = {"StringEquals": {"aws:ResourceTag/app": "x"}}
MANAGED = "arn:aws:iam::aws:policy/"
LOG_GROUP = "arn:aws:logs:eu-west-1:111122223333:log-group:app"


def allow(resource: Value = "*", action: Value = READ, **more: Value) -> dict[str, Value]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(resource: Value = "*", action: Value = READ, **more: Value) -> dict[str, Value]:
    """Return a Deny statement."""
    return {**allow(resource, action, **more), "Effect": "Deny"}


def policy(*statements: Value) -> IdentityPolicy:
    """Compile a policy."""
    return IdentityPolicy.of("policy", PolicyDocument.from_value({"Statement": list(statements)}))


OPAQUE = IdentityPolicy.opaque("other", Unknown("var.policy"))
X = Unknown("var.x")


@pytest.mark.parametrize(
    ("policies", "outcome", "allowed"),
    [
        ([], IMPLICIT, Truth.NO),
        ([policy(allow())], ALLOWED, Truth.YES),
        ([policy(allow()), policy(deny())], EXPLICIT, Truth.NO),
        ([policy(allow(Condition=CONDITION))], OPEN, Truth.MAYBE),
        ([policy(allow(), deny(Condition=CONDITION))], OPEN, Truth.MAYBE),
        ([policy(deny(Condition=CONDITION))], OPEN, Truth.NO),
        ([policy(allow(), deny(Condition={"Bool": {"aws:SecureTransport": "false"}}))], ALLOWED, Truth.YES),
        ([policy(allow(Condition={"Bool": {"aws:SecureTransport": ["true"]}}))], ALLOWED, Truth.YES),
        ([policy(allow(Condition=X))], OPEN, Truth.MAYBE),
        ([policy(allow("arn:aws:secretsmanager"))], ALLOWED, Truth.YES),
        ([policy(allow("arn:aws:secretsmanager:eu-west-1:111122223333"))], ALLOWED, Truth.YES),
        ([policy(allow("arn:aws:ssm"))], IMPLICIT, Truth.NO),
        ([policy(allow(X))], OPEN, Truth.MAYBE),
        ([policy(allow(action=X))], OPEN, Truth.MAYBE),
        ([policy(allow() | {"Effect": X})], OPEN, Truth.MAYBE),
        ([policy(allow(action=X), allow())], ALLOWED, Truth.YES),
        ([policy(X)], OPEN, Truth.MAYBE),
        ([OPAQUE], OPEN, Truth.MAYBE),
        ([OPAQUE, policy(allow())], OPEN, Truth.MAYBE),
        ([OPAQUE, policy(deny())], EXPLICIT, Truth.NO),
        ([policy(allow()).perhaps()], OPEN, Truth.MAYBE),
        ([policy({"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::*"})], ALLOWED, Truth.YES),
        ([policy({"Effect": "Allow", "NotAction": "secretsmanager:*", "Resource": "*"})], IMPLICIT, Truth.NO),
        ([managed_policy(MANAGED + "SecretsManagerReadWrite")], ALLOWED, Truth.YES),
        ([managed_policy(MANAGED + "service-role/SecretsManagerReadWrite")], IMPLICIT, Truth.NO),
        ([managed_policy(MANAGED + "SomethingNewer")], OPEN, Truth.MAYBE),
        ([managed_policy(MANAGED + "SomethingNewer"), policy(allow())], OPEN, Truth.MAYBE),
        ([managed_policy(MANAGED + "AmazonSageMakerFullAccess"), policy(allow())], ALLOWED, Truth.YES),
        ([managed_policy(MANAGED + "AWSDenyAll"), policy(allow())], EXPLICIT, Truth.NO),
        ([managed_policy(MANAGED + "AWSMarketplaceImageBuildFullAccess"), policy(allow())], OPEN, Truth.MAYBE),
        ([managed_policy(MANAGED + "AdministratorAccess")], ALLOWED, Truth.YES),
        ([managed_policy(MANAGED + "service-role/AmazonECSTaskExecutionRolePolicy")], IMPLICIT, Truth.NO),
    ],
)
def test_outcomes(policies: list[IdentityPolicy], outcome: Outcome, allowed: Truth) -> None:
    """Deny wins, what nothing allows is denied, and what is unknown leaves open exactly what depends on it."""
    decision = decide(policies, READ, DB, context=Context.of({"aws:SecureTransport": True}))
    assert (outcome, allowed) == (decision.outcome, decision.allowed)


def test_a_boundary_must_allow_too() -> None:
    """What the boundary does not allow is denied, and said to be limited."""
    own = [policy(allow())]
    assert ALLOWED == decide(own, READ, DB, boundary=own).outcome
    limited = decide(own, READ, DB, boundary=[policy(allow(action="s3:*"))])
    assert (IMPLICIT, True) == (limited.outcome, limited.limited)
    assert OPEN == decide(own, READ, DB, boundary=[OPAQUE]).outcome


def test_the_closest_statement_is_named() -> None:
    """Of all statements that miss, the one about the action whose resource agrees longest is the closest."""
    statements = [
        allow("arn:aws:s3:::b", "s3:GetObject"),
        allow(DB[:-9] + "api-??????", Sid="Api"),
        allow(DB[:-9] + "db", Sid="Db"),
        allow(DB, "secretsmanager:DescribeSecret"),
    ]
    nearest = decide([policy(*statements)], READ, DB).nearest
    assert nearest is not None
    assert ("Statement.2 (Db)", "resource") == (str(nearest.hit.clause.statement), nearest.part)
    assert "its Resource ends in `secret:db`, but a secret's ARN has a six-character suffix" in nearest.reason


def test_an_action_of_the_same_service_is_close() -> None:
    """A statement that allows another action of the service is named with what it allows."""
    nearest = decide([policy(allow(action="secretsmanager:DescribeSecret"))], READ, DB).nearest
    assert nearest is not None
    assert ("action", "its Action omits secretsmanager:GetSecretValue") == (
        nearest.part,
        nearest.reason,
    )


def test_doubts_name_what_is_unknown() -> None:
    """Each statement that may decide says on what that depends."""
    decision = decide([policy(allow(X), allow(Condition=CONDITION), allow(DB[:-3] + "*f"))], READ, DB)
    assert decision.outcome is ALLOWED
    decision = decide([policy(allow(X), deny(Condition=CONDITION))], READ, DB)
    assert [
        "policy Statement.1 may deny it: its Condition depends on aws:ResourceTag/app",
        f"policy Statement.0 may allow it: resource var.x against {DB}: var.x is unknown",
    ] == [str(doubt) for doubt in decision.doubts]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (MANAGED + "service-role/AmazonECSTaskExecutionRolePolicy", True),
        ("arn:aws-cn:iam::aws:policy/AdministratorAccess", True),
        ("arn:aws:iam::111122223333:policy/AdministratorAccess", False),
    ],
)
def test_managed_arns(arn: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A policy is AWS's if its ARN has aws for an account."""
    assert expected == (of_aws(arn) is not None)


def test_three_valued_logic() -> None:
    """NO wins a conjunction, YES a disjunction, and MAYBE is its own opposite."""
    yes, no, maybe = Truth.YES, Truth.NO, Truth.MAYBE
    assert [no, maybe, yes] == [all_of(yes, maybe, no), all_of(yes, maybe), all_of()]
    assert [yes, maybe, no] == [any_of([no, maybe, yes]), any_of([no, maybe]), any_of([])]
    assert [no, maybe, yes] == [not_(yes), not_(maybe), not_(no)]


@pytest.mark.parametrize(
    ("action", "resource", "outcome"),
    [
        ("ecr:GetAuthorizationToken", "arn:aws:ecr:eu-west-1:111122223333:repository/app", Outcome.UNDETERMINED),
        ("logs:DescribeLogGroups", "arn:aws:logs:eu-west-1:111122223333:log-group:*", Outcome.UNDETERMINED),
        ("logs:DescribeLogGroups", "arn:aws:logs:eu-west-1:111122223333:log-group:other", Outcome.IMPLICITLY_DENIED),
        ("logs:DescribeLogGroups", "*", Outcome.ALLOWED),
    ],
)
def test_action_that_aws_lists_without_a_resource(action: str, resource: str, outcome: Outcome) -> None:
    """What is asked on `*` by the list is open where a statement names the very resource: the list has gaps."""
    asked = "arn:aws:ecr:eu-west-1:111122223333:repository/app" if action.startswith("ecr") else LOG_GROUP
    decision = decide([policy(allow(resource, action))], action, asked)

    assert decision.outcome is outcome
    assert decide([policy(allow(resource, action))], action, "*").allowed is (
        Truth.YES if resource == "*" else Truth.NO
    )
    if outcome is Outcome.UNDETERMINED:
        assert "AWS lists no resource" in why(decision)


@pytest.mark.parametrize("action", ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"])
def test_an_alias_has_no_policy_of_its_own(action: str) -> None:
    """The policies of the account suffice for an alias; the key behind it is asked apart."""
    alias, role = "arn:aws:kms:eu-west-1:111122223333:alias/app", "arn:aws:iam::111122223333:role/app"
    allow = IdentityPolicy.of(
        "app", PolicyDocument.from_value({"Statement": {"Effect": "Allow", "Action": action, "Resource": alias}})
    )

    assert Outcome.ALLOWED is decide([allow], action, alias, principal=Principal.role(role)).outcome
