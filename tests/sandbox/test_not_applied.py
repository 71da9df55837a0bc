"""What cannot be applied, and how the order of resources and the unknown parts of their values are found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infraspec.core.unknown import JsonText, MissingVariable, Sensitive, Text, Unknown, Value
from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.images_and_values import Created, Unresolved
from infraspec.sandbox.running import Running
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.source import evaluate

KEY = 'resource "aws_kms_key" "a" {}\n'


def plan_of(directory: Path, source: str) -> Plan:
    """Return the plan of a source for the account of the empty sandbox."""
    (directory / "main.tf").write_text(f'provider "aws" {{ region = "eu-west-1" }}\n{source}')
    return evaluate(
        directory, arguments=(), environ={}, workspace="default", known=KnownData.of({}), library=Library(str)
    )


@pytest.fixture
def reasons(empty: Running, tmp_path: Path) -> Callable[[str], list[str]]:
    """Return what applies a source to the empty sandbox, and says what could not be."""

    def applied(source: str) -> list[str]:
        return [str(item) for item in AppliedPlan(empty.account).apply(plan_of(tmp_path, source))]

    return applied


def test_types_that_are_not_known_are_counted(reasons: Callable[[str], list[str]]) -> None:
    """A type is listed once, with how many there are."""
    source = 'resource "aws_glue_job" "a" {\n  count = 3\n  name = "job-${count.index}"\n}\n'
    assert reasons(source) == ["3 of aws_glue_job: the sandbox does not know this type"]


def test_what_depends_on_it_says_so(reasons: Callable[[str], list[str]]) -> None:
    """A resource that names one which is not there is listed with the other's address."""
    source = (
        'resource "aws_glue_job" "a" { name = "job" }\n'
        'resource "aws_cloudwatch_log_group" "a" { name = "/jobs/${aws_glue_job.a.id}" }\n'
    )
    assert "aws_cloudwatch_log_group.a: aws_glue_job.a has not been created" in reasons(source)


def test_what_moto_refuses_says_why(reasons: Callable[[str], list[str]]) -> None:
    """The error of the API is the reason, and everything else is applied all the same."""
    source = (
        'resource "aws_iam_role_policy_attachment" "a" {\n  role = "nobody"\n'
        '  policy_arn = "arn:aws:iam::aws:policy/X"\n}\n'
        'resource "aws_sqs_queue" "a" { name = "applied-all-the-same" }\n'
    )
    (reason,) = reasons(source)
    assert reason.startswith(
        "aws_iam_role_policy_attachment.a: the sandbox refuses it: An error occurred (NoSuchEntity)"
    )


def test_data_that_is_not_known_is_named(reasons: Callable[[str], list[str]]) -> None:
    """What a data source would return is not invented."""
    source = 'data "aws_ami" "a" {}\nresource "aws_sqs_queue" "a" { name = data.aws_ami.a.id }\n'
    (reason,) = reasons(source)
    assert reason == "aws_sqs_queue.a: data.aws_ami.a.id is unknown: set it under [known] of the contract"


def test_a_name_in_plain_text_tells_no_order(reasons: Callable[[str], list[str]], empty: Running) -> None:
    """A resource that names another one only by its text is tried again after it."""
    source = (
        'resource "aws_db_instance" "replica" {\n  identifier = "b"\n  replicate_source_db = "a"\n'
        '  instance_class = "db.t4g.micro"\n}\n'
        'resource "aws_db_instance" "primary" {\n  identifier = "a"\n  engine = "postgres"\n  username = "root"\n'
        '  password = "12345678"\n  allocated_storage = 20\n  instance_class = "db.t4g.micro"\n}\n'
    )
    assert reasons(source) == []
    found = empty.account.client("rds").describe_db_instances(DBInstanceIdentifier="b")["DBInstances"][0]
    assert found["ReadReplicaSourceDBInstanceIdentifier"] == "a"


def test_a_variable_without_a_value_says_so_in_its_text(reasons: Callable[[str], list[str]], empty: Running) -> None:
    """What a pipeline sets, and nobody does here, does not keep a resource out."""
    source = 'variable "key" {\n  sensitive = true\n  type = string\n}\n'
    source += (
        'resource "aws_ssm_parameter" "a" {\n  name = "/from-a-variable"\n  type = "String"\n  value = var.key\n}\n'
    )
    assert reasons(source) == []
    found = empty.account.client("ssm").get_parameter(Name="/from-a-variable")["Parameter"]
    assert found["Value"] == "sandbox-key"


