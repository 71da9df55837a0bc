"""The model of an account's IAM from the export that `aws iam get-account-authorization-details` makes of it.

Source: IAM API Reference, GetAccountAuthorizationDetails; AWS CLI Command Reference, the same, which decodes the policy
documents and joins the pages.

An account may have thousands of roles, and a run asks for the lines of a few.

Source: IAM API Reference, UserDetail, GroupDetail, RoleDetail and ManagedPolicyDetail. A key that a finding would rest
on is demanded: a file that somebody has filtered must not pass for a role without policies.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.core.arn import Arn
from infraspec.core.errors import ErrorCollector, SnapshotError
from infraspec.core.finding import Location
from infraspec.core.json_text import lines_by_path
from infraspec.core.unknown import Value
from infraspec.terraform.plan import COMMAND, EXPORT, IamSnapshot, Resource

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
"""What each page of the answer has, empty or not. Source: IAM API Reference, GetAccountAuthorizationDetails."""
EXPECTED = f"what `{COMMAND}` prints"

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The text of one entry, and the line of the file where it begins."""

    file: str
    line: int
    text: str = dataclasses.field(repr=False)
    _lines: dict[str, int] = dataclasses.field(default_factory=dict, repr=False)

    def locate(self, path: str) -> Location:
        """Return the line of a value in the entry, or of what it is a part of."""
        if not self._lines:
            self._lines.update(lines_by_path(self.text))
        while path and path not in self._lines:
            path = path.rpartition(".")[0]
        return Location(self.file, self.line + self._lines.get(path, 1) - 1)


class SnapshotEntry(Struct, frozen=True):
    """One user, group, role or policy. `list` and `index` say where it stands, `span` what text it is."""

    list: str
    index: int
    value: Any
    span: Span

    @property
    def place(self) -> str:
        """Where it stands, for messages: `iam.json:12: RoleDetailList[0]`."""
        return f"{self.span.file}:{self.span.line}: {self.list}[{self.index}]"


class SnapshotPage(Struct, frozen=True):
    """One answer of AWS: the lists that it has, their entries, and what else it says, by key."""

    lists: set[str] = field(default_factory=set)
    entries: list[SnapshotEntry] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)


