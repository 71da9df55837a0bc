"""The rules of operations on the sandbox: the reference is proven, and what is changed by hand is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from infraspec.aws.snapshot import Snapshot
from infraspec.checks.alarms.alarm_delivery import alert_topics, check_alarm_delivery
from infraspec.checks.alarms.alarm_state import alarm_names, check_alarm_state
from infraspec.checks.deployed.databases import check_databases, database_identifiers
from infraspec.checks.deployed.drift import check_drift
from infraspec.checks.deployed.inventory import check_inventory
from infraspec.checks.deployed.log_groups import check_log_groups, log_group_names
from infraspec.checks.state.state_store import check_state_store
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.alarms import alarm_states, live_subscriptions
from infraspec.live.facts.databases import live_databases
from infraspec.live.facts.services import running_task_definitions
from infraspec.live.facts.stores import live_log_groups, state_store
from infraspec.live.plan import live_plan, strays
from infraspec.sandbox.running import Running
from infraspec.terraform.environments import Environments
from tests.live.deployed import CONTRACT, reference

PREFIX = "daily-report-tool-prod"
BUCKET = f"{PREFIX}-terraform-state-123456789012"
ALARMS = "module.monitoring.aws_cloudwatch_metric_alarm."
SETTINGS = Environments(CONTRACT).settings()["prod"]
TOPIC = f"arn:aws:sns:ap-northeast-1:123456789012:{PREFIX}-critical"
EXECUTION = f"{PREFIX}-backend-execution"
READ_NAME = reference().by_address["module.iam.aws_iam_policy.read_secrets"].get("name")
READ = f"arn:aws:iam::123456789012:policy/{READ_NAME}"
METRICS_NAME = reference().by_address["module.iam.aws_iam_policy.publish_metrics"].get("name")
METRICS = f"arn:aws:iam::123456789012:policy/{METRICS_NAME}"
Client = Callable[[str], Any]


@dataclass
class Clients:
    """The clients of the sandbox's account, in the place of a runner's."""

    client_of: Client
    region: str = "ap-northeast-1"
    is_local: bool = True

    def client(self, service: str, _region: str) -> Any:
        """Return the client of a service."""
        return self.client_of(service)


class Environment:
    """The environment as it is now: a snapshot of its own."""

    def __init__(self, sandbox: Running) -> None:
        identity = SimpleNamespace(account="123456789012", partition="aws")
        clients: Any = Clients(sandbox.account.client)
        self.calls = Snapshot(clients, identity)  # type: ignore[arg-type] # as much of an identity as it reads
        self.plan = reference()
        self.live = live_plan(self.calls, self.plan, CONTRACT, "prod", not_applied={})

    def alarm_state(self) -> list[Finding]:
        """Judge the alarms."""
        return check_alarm_state(self.plan, self.live, alarm_states(self.calls, alarm_names(self.plan), 24), CONTRACT)

    def alarm_delivery(self) -> list[Finding]:
        """Judge the topics."""
        subscriptions = live_subscriptions(self.calls, alert_topics(self.plan, self.live))
        return check_alarm_delivery(self.plan, self.live, subscriptions, CONTRACT, "prod")

    def databases(self) -> list[Finding]:
        """Judge the databases."""
        observed = live_databases(self.calls, database_identifiers(self.plan), self.live)
        return check_databases(self.plan, self.live, observed, CONTRACT.databases)

    def log_groups(self) -> list[Finding]:
        """Judge the log groups."""
        definitions = task_definitions(self.plan)
        groups = live_log_groups(self.calls, log_group_names(self.plan, definitions))
        return check_log_groups(self.plan, self.live, groups, definitions)

    def state_store(self) -> list[Finding]:
        """Judge the bucket and the table of the state."""
        return check_state_store(state_store(self.calls, self.plan, SETTINGS.backend), SETTINGS)

    def drift(self) -> list[Finding]:
        """Compare what there is."""
        return check_drift(self.plan, self.live, running_task_definitions(self.calls, self.live))

    def inventory(self) -> list[Finding]:
        """Look for what is in no source."""
        found = strays(self.calls, self.plan, self.live, CONTRACT, "prod")
        return check_inventory(self.plan, found, CONTRACT.inventory, has_state=False)

    def bad(self, rule: str) -> set[tuple[str, str, str]]:
        """Return address, subject and verdict of what a rule does not find proven."""
        findings: list[Finding] = getattr(self, rule)()
        return {(one.address, one.subject, one.verdict.value) for one in findings if one.verdict is not Verdict.PROVEN}


RULES = ("alarm_state", "alarm_delivery", "databases", "log_groups", "state_store", "drift", "inventory")


def without(alarm: dict[str, Any]) -> dict[str, Any]:
    """Return what PutMetricAlarm takes of what DescribeAlarms answers."""
    told = ("AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateTransitionedTimestamp", "EvaluationState")
    return {
        key: value
        for key, value in alarm.items()
        if (key not in told and not key.startswith("State")) or key == "Statistic"
    }


@contextmanager
def alarm(client: Client, **changes: Any) -> Iterator[None]:
    """Change the alarm of the CPU."""
    cloudwatch = client("cloudwatch")
    (before,) = cloudwatch.describe_alarms(AlarmNames=[f"{PREFIX}-cpu"])["MetricAlarms"]
    cloudwatch.put_metric_alarm(**{**without(before), **changes})
    try:
        yield
    finally:
        cloudwatch.put_metric_alarm(**without(before))


@contextmanager
def no_alarm(client: Client) -> Iterator[None]:
    """Delete the alarm of the CPU; one that is put anew has no data until it is told."""
    cloudwatch = client("cloudwatch")
    (before,) = cloudwatch.describe_alarms(AlarmNames=[f"{PREFIX}-cpu"])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=[f"{PREFIX}-cpu"])
    try:
        yield
    finally:
        cloudwatch.put_metric_alarm(**without(before))
        state = {"StateValue": before["StateValue"], "StateReason": before["StateReason"]}
        cloudwatch.set_alarm_state(AlarmName=before["AlarmName"], **state)


@contextmanager
def by_hand(client: Client) -> Iterator[None]:
    """Make an alarm of the environment by hand."""
    cloudwatch = client("cloudwatch")
    (before,) = cloudwatch.describe_alarms(AlarmNames=[f"{PREFIX}-cpu"])["MetricAlarms"]
    cloudwatch.put_metric_alarm(**{**without(before), "AlarmName": f"{PREFIX}-by-hand"})
    try:
        yield
    finally:
        cloudwatch.delete_alarms(AlarmNames=[f"{PREFIX}-by-hand"])


@contextmanager
def policy(client: Client) -> Iterator[None]:
    """Let nobody but the account publish to a topic."""
    sns = client("sns")
    before = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"]
    own = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sns:Publish", "Resource": TOPIC}
    changed = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=changed)
    try:
        yield
    finally:
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=before)


@contextmanager
def retention(client: Client) -> Iterator[None]:
    """Keep the log of the service for ever."""
    group = f"/ecs/{PREFIX}-backend"
    client("logs").delete_retention_policy(logGroupName=group)
    try:
        yield
    finally:
        client("logs").put_retention_policy(logGroupName=group, retentionInDays=365)


@contextmanager
def versioning(client: Client) -> Iterator[None]:
    """Keep no versions of the state."""
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    try:
        yield
    finally:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def database(client: Client, before: dict[str, Any], **changes: Any) -> Iterator[None]:
    """Change the database."""
    rds, name = client("rds"), f"{PREFIX}-postgres"
    rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **changes)
    try:
        yield
    finally:
        rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **before)


@contextmanager
def detached(client: Client) -> Iterator[None]:
    """Take the policy that reads the secrets from the execution role."""
    iam = client("iam")
    iam.detach_role_policy(RoleName=EXECUTION, PolicyArn=READ)
    try:
        yield
    finally:
        iam.attach_role_policy(RoleName=EXECUTION, PolicyArn=READ)


@contextmanager
def limited(client: Client) -> Iterator[None]:
    """Give the execution role a permissions boundary."""
    client("iam").put_role_permissions_boundary(RoleName=EXECUTION, PermissionsBoundary=READ)
    try:
        yield
    finally:
        client("iam").delete_role_permissions_boundary(RoleName=EXECUTION)


@contextmanager
def trusting(client: Client) -> Iterator[None]:
    """Let the whole account assume the execution role."""
    iam = client("iam")
    before = iam.get_role(RoleName=EXECUTION)["Role"]["AssumeRolePolicyDocument"]
    own = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    changed = json.dumps({"Version": "2012-10-17", "Statement": [own]})
    iam.update_assume_role_policy(RoleName=EXECUTION, PolicyDocument=changed)
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=EXECUTION, PolicyDocument=json.dumps(before))


@contextmanager
def debugging(client: Client) -> Iterator[None]:
    """Give the execution role an inline policy and another managed one."""
    iam = client("iam")
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=EXECUTION, PolicyName="debug", PolicyDocument=document)
    iam.attach_role_policy(RoleName=EXECUTION, PolicyArn=METRICS)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=EXECUTION, PolicyName="debug")
        iam.detach_role_policy(RoleName=EXECUTION, PolicyArn=METRICS)


@contextmanager
def opened(client: Client) -> Iterator[str]:
    """Let everybody into the database, and give the ARN of the rule that does."""
    ec2 = client("ec2")
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    (own,) = (one for one in rules if not one["IsEgress"] and one.get("FromPort") == 5432)
    world = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    made = ec2.authorize_security_group_ingress(GroupId=own["GroupId"], IpPermissions=world)
    (rule,) = made["SecurityGroupRules"]
    try:
        yield f"arn:aws:ec2:ap-northeast-1:123456789012:security-group-rule/{rule['SecurityGroupRuleId']}"
    finally:
        ec2.revoke_security_group_ingress(GroupId=own["GroupId"], IpPermissions=world)


@contextmanager
def shared(client: Client) -> Iterator[str]:
    """Let another account read the secret of the database, and give the secret's ARN."""
    secrets = client("secretsmanager")
    (arn,) = (one["ARN"] for one in secrets.list_secrets()["SecretList"] if "-database-" in one["Name"])
    reading = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "secretsmanager:GetSecretValue"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**reading, "Resource": "*"}]})
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=document)
    try:
        yield arn
    finally:
        secrets.delete_resource_policy(SecretId=arn)


