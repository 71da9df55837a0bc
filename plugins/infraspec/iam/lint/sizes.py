"""How long policies may be.

Sources: IAM User Guide, "IAM and AWS STS quotas" (white space does not count); Secrets Manager, AWS KMS, Amazon S3,
DynamoDB, Amazon EFS and IAM Identity Center, quotas; AWS Organizations User Guide, "Quotas for AWS Organizations".
"""

from __future__ import annotations

import re

from msgspec import Struct

from infraspec.unknown import Text, Unknown, Value

_BLANKS = re.compile(r"\s+")


class Limit(Struct, frozen=True):
    """The most characters of a policy; `default` is the quota as it is before somebody has it raised to `most`."""

    most: int
    source: str
    default: int = 0
    blanks: bool = False


MANAGED = Limit(6_144, "IAM and AWS STS quotas")
ROLE = Limit(10_240, "IAM and AWS STS quotas")
USER = Limit(2_048, "IAM and AWS STS quotas")
GROUP = Limit(5_120, "IAM and AWS STS quotas")
TRUST = Limit(8_192, "IAM and AWS STS quotas", default=2_048)
PERMISSION_SET = Limit(32_768, "IAM Identity Center quotas")
ORGANIZATION = Limit(10_240, "Quotas for AWS Organizations", default=5_120)
BUCKET = Limit(20_480, "Amazon S3 User Guide, Bucket policies")
KEY = Limit(32_768, "AWS KMS Developer Guide, Resource quotas")
SECRET = Limit(20_480, "AWS Secrets Manager quotas")
FILE_SYSTEM = Limit(20_000, "Creating file system policies")
TABLE = Limit(20_480, "DynamoDB, PutResourcePolicy", blanks=True)


def least_size(value: Value, *, blanks: bool) -> int:
    """Return how many characters a policy has at least: its unknown parts count as none.

    Blanks between the elements are left out unless they count.
    """
    parts = value.parts if isinstance(value, Text) else (value,)
    size = 0
    for part in parts:
        if isinstance(part, str):
            size += len(part if blanks else _BLANKS.sub("", part))
        elif isinstance(part, Unknown) and str(part) == "?":
            size += 1
    return size
