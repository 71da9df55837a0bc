"""`[hosts.NAME]`: machines that have to have tools, or to reach something."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from infraspec.contract.kinds import EnvironmentName, NonEmpty
from infraspec.contract.table import Table

HostSpec = Annotated[str, StringConstraints(pattern=r"^(local://|ssh://\S+)$")]
Endpoint = Annotated[str, StringConstraints(pattern=r"^[\w.-]+:[0-9]{1,5}$")]


class Host(Table):
    """`[hosts.NAME]`: a machine, by default the one that the suite runs on."""

    host: HostSpec = Field("local://", description="`local://`, or `ssh://user@host`.", examples=["ssh://bastion"])
    environments: list[EnvironmentName] = Field(
        default_factory=list, description="Environments that it is asked for; all if empty.", examples=[["staging"]]
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
