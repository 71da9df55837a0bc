"""Amazon Resource Names: parse, format, compare.

Source: AWS General Reference, "Identify AWS resources with Amazon Resource Names (ARNs)".
"""

from __future__ import annotations

from msgspec import Struct

_FIELDS = 6


class Arn(Struct, frozen=True):
    """The six fields of `arn:partition:service:region:account-id:resource`.

    `region` and `account` are empty where the service has none in its ARNs (IAM, S3). `resource` may hold colons.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Split an ARN into its fields; ValueError if the text is not one."""
        fields = text.split(":", _FIELDS - 1)
        if len(fields) != _FIELDS or fields[0] != "arn" or not fields[1] or not fields[2] or not fields[5]:
            raise ValueError(f"not an ARN: {text!r}; expected arn:partition:service:region:account-id:resource")
        return cls(*fields[1:])

    @classmethod
    def is_arn(cls, text: str) -> bool:
        """Tell whether the text has the form of an ARN."""
        try:
            cls.parse(text)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"
