"""The Plan of what exists: what belongs to it, what the source calls it, and what is asked for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.deployed.drift import check_drift
from infraspec.core.errors import InfraspecError, ResourceRefusalError
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan, Resource
from tests.live.answers import Answers
from tests.live.world import (
    ACCOUNT,
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
    trust,
)

PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED


def live(directory: Path, world: World, answers: Answers | None = None) -> Plan:
    """Return the plan of what exists."""
    return live_plan(answers or world.answers(), source(directory), contract(), "prod")


def access(plan: Plan) -> list[Finding]:
    """Return what the check of the incident says of a plan."""
    return check_secret_access(plan, task_definitions(plan), contract(), "prod")


def outcome(findings: list[Finding]) -> set[tuple[str, str, str, str]]:
    """Return what findings say about whom, and where."""
    return {(one.verdict.name, one.address, one.subject, str(one.location)) for one in findings}


def test_same_findings_from_source_and_account(tmp_path: Path) -> None:
    """What was applied as it is written has the findings of the source, at the same places."""
    written, exists = source(tmp_path), live(tmp_path, World())
    assert outcome(access(exists)) == outcome(access(written))
    assert {finding.verdict for finding in access(exists)} == {PROVEN}
    checked = [check_task_definitions(plan, task_definitions(plan), contract(), "prod") for plan in (written, exists)]
    assert outcome(checked[0]) == outcome(checked[1])


def test_resources_have_the_addresses_of_the_source(tmp_path: Path) -> None:
    """What the source names has its address, and nothing of other environments is there."""
    assert {resource.address for resource in live(tmp_path, World()).resources} == {
        resource.address for resource in source(tmp_path).managed()
    }


def test_missing_statement(tmp_path: Path) -> None:
    """A statement that is gone from the account is missed, whatever the source says."""
    world = World()
    world.documents[POLICY]["Statement"] = [allow("kms:Decrypt", KEY)]
    (finding,) = [one for one in access(live(tmp_path, world)) if one.verdict is not PROVEN]
    assert finding.verdict is VIOLATED
    assert "secretsmanager:GetSecretValue" in finding.subject
    assert finding.location is not None
    assert finding.location.file.endswith("main.tf")


def only(findings: list[Finding]) -> Finding:
    """Return the one finding that is not proven."""
    (finding,) = [one for one in findings if one.verdict is not PROVEN]
    return finding


def test_what_the_source_allows_is_to_be_applied(tmp_path: Path) -> None:
    """A statement that the source has is not to be written: it says where it stands, and to apply it."""
    line = next(number for number, text in enumerate(SOURCE.splitlines(), 1) if "GetSecretValue" in text)
    world = World()
    world.documents[POLICY]["Statement"] = [allow("kms:Decrypt", KEY)]
    finding = only(access(live(tmp_path, world)))
    assert f"apply it: the source at {tmp_path}/main.tf:{line} allows it" == finding.remedy

    world = World()
    world.attached = []
    for each in access(live(tmp_path, world)):
        assert each.verdict is PROVEN or each.remedy.startswith("apply it: the source at ")

    kept = SOURCE.replace("  tags   = local.tags", "  tags   = local.tags\n  lifecycle { ignore_changes = [policy] }")
    world = World()
    world.documents[POLICY]["Statement"] = [allow("kms:Decrypt", KEY)]
    plan = live_plan(world.answers(), source(tmp_path, kept), contract(), "prod")
    assert only(access(plan)).remedy.startswith("add to aws_iam_policy.read (")


@pytest.mark.parametrize("written", ["", "ecs-tasks.amazonaws.com"])
def test_a_trust_policy_of_the_source_is_to_be_applied(written: str, tmp_path: Path) -> None:
    """Where the source lets ECS in, that is to be applied; where it does not, the statement is to be written."""
    world = World()
    (statement,) = trust()["Statement"]
    world.role["AssumeRolePolicyDocument"] = {
        "Statement": [{**statement, "Principal": {"Service": "ec2.amazonaws.com"}}]
    }
    text = SOURCE if written else SOURCE.replace("ecs-tasks.amazonaws.com", "lambda.amazonaws.com")
    found = access(live_plan(world.answers(), source(tmp_path, text), contract(), "prod"))
    finding = next(one for one in found if one.subject.startswith("execution role: sts:AssumeRole"))
    assert finding.verdict is VIOLATED
    expected = f"apply it: the source at {tmp_path}/main.tf:" if written else "add to assume_role_policy of"
    assert finding.remedy.startswith(expected)


@pytest.mark.parametrize("named", ["app-prod-api-execution", "app-prod-gone"])
def test_a_role_that_does_not_exist_is_one_finding(named: str, tmp_path: Path) -> None:
    """It is VIOLATED with the ARN, and says whether the source makes it; what it should allow is not asked."""
    world = World()
    arn = f"arn:aws:iam::{ACCOUNT}:role/{named}"
    world.revisions = {15: world.revision(executionRoleArn=arn)}
    world.gone = named
    bad = [one for one in access(live(tmp_path, world)) if one.verdict is not PROVEN]
    (finding,) = bad
    assert (VIOLATED, f"there is no role {arn} in account {ACCOUNT}") == (finding.verdict, finding.found)
    made = named == "app-prod-api-execution"
    assert made is finding.remedy.startswith("apply it: the source makes it as aws_iam_role.execution (")
    assert made or "create the role, or deploy a revision that names one that exists" == finding.remedy


def test_a_role_that_was_not_asked_for_is_not_known(tmp_path: Path) -> None:
    """Of a role that no task definition of the account names, AWS was not asked: it is not said to be missing."""
    text = json.dumps({"family": "x", "containerDefinitions": [], "executionRoleArn": f"{ROLE}-other"})
    written = TaskDefinition.from_json(text, "x.json")
    (finding,) = check_secret_access(live(tmp_path, World()), [written], contract(), "prod")
    assert (Verdict.UNDETERMINED, "the role is not in this plan") == (finding.verdict, finding.reason)


def test_the_fix_is_of_the_form_of_the_source(tmp_path: Path) -> None:
    """A policy that is written as a document is mended there, though AWS has its text alone."""
    written = """
      data "aws_iam_policy_document" "read" {
        statement {
          actions   = ["kms:Decrypt"]
          resources = [aws_kms_key.secrets.arn]
        }
      }
    """
    begin = SOURCE.index("  policy = jsonencode(")
    end = SOURCE.index("})\n", begin) + 3
    text = f"{SOURCE[:begin]}  policy = data.aws_iam_policy_document.read.json\n{SOURCE[end:]}{written}"
    world = World()
    world.documents[POLICY]["Statement"] = [allow("kms:Decrypt", KEY)]
    plan = live_plan(world.answers(), source(tmp_path, text), contract(), "prod")
    (finding,) = [one for one in access(plan) if one.verdict is not PROVEN]
    assert finding.remedy.startswith("add to data.aws_iam_policy_document.read (")
    assert "statement {\n" in finding.remedy
    assert "aws_secretsmanager_secret.db.arn" in finding.remedy


@pytest.mark.parametrize(
    ("field", "document", "denied", "verdict"),
    [
        (
            "secret_policy",
            {"Statement": [allow("*", "*", "Deny", Principal="*")]},
            "secretsmanager:GetSecretValue",
            VIOLATED,
        ),
        (
            "key_policy",
            {"Statement": [allow("kms:*", "*", Principal={"AWS": "999988887777"})]},
            "kms:Decrypt",
            Verdict.UNDETERMINED,
        ),
        ("key_policy", {"Statement": [allow("kms:*", "*", "Deny", Principal="*")]}, "kms:Decrypt", VIOLATED),
        (
            "inline",
            {"stop": {"Statement": [allow("secretsmanager:*", "*", "Deny")]}},
            "secretsmanager:GetSecretValue",
            VIOLATED,
        ),
    ],
)
def test_live_documents_decide(tmp_path: Path, field: str, document: object, denied: str, verdict: Verdict) -> None:
    """Policies of secret, key and role that the source does not have are decided with; a grant of a key may let in."""
    world = World()
    setattr(world, field, document)
    bad = [finding for finding in access(live(tmp_path, world)) if finding.verdict is not PROVEN]
    assert [(finding.verdict, denied in finding.subject) for finding in bad] == [(verdict, True)]
    assert not bad[0].remedy.startswith("apply it"), "an apply leaves what the source does not have"


def test_boundary(tmp_path: Path) -> None:
    """The boundary that a role has in the account limits it."""
    world = World()
    boundary = POLICY.replace("app-prod-read", "boundary")
    world.role["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
    world.documents[boundary] = {"Statement": [allow("kms:*", "*")]}
    bad = [finding for finding in access(live(tmp_path, world)) if finding.verdict is not PROVEN]
    assert ["secretsmanager:GetSecretValue" in finding.subject for finding in bad] == [True]


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


def test_a_role_that_the_source_makes_in_another_account_is_not_to_be_applied(tmp_path: Path) -> None:
    """That of this account is missing all the same."""
    shared = SOURCE.replace(
        'resource "aws_iam_role" "execution" {', 'resource "aws_iam_role" "execution" {\n  provider = aws.shared'
    )
    provider = """
      provider "aws" {
        alias = "shared"
        assume_role {
          role_arn = "arn:aws:iam::222233334444:role/deploy"
        }
      }
    """
    world = World()
    world.gone = "app-prod-api-execution"
    plan = live_plan(world.answers(), source(tmp_path, provider + shared), contract(), "prod")
    (finding,) = [one for one in access(plan) if one.verdict is not PROVEN]
    assert VIOLATED is finding.verdict
    assert "create the role, or deploy a revision that names one that exists" == finding.remedy
