"""`[environments.NAME.live]` and `[sandbox]`: who looks at what is deployed, and at what of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from infraspec.contract.field_types import ContractTable, EnvironmentName, Matching, NonEmpty, Regex, wrong

HostSpec = Annotated[
    str,
    Matching(
        r"^(local://|ssh://\S+|ssm://m?i-[0-9a-f]+|ecs://[\w-]+/[\w-]+(\?container=[\w-]+)?)$",
        "local://, ssh://user@host, ssm:// with the id of a node, or ecs://cluster/service?container=name",
    ),
]
AWS_KINDS = ("ssm", "ecs")
"""Kinds of hosts whose commands AWS runs: Systems Manager Run Command, and ECS Exec."""
Endpoint = Annotated[str, StringConstraints(pattern=r"^[\w.-]+:[0-9]{1,5}$")]


class Host(ContractTable):
    """`[hosts.NAME]`: a machine, by default the one that the suite runs on."""

    host: HostSpec = Field(
        "local://",
        description="`local://`, `ssh://user@host`, `ssm://NODE` or `ecs://CLUSTER/SERVICE?container=NAME`.",
        examples=["ssh://bastion", "ecs://shop-staging/web?container=app"],
    )
    environments: list[EnvironmentName] = Field(
        default_factory=list, description="Environments that it is asked for; all if empty.", examples=[["staging"]]
    )
    run_commands: bool = Field(
        default=False,
        validate_default=True,
        description="The consent to run commands by AWS, which `ssm://` and `ecs://` do.",
        examples=[True],
    )
    tools: dict[NonEmpty, str] = Field(
        default_factory=dict,
        description="Programs by name, with the beginning of their version; any version if it is empty.",
        examples=[{"terraform": "1.9", "aws": "2"}],
    )
    reach: list[Endpoint] = Field(
        default_factory=list,
        description="Addresses with ports that it can open a TCP connection to.",
        examples=[["db.internal:5432"]],
    )

    @field_validator("run_commands")
    @classmethod
    def _is_consented(cls, run_commands: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
        """Ask for the consent where AWS runs the commands, and for the environments that it is given for."""
        kind = str(info.data.get("host", "")).partition("://")[0]
        if kind in AWS_KINDS and not run_commands:
            raise wrong(f"run_commands = true, the consent to run commands by {kind}://; it is a write to AWS")
        if kind in AWS_KINDS and info.data.get("environments") == []:
            raise wrong(f"environments beside it: {kind}:// needs the consent of each by its name")
        return run_commands

    def is_of(self, environment: str) -> bool:
        """Whether it is asked for an environment."""
        return not self.environments or environment in self.environments

    @property
    def is_reached_by_aws(self) -> bool:
        """Whether AWS runs the commands."""
        return self.host.partition("://")[0] in AWS_KINDS


Positive = Annotated[int, Field(gt=0)]
Percent = Annotated[float, Field(gt=0, lt=100)]


class Databases(ContractTable):
    """`[databases]`: how databases have to be in AWS."""

    restorable_minutes: Positive = Field(
        60, description="How old the newest point that a backup can restore may be.", examples=[30]
    )
    most_lag_seconds: Positive = Field(300, description="How far a replica may be behind.", examples=[60])
    least_free_percent: Percent = Field(10, description="How much of the storage has to be free.", examples=[20])
    maintenance_days: Positive = Field(
        7, description="How long before AWS maintains an instance unasked it is found.", examples=[14]
    )
    reach: Literal["path", "use", "connect"] = Field(
        "path",
        description="What has to show that services reach a database: an open path, connections, or one made now.",
        examples=["use"],
    )
    connect_from: list[EnvironmentName] = Field(
        default_factory=list,
        description="Environments whose runner is in the network of the databases, and may try to connect.",
        examples=[["staging"]],
    )


class Inventory(ContractTable):
    """`[inventory]`: what may be in AWS although no source makes it."""

    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="ARNs, * for any text, of resources that somebody else makes.",
        examples=[["arn:aws:cloudwatch:*:*:alarm:shop-prod-by-hand-*"]],
    )


_HALF_A_DAY = 43200


class Rollout(ContractTable):
    """`[rollout]`: when a deployment counts as done."""

    wait: Annotated[int, Field(ge=0, le=_HALF_A_DAY)] = Field(
        600, description="Seconds to wait for a deployment that is under way; none in the sandbox.", examples=[900]
    )
    newest: bool = Field(
        False,  # noqa: FBT003 - pydantic's default
        description="A service whose task_definition Terraform ignores has to run the newest revision of its family.",
    )


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


class Canary(ContractTable):
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


class Live(ContractTable):
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


class Sandbox(ContractTable):
    """`[sandbox]`: the embedded AWS of ENV=local."""

    environment: NonEmpty | None = Field(
        None, description="The environment whose source is deployed in it; by default the first.", examples=["prod"]
    )