def read(path: Path, name: str) -> str:
    """Return the text of a file, in UTF-8 or, as PowerShell writes it, UTF-16. Raises SnapshotError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__
        raise SnapshotError(
            "the file cannot be read", place=name, expected=EXPECTED, found=found, remedy=EXPORT
        ) from None
    if not data.strip():
        raise SnapshotError("the file is empty", place=name, expected=EXPECTED, remedy=EXPORT)
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise SnapshotError(
            "the file is not text",
            place=name,
            expected="JSON in UTF-8 or UTF-16",
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            remedy=EXPORT,
        ) from None


def pages(text: str, name: str) -> list[SnapshotPage]:
    """Return the pages of a text: one, a list of them, or one after another. Raises SnapshotError if it is not JSON."""
    walk = _Walk(text, name)
    try:
        walk.document()
    except json.JSONDecodeError as error:
        ends = error.msg.startswith("Unterminated") or not text[error.pos :].strip()
        raise SnapshotError(
            "the JSON ends too early" if ends else "the file is not JSON",
            place=f"{name}:{error.lineno}:{error.colno}",
            expected=EXPECTED,
            found="a truncated file" if ends else error.msg,
            remedy=EXPORT,
        ) from None
    except RecursionError:
        raise SnapshotError("the JSON is nested too deeply", place=name, expected=EXPECTED, remedy=EXPORT) from None
    return walk.pages


class _Walk:
    """A walk through the text. Each method takes the position where something begins and returns the one after it."""

    def __init__(self, text: str, name: str) -> None:
        self.pages: list[SnapshotPage] = []
        self._text = text
        self._name = name
        self._counts = dict.fromkeys(LISTS, 0)
        self._line, self._counted = 1, 0

    def document(self) -> None:
        at = self._skip(0)
        while at < len(self._text):
            at = self._skip(self._items(at, self._page) if self._is("[", at) else self._page(at))

    def _page(self, at: int) -> int:
        page = SnapshotPage()
        self.pages.append(page)
        if self._is("{", at):
            return self._items(at, lambda start: self._member(page, start))
        value, at = _DECODER.raw_decode(self._text, at)
        page.others[f"a JSON {type(value).__name__}"] = None
        return at

    def _member(self, page: SnapshotPage, at: int) -> int:
        key, at = _DECODER.raw_decode(self._text, at)
        at = self._skip(at)
        if not isinstance(key, str) or not self._is(":", at):
            raise json.JSONDecodeError("Expecting ':' after a key in quotes", self._text, at)
        at = self._skip(at + 1)
        if key in LISTS and self._is("[", at):
            page.lists.add(key)
            return self._items(at, lambda start: self._entry(page, key, start))
        page.others[key], at = _DECODER.raw_decode(self._text, at)
        return at

    def _entry(self, page: SnapshotPage, key: str, at: int) -> int:
        value, end = _DECODER.raw_decode(self._text, at)
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        page.entries.append(
            SnapshotEntry(key, self._counts[key], value, Span(self._name, self._line, self._text[at:end]))
        )
        self._counts[key] += 1
        return end

    def _items(self, at: int, item: Callable[[int], int]) -> int:
        """Read an array or object, each of its items with `item`."""
        closing = "]" if self._is("[", at) else "}"
        at = self._skip(at + 1)
        while not self._is(closing, at):
            at = self._skip(item(at))
            if not self._is(closing, at):
                if not self._is(",", at):
                    raise json.JSONDecodeError("Expecting ','", self._text, at)
                at = self._skip(at + 1)
        return at + 1

    def _is(self, character: str, at: int) -> bool:
        return self._text.startswith(character, at)

    def _skip(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank else at


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


class NamedEntry(msgspec.Struct, rename="pascal", frozen=True):
    """What every entry has."""

    arn: str


def entry_as(kind: type[T], entry: SnapshotEntry) -> T:
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


def document_text(document: Document, entry: SnapshotEntry, path: str) -> str:
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


def answered(lists: Mapping[str, Iterable[Any]], origin: str, *, account: str, partition: str) -> IamSnapshot:
    """Make the snapshot of what AWS answers, each list by its name. Raises SnapshotError."""
    nowhere = Span(origin, 1, "{}")
    entries = (SnapshotEntry(name, at, one, nowhere) for name, found in lists.items() for at, one in enumerate(found))
    found = (replace(one, location=None, locate=None) for entry in entries for one in _resources(entry))
    return IamSnapshot(origin, tuple(found), account=account, partition=partition)


def _check_pages(found: list[SnapshotPage], name: str) -> None:
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


def _account(entries: list[SnapshotEntry], name: str) -> tuple[str, str]:
    """Return the partition and account that everything in the file is of."""
    found: dict[tuple[str, str], SnapshotEntry] = {}
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
        remedy=f"export each account to a separate file: {EXPORT}" if found else EXPORT,
    )


def _arn(entry: SnapshotEntry) -> Arn:
    text = entry_as(NamedEntry, entry).arn
    try:
        return Arn.parse(text)
    except ValueError:
        raise SnapshotError(
            "an ARN is not one", place=entry.place, expected="an ARN", found=text, remedy=EXPORT
        ) from None


def _resources(entry: SnapshotEntry) -> Iterator[Resource]:
    match entry.list:
        case "Policies":
            yield _policy(entry_as(ManagedPolicy, entry), entry)
        case "UserDetailList":
            yield from _holder("user", entry_as(UserDetail, entry), entry)
        case "GroupDetailList":
            yield from _holder("group", entry_as(GroupDetail, entry), entry)
        case _:
            yield from _holder("role", entry_as(RoleDetail, entry), entry)


def _holder(kind: str, detail: UserDetail | GroupDetail | RoleDetail, entry: SnapshotEntry) -> Iterator[Resource]:
    """Yield a user, group or role, and what is inline in it or attached to it, as the live suite has roles."""
    values = {"name": detail.name, "id": detail.name, "arn": detail.arn}
    if isinstance(detail, RoleDetail):
        values |= {"path": detail.path, "assume_role_policy": document_text(detail.trust, entry, _TRUST)}
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


def _policy(policy: ManagedPolicy, entry: SnapshotEntry) -> Resource:
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
    type_: str, address: str, values: Mapping[str, Value], entry: SnapshotEntry, paths: Mapping[str, str]
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
