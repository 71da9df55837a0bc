"""`[hosts.NAME]`: machines that have to have tools, or to reach something."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from infraspec.contract.kinds import EnvironmentName, Matching, NonEmpty, wrong
from infraspec.contract.table import Table

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


class Host(Table):
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
