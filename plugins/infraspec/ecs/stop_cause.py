"""What the text of a stopped task names: the root cause, and the action, role, secret, key, parameter or image of it.

Source: Amazon ECS Developer Guide, "Stopped tasks error messages" and "ResourceInitializationError errors"; the text of
an access denied error is that of the IAM User Guide, "Troubleshoot access denied error messages".

Source: Amazon ECS Developer Guide, "Stopped tasks error messages" and "CannotPullContainer task errors"; the messages
of Secrets Manager, Systems Manager and KMS that ECS hands on.
"""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from msgspec import Struct, json

from infraspec.ecs.service import Task


class FailureClass(Enum):
    """The root cause of a task that did not start; the value is the id of its playbook."""

    SECRET_ACCESS_DENIED = "secret-access-denied"  # noqa: S105 - an id
    KMS_ACCESS_DENIED = "kms-access-denied"
    SECRET_CONNECTION = "secret-connection"  # noqa: S105 - an id
    SECRET_KEY_MISSING = "secret-key-missing"  # noqa: S105 - an id
    SECRET_MISSING = "secret-missing"  # noqa: S105 - an id
    SECRET_PENDING_DELETION = "secret-pending-deletion"  # noqa: S105 - an id
    SECRET_REFERENCE_INVALID = "secret-reference-invalid"  # noqa: S105 - an id
    PARAMETER_UNREADABLE = "parameter-unreadable"
    IMAGE_PULL_FAILED = "image-pull-failed"
    LOGGING_FAILED = "logging-failed"


# The first that matches wins: a message about an image or a log driver may hold the AccessDenied that explains it, and
# KMS answers inside a message of Secrets Manager.
_PATTERNS = [
    (failure, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for failure, pattern in json.decode(
        Path(__file__).with_name("stop_causes.json").read_bytes(), type=list[tuple[FailureClass, str]]
    )
]


def classify(reason: str) -> FailureClass | None:
    """Return the root cause that a `stoppedReason` or a service event tells of, None if it tells of none of them."""
    return next((failure for failure, pattern in _PATTERNS if pattern.search(reason)), None)


_END = r"[^\s\"',;)\]]+"
_ROLE = re.compile(r"arn:[\w-]+:sts::(?P<account>\d{12}):assumed-role/(?P<role>[\w+=,.@-]+)/")
_ASSUMED = re.compile(r"unable to assume the role '?(?P<role>arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+)")
_ASSUME = "sts:AssumeRole"
_ACTION = re.compile(r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>" + _END + "))?")
_SECRET = re.compile(r"arn:[\w-]+:secretsmanager:" + _END)
_PARAMETER_ARN = re.compile(r"arn:[\w-]+:ssm:[^:\s]*:[^:\s]*:parameter/" + _END)
_PARAMETER = re.compile(r"invalid (?:ssm )?parameters?: (?P<name>" + _END + ")", re.IGNORECASE)
_KEY = re.compile(r"did not contain json key (?P<key>" + _END + ")")
_IMAGE = re.compile(r"(?P<image>(?:\d{12}\.dkr[.-]ecr|docker\.io|public\.ecr\.aws|ghcr\.io)[^\s\"',;)\]]*?):? ")
_ARN_OF_SECRET = 7
_HEALTH = re.compile(r"failed (?:ELB|container) health checks", re.IGNORECASE)
_MEMORY = re.compile(r"OutOfMemory", re.IGNORECASE)


class Stop(Enum):
    """How a task stopped, from the point of view of who is called for it."""

    FAILED_TO_START = "failed to start"
    CRASHED = "crashed"
    UNHEALTHY = "failed its health check"
    ENDED = "ended"
    REPLACED = "was stopped by a deployment, by scaling or by a user"
    INTERRUPTED = "was interrupted by AWS"

    @property
    def is_fault(self) -> bool:
        """Whether somebody has to look at it."""
        return self in {Stop.FAILED_TO_START, Stop.CRASHED, Stop.UNHEALTHY}


_INTERRUPTIONS = frozenset({"SpotInterruption", "TerminationNotice", "InfrastructureHealth"})


def how_stopped(task: Task) -> Stop:
    """Tell how a task stopped; a task of a service is to run for ever, another one may end with exit code 0."""
    if task.stop_code in _INTERRUPTIONS:
        return Stop.INTERRUPTED
    if task.stop_code == "TaskFailedToStart" or (task.started is None and classify(task.reason) is not None):
        return Stop.FAILED_TO_START
    if _HEALTH.search(task.stopped_reason):
        return Stop.UNHEALTHY
    if task.stop_code in {"ServiceSchedulerInitiated", "UserInitiated"}:
        return Stop.REPLACED
    codes = [container.exit_code for container in task.containers if container.exit_code is not None]
    crashed = any(codes) or bool(_MEMORY.search(task.reason)) or (not codes and classify(task.reason) is not None)
    if task.stop_code == "EssentialContainerExited" and task.service:
        return Stop.CRASHED
    return Stop.CRASHED if crashed else Stop.ENDED


class StopCause(Struct, frozen=True):
    """What a text names; what it does not name is empty. `text` is the text, whole.

    `role` is the ARN of the role that was refused, or that ECS could not assume, `secret` the bare ARN of a secret,
    `parameter` an ARN or a name.
    """

    failure: FailureClass | None
    text: str
    action: str = ""
    resource: str = ""
    role: str = ""
    secret: str = ""
    key: str = ""
    parameter: str = ""
    image: str = ""

    @classmethod
    def of(cls, text: str) -> StopCause:
        """Read a `stoppedReason` or the message of a service event."""
        action, role, assumed = _ACTION.search(text), _ROLE.search(text), _ASSUMED.search(text)
        if assumed is not None:
            return cls(classify(text), text, _ASSUME, role=assumed["role"].rstrip("."))
        secret, arn, name = _SECRET.search(text), _PARAMETER_ARN.search(text), _PARAMETER.search(text)
        key, image = _KEY.search(text), _IMAGE.search(f"{text} ")
        partition = role[0].split(":")[1] if role else "aws"
        return cls(
            classify(text),
            text,
            action["action"] if action else "",
            (action["resource"] or "").rstrip(".,:") if action else "",
            f"arn:{partition}:iam::{role['account']}:role/{role['role']}" if role else "",
            ":".join(secret[0].rstrip(".,:").split(":")[:_ARN_OF_SECRET]) if secret else "",
            key["key"].rstrip(".,:") if key else "",
            arn[0].rstrip(".,:") if arn else name["name"].rstrip(".,:") if name else "",
            image["image"] if image else "",
        )

    @property
    def is_known(self) -> bool:
        """Whether the text says why: with one of the ten root causes, or that ECS could not assume a role."""
        return self.failure is not None or self.action == _ASSUME

    @property
    def subject(self) -> tuple[str, ...]:
        """What tells this cause from another: the same for tasks that stopped for the same thing."""
        named = (self.action, self.secret or self.resource, self.role, self.key, self.parameter, self.image)
        failure = self.failure.value if self.failure else ""
        return (failure, *named) if self.failure else (_IDS.sub("…", self.text),)


_IDS = re.compile(r"\b[0-9a-f]{8}[0-9a-f-]{4,}\b|\bi-[0-9a-f]+\b|\b\d+\.\d+\.\d+\.\d+(?::\d+)?\b")
