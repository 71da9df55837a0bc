"""The model of an account's IAM from the export that `aws iam get-account-authorization-details` makes of it.

Source: IAM API Reference, GetAccountAuthorizationDetails; AWS CLI Command Reference, the same, which decodes the policy
documents and joins the pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from infraspec.arn import Arn
from infraspec.errors import ErrorCollector, SnapshotError
from infraspec.finding import Location
from infraspec.terraform.iam_snapshot import EXPORT, IamSnapshot
from infraspec.terraform.iam_snapshot_entries import (
    GroupDetail,
    ManagedPolicy,
    Named,
    RoleDetail,
    UserDetail,
    document_text,
    entry_as,
)
from infraspec.terraform.iam_snapshot_text import EXPECTED, LISTS, Entry, Page, Span, pages, read
from infraspec.terraform.plan import Resource
from infraspec.unknown import Value

_DATE = re.compile(r'"(?:CreateDate|UpdateDate|LastUsedDate)":\s*"(\d{4}-\d{2}-\d{2})')
_ROLES, _TRUST = "RoleDetailList", "AssumeRolePolicyDocument"
_OTHERS = {
    "Roles": "the output of `aws iam list-roles`, which has no policies",
    "Role": "the output of `aws iam get-role`, which has no policies",
    "Users": "the output of `aws iam list-users`",
    "Groups": "the output of `aws iam list-groups`",
    "Policies": "the output of `aws iam list-policies`, which has no roles",
    "AttachedPolicies": "the output of `aws iam list-attached-role-policies`",
    "PolicyNames": "the output of `aws iam list-role-policies`",
    "PolicyVersion": "the output of `aws iam get-policy-version`",
    "format_version": "a plan or state of Terraform",
    "terraform_version": "a state of Terraform",
    "taskDefinition": "a task definition",
}
"""Files that are taken for an export, by a key that they have."""


def load_all(paths: Iterable[tuple[Path, str]]) -> tuple[IamSnapshot, ...]:
    """Load the snapshots of several accounts, each path with the name that stands for it in messages.

    Raises SnapshotError, or InputErrorGroup with several: for what `load` raises, and for two of one account that
    differ.
    """
    errors = ErrorCollector()
    found: dict[Value, IamSnapshot] = {}
    for path, name in paths:
        with errors.collect():
            snapshot = load(path, name)
            other = found.setdefault(snapshot.account, snapshot)
            if _content(other) != _content(snapshot):
                raise SnapshotError(
                    f"two files are of account {snapshot.account}, and they differ",
                    place=f"{other.origin}, {name}",
                    expected="one snapshot of each account",
                    found=_difference(other, snapshot),
                    remedy="keep the newer one",
                )
    errors.finalize()
    return tuple(found.values())


def load(path: Path, name: str) -> IamSnapshot:
    """Load the snapshot of one account. Raises SnapshotError if the file is none, is not whole, or is of two."""
    text = read(path, name)
    found = pages(text, name)
    _check_pages(found, name)
    entries = [entry for page in found for entry in page.entries]
    partition, account = _account(entries, name)
    resources: dict[str, Resource] = {}
    for entry in entries:
        for resource in _resources(entry):
            before = resources.setdefault(resource.address, resource)
            if before.values != resource.values:
                raise SnapshotError(
                    f"{resource.address} is in the file twice, and differs",
                    place=f"{before.location}, {resource.location}",
                    expected="one export",
                    found="parts of two",
                    remedy=EXPORT,
                )
    return IamSnapshot(
        name,
        tuple(resources.values()),
        account=account,
        partition=partition,
        newest=max(_DATE.findall(text), default=""),
    )


def _check_pages(found: list[Page], name: str) -> None:
    """Demand pages of the right answer, and the last of them."""
    for page in found:
        if _ROLES not in page.lists:
            keys = [*sorted(page.lists), *page.others]
            known = next((_OTHERS[key] for key in _OTHERS if key in keys), "")
            shown = ", ".join(keys[:5]) + (", …" if keys[5:] else "")
            raise SnapshotError(
                "this is not an export of an account's IAM",
                place=name,
                expected=f"{EXPECTED}: {', '.join(LISTS)}",
                found=known or (shown if keys else "an empty object"),
                remedy=EXPORT,
            )
    if not found or all(page.others.get("IsTruncated") is True or "NextToken" in page.others for page in found):
        raise SnapshotError(
            "the export is not whole",
            place=name,
            expected="all pages of the answer",
            found=f"{len(found)} pages, none of which is the last" if found else "no page",
            remedy=f"export without --max-items and --no-paginate: {EXPORT}",
        )


def _account(entries: list[Entry], name: str) -> tuple[str, str]:
    """Return the partition and account that everything in the file is of."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        arn = _arn(entry)
        if arn.account != "aws":
            found.setdefault((arn.partition, arn.account), entry)
    if len(found) == 1:
        return next(iter(found))
    raise SnapshotError(
        "a snapshot is of one account",
        place=name,
        expected="roles of one account",
        found=", ".join(f"{account} at line {entry.span.line}" for (_, account), entry in found.items())
        or "none: no role, user, group or policy of an account",
        remedy=f"export each account to a file of its own: {EXPORT}" if found else EXPORT,
    )


