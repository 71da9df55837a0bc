"""The policy of the role that the live suite runs with: what the table of reads needs, and no secrets.

Source: IAM User Guide, "Grant least privilege" and "Session policies" (an inline one has up to 2,048 characters).

Sources: Service Authorization Reference, Amazon SNS, Amazon SQS, AWS Systems Manager and Amazon ECS; AWS KMS
Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from infraspec.aws.guard import PREFIXES, READS, STATE_ACTIONS, VALUES, actions_of
from infraspec.contract.live import Canary, Host, Live
from infraspec.core.arn import Arn

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
    through = {"StringLike": {"kms:ViaService": services}}
    return [
        _allow("CanaryTopics", "sns:Publish", sorted(canary.topics)),
        _allow("CanaryQueue", queue, canary.queue),
        _allow("CanaryKeys", ["kms:Decrypt", "kms:GenerateDataKey"], "*", Condition=through),
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
        statements.append(_allow("NodeCommands", "ssm:SendCommand", [*sorted(nodes), document]))
        statements.append(_allow("NodeAnswers", "ssm:GetCommandInvocation", "*"))
    if containers:
        statements.append(_allow("ContainerCommands", "ecs:ExecuteCommand", sorted(containers)))
    return statements


def publishing_statements(namespace: str, role: str | None) -> list[dict[str, Any]]:
    """Return what a runner needs to publish the numbers of a run: to assume the role that may, or to do it itself."""
    if role is not None:
        return [_allow("MetricsRole", "sts:AssumeRole", role)]
    condition = {"StringEquals": {"cloudwatch:namespace": namespace}}
    return [_allow("Metrics", "cloudwatch:PutMetricData", "*", Condition=condition)]


def policy_of(statements: Sequence[dict[str, Any]]) -> str:
    """Return the text of a session policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))


_SECRETS = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "ssm:GetParameter*")
_VERB = re.compile(r"[A-Z][a-z]+")


def runner_policy(
    live: Live, state_objects: Sequence[str] = (), commands: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Return the policy of a runner: `state_objects` are ARNs of the states of Terraform that it may read.

    `commands` are the statements of commands on machines, and of what publishes the numbers of a run.
    """
    statements = [_allow("Reads", sorted(_actions(live)), "*")]
    if state_objects:
        statements.append(_allow("State", list(STATE_ACTIONS), sorted(state_objects)))
    statements += (*canary_statements(live.canary), *commands, *_of_secrets(live))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **more}


def session_policy(live: Live) -> str:
    """Return the text of a session policy that is short enough: the verbs of the services, without what is secret."""
    verbs = {f"{prefix}:{verb}*" for prefix, verb in map(_prefix_and_verb, (*_actions(live), *STATE_ACTIONS))}
    allowed = {"Effect": "Allow", "Action": sorted(verbs), "Resource": "*"}
    return policy_of([allowed, *_of_secrets(live)])


def _of_secrets(live: Live) -> list[dict[str, Any]]:
    """Deny the values of all secrets but those of the contract: also to a role that may otherwise read them."""
    denied = {"Sid": "NoSecrets", "Effect": "Deny", "Action": list(_SECRETS)}
    if not live.read_secrets:
        return [{**denied, "Resource": "*"}]
    opted = sorted(live.read_secrets)
    return [_allow("OptedIn", sorted(VALUES), opted), {**denied, "NotResource": opted}]


def _actions(live: Live) -> set[str]:
    named = {action for service, names in READS.items() for name in names for action in actions_of(service, name)}
    allowed = (read.split(":") for read in live.reads)
    named |= {f"{PREFIXES.get(service, service)}:{operation}" for service, operation in allowed}
    return named - set(STATE_ACTIONS)


def _prefix_and_verb(action: str) -> tuple[str, str]:
    prefix, name = action.split(":")
    verb = _VERB.match(name)
    return prefix, verb[0] if verb else name
