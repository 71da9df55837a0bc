"""AWS's managed policies: their names and paths, and the texts of those that roles commonly have.

The data is a file of its own, which tools/managed_policies.py writes and which is read when first asked for.

Source: AWS Managed Policy Reference Guide.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "texts" / "managed_policies.json"
OF_SERVICES = "/aws-service-role/"
"""The path of the policies that service-linked roles alone can have."""
_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):iam::aws:policy(?P<path>/(?:[\w+=,.@/-]*/)?)(?P<name>[\w+=,.@-]+)")
_GETS_OLD = dt.timedelta(days=365)


class AwsManagedPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy of AWS. `document` is the JSON text of its default version, empty where it is not here."""

    path: str
    version: str
    denies: bool = False
    document: msgspec.Raw = msgspec.Raw()


class ManagedPolicies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All policies by name, as they were on a date."""

    date: dt.date
    policies: Mapping[str, AwsManagedPolicy]

    def is_old(self, today: dt.date) -> bool:
        """Tell whether the data is of more than a year ago: AWS may have changed what it says."""
        return today - self.date > _GETS_OLD


@cache
def managed_policies() -> ManagedPolicies:
    """Return the policies of AWS."""
    return msgspec.json.decode(FILE.read_bytes(), type=ManagedPolicies)


def of_aws(arn: str) -> re.Match[str] | None:
    """Return the `partition`, `path` and `name` in an ARN of a policy that AWS manages; None if it is none."""
    return _ARN.fullmatch(arn)


def arn_of(name: str, partition: str = "aws") -> str | None:
    """Return the ARN of a policy of AWS; None if no policy is known to have the name."""
    known = managed_policies().policies.get(name)
    return f"arn:{partition}:iam::aws:policy{known.path}{name}" if known else None
