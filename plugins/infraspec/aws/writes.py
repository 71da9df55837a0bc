"""What of the suite is a write: each needs the consent of the contract, and a session that may do nothing else.

Sources: Service Authorization Reference, Amazon SNS and Amazon SQS; AWS KMS Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from infraspec.arn import Arn
from infraspec.contract.live import Canary

CANARY = ("sns:Publish", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibilityBatch")
"""The operations of a test message."""


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


def policy_of(statements: Sequence[dict[str, Any]]) -> str:
    """Return the text of a session policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
