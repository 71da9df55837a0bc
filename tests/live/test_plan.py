"""The Plan of what exists: what belongs to it, what the source calls it, and what is asked for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.deployed.drift import check_drift
from infraspec.core.errors import InfraspecError, ResourceRefusalError, RunnerPermissionError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import RefusedRead, Unknown
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan, Resource
from tests.live.answers import Answers
from tests.live.world import (
    FAMILY,
    KEY,
    POLICY,
    REGION,
    ROLE,
    SECRET,
    SOURCE,
    TAGS,
    World,
    allow,
    contract,
    pairs,
    source,
)

PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED


def live(directory: Path, world: World, answers: Answers | None = None) -> Plan:
    """Return the plan of what exists."""
    return live_plan(answers or world.answers(), source(directory), contract(), "prod")


def access(plan: Plan) -> list[Finding]:
    """Return what the check of the incident says of a plan."""
    return check_secret_access(plan, task_definitions(plan), contract(), "prod")


def test_resources_have_the_addresses_of_the_source(tmp_path: Path) -> None:
    """What the source names has its address, and nothing of other environments is there."""
    assert {resource.address for resource in live(tmp_path, World()).resources} == {
        resource.address for resource in source(tmp_path).managed()
    }


def test_what_ends_a_deployment_and_what_the_proxy_logs(tmp_path: Path) -> None:
    """The rules read them of a service as Terraform has them."""
    world = World()
    log = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/proxy", "awslogs-region": REGION},
        "secretOptions": [{"name": "key", "valueFrom": SECRET}],
    }
    world.service = {
        "deploymentController": {"type": "ECS"},
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": False},
            "alarms": {"alarmNames": ["a"], "enable": False, "rollback": False},
        },
        "deployments": [
            {"status": "ACTIVE", "serviceConnectConfiguration": {"enabled": False}},
            {"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": True, "logConfiguration": log}},
        ],
    }
    plan = live(tmp_path, world)
    (service,) = plan.managed("aws_ecs_service")
    assert [{"enable": True, "rollback": False}] == service.get("deployment_circuit_breaker")
    assert [{"alarm_names": ["a"], "enable": False, "rollback": False}] == service.get("alarms")
    assert [{"type": "ECS"}] == service.get("deployment_controller")
    needs = {finding.subject for finding in access(plan) if finding.verdict is VIOLATED}
    assert any(subject.startswith("Service Connect") for subject in needs), needs
    world.service["deployments"][1]["serviceConnectConfiguration"] = {"enabled": True}
    (service,) = live(tmp_path, world).managed("aws_ecs_service")
    assert [{"enabled": True, "log_configuration": []}] == service.get("service_connect_configuration")


def test_newest_revision_beside_the_running_one(tmp_path: Path) -> None:
    """A revision that is registered but not run is judged too, under its ARN."""
    world = World()
    world.revisions[16] = world.revision(SECRET.replace("db-AbCdEf", "jwt-XyZxYz"))
    plan = live(tmp_path, world)
    assert [one.address for one in task_definitions(plan)] == ["aws_ecs_task_definition.api", f"{FAMILY}:16"]
    bad = [finding for finding in access(plan) if finding.verdict is not PROVEN]
    assert {finding.address for finding in bad} == {f"{FAMILY}:16"}


def test_what_belongs_by_name_or_tags(tmp_path: Path) -> None:
    """What the source does not name belongs by a pattern with application and environment, or by the common tags."""
    world = World()
    names = {"app-dev-db": TAGS | {"Environment": "dev"}, "by-tags": TAGS, "other": {}}
    world.others = [
        {"ARN": SECRET.replace("app-prod-db", name), "Name": name, "Tags": pairs(tags)} for name, tags in names.items()
    ]
    found = live(tmp_path, world).managed("aws_secretsmanager_secret")
    assert [secret.address for secret in found] == [
        "aws_secretsmanager_secret.db",
        SECRET.replace("app-prod-db", "by-tags"),
    ]


def test_no_belonging_by_tags_without_environment(tmp_path: Path) -> None:
    """Common tags that do not hold the environment say nothing of whose a resource is."""
    world = World()
    world.others = [{"ARN": SECRET.replace("db", "x"), "Name": "x", "Tags": pairs(TAGS)}]
    shared = contract(tags={"common": {"Application": "{application}"}})
    plan = live_plan(world.answers(), source(tmp_path), shared, "prod")
    assert len(plan.managed("aws_secretsmanager_secret")) == 1


def test_roles_of_task_definitions_belong(tmp_path: Path) -> None:
    """A role that a task definition names is looked at, whatever it is called, and has to have that path."""
    world = World()
    own = f"arn:aws:iam::{ROLE.split(':')[4]}:role/elsewhere/tasks"
    world.revisions[15] = world.revision(executionRoleArn=own)
    plan = live(tmp_path, world)
    assert ROLE.replace("app-prod-api-execution", "tasks") in {role.address for role in plan.managed("aws_iam_role")}
    assert {finding.verdict for finding in access(plan)} == {PROVEN, VIOLATED}


def test_asks_for_what_is_read(tmp_path: Path) -> None:
    """A check that reads secrets asks nothing about roles."""
    answers = World().answers()
    plan = live(tmp_path, World(), answers)
    assert answers.asked == []
    plan.managed("aws_secretsmanager_secret")
    assert {service for service, _, _ in answers.asked} == {"ecs", "secretsmanager"}
    before = len(answers.asked)
    plan.managed("aws_secretsmanager_secret", "aws_ecs_service")
    assert len(answers.asked) == before


def test_denied_runner_is_an_error(tmp_path: Path) -> None:
    """What the runner may not read is no absence."""

    def denied(**_: object) -> None:
        raise InfraspecError("the runner may not")

    plan = live(tmp_path, World(), World().answers(kms__get_key_policy=denied))
    with pytest.raises(InfraspecError, match="the runner may not"):
        access(plan)
    assert plan.managed("aws_ecs_service")


def test_what_a_role_has_as_arguments_is_of_the_role(tmp_path: Path) -> None:
    """Policies that the source lists in the role are no resources of their own, and are compared with those of AWS."""
    arguments = """
      managed_policy_arns = [aws_iam_policy.read.arn]
      inline_policy {
        name   = "debug"
        policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
      }
    }
    resource "aws_iam_role" "task" {"""
    text = re.sub(r'resource "aws_iam_role_policy_attachment" "read" \{.*?\n\}', "", SOURCE, flags=re.DOTALL)
    written = source(tmp_path, re.sub(r'\}\nresource "aws_iam_role" "task" \{', lambda _: arguments, text))
    world = World()
    world.inline = {"debug": {"Statement": [allow("s3:GetObject", "*")]}}

    def drifted() -> tuple[Resource, list[Finding]]:
        plan = live_plan(world.answers(), written, contract(), "prod")
        assert () == plan.managed("aws_iam_role_policy", "aws_iam_role_policy_attachment")
        (role,) = (one for one in plan.managed("aws_iam_role") if one.address == "aws_iam_role.execution")
        return role, [one for one in check_drift(written, plan, {}) if one.address == role.address]

    role, (finding,) = drifted()
    assert ([POLICY], ["debug"]) == (
        role.get("managed_policy_arns"),
        [block["name"] for block in role.get("inline_policy")],
    )
    assert "managed_policy_arns, inline_policy" in finding.reason
    world.inline, world.attached = {}, []
    _, (finding,) = drifted()
    assert (VIOLATED, "managed_policy_arns not set\ninline_policy not set") == (finding.verdict, finding.found)


def test_a_key_that_keeps_the_runner_out_is_one_that_may_keep_the_role_out(tmp_path: Path) -> None:
    """Its policy is not taken for none, which would be that of the account; all else is judged."""

    def refused(**_: object) -> None:
        raise ResourceRefusalError("the runner may not")

    world = World()
    known = {finding.key: finding.verdict for finding in access(live(tmp_path, world))}
    plan = live(tmp_path, world, world.answers(kms__get_key_policy=refused, kms__describe_key=refused))
    found = {finding.key: finding.verdict for finding in access(plan)}
    changed = {key: verdict for key, verdict in found.items() if known[key] is not verdict}
    assert found.keys() == known.keys()
    assert ({Verdict.UNDETERMINED}, 1) == (set(changed.values()), len(changed))
    assert all("kms:Decrypt" in key for key in changed)


def test_place_of_the_plan(tmp_path: Path) -> None:
    """Account, region and partition are those that were asked."""
    plan = live(tmp_path, World())
    assert (plan.account, plan.region, plan.partition) == (ROLE.split(":")[4], REGION, "aws")
    assert repr(plan) == f"<Plan of the account {plan.account}, region {REGION}>"
    assert len(plan.resources) == len(list(plan.resources))
    assert plan.resources[0].type == "aws_ecs_cluster"
    assert plan.data("aws_iam_role") == ()


def test_patterns_that_do_not_tell(tmp_path: Path) -> None:
    """A pattern without the environment says nothing of whose a resource is."""
    world = World()
    world.others = [{"ARN": SECRET.replace("prod-db", "x"), "Name": "app-x", "Tags": []}]
    loose = contract(names={"patterns": {"aws_secretsmanager_secret": "{application}-x"}})
    plan = live_plan(world.answers(), source(tmp_path), loose, "prod")
    assert len(plan.managed("aws_secretsmanager_secret")) == 1


def test_keys_of_aws_are_none_of_the_plan(tmp_path: Path) -> None:
    """A key that AWS manages is not looked at any further."""
    managed = {"KeyMetadata": {"Arn": KEY, "KeyManager": "AWS", "KeyState": "Enabled"}}
    assert live(tmp_path, World(), World().answers(kms__describe_key=managed)).managed("aws_kms_key") == ()


def test_secrets_that_are_being_deleted_are_listed(tmp_path: Path) -> None:
    """A secret whose deletion is scheduled is asked for too: it still has a policy and a key."""
    answers = World().answers()
    live(tmp_path, World(), answers).managed("aws_secretsmanager_secret")
    (asked,) = [parameters for _, name, parameters in answers.asked if name == "list_secrets"]
    assert asked == {"IncludePlannedDeletion": True}


def test_name_that_two_may_have(tmp_path: Path) -> None:
    """What two resources of the source may be is neither: it has its ARN."""
    two = SOURCE + "".join(
        f'resource "aws_secretsmanager_secret" "{name}" {{ name_prefix = "app-prod-j" }}\n' for name in ("one", "two")
    )
    world = World()
    arn = SECRET.replace("prod-db", "prod-jwt")
    world.others = [{"ARN": arn, "Name": "app-prod-jwt", "Tags": []}]
    plan = live_plan(world.answers(), source(tmp_path, two), contract(), "prod")
    assert [one.address for one in plan.managed("aws_secretsmanager_secret")] == ["aws_secretsmanager_secret.db", arn]


def test_tags_that_may_not_be_looked_at_are_not_known(tmp_path: Path) -> None:
    """What a resource is does not depend on them, and the finding about them says what to add."""

    def denied(**_: object) -> None:
        raise RunnerPermissionError("the runner may not tag:GetResources", remedy="add the statement")

    plan = live(tmp_path, World(), World().answers(resourcegroupstaggingapi__get_resources=denied))
    (key,) = plan.managed("aws_kms_key")
    tags = key.stated("tags_all")
    assert "aws_kms_key.secrets" == key.address
    assert isinstance(tags, Unknown)
    assert RefusedRead("add the statement") == tags.cause
