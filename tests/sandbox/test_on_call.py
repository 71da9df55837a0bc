"""What somebody on call does and moto leaves out: tasks by themselves, letters moved back, keys, security groups."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from infraspec.sandbox.running import Running
from tests.sandbox.test_rollouts import Shop

NUMBERS = count(100)
"""Names that no other test of the sandbox has."""


@pytest.fixture
def shop(empty: Running) -> Shop:
    """Open a shop in the empty sandbox, with a set of everything."""
    made = Shop(empty)
    made.number = next(NUMBERS)
    made.new()
    return made


def test_messages_go_back(empty: Running) -> None:
    """The messages of a dead-letter queue go to the queue that they came from; without one they stay."""
    sqs = empty.account.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = empty.account.arn("sqs", "dead")
    sqs.send_message(QueueUrl=dead, MessageBody="letter")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.start_message_move_task(SourceArn=arn)
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    work = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]

    assert sqs.start_message_move_task(SourceArn=arn)["TaskHandle"]
    assert ("0", "1") == (waiting(sqs, dead), waiting(sqs, work))


def waiting(sqs: Any, url: str) -> str:
    """Return how many messages a queue has."""
    name = "ApproximateNumberOfMessages"
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_a_key_by_its_arn(empty: Running) -> None:
    """A key is disabled and enabled by its ARN too."""
    kms = empty.account.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=arn)
    assert "Disabled" == kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    kms.enable_key(KeyId=arn)
    assert "Enabled" == kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]


def test_a_task_by_itself(shop: Shop) -> None:
    """A task runs, and one whose secret is not there is stopped with the reason of AWS."""
    good, bad = shop.revision(), shop.revision(f"{shop.secret}:nothing::")
    (runs,) = shop.ecs.run_task(cluster=shop.name, taskDefinition=good, launchType="FARGATE")["tasks"]
    (stops,) = shop.ecs.run_task(cluster=shop.name, taskDefinition=bad, launchType="FARGATE")["tasks"]

    assert ("RUNNING", f"family:{shop.name}") == (runs["lastStatus"], runs["group"])
    assert "did not contain json key nothing" in stops["stoppedReason"]
    assert [runs["taskArn"]] == shop.ecs.list_tasks(cluster=shop.name, family=shop.name)["taskArns"]


def test_no_way_out(shop: Shop) -> None:
    """A task whose security group lets no HTTPS out does not reach its secret."""
    ec2, revision = shop.aws.client("ec2"), shop.revision()
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(GroupName=shop.name, Description="tasks", VpcId=subnet["VpcId"])["GroupId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": [group]}}

    def status() -> str:
        (task,) = shop.ecs.run_task(
            cluster=shop.name, taskDefinition=revision, launchType="FARGATE", networkConfiguration=network
        )["tasks"]
        return str(task.get("stoppedReason") or task["lastStatus"])

    assert "RUNNING" == status()
    everything = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    assert "context deadline exceeded" in status()
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[https])
    assert "RUNNING" == status()


def test_revisions_in_order(shop: Shop) -> None:
    """Revisions are listed by their numbers, the newest first where that is asked for."""
    made = [shop.revision() for _ in range(11)]

    assert made == shop.ecs.list_task_definitions(familyPrefix=shop.name)["taskDefinitionArns"]
    assert made[::-1] == shop.ecs.list_task_definitions(familyPrefix=shop.name, sort="DESC")["taskDefinitionArns"]