def _arn(entry: Entry) -> Arn:
    text = entry_as(Named, entry).arn
    try:
        return Arn.parse(text)
    except ValueError:
        raise SnapshotError(
            "an ARN is not one", place=entry.place, expected="an ARN", found=text, remedy=EXPORT
        ) from None


def _resources(entry: Entry) -> Iterator[Resource]:
    match entry.list:
        case "Policies":
            yield _policy(entry_as(ManagedPolicy, entry), entry)
        case "UserDetailList":
            yield from _holder("user", entry_as(UserDetail, entry), {}, entry)
        case "GroupDetailList":
            yield from _holder("group", entry_as(GroupDetail, entry), {}, entry)
        case _:
            role = entry_as(RoleDetail, entry)
            trust = document_text(role.trust, entry, _TRUST)
            yield from _holder("role", role, {"path": role.path, "assume_role_policy": trust}, entry)


def _holder(
    kind: str, detail: UserDetail | GroupDetail | RoleDetail, own: Mapping[str, Value], entry: Entry
) -> Iterator[Resource]:
    """Yield a user, group or role, and what is inline in it or attached to it, as the live suite has roles."""
    values = {"name": detail.name, "id": detail.name, "arn": detail.arn, **own}
    if detail.boundary is not None:
        values["permissions_boundary"] = detail.boundary.permissions_boundary_arn
    paths = {"assume_role_policy": _TRUST, "permissions_boundary": "PermissionsBoundary"}
    yield _resource(f"aws_iam_{kind}", detail.arn, values, entry, paths)
    for index, inline in enumerate(detail.inline):
        path = f"{kind.capitalize()}PolicyList.{index}"
        document = f"{path}.PolicyDocument"
        text = document_text(inline.policy_document, entry, document)
        held = {kind: detail.name, "name": inline.policy_name, "policy": text}
        address = f"{detail.arn} inline policy {inline.policy_name}"
        yield _resource(f"aws_iam_{kind}_policy", address, held, entry, {"": path, "policy": document})
    for index, attached in enumerate(detail.attached):
        held = {kind: detail.name, "policy_arn": attached.policy_arn}
        address, path = f"{detail.arn} with {attached.policy_arn}", f"AttachedManagedPolicies.{index}"
        yield _resource(f"aws_iam_{kind}_policy_attachment", address, held, entry, {"": path})


def _policy(policy: ManagedPolicy, entry: Entry) -> Resource:
    """Return a managed policy with its default version; without text if the export has not that version."""
    values: dict[str, Value] = {"name": policy.arn.rpartition("/")[2], "arn": policy.arn, "id": policy.arn}
    paths: dict[str, str] = {}
    for index, version in enumerate(policy.policy_version_list):
        if version.is_default_version:
            paths["policy"] = path = f"PolicyVersionList.{index}.Document"
            values["policy"] = document_text(version.document, entry, path)
            values["version"] = version.version_id
    return _resource("aws_iam_policy", policy.arn, values, entry, paths)


def _resource(
    type_: str, address: str, values: Mapping[str, Value], entry: Entry, paths: Mapping[str, str]
) -> Resource:
    """Make a resource of an entry; `paths` says where in the entry an attribute stands, "" the resource itself."""
    name, location = address.rpartition("/")[2], Location(entry.span.file, entry.span.line)
    return Resource(address, "managed", type_, name, None, "", values, "", location, locate=_locator(entry.span, paths))


def _locator(span: Span, paths: Mapping[str, str]) -> Callable[[str], Location | None]:
    def locate(path: str) -> Location:
        attribute, _, rest = path.partition(".")
        return span.locate(f"{paths.get(attribute, paths.get('', ''))}.{rest}".rstrip("."))

    return locate


def _content(snapshot: IamSnapshot) -> Mapping[str, Mapping[str, Value]]:
    return {resource.address: resource.values for resource in snapshot.resources}


def _difference(one: IamSnapshot, other: IamSnapshot) -> str:
    """Name what differs, and which file is known to be the newer one."""
    first, second = _content(one), _content(other)
    differing = [address for address in {**first, **second} if first.get(address) != second.get(address)]
    more = f" and {len(differing) - 1} more" if differing[1:] else ""
    dates = ", ".join(f"newest date in {each.origin}: {each.newest or 'none'}" for each in (one, other))
    return f"{differing[0]}{more} ({dates})"
