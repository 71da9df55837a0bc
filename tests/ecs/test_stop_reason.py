from pathlib import Path

import pytest

from infraspec.contract.operations import Playbooks
from infraspec.ecs.stop_cause import FailureClass, classify

PULLING = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
SECRETS = PULLING + "unable to retrieve secret from asm: service call has been retried 1 time(s): "

MESSAGES = {
    SECRETS
    + "failed to fetch secret arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf from secrets manager: "
    "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/execution/0a1b is not authorized to "
    "perform: secretsmanager:GetSecretValue on resource: db": FailureClass.SECRET_ACCESS_DENIED,
    SECRETS + "AccessDeniedException: Access to KMS is not allowed": FailureClass.KMS_ACCESS_DENIED,
    PULLING + "AccessDeniedException: … is not authorized to perform: kms:Decrypt": FailureClass.KMS_ACCESS_DENIED,
    SECRETS + "RequestCanceled: request context canceled caused by: context deadline exceeded": (
        FailureClass.SECRET_CONNECTION
    ),
    "There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration.": (
        FailureClass.SECRET_CONNECTION
    ),
    PULLING + "retrieved secret from Secrets Manager did not contain json key password": (
        FailureClass.SECRET_KEY_MISSING
    ),
    SECRETS + "ResourceNotFoundException: Secrets Manager can't find the specified secret.": (
        FailureClass.SECRET_MISSING
    ),
    SECRETS + "ResourceNotFoundException: can't find the specified secret value for staging label: AWSCURRENT": (
        FailureClass.SECRET_MISSING
    ),
    SECRETS + "InvalidRequestException: You can't perform this operation on the secret because it was marked for "
    "deletion.": FailureClass.SECRET_PENDING_DELETION,
    PULLING + "unexpected ARN format with parameters when trying to retrieve ASM secret": (
        FailureClass.SECRET_REFERENCE_INVALID
    ),
    SECRETS + "ValidationException: Invalid name. Must be a valid name containing alphanumeric characters": (
        FailureClass.SECRET_REFERENCE_INVALID
    ),
    "fetching secret data from SSM Parameter Store in eu-west-1: AccessDeniedException: … not authorized to perform: "
    "ssm:GetParameters on resource: …": FailureClass.PARAMETER_UNREADABLE,
    "fetching secret data from SSM Parameter Store in eu-west-1: invalid parameters: /shop/key": (
        FailureClass.PARAMETER_UNREADABLE
    ),
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): image not found": (
        FailureClass.IMAGE_PULL_FAILED
    ),
    PULLING + "unable to retrieve ecr registry auth: AccessDeniedException: … not authorized to perform: "
    "ecr:GetAuthorizationToken": FailureClass.IMAGE_PULL_FAILED,
    "CannotStartContainerError: failed to initialize logging driver: failed to create Cloudwatch log stream: "
    "AccessDeniedException: … is not authorized to perform: logs:CreateLogStream": FailureClass.LOGGING_FAILED,
    "Essential container in task exited": None,
    "": None,
}


@pytest.mark.parametrize("message", MESSAGES)
def test_classify(message: str) -> None:
    """A message of ECS is put into its root cause, and one that tells of none into none."""
    assert classify(message) is MESSAGES[message]


def test_every_class_is_reached() -> None:
    """No class is without a message."""
    assert set(FailureClass) == {failure for failure in MESSAGES.values() if failure}


def test_every_class_has_a_playbook_by_default() -> None:
    """The contract asks for a playbook of every failure class if it does not say otherwise."""
    assert {failure.value for failure in FailureClass} <= set(Playbooks(directory=Path("playbooks")).required)
