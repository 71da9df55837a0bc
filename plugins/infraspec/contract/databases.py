"""`[databases]`: how databases have to be in AWS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from infraspec.contract.kinds import EnvironmentName
from infraspec.contract.table import Table

Positive = Annotated[int, Field(gt=0)]
Percent = Annotated[float, Field(gt=0, lt=100)]


class Databases(Table):
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
