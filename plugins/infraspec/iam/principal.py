"""Who makes a request.

Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

from infraspec.iam.principal_arn import ACCOUNT, CODE, ROLE, ROOT, SERVICE, SESSION, USER, coded, decoded
from infraspec.unknown import Unknown, Value, computed_from, render


class Kind(Enum):
    """What makes a request."""

    ROLE = auto()
    SESSION = auto()
    USER = auto()
    ROOT = auto()
    SERVICE = auto()
    OTHER = auto()


class Principal(Struct, frozen=True):
    """The principal of a request. `account` is its account's number, empty for what belongs to none: a service.

    `any_session` says that the principal is a session of the role `value` whose name is not known.
    """

    value: Value
    kind: Kind
    account: Value = ""
    name: str = ""
    any_session: bool = False

    @classmethod
    def of(cls, value: Value) -> Principal:
        """Read the ARN of a role, a role's session, a user or an account's root, or the name of a service."""
        text = coded(value)
        if text is None:
            return cls(value, Kind.OTHER, _account_of(value))
        for kind, form in ((Kind.SESSION, SESSION), (Kind.ROLE, ROLE), (Kind.ROOT, ROOT), (Kind.USER, USER)):
            found = form.fullmatch(text)
            if found:
                groups = found.groupdict()
                account = decoded(groups["account"] or groups.get("other") or "", value)
                return cls(value, kind, account, groups.get("name") or "")
        if ACCOUNT.fullmatch(text):
            return cls(f"arn:aws:iam::{text}:root", Kind.ROOT, text)
        if CODE in text:
            return cls(value, Kind.OTHER, _account_of(value))
        return cls(value, Kind.SERVICE if SERVICE.fullmatch(text) else Kind.OTHER)

    @classmethod
    def role(cls, arn: Value) -> Principal:
        """Make the principal of the sessions of a role, such as the tasks of a task definition."""
        found = cls.of(arn)
        return cls(arn, Kind.ROLE, found.account, found.name, any_session=True)

    @property
    def service_linked(self) -> bool:
        """Tell whether it is a service-linked role, which neither SCPs nor RCPs restrict."""
        if self.kind not in {Kind.ROLE, Kind.SESSION}:
            return False
        return ":role/aws-service-role/" in render(self.value) or self.name.startswith("AWSServiceRoleFor")


def _account_of(value: Value) -> Unknown:
    return Unknown(f"the account of {render(value).strip('${}')}", computed_from(value))
