"""`[environments.NAME.live]` and `[sandbox]`: who looks at what is deployed, and at what of it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from infraspec.contract.kinds import Matching, NonEmpty, Regex
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


class Sandbox(Table):
    """`[sandbox]`: the embedded AWS of ENV=local."""

    environment: NonEmpty | None = Field(
        None, description="The environment whose source is deployed in it; by default the first.", examples=["prod"]
    )
