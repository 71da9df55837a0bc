"""A database instance as RDS and CloudWatch tell of it.

Sources: Amazon RDS API Reference, DBInstance and ApplyPendingMaintenanceAction; Amazon RDS User Guide, "Amazon
CloudWatch metrics for Amazon RDS".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from infraspec.rds.network import Side


class Maintenance(Struct, frozen=True):
    """Something that AWS wants to do to an instance; `forced` is when it does so without being asked."""

    action: str
    description: str = ""
    forced: datetime | None = None


class Readings(Struct, frozen=True):
    """The newest values of metrics, None where there is no data of the last minutes."""

    connections: float | None = None
    lag_seconds: float | None = None
    free_bytes: float | None = None


class Database(Struct, frozen=True):
    """One instance. `pending` names the settings that wait for their change, never their values."""

    identifier: str
    arn: str
    status: str
    created: datetime | None = None
    port: int = 0
    retention_days: int = 0
    latest_restorable: datetime | None = None
    allocated_gib: int = 0
    replica_of: str = ""
    replication: tuple[str, ...] = ()
    """What `StatusInfos` says of its replication, where that is not normal."""
    pending: tuple[str, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    readings: Readings = field(default_factory=Readings)
    side: Side | None = None
    """Where in the network it is."""
    connects: bool | None = None
    """Whether the runner itself could connect; None if it was not asked to try."""


class Observed(Struct, frozen=True):
    """The instances of an environment by identifier, as they were at `taken`.

    `services` are where its services are in the network, by their address.
    """

    taken: datetime
    databases: Mapping[str, Database]
    services: Mapping[str, Side] = field(default_factory=dict)
