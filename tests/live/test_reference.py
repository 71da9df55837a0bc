"""One check, three vantage points: the reference infrastructure, deployed as it is written, has the findings of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.aws.snapshot import Snapshot
from infraspec.checks.access.function_access import check_function_access
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.secret_chain import check_secret_chain
from infraspec.checks.access.task_access import check_task_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tag_policy import check_tag_policy
from infraspec.checks.conventions.tags import check_tags
from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.secret_readings import chain_evidence
from infraspec.live.plan import live_plan
from infraspec.process.playbooks import read_playbooks
from infraspec.sandbox.running import Running, start
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

ROOT = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
ENVIRONMENT, REGION = "prod", "ap-northeast-1"
NAME = "daily-report-tool-prod"
NOT_ASKED = "aws_chatbot_slack_channel_configuration"
"""The type whose tags AWS is not asked for."""
SIMULATOR = pytest.mark.skipif(
    find_spec("infraspec.sandbox.overlay.simulator") is None, reason="the sandbox has no policy simulator"
)
Rule = Callable[[Plan, Contract], list[Finding]]


def _alarms(plan: Plan, contract: Contract) -> list[Finding]:
    return check_alarms(plan, contract, ENVIRONMENT, read_playbooks(ROOT / "docs/playbooks", "docs/playbooks"))


def _tag_policy(plan: Plan, contract: Contract) -> list[Finding]:
    text = (ROOT / "organization" / "tag-policy.json").read_text(encoding="utf-8")
    return check_tag_policy(plan, contract, ENVIRONMENT, TagPolicy.from_json(text, place="tag-policy.json"))


RULES: dict[str, Rule] = {
    "alarms": _alarms,
    "invoke-access": lambda plan, contract: check_invoke_access(plan, contract, ENVIRONMENT),
    "names": lambda plan, contract: check_names(plan, contract, ENVIRONMENT),
    "policies": lambda plan, contract: check_policies(plan, task_definitions(plan), contract, ENVIRONMENT),
    "secret-access": lambda plan, contract: check_secret_access(plan, task_definitions(plan), contract, ENVIRONMENT),
    "secret-readers": lambda plan, contract: check_secret_readers(plan, contract, ENVIRONMENT),
    "tag-policy": _tag_policy,
    "tags": lambda plan, contract: check_tags(plan, contract, ENVIRONMENT),
    "task-definitions": lambda plan, contract: check_task_definitions(
        plan, task_definitions(plan), contract, ENVIRONMENT
    ),
}


class Deployed:
    """The reference infrastructure in a sandbox: its source, and what a run sees of what exists."""

    def __init__(self, running: Running) -> None:
        self.contract = contracts.load(ROOT / "infraspec.toml")
        self.source = Environments(self.contract).plan(ENVIRONMENT)
        self._running = running
        self._clients = Clients(REGION, is_local=True)

    def client(self, service: str) -> Any:
        """Return a client of the operator."""
        return self._running.account.client(service)

    def snapshot(self) -> Snapshot:
        """Return what a new run asks."""
        return Snapshot(self._clients, CallerIdentity.of(self._clients))

    def live(self) -> Plan:
        """Return what exists."""
        return live_plan(self.snapshot(), self.source, self.contract, ENVIRONMENT)

    def bad(self, rule: str) -> list[Finding]:
        """Return what a rule finds wrong."""
        return [one for one in RULES[rule](self.live(), self.contract) if one.verdict is not Verdict.PROVEN]

    def chain(self) -> list[Finding]:
        """Return the findings of the chain to the secrets."""
        calls = self.snapshot()
        plan = live_plan(calls, self.source, self.contract, ENVIRONMENT)
        definitions = task_definitions(plan)
        evidence = chain_evidence(calls, plan, definitions, self.contract, ENVIRONMENT)
        return check_secret_chain(plan, definitions, evidence, self.contract, ENVIRONMENT)

    def broken(self) -> list[Finding]:
        """Return what of the chain is not proven."""
        return [one for one in self.chain() if one.verdict is not Verdict.PROVEN]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    """Deploy the reference infrastructure once."""
    running = start(contracts.load(ROOT / "infraspec.toml"), ENVIRONMENT)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in running.environment.items():
                patch.setenv(name, value)
            yield Deployed(running)
    finally:
        running.stop()


def outcome(findings: list[Finding]) -> set[tuple[str, str, str, str]]:
    """Return what findings say about whom, and where."""
    return {
        (one.verdict.name, one.address, one.subject, str(one.location))
        for one in findings
        if NOT_ASKED not in one.address
    }


@pytest.mark.parametrize("check", [check_function_access, check_task_access])
def test_roles_of_workloads_are_proven(
    check: Callable[[Plan, Contract, str], list[Finding]], deployed: Deployed
) -> None:
    """What the source names by its address, what is deployed has by its ARN: the verdicts are the same."""
    found = [check(plan, deployed.contract, ENVIRONMENT) for plan in (deployed.source, deployed.live())]

    assert all(found)
    assert {Verdict.PROVEN} == {one.verdict for findings in found for one in findings}


@pytest.mark.parametrize("rule", RULES)
def test_same_findings(deployed: Deployed, rule: str) -> None:
    """Verdict, address, subject and line; but for who publishes, and the policies that AWS gives to endpoints."""
    written = {one for one in outcome(RULES[rule](deployed.source, deployed.contract)) if "publisher" not in one}
    assert written
    found = outcome(RULES[rule](deployed.live(), deployed.contract))
    assert {one for one in found if ".aws_vpc_endpoint." not in one[1] or one[2] != "policy"} == written


@SIMULATOR
def test_secret_chain_is_proven(deployed: Deployed) -> None:
    """Every value that the task reads is proven, by our decision or by a task that read it."""
    assert [one.verdict for one in deployed.chain()] == [Verdict.PROVEN] * 4


@contextmanager
def policy_without(deployed: Deployed, action: str) -> Iterator[None]:
    """Take an action out of the policy that reads secrets, as somebody does by hand."""
    iam = deployed.client("iam")
    arn = f"arn:aws:iam::{deployed.source.account}:policy/DailyReportSecretsManagerAccess-Prod"
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=before)["PolicyVersion"]["Document"]
    document["Statement"] = [one for one in document["Statement"] if action not in json.dumps(one["Action"])]
    changed = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=before)
        iam.delete_policy_version(PolicyArn=arn, VersionId=changed["PolicyVersion"]["VersionId"])


@SIMULATOR
@pytest.mark.parametrize(
    ("action", "count"), [("secretsmanager:GetSecretValue", 3), ("kms:Decrypt", 3), ("ssm:GetParameters", 1)]
)
def test_statement_that_was_taken_away(deployed: Deployed, action: str, count: int) -> None:
    """Each value that needs the statement is found, by both rules, and nothing else; one of them knows grants."""
    verdict = Verdict.UNDETERMINED if action == "kms:Decrypt" else Verdict.VIOLATED
    with policy_without(deployed, action):
        access, chain = deployed.bad("secret-access"), deployed.broken()
    assert [(one.verdict, action in one.subject) for one in access] == [(verdict, True)] * count
    assert {one.remedy.partition(" at ")[0] for one in access} == {"apply it: the source"}
    assert [(one.verdict, action in one.expected) for one in chain] == [(Verdict.VIOLATED, True)] * count


@SIMULATOR
def test_secret_that_is_being_deleted(deployed: Deployed) -> None:
    """A secret whose deletion is scheduled can still be described, and not be read."""
    secrets = deployed.client("secretsmanager")
    secrets.delete_secret(SecretId=f"{NAME}-jwt-v1", RecoveryWindowInDays=7)
    try:
        (finding,) = deployed.broken()
    finally:
        secrets.restore_secret(SecretId=f"{NAME}-jwt-v1")
    assert finding.verdict is Verdict.VIOLATED
    assert re.search("marked for deletion", finding.found)
    assert "restore-secret" in finding.remedy


@SIMULATOR
def test_key_that_may_only_be_looked_at(deployed: Deployed) -> None:
    """A key policy that was replaced keeps the role out of all secrets under the key."""
    kms = deployed.client("kms")
    key = kms.describe_key(KeyId=f"alias/{NAME}-secrets")["KeyMetadata"]["KeyId"]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    root = {"AWS": f"arn:aws:iam::{deployed.source.account}:root"}
    looking = {"Effect": "Allow", "Principal": root, "Action": ["kms:Describe*", "kms:Get*", "kms:List*"]}
    document = {"Version": "2012-10-17", "Statement": [{**looking, "Resource": "*"}]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(document))
    try:
        findings = deployed.broken()
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)
    assert [(one.verdict, "kms:Decrypt" in one.expected) for one in findings] == [(Verdict.VIOLATED, True)] * 3


def test_tag_that_was_removed(deployed: Deployed) -> None:
    """A tag that somebody removed from a secret is missed there and nowhere else."""
    secrets = deployed.client("secretsmanager")
    secrets.untag_resource(SecretId=f"{NAME}-jwt-v1", TagKeys=["Owner"])
    try:
        (finding,) = deployed.bad("tags")
    finally:
        secrets.tag_resource(SecretId=f"{NAME}-jwt-v1", Tags=[{"Key": "Owner", "Value": "platform-team"}])
    assert finding.address == 'module.secretsmanager.aws_secretsmanager_secret.this["jwt"]'
    assert "Owner" in finding.expected


def test_an_alias_of_a_colleague(deployed: Deployed) -> None:
    """A further alias of the key is not in the source, so its name breaks no rule."""
    kms = deployed.client("kms")
    key = kms.describe_key(KeyId=f"alias/{NAME}-secrets")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    try:
        found = deployed.bad("names")
    finally:
        kms.delete_alias(AliasName="alias/mine")
    assert [] == list(found)


def test_secret_that_nobody_wrote(deployed: Deployed) -> None:
    """A secret with the tags of the environment and another name is found under its ARN."""
    secrets = deployed.client("secretsmanager")
    tags = [{"Key": "Application", "Value": "daily-report-tool"}, {"Key": "Environment", "Value": "prod"}]
    arn = secrets.create_secret(Name="by-hand", SecretString="x", Tags=tags)["ARN"]
    try:
        named, tagged = deployed.bad("names"), deployed.bad("tags")
    finally:
        secrets.delete_secret(SecretId="by-hand", ForceDeleteWithoutRecovery=True)
    assert [one.address for one in [*named, *tagged]] == [arn, arn]


def test_alarm_that_was_silenced(deployed: Deployed) -> None:
    """An alarm whose actions are off tells nobody."""
    cloudwatch = deployed.client("cloudwatch")
    name = f"{NAME}-secret-access-denied"
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    try:
        findings = deployed.bad("alarms")
    finally:
        cloudwatch.enable_alarm_actions(AlarmNames=[name])
    assert findings
    assert all("secret" in one.subject or "secret" in one.address for one in findings)