def test_what_lets_in_more_is_in_no_source(sandbox: Running) -> None:
    """A policy that a role or secret got by hand, and a rule that opens a database, are no drift and in no source."""
    role = f"arn:aws:iam::123456789012:role/{EXECUTION}"
    client = sandbox.account.client
    with debugging(client), opened(client) as rule, shared(client) as secret:
        environment = Environment(sandbox)
        found, drifted = environment.bad("inventory"), environment.bad("drift")
    expected = {f"{role} inline policy debug", f"{role} with {METRICS}", rule, f"{secret} policy"}
    assert {(address, "", "violated") for address in expected} == found
    assert set() == drifted


CPU = f'{ALARMS}utilization["cpu"]'
DATABASE = "module.rds.aws_db_instance.this"
CRITICAL = 'module.monitoring.aws_sns_topic.level["critical"]'
POLICY = 'module.monitoring.aws_sns_topic_policy.level["critical"]'
INSTANCE = reference().by_address[DATABASE]
CLASS, DAYS = INSTANCE.get("instance_class"), INSTANCE.get("backup_retention_period")


@pytest.mark.parametrize(
    ("change", "rule", "expected"),
    [
        (lambda client: alarm(client, Threshold=99.0), "alarm_state", {(CPU, "configuration")}),
        (lambda client: alarm(client, ActionsEnabled=False), "alarm_state", {(CPU, "configuration")}),
        (lambda client: alarm(client, AlarmActions=[]), "alarm_state", {(CPU, "configuration")}),
        (no_alarm, "alarm_state", {(CPU, "")}),
        (by_hand, "inventory", {(f"arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:{PREFIX}-by-hand", "")}),
        (policy, "alarm_delivery", {(CRITICAL, "cloudwatch.amazonaws.com"), (CRITICAL, "events.amazonaws.com")}),
        (policy, "drift", {(POLICY, "")}),
        (detached, "drift", {("module.iam.aws_iam_role_policy_attachment.execution_secrets", "")}),
        (limited, "drift", {("module.iam.aws_iam_role.execution", "")}),
        (trusting, "drift", {("module.iam.aws_iam_role.execution", "")}),
        (retention, "log_groups", {("module.ecs.aws_cloudwatch_log_group.this", "retention")}),
        (versioning, "state_store", {("module.state.aws_s3_bucket_versioning.state", "versioning")}),
        (
            lambda client: database(client, {"BackupRetentionPeriod": DAYS}, BackupRetentionPeriod=1),
            "databases",
            {(DATABASE, "backup retention")},
        ),
        (
            lambda client: database(client, {"DBInstanceClass": CLASS}, DBInstanceClass="db.t4g.micro"),
            "drift",
            {(DATABASE, "")},
        ),
    ],
)
def test_what_is_changed_by_hand_is_exactly_what_is_found(
    sandbox: Running, change: Callable[[Client], Any], rule: str, expected: set[tuple[str, str]]
) -> None:
    """Of the rule, and nothing else of it."""
    with change(sandbox.account.client):
        found = Environment(sandbox).bad(rule)
    assert {(address, subject, "violated") for address, subject in expected} == found


@pytest.mark.parametrize("rule", RULES)
def test_the_reference_infrastructure_is_proven(sandbox: Running, rule: str) -> None:
    """What was applied is what the source says, also after what others changed was put right."""
    assert set() == Environment(sandbox).bad(rule)
