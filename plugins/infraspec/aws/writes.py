"""What of the suite is a write: each needs the consent of the contract, and a session that may do nothing else.

Sources: Service Authorization Reference, Amazon SNS, Amazon SQS, AWS Systems Manager and Amazon ECS; AWS KMS
Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from infraspec.arn import Arn
from infraspec.contract.hosts import Host
from infraspec.contract.live import Canary

CANARY = ("sns:Publish", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibilityBatch")
"""The operations of a test message."""
COMMANDS = ("ssm:SendCommand", "ssm:GetCommandInvocation", "ecs:ExecuteCommand")
"""The operations of commands on machines."""


def canary_statements(canary: Canary | None) -> list[dict[str, Any]]:
    """Return what a runner needs to publish a test message and to find it; nothing without the contract's consent."""
    if canary is None:
        return []
    regions = sorted({Arn.parse(arn).region for arn in (*canary.topics, canary.queue)})
    services = [f"{service}.{region}.*" for region in regions for service in ("sns", "sqs")]
    queue = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    return [
        {"Sid": "CanaryTopics", "Effect": "Allow", "Action": "sns:Publish", "Resource": sorted(canary.topics)},
        {"Sid": "CanaryQueue", "Effect": "Allow", "Action": queue, "Resource": canary.queue},
        {
            "Sid": "CanaryKeys",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringLike": {"kms:ViaService": services}},
        },
    ]


def command_statements(
    hosts: Sequence[Host], *, partition: str, region: str = "*", account: str = "*"
) -> list[dict[str, Any]]:
    """Return what a runner needs to run commands on the machines of the contract that AWS leads to."""

    def arn(service: str, resource: str) -> str:
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    nodes, containers = set(), set()
    for kind, _, name in (host.host.partition("://") for host in hosts if host.is_reached_by_aws):
        if kind == "ssm":
            nodes.add(arn("ssm", f"managed-instance/{name}") if name[0] == "m" else arn("ec2", f"instance/{name}"))
        else:
            cluster = name.partition("/")[0]
            containers |= {arn("ecs", f"cluster/{cluster}"), arn("ecs", f"task/{cluster}/*")}
    statements: list[dict[str, Any]] = []
    if nodes:
        document = f"arn:{partition}:ssm:{region}::document/AWS-RunShellScript"
        statements += [
            {
                "Sid": "NodeCommands",
                "Effect": "Allow",
                "Action": "ssm:SendCommand",
                "Resource": [*sorted(nodes), document],
            },
            {"Sid": "NodeAnswers", "Effect": "Allow", "Action": "ssm:GetCommandInvocation", "Resource": "*"},
        ]
    if containers:
        allowed = {"Effect": "Allow", "Action": "ecs:ExecuteCommand", "Resource": sorted(containers)}
        statements.append({"Sid": "ContainerCommands", **allowed})
    return statements


def policy_of(statements: Sequence[dict[str, Any]]) -> str:
    """Return the text of a session policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
