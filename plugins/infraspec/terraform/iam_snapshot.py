"""What IAM had in one account at one moment: the roles and policies that a plan may name and does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Value

COMMAND = "aws iam get-account-authorization-details --output json"
"""What exports the IAM of an account; it needs iam:GetAccountAuthorizationDetails and changes nothing."""
EXPORT = f"{COMMAND} > iam.json"


@dataclass(frozen=True, repr=False)
class IamSnapshot(Plan):
    """The roles, users, groups and policies of one account.

    They have the attributes of their Terraform resources and their ARN as address; what is inline, or attached, is a
    resource of its own. `newest` is the newest date in the file: the snapshot is not older than that.
    """

    newest: str = ""

    def __repr__(self) -> str:
        return f"<IamSnapshot of {self.account}: {len(self.resources)} resources>"

    def __str__(self) -> str:
        dated = f", newest date in it {self.newest}" if self.newest else ""
        return f"{self.origin} (IAM of account {self.account}{dated})"

    @cached_property
    def roles(self) -> Mapping[Value, Resource]:
        """The roles by name, which is unique in an account."""
        return {role.get("name"): role for role in self.managed("aws_iam_role")}

    @cached_property
    def attached(self) -> Mapping[str, tuple[Resource, ...]]:
        """The inline policies and attachments of roles, by the name of the role."""
        found: dict[str, list[Resource]] = {}
        for resource in self.managed("aws_iam_role_policy", "aws_iam_role_policy_attachment"):
            found.setdefault(resource.values["role"], []).append(resource)
        return {name: tuple(resources) for name, resources in found.items()}


def snapshot_of(plan: Plan, account: Value, partition: Value) -> IamSnapshot | None:
    """Return the snapshot of an account of a partition; None if there is none, or if either is not known."""
    matching = (one for one in plan.snapshots if (one.account, one.partition) == (account, partition))
    return next(matching, None)
