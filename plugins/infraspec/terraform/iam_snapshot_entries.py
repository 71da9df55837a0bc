"""The shapes of what an export of IAM lists, and its policy documents as text.

Source: IAM API Reference, UserDetail, GroupDetail, RoleDetail and ManagedPolicyDetail. A key that a finding would rest
on is demanded: a file that somebody has filtered must not pass for a role without policies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec

from infraspec.errors import SnapshotError
from infraspec.terraform.iam_snapshot import EXPORT
from infraspec.terraform.iam_snapshot_text import EXPECTED, Entry

Document: TypeAlias = dict[str, Any] | str
"""A policy: an object as the AWS CLI has it, or text in URL encoding as the API sends it."""
T = TypeVar("T", bound=msgspec.Struct)


class InlinePolicy(msgspec.Struct, rename="pascal", frozen=True):
    """A policy in a user, a group or a role."""

    policy_name: str
    policy_document: Document


class AttachedPolicy(msgspec.Struct, rename="pascal", frozen=True):
    """A managed policy that is attached."""

    policy_arn: str


class Boundary(msgspec.Struct, rename="pascal", frozen=True):
    """The managed policy that is the permissions boundary."""

    permissions_boundary_arn: str


class UserDetail(msgspec.Struct, frozen=True):
    """A user; AWS leaves out the list of inline policies where there is none."""

    name: str = msgspec.field(name="UserName")
    arn: str = msgspec.field(name="Arn")
    attached: list[AttachedPolicy] = msgspec.field(name="AttachedManagedPolicies")
    inline: list[InlinePolicy] = msgspec.field(name="UserPolicyList", default_factory=list)
    boundary: Boundary | None = msgspec.field(name="PermissionsBoundary", default=None)


class GroupDetail(msgspec.Struct, frozen=True):
    """A group; likewise."""

    name: str = msgspec.field(name="GroupName")
    arn: str = msgspec.field(name="Arn")
    attached: list[AttachedPolicy] = msgspec.field(name="AttachedManagedPolicies")
    inline: list[InlinePolicy] = msgspec.field(name="GroupPolicyList", default_factory=list)
    boundary: None = None


class RoleDetail(msgspec.Struct, frozen=True):
    """A role."""

    name: str = msgspec.field(name="RoleName")
    arn: str = msgspec.field(name="Arn")
    path: str = msgspec.field(name="Path")
    trust: Document = msgspec.field(name="AssumeRolePolicyDocument")
    attached: list[AttachedPolicy] = msgspec.field(name="AttachedManagedPolicies")
    inline: list[InlinePolicy] = msgspec.field(name="RolePolicyList")
    boundary: Boundary | None = msgspec.field(name="PermissionsBoundary", default=None)


class PolicyVersion(msgspec.Struct, rename="pascal", frozen=True):
    """A version of a managed policy."""

    document: Document
    version_id: Annotated[str, msgspec.Meta(pattern=r"^v[0-9]+$")]
    is_default_version: bool


class ManagedPolicy(msgspec.Struct, rename="pascal", frozen=True):
    """A managed policy, of the account or of AWS."""

    arn: str
    policy_version_list: list[PolicyVersion]


class Named(msgspec.Struct, rename="pascal", frozen=True):
    """What every entry has."""

    arn: str


def entry_as(kind: type[T], entry: Entry) -> T:
    """Return an entry as what it has to be. Raises SnapshotError."""
    try:
        return msgspec.convert(entry.value, kind)
    except msgspec.ValidationError as error:
        raise SnapshotError(
            "an entry is not as AWS prints it",
            place=entry.place,
            expected=EXPECTED,
            found=str(error),
            remedy=f"export again, without --query and whole: {EXPORT}",
        ) from None


def document_text(document: Document, entry: Entry, path: str) -> str:
    """Return a policy as JSON text. Raises SnapshotError if it is not an object."""
    if isinstance(document, Mapping):
        return json.dumps(document)
    text = document if document.lstrip().startswith("{") else unquote(document)
    try:
        if isinstance(json.loads(text), dict):
            return text
        found = "JSON that is no object"
    except ValueError:
        found = "text that is no JSON, in URL encoding or not"
    raise SnapshotError(
        "a policy is not one",
        place=f"{entry.span.locate(path)}: {entry.list}[{entry.index}].{path}",
        expected="a JSON object, or its text in URL encoding",
        found=found,
        remedy=EXPORT,
    )