def test_a_change_of_a_type_that_cannot_be_changed(empty: Running, tmp_path: Path) -> None:
    """It is listed, and the sandbox keeps what it has."""
    deployment = AppliedPlan(empty.account)
    source = 'resource "aws_dynamodb_table" "a" {\n  name = "t"\n  hash_key = "k"\n  billing_mode = "PAY_PER_REQUEST"\n'
    source += '  attribute {\n    name = "k"\n    type = "S"\n  }\n'
    assert deployment.apply(plan_of(tmp_path, source + "}\n")) == ()
    (item,) = deployment.apply(plan_of(tmp_path, source + "  deletion_protection_enabled = true\n}\n"))
    assert "a change of this type needs a new sandbox" in item.reason


@pytest.mark.parametrize(("settled", "state", "pending"), [(True, "OK", False), (False, "INSUFFICIENT_DATA", True)])
def test_time_and_people_can_be_left_out(
    empty: Running, tmp_path: Path, *, settled: bool, state: str, pending: bool
) -> None:
    """Without them alarms have no data, and e-mail addresses are not confirmed."""
    name = f"settled-{settled}"
    source = (
        f'resource "aws_sns_topic" "a" {{ name = "{name}" }}\n'
        'resource "aws_sns_topic_subscription" "a" {\n  topic_arn = aws_sns_topic.a.arn\n  protocol = "email"\n'
        '  endpoint = "a@example.com"\n}\n'
        f'resource "aws_cloudwatch_metric_alarm" "a" {{\n  alarm_name = "{name}"\n  namespace = "N"\n'
        '  metric_name = "M"\n  statistic = "Sum"\n  period = 60\n  evaluation_periods = 1\n  threshold = 1\n'
        '  comparison_operator = "GreaterThanThreshold"\n}\n'
    )
    deployment = AppliedPlan(empty.account, settled=settled)
    assert deployment.apply(plan_of(tmp_path, source)) == ()
    (alarm,) = empty.account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    topic = deployment.attributes["aws_sns_topic.a"]["arn"]
    (listed,) = empty.account.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (alarm["StateValue"], listed["SubscriptionArn"] == "PendingConfirmation") == (state, pending)


VALUES: list[tuple[Value, Value]] = [
    ("text", "text"),
    (Unknown("aws_kms_key.a.arn"), "arn:1"),
    (Text(("to ", Unknown("aws_kms_key.a.arn"))), "to arn:1"),
    ({"a": [Unknown("aws_kms_key.a.arn"), None, 1, True]}, {"a": ["arn:1", None, 1, True]}),
    (JsonText({"Resource": Unknown("aws_kms_key.a.arn")}), '{"Resource":"arn:1"}'),
    (JsonText({"Resource": Text((Unknown("aws_kms_key.a.arn"), "/*"))}), '{"Resource":"arn:1/*"}'),
    (Sensitive("var.password", "hunter2"), "hunter2"),
    (Unknown("aws_kms_key.a.nested[0].name"), "deep"),
    (Unknown("var.key", MissingVariable("key")), "sandbox-key"),
]


@pytest.mark.parametrize(("value", "resolved"), VALUES, ids=[repr(value) for value, _ in VALUES])
def test_resolving(tmp_path: Path, value: Value, resolved: Value) -> None:
    """Each unknown part becomes what creation returned, wherever it stands."""
    created = Created(plan_of(tmp_path, KEY), {"aws_kms_key.a": {"arn": "arn:1", "nested": [{"name": "deep"}]}})
    assert created.resolve(value) == resolved


@pytest.mark.parametrize("address", ["aws_kms_key.a.other", "aws_kms_key.b.arn", "upper(aws_kms_key.a.arn)"])
def test_what_cannot_be_resolved(tmp_path: Path, address: str) -> None:
    """An attribute that nobody returned is not invented."""
    created = Created(plan_of(tmp_path, KEY), {"aws_kms_key.a": {"arn": "arn:1"}})
    with pytest.raises(Unresolved):
        created.resolve(Unknown(address))


def test_what_is_in_another_region_or_account_is_left_out(reasons: Callable[[str], list[str]]) -> None:
    """The sandbox is one account and one region; what is of none goes in."""
    source = """
      provider "aws" {
        alias  = "virginia"
        region = "us-east-1"
      }
      provider "aws" {
        alias = "shared"
        assume_role {
          role_arn = "arn:aws:iam::222233334444:role/deploy"
        }
      }
      resource "aws_sns_topic" "there" {
        provider = aws.virginia
        count    = 2
      }
      resource "aws_iam_role" "there" {
        provider           = aws.virginia
        name               = "there"
        assume_role_policy = "{}"
      }
      resource "aws_iam_role" "shared" { provider = aws.shared }
      resource "aws_cloudwatch_log_group" "here" { name = "/jobs/${aws_sns_topic.there[0].arn}" }
    """
    alone = "the sandbox is account 111122223333, region eu-west-1 alone"
    assert [
        f"1 of aws_iam_role in 222233334444: {alone}",
        f"2 of aws_sns_topic in us-east-1: {alone}",
        "aws_cloudwatch_log_group.here: aws_sns_topic.there[0] has not been created",
    ] == reasons(source)
