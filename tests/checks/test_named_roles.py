"""The roles that services, capacity providers and targets name: who may assume them, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_access import check_task_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import JsonText, Unknown, Value
from infraspec.ecs.access_table import ROWS, Access
from infraspec.terraform.plan import Plan, Resource
from infraspec.workloads.access_table import workload_roles
from tests.checks.access_cases import ACCOUNT, REGION, resource
from tests.terraform.sources import plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate(
    {"project": {"application": "app"}, "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}}}
)
TRUSTS = [row for row in ROWS.values() if row.named_by]
STARTERS = {rows.trust.role: rows.trust for rows in workload_roles()["task-access"]}
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
BESIDE: Mapping[str, Mapping[str, Value]] = {
    "Service Connect TLS": {
        "issuer_cert_authority": [
            {"aws_pca_authority_arn": f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/one"}
        ],
        "kms_key": Unknown("aws_kms_key.tls.arn"),
    },
    "EBS volume": {"kms_key_id": Unknown("aws_kms_key.volumes.arn")},
    "VPC Lattice": {"target_group_arn": f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:targetgroup/tg-1"},
    "managed instances": {
        "instance_launch_template": [{"ec2_instance_profile_arn": Unknown("aws_iam_instance_profile.host.arn")}]
    },
    "blue/green": {
        "alternate_target_group_arn": Unknown("aws_lb_target_group.green.arn"),
        "production_listener_rule": Unknown("aws_lb_listener_rule.production.arn"),
    },
    "lifecycle hook": {"hook_target_arn": Unknown("aws_lambda_function.hook.arn")},
    "load balancer": {"load_balancer": [{"target_group_arn": f"{BALANCER}:targetgroup/blue/1"}, {"elb_name": "old"}]},
    "EventBridge": {"ecs_target": [{"task_definition_arn": Unknown("aws_ecs_task_definition.job.arn")}]},
    "scheduler": {"ecs_parameters": [{"task_definition_arn": Unknown("aws_ecs_task_definition.job.arn")}]},
}
"""What stands beside a role, where its needs are read from."""
OTHERS = (
    resource("aws_kms_key.tls"),
    resource("aws_kms_key.volumes"),
    resource("aws_lb_target_group.green", name="green"),
    resource("aws_lb_listener_rule.production"),
    resource("aws_lambda_function.hook", function_name="hook"),
    resource("aws_iam_instance_profile.host", name="host", role="host"),
    resource("aws_iam_role.host", name="host", path="/hosts/"),
    resource("aws_iam_role.job", name="job"),
    resource(
        "aws_ecs_task_definition.job",
        family="job",
        execution_role_arn=Unknown("aws_iam_role.job.arn"),
        task_role_arn=Unknown("aws_iam_role.job.arn"),
    ),
)
by_role = pytest.mark.parametrize("trust", TRUSTS, ids=lambda row: row.role)


def found_in(plan: Plan) -> list[Finding]:
    """Return what is said of all roles of a plan."""
    secrets = check_secret_access(plan, (), CONTRACT, "prod")
    return [*secrets, *check_task_access(plan, CONTRACT, "prod")]


def document(*statements: Mapping[str, Value]) -> JsonText:
    """Return a policy."""
    return JsonText({"Version": "2012-10-17", "Statement": list(statements)})


def naming(trust: Access, role: Value) -> Resource:
    """Return the resource that names a role where a row says, with what stands beside it."""
    type_, *path = trust.named_by.split(".")
    value: Any = {path[-1]: role, **BESIDE.get(trust.role, {})}
    for name in reversed(path[:-1]):
        value = {name: [value]}
    return resource(f"{type_}.owner", name="owner", arn=Unknown(f"{type_}.owner.arn"), **value)


def judged(trust: Access, service: str, *statements: Mapping[str, Value], role: Value = None) -> list[Finding]:
    """Return the findings about a role with a principal in its trust policy, and statements."""
    let_in = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    named = naming(trust, role or Unknown("aws_iam_role.own.arn"))
    own = resource("aws_iam_role.own", name="own", assume_role_policy=document(let_in))
    policy = resource("aws_iam_role_policy.own", role=Unknown("aws_iam_role.own.id"), policy=document(*statements))
    plan = Plan("source", (named, own, policy, *OTHERS), account=ACCOUNT, region=REGION)
    return found_in(plan)


def allowing(trust: Access, **changes: Value) -> list[Mapping[str, Value]]:
    """Return a statement for each row that a role needs."""
    rows = [row for row in ROWS.values() if row.target and row.role == trust.role]
    return [{"Effect": "Allow", "Action": list(row.actions), "Resource": "*", **changes} for row in rows]


@by_role
def test_a_role_that_its_service_may_assume_and_that_may_do_all_is_proven(trust: Access) -> None:
    """Every finding about it is PROVEN, and there is one for each action of each row on each resource."""
    found = judged(trust, trust.principal, *allowing(trust))
    assert {PROVEN} == {finding.verdict for finding in found}
    assert f"{trust.role} role aws_iam_role.own: sts:AssumeRole by {trust.principal}" == found[0].subject
    needed = {action for row in ROWS.values() if row.target and row.role == trust.role for action in row.actions}
    assert needed - {"elasticloadbalancing:ModifyListener"} == {one.subject.rpartition(": ")[2] for one in found[1:]}


@by_role
def test_a_role_of_tasks_is_none_that_the_service_may_assume(trust: Access) -> None:
    """A trust policy for tasks does not let the service in; the fix names the service."""
    assert trust.principal != "ecs-tasks.amazonaws.com"
    wrong, *others = judged(trust, "ecs-tasks.amazonaws.com", *allowing(trust))
    assert (VIOLATED, {PROVEN}) == (wrong.verdict, {finding.verdict for finding in others})
    assert f'Service = "{trust.principal}"' in wrong.remedy


@by_role
def test_a_role_without_permissions_is_violated(trust: Access) -> None:
    """Without a statement what is needed for certain is VIOLATED: one finding, and one fix, for each resource."""
    found = judged(trust, trust.principal)[1:]
    assert VIOLATED in {finding.verdict for finding in found}
    assert len({finding.subject for finding in found}) == len(found)
    assert {VIOLATED, UNDETERMINED} >= {finding.verdict for finding in found}
    needed = f"the {trust.role} role aws_iam_role.own must be allowed to perform"
    assert all(needed in finding.expected for finding in found)


@by_role
def test_a_deny_wins(trust: Access) -> None:
    """What is denied beside the allow is VIOLATED."""
    found = judged(trust, trust.principal, *allowing(trust), *allowing(trust, Effect="Deny"))[1:]
    assert VIOLATED in {finding.verdict for finding in found}
    assert PROVEN not in {finding.verdict for finding in found}


@by_role
def test_a_role_from_elsewhere_is_left_open(trust: Access) -> None:
    """Of a role that is not in the plan nothing is known, and the remedy says how to know it."""
    found = judged(trust, trust.principal, role=f"arn:aws:iam::{ACCOUNT}:role/elsewhere")
    assert {UNDETERMINED} == {finding.verdict for finding in found}
    assert all(finding.remedy for finding in found)


@by_role
def test_what_hides_a_role_is_reported(trust: Access) -> None:
    """A block that is not known may name a role that may not do what is needed."""
    type_, first, *rest = trust.named_by.split(".")
    hidden = resource(f"{type_}.owner", name="owner", **{first: Unknown("var.hidden")})
    found = found_in(Plan("source", (hidden,), account=ACCOUNT, region=REGION))
    expected = set() if trust.beside and not rest else {UNDETERMINED}
    assert expected == {finding.verdict for finding in found}
    assert all("var.hidden" in f"{finding.found} {finding.reason} {finding.expected}" for finding in found)


@pytest.mark.parametrize("role", ["EventBridge", "scheduler"])
def test_what_starts_a_task_has_to_name_a_role(role: str) -> None:
    """A target that is a task without a role to start it is VIOLATED."""
    trust = STARTERS.get(role) or next(row for row in TRUSTS if row.role == role)
    owner = naming(trust, None)
    judged = found_in(Plan("source", (owner, *OTHERS), account=ACCOUNT, region=REGION))
    (found,) = (one for one in judged if one.verdict is not PROVEN)
    assert (VIOLATED, owner.address, f"{role} role") == (found.verdict, found.address, found.subject)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("job:*", UNDETERMINED), ("job", PROVEN), ("*", PROVEN), ("other:*", VIOLATED)],
)
def test_the_family_of_a_task_definition_stands_for_its_newest_revision(listed: str, expected: Verdict) -> None:
    """Which of the two ARNs IAM is asked about where no revision is named is not documented."""
    trust = STARTERS["EventBridge"]
    family = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/"
    allow = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": f"{family}{listed}"}
    named = naming(trust, Unknown("aws_iam_role.own.arn"))
    named = replace(named, values={**named.values, "ecs_target": [{"task_definition_arn": f"{family}job"}]})
    own = resource("aws_iam_role.own", name="own", assume_role_policy=document())
    policy = resource("aws_iam_role_policy.own", role=Unknown("aws_iam_role.own.id"), policy=document(allow))
    plan = Plan("source", (named, own, policy, *OTHERS), account=ACCOUNT, region=REGION)
    found = found_in(plan)
    assert [expected] == [one.verdict for one in found if one.subject.endswith("ecs:RunTask")]


def test_a_role_that_a_plan_file_does_not_know_is_left_open() -> None:
    """What is known after apply may be any role; what AWS may choose by itself is named by nobody."""
    for trust in TRUSTS:
        owner = naming(trust, "x")
        path = trust.named_by.partition(".")[2]
        hidden = naming(trust, Unknown(f"{owner.address}.{path}"))
        found = found_in(Plan("plan", (hidden, *OTHERS), account=ACCOUNT, region=REGION))
        chosen = trust.role == "load balancer"
        assert (set() if chosen else {UNDETERMINED}) == {one.verdict for one in found}


def test_the_cluster_is_part_of_the_request() -> None:
    """A statement for the cluster of a schedule lets it start tasks there."""
    trust = STARTERS["scheduler"]
    cluster = Unknown("aws_ecs_cluster.main.arn")
    owner = naming(trust, Unknown("aws_iam_role.own.arn"))
    (target,) = owner.values["target"]
    for named, expected in ((cluster, PROVEN), (f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/other", VIOLATED)):
        condition = {"ArnEquals": {"ecs:cluster": named}}
        allow = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "*", "Condition": condition}
        resources = (
            replace(owner, values={**owner.values, "target": [{**target, "arn": cluster}]}),
            resource("aws_ecs_cluster.main", name="main"),
            resource("aws_iam_role.own", name="own", assume_role_policy=document()),
            resource("aws_iam_role_policy.own", role=Unknown("aws_iam_role.own.id"), policy=document(allow)),
        )
        plan = Plan("source", (*resources, *OTHERS), account=ACCOUNT, region=REGION)
        found = found_in(plan)
        assert [expected] == [one.verdict for one in found if one.subject.endswith("ecs:RunTask")]


def test_what_is_off_asks_for_nothing() -> None:
    """Service Connect that is not enabled has no TLS."""
    trust = next(row for row in TRUSTS if row.role == "Service Connect TLS")
    owner = naming(trust, Unknown("aws_iam_role.own.arn"))
    (block,) = owner.values["service_connect_configuration"]
    owner = replace(owner, values={**owner.values, "service_connect_configuration": [{**block, "enabled": False}]})
    assert [] == found_in(Plan("source", (owner,), account=ACCOUNT, region=REGION))


def test_conditions_of_the_managed_policies_hold() -> None:
    """The tags that ECS gives to what it makes, and asks for, let the conditions of AWS's policies hold."""
    trust = next(row for row in TRUSTS if row.role == "EBS volume")
    volume = "arn:aws:ec2:*:*:volume/*"
    made = {
        "ArnLike": {"aws:RequestTag/AmazonECSCreated": "arn:aws:ecs:*:*:task/*"},
        "StringEquals": {"aws:RequestTag/AmazonECSManaged": "true"},
    }
    tagging = {**made, "StringEquals": {**made["StringEquals"], "ec2:CreateAction": "CreateVolume"}}
    managed = {"StringEquals": {"aws:ResourceTag/AmazonECSManaged": "true"}}
    found = judged(
        trust,
        trust.principal,
        {"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": volume, "Condition": made},
        {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": volume, "Condition": tagging},
        {"Effect": "Allow", "Action": ["ec2:Describe*", "kms:*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["ec2:AttachVolume", "ec2:DeleteVolume"],
            "Resource": volume,
            "Condition": managed,
        },
    )
    assert {PROVEN} == {finding.verdict for finding in found}


def test_the_role_of_an_instance_profile_is_that_of_its_path() -> None:
    """Passing it is asked for by its whole ARN, so a role of the same name without the path is another one."""
    trust = next(row for row in TRUSTS if row.role == "managed instances")
    arns = {"arn:aws:iam::*:role/hosts/host": PROVEN, "arn:aws:iam::*:role/host": VIOLATED}
    for arn, expected in arns.items():
        found = judged(trust, trust.principal, {"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn})
        assert [expected] == [one.verdict for one in found if one.subject.endswith("iam:PassRole")]


@pytest.mark.parametrize(
    ("kind", "resource_", "expected"),
    [
        ("network", "listener/net/*/*/*", PROVEN),
        (None, "listener/net/*/*/*", VIOLATED),
        ("application", "listener/app/*/*/*", PROVEN),
        (Unknown("var.kind"), "listener/net/*/*/*", UNDETERMINED),
    ],
)
def test_production_traffic_of_a_network_load_balancer_is_that_of_a_listener(
    kind: Value, resource_: str, expected: Verdict
) -> None:
    """Where the production rule is a listener, that is modified, and its ARN says what kind of load balancer it has."""
    trust = next(row for row in TRUSTS if row.role == "blue/green")
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": trust.principal}}
    modify = {
        "Effect": "Allow",
        "Action": "elasticloadbalancing:Modify*",
        "Resource": f"{BALANCER}:{resource_}",
    }
    advanced = {
        "production_listener_rule": Unknown("aws_lb_listener.web.arn"),
        "role_arn": Unknown("aws_iam_role.own.arn"),
    }
    resources = (
        resource("aws_lb.web", name="web", **({"load_balancer_type": kind} if kind else {})),
        resource("aws_lb_listener.web", load_balancer_arn=Unknown("aws_lb.web.arn")),
        resource("aws_ecs_service.owner", name="owner", load_balancer=[{"advanced_configuration": [advanced]}]),
        resource("aws_iam_role.own", name="own", assume_role_policy=document(allow)),
        resource("aws_iam_role_policy.own", role=Unknown("aws_iam_role.own.id"), policy=document(modify)),
    )
    found = found_in(Plan("source", resources, account=ACCOUNT, region=REGION))
    assert [expected] == [one.verdict for one in found if ":Modify" in one.subject]


def test_a_service_linked_role_is_named_by_nobody() -> None:
    """What AWS fills in where no role is given asks for nothing."""
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    for role in (linked, Unknown("aws_ecs_service.owner.iam_role")):
        owner = naming(next(row for row in TRUSTS if row.role == "load balancer"), role)
        assert [] == found_in(Plan("state", (owner,)))


SOURCE = """
variable "infrastructure" { type = string }
resource "aws_ecs_service" "web" {
  name = "web"
  dynamic "volume_configuration" {
    for_each = { data = var.infrastructure }
    content {
      name = volume_configuration.key
      managed_ebs_volume { role_arn = volume_configuration.value }
    }
  }
}
"""
ROOT = """
module "web" {
  source         = "./web"
  infrastructure = aws_iam_role.storage["ebs"].arn
}
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["%s.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "storage" {
  for_each           = toset(["ebs"])
  name               = "storage-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"""


@pytest.mark.parametrize(("service", "expected"), [("ecs", PROVEN), ("ecs-tasks", VIOLATED), ("ec2", VIOLATED)])
def test_layouts(tmp_path: Path, service: str, expected: Verdict) -> None:
    """A role of a module's caller, of for_each, in a dynamic block, with a policy document as data, is found alike."""
    plan = plan_of(tmp_path, {"main.tf": ROOT % service, "web/main.tf": SOURCE})
    (trust,) = [one for one in found_in(plan) if "sts:AssumeRole" in one.subject]
    assert expected == trust.verdict
    assert "module.web.aws_ecs_service.web" == trust.address


MANAGED = {
    "EBS volume": "service-role/AmazonECSInfrastructureRolePolicyForVolumes",
    "VPC Lattice": "AmazonECSInfrastructureRolePolicyForVpcLattice",
    "blue/green": "AmazonECSInfrastructureRolePolicyForLoadBalancers",
    "load balancer": "service-role/AmazonEC2ContainerServiceRole",
    "Express infrastructure": "service-role/AmazonECSInfrastructureRoleforExpressGatewayServices",
    "EventBridge": "service-role/AmazonEC2ContainerServiceEventsRole",
}


@pytest.mark.parametrize("policy", sorted(set(MANAGED.values())))
@pytest.mark.parametrize("role", MANAGED)
def test_the_policy_of_aws_for_a_purpose_is_enough_for_it_and_for_no_other(role: str, policy: str) -> None:
    """With the policy of AWS for its purpose a role is PROVEN, but for keys of yours; with another policy it is not."""
    trust = STARTERS.get(role) or next(row for row in TRUSTS if row.role == role)
    let_in = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": trust.principal}}
    resources = (
        naming(trust, Unknown("aws_iam_role.own.arn")),
        resource("aws_iam_role.own", name="own", assume_role_policy=document(let_in)),
        resource(
            "aws_iam_role_policy_attachment.own",
            role=Unknown("aws_iam_role.own.name"),
            policy_arn=f"arn:aws:iam::aws:policy/{policy}",
        ),
    )
    plan = Plan("source", (*resources, *OTHERS), account=ACCOUNT, region=REGION)
    found = [one for one in found_in(plan) if "kms:" not in one.subject]
    assert (policy == MANAGED[role]) == ({PROVEN} == {one.verdict for one in found})


@pytest.mark.parametrize(
    ("block", "asked"),
    [
        ({"target_group_arn": f"{BALANCER}:targetgroup/blue/1"}, "RegisterTargets"),
        ({"elb_name": "old"}, "RegisterInstancesWithLoadBalancer"),
    ],
)
def test_a_role_needs_only_what_is_registered_at_its_kind_of_load_balancer(
    block: Mapping[str, Value], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service with a target group registers no instances at a Classic Load Balancer, and the other way round."""
    monkeypatch.setitem(BESIDE, "load balancer", {"load_balancer": [block]})
    (trust,) = (row for row in TRUSTS if row.role == "load balancer")
    found = judged(trust, trust.principal)[1:]
    assert [asked] == [finding.subject.split("elasticloadbalancing:")[2].split(",")[0] for finding in found]
