"""The permissions of tasks in what exists, beside a source that is not applied, or not as it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan
from tests.live.world import ACCOUNT, KEY, POLICY, REGION, ROLE, SOURCE, World, allow, contract, source, trust

PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED


def live(directory: Path, world: World, text: str = SOURCE) -> Plan:
    """Return the plan of what exists."""
    return live_plan(world.answers(), source(directory, text), contract(), "prod")


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


def test_missing_statement(tmp_path: Path) -> None:
    """A statement that is gone from the account is missed, whatever the source says."""
    world = World()
    world.documents[POLICY]["Statement"] = [allow("kms:Decrypt", KEY)]
    (finding,) = [one for one in access(live(tmp_path, world)) if one.verdict is not PROVEN]
    assert finding.verdict is VIOLATED
    assert "secretsmanager:GetSecretValue" in finding.subject
    assert finding.location is not None
    assert finding.location.file.endswith("main.tf")


def beside_an_endpoint(directory: Path, statement: dict[str, str], *further: str, private: bool) -> list[Finding]:
    """Return what is said of reading the secret, beside an endpoint; `further` are VPCs of subnets that are shared."""
    world = World()
    place = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
    world.service = {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": place}}
    document = {"Statement": {"Effect": "Allow", "Principal": "*", "Resource": "*", **statement}}
    endpoint = {
        "VpcEndpointId": "vpce-1",
        "VpcId": "vpc-1",
        "VpcEndpointType": "Interface",
        "ServiceName": f"com.amazonaws.{REGION}.secretsmanager",
        "State": "available",
        "PrivateDnsEnabled": private,
        "PolicyDocument": json.dumps(document),
    }
    subnets = [
        {"SubnetId": f"subnet-{number}", "VpcId": vpc, "CidrBlock": f"10.{number}.0.0/24"}
        for number, vpc in enumerate(("vpc-1", *further), 1)
    ]
    answers = world.answers(
        ec2__describe_vpcs={"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": ACCOUNT}]},
        ec2__describe_subnets={"Subnets": subnets},
        ec2__describe_vpc_endpoints={"VpcEndpoints": [endpoint]},
        ec2__describe_vpc_attribute=lambda Attribute, **_: {Attribute[0].upper() + Attribute[1:]: {"Value": True}},  # noqa: N803 - AWS's name
    )
    found = access(live_plan(answers, source(directory), contract(), "prod"))
    return [one for one in found if one.subject.endswith("secretsmanager:GetSecretValue")]


@pytest.mark.parametrize(
    ("statement", "private", "expected"),
    [
        ({"Action": "*"}, True, PROVEN),
        ({"Action": "secretsmanager:GetSecretValue"}, True, PROVEN),
        ({"Action": "secretsmanager:ListSecrets"}, True, VIOLATED),
        ({"Action": "secretsmanager:ListSecrets"}, False, PROVEN),
    ],
)
def test_the_policy_of_an_endpoint_decides_whoever_made_it(
    tmp_path: Path, statement: dict[str, str], *, private: bool, expected: Verdict
) -> None:
    """A request goes through the endpoint that the name of the service leads to; another stack may have made it."""
    assert {expected} == {one.verdict for one in beside_an_endpoint(tmp_path, statement, private=private)}


@pytest.mark.parametrize("further", [(), ("vpc-1",), ("vpc-shared",)])
def test_a_proof_names_what_it_has_not_seen_of_the_network(tmp_path: Path, further: tuple[str, ...]) -> None:
    """The endpoints of the account are read; those of a VPC that another account shares are not shown there."""
    found = beside_an_endpoint(tmp_path, {"Action": "*"}, *further, private=True)

    assert found
    for one in found:
        assert ("the policies of VPC endpoints" in one.unseen) is (further == ("vpc-shared",))


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
    plan = live(tmp_path, world, kept)
    assert only(access(plan)).remedy.startswith("add to aws_iam_policy.read (")


IGNORING = "  lifecycle { ignore_changes = [assume_role_policy] }\n"


@pytest.mark.parametrize(
    ("written", "kept", "applies"),
    [
        ("ecs-tasks.amazonaws.com", "", True),
        ("lambda.amazonaws.com", "", False),
        ("ecs-tasks.amazonaws.com", IGNORING, False),
    ],
)
def test_a_trust_policy_of_the_source_is_to_be_applied(
    written: str, kept: str, tmp_path: Path, *, applies: bool
) -> None:
    """Where the source lets ECS in and an apply changes it; else the statement is to be written."""
    world = World()
    (statement,) = trust()["Statement"]
    world.role["AssumeRolePolicyDocument"] = {
        "Statement": [{**statement, "Principal": {"Service": "ec2.amazonaws.com"}}]
    }
    text = SOURCE.replace("ecs-tasks.amazonaws.com", written)
    text = text.replace(
        '  name               = "app-prod-api-execution"\n', f'  name = "app-prod-api-execution"\n{kept}'
    )
    found = access(live(tmp_path, world, text))
    finding = next(one for one in found if one.subject.startswith("execution role: sts:AssumeRole"))
    assert finding.verdict is VIOLATED
    expected = f"apply it: the source at {tmp_path}/main.tf:" if applies else "add to assume_role_policy of"
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
    """A policy that is written as a document is fixed there, though AWS has its text alone."""
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
    plan = live(tmp_path, world, text)
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
    plan = live(tmp_path, world, provider + shared)
    (finding,) = [one for one in access(plan) if one.verdict is not PROVEN]
    assert VIOLATED is finding.verdict
    assert "create the role, or deploy a revision that names one that exists" == finding.remedy
