"""`[environments.NAME.live]` and `[sandbox]`: who looks at what is deployed, and at what of it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, field_validator

from infraspec.contract.kinds import Matching, NonEmpty, Regex, wrong
from infraspec.contract.table import Table

RoleArn: TypeAlias = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
        'the ARN of a role in quotes, such as "arn:aws:iam::111122223333:role/infraspec-runner"',
    ),
]
SecretPattern: TypeAlias = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:|ssm:[a-z0-9-]+:[0-9]{12}:parameter/)\S*[^*\s]\S*$",
        "the ARN of a secret or parameter; * stands for any text after the account",
    ),
]
TopicArn: TypeAlias = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$",
        "the ARN of a topic in quotes, whole and not FIFO: an alarm cannot send to such a one",
    ),
]
QueueArn: TypeAlias = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$",
        "the ARN of a queue in quotes, whole and not FIFO",
    ),
]
Read: TypeAlias = Annotated[
    str,
    Matching(
        r"^[a-z0-9-]+:(BatchGet|Describe|Get|Head|List|Lookup|Search|Select)[A-Za-z0-9]+$",
        "a service as boto3 names it and a reading operation of its API, such as glue:GetTables",
    ),
]

REFUSED = frozenset(
    {
        "ec2:GetPasswordData",
        "ecr-public:GetAuthorizationToken",
        "ecr:GetAuthorizationToken",
        "lambda:GetFunction",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetRandomPassword",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "sts:GetFederationToken",
        "sts:GetSessionToken",
    }
)
"""Operations that are named as reads and hand out secrets or credentials: no contract allows them as reads."""


class Canary(Table):
    """`[environments.NAME.live.canary]`: the consent to publish a test message, and where it has to arrive."""

    topics: list[TopicArn] = Field(
        min_length=1,
        max_length=10,
        description="Topics that a message is published to, marked as a test; all subscribers get it.",
        examples=[["arn:aws:sns:eu-west-1:111122223333:shop-staging-critical"]],
    )
    queue: QueueArn = Field(
        description="The queue that it has to arrive in, subscribed to each of them, and read by nobody else.",
        examples=["arn:aws:sqs:eu-west-1:111122223333:shop-staging-canary"],
    )
    seconds: Annotated[int, Field(ge=1, le=300)] = Field(30, description="How long it may take.", examples=[60])


class Live(Table):
    """`[environments.NAME.live]`: how the live suite looks at what is deployed."""

    role: RoleArn | None = Field(
        None,
        description="The role to assume; by default the one of the credentials.",
        examples=["arn:aws:iam::111122223333:role/infraspec-runner"],
    )
    runner: Regex | None = Field(
        None,
        description="Regular expression of the whole name of the role that the suite has to run with.",
        examples=["infraspec-runner"],
    )
    read_secrets: list[SecretPattern] = Field(
        default_factory=list,
        description="Secrets whose values may be read, to see that they are what task definitions expect.",
        examples=[["arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/staging/*"]],
    )
    reads: list[Read] = Field(
        default_factory=list,
        description="Operations that rules of your own ask, beside those of the live suite.",
        examples=[["glue:GetTables"]],
    )

    canary: Canary | None = Field(
        None, description="Lets the suite publish a test message to topics of alerts, and see that it arrives."
    )

    @field_validator("reads")
    @classmethod
    def _hand_out_no_secrets(cls, reads: list[str]) -> list[str]:
        if found := sorted(REFUSED & set(reads)):
            raise wrong(f"reads; {found[0]} hands out secrets: read_secrets names those whose value may be read")
        return reads


class Sandbox(Table):
    """`[sandbox]`: the embedded AWS of ENV=local."""

    environment: NonEmpty | None = Field(
        None, description="The environment whose source is deployed in it; by default the first.", examples=["prod"]
    )
