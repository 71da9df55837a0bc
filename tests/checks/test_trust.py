"""Who may assume the roles of a task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.unknown import JsonText, Sensitive, Unknown, Value
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.plan import Plan, Resource
from tests.checks.access_cases import ACCOUNT, OTHER_ACCOUNT, REGION, resource

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
SERVICE = "ecs-tasks.amazonaws.com"
TASKS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"


def document(*statements: dict[str, Value]) -> JsonText:
    """Return a trust policy."""
    return JsonText({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Value, action: Value = "sts:AssumeRole", **more: Value) -> dict[str, Value]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def service(*names: str) -> dict[str, Value]:
    """Return service principals."""
    return {"Service": list(names)}


def under(operator: str, key: str, value: Value) -> dict[str, Value]:
    """Return a statement for ECS with one condition."""
    return allow(service(SERVICE), Condition={operator: {key: value}})


def deny_unless_service() -> dict[str, Value]:
    """Return a statement that denies everybody but AWS services."""
    condition = {"Bool": {"aws:PrincipalIsAWSService": "false"}}
    return {**allow("*"), "Effect": "Deny", "Condition": condition}


def judged(policy: Value, *others: Resource, **values: Value) -> list[Finding]:
    """Return the findings about the roles of a task definition whose roles have a trust policy."""
    roles = [resource(f"aws_iam_role.{kind}", name=kind, assume_role_policy=policy) for kind in ("execution", "task")]
    task = resource(
        "aws_ecs_task_definition.app",
        family="app",
        **{
            "container_definitions": json.dumps([{"name": "app", "image": "nginx:1"}]),
            "execution_role_arn": Unknown("aws_iam_role.execution.arn"),
            "task_role_arn": Unknown("aws_iam_role.task.arn"),
            **values,
        },
    )
    plan = Plan("source", (*roles, task, *others), account=ACCOUNT, region=REGION)
    return check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (document(allow(service(SERVICE))), PROVEN),
        (document(allow({"Service": SERVICE})), PROVEN),
        (document(allow(service("ec2.amazonaws.com", SERVICE), ["sts:AssumeRole", "sts:TagSession"])), PROVEN),
        (document(allow(service("ec2.amazonaws.com")), allow(service(SERVICE), "sts:*")), PROVEN),
        (document(allow(service("ec2.amazonaws.com"))), VIOLATED),
        (document(allow(service("ecs.amazonaws.com"))), VIOLATED),
        (document(allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})), VIOLATED),
        (document(allow({"Federated": SERVICE}, "sts:AssumeRoleWithWebIdentity")), VIOLATED),
        (document(allow(service(SERVICE), "sts:TagSession")), VIOLATED),
        (document(), VIOLATED),
        (document(allow(service(SERVICE)), {**allow(service(SERVICE)), "Effect": "Deny"}), VIOLATED),
        (document(allow(service(SERVICE)), {**allow({"AWS": "*"}), "Effect": "Deny"}), VIOLATED),
        (document(allow(service(SERVICE)), deny_unless_service()), PROVEN),
        (document(allow("*")), UNDETERMINED),
        (document({"Effect": "Allow", "NotPrincipal": service(SERVICE), "Action": "sts:AssumeRole"}), UNDETERMINED),
        (document(allow(Unknown("var.principal"))), UNDETERMINED),
        (document(allow({"Service": Unknown("var.service")})), UNDETERMINED),
        (document(allow({"AWS": Unknown("var.account")})), UNDETERMINED),
        (Unknown("var.trust"), UNDETERMINED),
        (Sensitive("var.trust", "s3cret"), UNDETERMINED),
        (document(under("ArnLike", "aws:SourceArn", TASKS)), PROVEN),
        (document(under("StringLike", "aws:SourceArn", f"arn:aws:ecs:*:{ACCOUNT}:*")), PROVEN),
        (document(under("ArnLike", "aws:SourceArn", f"arn:aws:ecs:us-east-1:{ACCOUNT}:*")), VIOLATED),
        (document(under("ArnLike", "aws:SourceArn", f"arn:aws:ecs:{REGION}:{OTHER_ACCOUNT}:*")), VIOLATED),
        (document(under("ArnLike", "aws:SourceArn", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main")), UNDETERMINED),
        (document(under("StringEquals", "aws:SourceArn", TASKS)), UNDETERMINED),
        (document(under("StringEquals", "aws:SourceAccount", ACCOUNT)), PROVEN),
        (document(under("StringEquals", "aws:SourceAccount", [OTHER_ACCOUNT, ACCOUNT])), PROVEN),
        (document(under("StringEquals", "aws:SourceAccount", OTHER_ACCOUNT)), VIOLATED),
        (document(under("StringEquals", "aws:SourceAccount", Unknown("var.account"))), UNDETERMINED),
        (document(under("StringEquals", "aws:SourceOrgID", "o-1")), UNDETERMINED),
        (document(under("StringEquals", "sts:ExternalId", "x")), VIOLATED),
    ],
    ids=str,
)
def test_who_may_assume_a_role(policy: Value, expected: Verdict) -> None:
    """Service ecs-tasks.amazonaws.com may do sts:AssumeRole, under conditions that hold for ECS."""
    found = judged(policy)
    assert [finding.subject for finding in found] == [
        f"{kind} role: sts:AssumeRole by {SERVICE}" for kind in ("execution", "task")
    ]
    assert [expected] * 2 == [finding.verdict for finding in found]
    assert "s3cret" not in str(found)


def test_the_finding_says_who_is_let_in_and_what_to_add() -> None:
    """The finding names the role, who it lets in, the statement that misses, and the statement to add."""
    first, _ = judged(document(allow(service("ec2.amazonaws.com"), Sid="Ec2")))
    assert first.location == Location("main.tf", 1)
    assert first.expected == (
        "the execution role aws_iam_role.execution must allow ecs-tasks.amazonaws.com to perform sts:AssumeRole; "
        'required by AWS: "Amazon ECS task execution IAM role"'
    )
    assert first.found == "its trust policy allows only ec2.amazonaws.com"
    assert first.reason == "Statement.0 (Ec2) does not name Service ecs-tasks.amazonaws.com"
    assert [other.address for other in first.related] == ["aws_iam_role.execution"]
    assert first.remedy == (
        "add to assume_role_policy of aws_iam_role.execution (main.tf:1) the statement\n"
        '{\n  Effect    = "Allow",\n  Action    = "sts:AssumeRole",\n'
        '  Principal = {\n    Service = "ecs-tasks.amazonaws.com",\n  },\n}'
    )


def test_the_fix_is_at_the_policy_document() -> None:
    """A trust policy that a policy document renders gets a block to add there."""
    text = document(allow(service("ec2.amazonaws.com")))
    first, _ = judged(text, resource("data.aws_iam_policy_document.trust", json=text))
    assert "add to data.aws_iam_policy_document.trust (main.tf:1) the statement\nstatement {" in first.remedy
    assert 'identifiers = [\n      "ecs-tasks.amazonaws.com",' in first.remedy


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (allow(service(SERVICE), "sts:TagSession"), "Statement.0 allows sts:TagSession, not sts:AssumeRole"),
        (
            under("StringEquals", "aws:SourceAccount", OTHER_ACCOUNT),
            "the Condition of Statement.0 does not hold for ECS",
        ),
    ],
)
def test_why_a_statement_misses(statement: dict[str, Any], reason: str) -> None:
    """The reason is the part of the statement that misses."""
    first, _ = judged(document(statement))
    assert first.reason.startswith(reason)


def test_a_role_from_elsewhere_is_not_known() -> None:
    """The trust policy of a role that is not in the plan is not known, unless a data source has read it."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/shared"
    (first, second) = judged(document(), execution_role_arn=arn, task_role_arn=Unknown("var.role"))
    assert (first.verdict, second.verdict) == (UNDETERMINED, UNDETERMINED)
    assert arn in first.expected
    assert "bring the role into the plan" in first.remedy

    read = resource("data.aws_iam_role.shared", assume_role_policy=document(allow(service(SERVICE))))
    (first, second) = judged(document(), read, execution_role_arn=Unknown("data.aws_iam_role.shared.arn"))
    assert (first.verdict, second.verdict) == (PROVEN, VIOLATED)


def test_without_roles_nothing_is_assumed() -> None:
    """A task definition without roles that needs none is proven to."""
    (finding,) = judged(document(), execution_role_arn=None, task_role_arn=None)
    assert (PROVEN, "no role") == (finding.verdict, finding.subject)


def test_without_roles_what_is_not_known_is_not_proven() -> None:
    """A task definition without roles, a part of which is not known, is no proof that it needs none."""
    unknown = Unknown("var.containers")
    found = judged(document(), execution_role_arn=None, task_role_arn=None, container_definitions=unknown)
    assert [UNDETERMINED] == [finding.verdict for finding in found]


@pytest.mark.parametrize(
    "refused",
    [
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        {**allow(service(SERVICE)), "Resource": "*"},
        {**allow(service(SERVICE)), "Action": ["sts:AssumeRole", "ecs:RunTask"]},
    ],
)
def test_a_trust_policy_that_aws_refuses(refused: Value) -> None:
    """A trust policy that AWS does not take lets nobody in."""
    found = judged(document(refused))

    assert [VIOLATED, VIOLATED] == [one.verdict for one in found]
    assert found[0].found == "AWS refuses the trust policy of aws_iam_role.execution"
