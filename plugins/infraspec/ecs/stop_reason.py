"""Why a task did not start: the text of a stopped task or a service event, put into one of ten root causes.

Source: Amazon ECS Developer Guide, "Stopped tasks error messages" and "CannotPullContainer task errors"; the messages
of Secrets Manager, Systems Manager and KMS that ECS hands on.
"""

from __future__ import annotations

import re
from enum import Enum


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
_PATTERNS: tuple[tuple[FailureClass, re.Pattern[str]], ...] = tuple(
    (failure, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for failure, pattern in (
        (FailureClass.IMAGE_PULL_FAILED, r"CannotPull(Container|ECRContainer|ImageManifest)|image manifest"),
        (
            FailureClass.IMAGE_PULL_FAILED,
            r"ecr:(GetAuthorizationToken|BatchGetImage|GetDownloadUrlForLayer|BatchCheck)",
        ),
        (FailureClass.LOGGING_FAILED, r"failed to (initialize|create) logging driver|failed to create Cloudwatch log"),
        (FailureClass.LOGGING_FAILED, r"not authorized to perform: logs:|The specified log group does not exist"),
        (FailureClass.KMS_ACCESS_DENIED, r"Access to KMS is not allowed|not authorized to perform: kms:"),
        (FailureClass.KMS_ACCESS_DENIED, r"ciphertext refers to a customer master key that does not exist"),
        (FailureClass.SECRET_PENDING_DELETION, r"marked for deletion|scheduled for deletion"),
        (FailureClass.SECRET_KEY_MISSING, r"did not contain json key|retrieved secret .* not contain"),
        (FailureClass.SECRET_REFERENCE_INVALID, r"invalid ARN format|unexpected ARN format|Invalid name\. Must be"),
        (
            FailureClass.PARAMETER_UNREADABLE,
            r"ssm:GetParameters|invalid (ssm )?parameters|fetching secrets? data from SSM",
        ),
        (FailureClass.SECRET_CONNECTION, r"context deadline exceeded|connection issue between the task and"),
        (FailureClass.SECRET_CONNECTION, r"dial tcp .*(i/o timeout|no such host)|RequestCanceled"),
        (FailureClass.SECRET_MISSING, r"can.t find the specified secret|staging label|ResourceNotFoundException"),
        (FailureClass.SECRET_ACCESS_DENIED, r"not authorized to perform: secretsmanager:|AccessDenied"),
    )
)


def classify(reason: str) -> FailureClass | None:
    """Return the root cause that a `stoppedReason` or a service event tells of, None if it tells of none of them."""
    return next((failure for failure, pattern in _PATTERNS if pattern.search(reason)), None)
