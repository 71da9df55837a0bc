"""A log group as CloudWatch Logs has it. Source: Amazon CloudWatch Logs API Reference, LogGroup."""

from __future__ import annotations

from msgspec import Struct


class LogGroup(Struct, frozen=True):
    """A log group. `retention_days` is 0 if its events are kept for ever."""

    name: str
    arn: str
    retention_days: int = 0
    kms_key: str = ""
