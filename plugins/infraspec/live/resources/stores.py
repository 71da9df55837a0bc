"""What is peculiar to databases and tables, as an account has them.

AWS gives a state where Terraform has a switch. Sources: Amazon RDS API Reference, DBInstance (`MasterUserSecret`);
Amazon DynamoDB API Reference, SSEDescription, PointInTimeRecoveryDescription and TimeToLiveDescription.
"""

from __future__ import annotations

from infraspec.core.unknown import Value
from infraspec.live.resources.reading import Entry, Peculiarity, Values
from infraspec.live.resources.scope import LiveScope

_ON = frozenset({"ENABLED", "ENABLING", "UPDATING"})
_SWITCHED = ("point_in_time_recovery", "server_side_encryption", "ttl")


def _instance(_scope: LiveScope, entry: Entry, values: Values) -> Values:
    """Say whether RDS keeps the password of the master user in a secret; a replica has that of its source."""
    is_kept = entry.get("MasterUserSecret") and not entry.get("ReadReplicaSourceDBInstanceIdentifier")
    return {**values, "manage_master_user_password": True} if is_kept else values


def _table(_scope: LiveScope, _entry: Entry, values: Values) -> Values:
    """Say of what has a state whether it is on."""
    return {**values, **{name: _switched(values[name]) for name in _SWITCHED if name in values}}


def _switched(blocks: Value) -> Value:
    if not isinstance(blocks, list):
        return blocks
    return [{**block, "enabled": block.get("enabled") in _ON} for block in blocks if isinstance(block, dict)]


PECULIARITIES = {"aws_db_instance": Peculiarity(_instance), "aws_dynamodb_table": Peculiarity(_table)}
