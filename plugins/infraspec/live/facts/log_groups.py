"""The log groups of AWS as `monitoring.log_group`, one call for each name."""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.aws.calls import Calls
from infraspec.monitoring.log_group import LogGroup


def live_log_groups(calls: Calls, names: Iterable[str]) -> dict[str, LogGroup]:
    """Return the log groups of the names that exist, by name."""
    found = {}
    for name in sorted(set(names)):
        for group in calls.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] == name:
                arn = str(group.get("arn", "")).removesuffix(":*")
                found[name] = LogGroup(name, arn, group.get("retentionInDays") or 0, group.get("kmsKeyId") or "")
    return found
