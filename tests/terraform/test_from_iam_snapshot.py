"""Exports of `aws iam get-account-authorization-details`, whole and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.core.errors import SnapshotError
from infraspec.terraform.plan import IamSnapshot
from infraspec.terraform.planfile.iam_snapshot import load, load_all, pages
from tests.terraform.iam_exports import ACCOUNT, allow, export, page, policy, role

OTHER = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/read"
OF_AWS = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
READ, WRITE = allow("s3:GetObject"), allow("s3:PutObject")
APP, BATCH = role("app", {"read": READ}, [POLICY, OF_AWS], boundary=POLICY), role("batch", {"write": WRITE})
POLICIES = [policy(POLICY, WRITE, READ), policy(OF_AWS, READ)]
WHOLE = export(APP, BATCH, policies=POLICIES)
COMMAND = "aws iam get-account-authorization-details --output json > iam.json"


def loaded(directory: Path, data: str | bytes, name: str = "iam.json") -> IamSnapshot:
    """Load an export."""
    file = directory / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return load(file, name)


def content(snapshot: IamSnapshot) -> dict[str, Any]:
    """Return what a snapshot holds."""
    return {one.address: {key: _tree(value) for key, value in one.values.items()} for one in snapshot.resources}


def _tree(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def test_roles_have_what_the_export_lists(tmp_path: Path) -> None:
    """A role, its inline policies and attachments, and the default version of each managed policy are resources."""
    snapshot = loaded(tmp_path, WHOLE)
    assert (ACCOUNT, "aws", "2026-11-20") == (snapshot.account, snapshot.partition, snapshot.newest)
    assert {"app", "batch"} == set(snapshot.roles)
    found = content(snapshot)
    assert POLICY == found[ROLE]["permissions_boundary"]
    assert {"role": "app", "name": "read", "policy": READ} == found[f"{ROLE} inline policy read"]
    assert {"role": "app", "policy_arn": OF_AWS} == found[f"{ROLE} with {OF_AWS}"]
    assert READ == found[POLICY]["policy"]
    assert "v2" == found[POLICY]["version"]


def encoded(value: Any) -> Any:
    """Return an export with its policies in URL encoding, as the API sends them."""
    if isinstance(value, dict):
        return {
            key: quote(json.dumps(item)) if key.endswith("Document") else encoded(item) for key, item in value.items()
        }
    return [encoded(item) for item in value] if isinstance(value, list) else value


def split(**first: Any) -> tuple[str, str]:
    """Return the two pages of an answer."""
    one = page(APP, policies=POLICIES[:1], **{"IsTruncated": True, "Marker": "x", **first})
    return json.dumps(one), json.dumps(page(BATCH, policies=POLICIES[1:], IsTruncated=False), indent=2)


FORMS: dict[str, str | bytes] = {
    "one line": json.dumps(json.loads(WHOLE)),
    "a byte order mark": WHOLE.encode("utf-8-sig"),
    "UTF-16 of PowerShell": WHOLE.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16 without a mark": WHOLE.encode("utf-16-le"),
    "policies in URL encoding": json.dumps(encoded(json.loads(WHOLE))),
    "policies as JSON text": json.dumps(encoded(json.loads(WHOLE))).replace("%7B", "{").replace("%22", '\\"')
    .replace("%3A", ":").replace("%20", " ").replace("%2C", ",").replace("%5B", "[").replace("%5D", "]")
    .replace("%7D", "}").replace("%2A", "*"),
    "pages one after another": "\n".join(split()),
    "a list of pages": f"[{', '.join(split())}]",
    "pages with a token of the CLI": f"[{', '.join(split(IsTruncated=False, NextToken='x'))}]",
    "the same page twice": f"{WHOLE}\n{WHOLE}",
}  # fmt: skip


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_every_form_of_the_answer_is_read_alike(data: str | bytes, tmp_path: Path) -> None:
    """Encodings, pages and encoded policies make no difference."""
    assert content(loaded(tmp_path, WHOLE)) == content(loaded(tmp_path, data))


def test_places_are_lines_of_the_file(tmp_path: Path) -> None:
    """A role, a policy and a statement are found at their lines, on the second page too."""
    first, second = split()
    snapshot = loaded(tmp_path, f"{first}\n{second}")
    lines = f"{first}\n{second}".splitlines()
    batch = snapshot.by_address[f"arn:aws:iam::{ACCOUNT}:role/batch"]
    assert batch.location is not None
    assert lines[batch.location.line - 1 : batch.location.line + 2][2].strip() == '"RoleName": "batch",'
    inline = snapshot.by_address[f"{batch.address} inline policy write"]
    place = inline.location_of("policy.Statement.0.Action")
    assert place is not None
    assert ("iam.json", '"Action": "s3:PutObject",') == (place.file, lines[place.line - 1].strip())
    assert place == inline.location_of("policy.Statement.0.Action.1.x")


def changed(edit: Callable[[Any], Any]) -> str:
    """Return an export with an edit of its first role."""
    tree = json.loads(WHOLE)
    edit(tree["RoleDetailList"][0])
    return json.dumps(tree, indent=4)


BROKEN: dict[str, tuple[str | bytes, str, str]] = {
    "empty": ("", "iam.json: the file is empty", ""),
    "blank": (" \n\ufeff".strip("\ufeff"), "iam.json: the file is empty", ""),
    "not text": (b"\xff\x00\xfe", "iam.json: the file is not text", ""),
    "not JSON": ("UserDetailList:\n- Arn: x\n", "iam.json:1:1: the file is not JSON", "Expecting value"),
    "truncated": (WHOLE[:-9], "the JSON ends too early", "a truncated file"),
    "truncated in a text": (WHOLE[: WHOLE.index("ecs-tasks") + 3], "the JSON ends too early", "a truncated file"),
    "a comma too few": (WHOLE.replace("[],\n", "[]\n", 1), "is not JSON", "Expecting ','"),
    "nested": ("[" * 100_000, "iam.json", ""),
    "a number": ("7", "this is not an export", "a JSON int"),
    "an empty object": ("{}", "this is not an export", "an empty object"),
    "list-roles": ('{"Roles": [{"RoleName": "app"}]}', "this is not an export", "`aws iam list-roles`"),
    "list-policies": ('{"Policies": []}', "this is not an export", "`aws iam list-policies`"),
    "get-role": ('{"Role": {}}', "this is not an export", "`aws iam get-role`"),
    "a plan": ('{"format_version": "1.2", "planned_values": {}}', "this is not an export", "a plan or state"),
    "a list of roles": (json.dumps([APP]), "this is not an export", "Path, RoleName, RoleId, Arn, CreateDate, …"),
    "a null list": ('{"RoleDetailList": null}', "this is not an export", "RoleDetailList"),
    "no page": ("[]", "the export is not whole", "no page"),
    "the first page alone": (split()[0], "the export is not whole", "1 pages, none of which is the last"),
    "nothing of an account": (export(policies=[policy(OF_AWS, READ)]), "of one account", "none: no role"),
    "two accounts": (export(APP, role("x", account=OTHER)), "of one account", f"{ACCOUNT} at line 5, {OTHER} at line"),
    "a role without its policies": (
        changed(lambda role: role.pop("RolePolicyList")), "iam.json:5: RoleDetailList[0]: an entry", "`RolePolicyList`"
    ),
    "a role that is text": (json.dumps(page("app")), "RoleDetailList[0]: an entry", "Expected `object`, got `str`"),
    "no ARN": (changed(lambda role: role.update(Arn="app")), "an ARN is not one", "app"),
    "a policy that is none": (
        changed(lambda role: role["RolePolicyList"][0].update(PolicyDocument="%5B%5D")), "a policy is not one", "object"
    ),
    "a policy that is no JSON": (
        changed(lambda role: role.update(AssumeRolePolicyDocument="x")), "RoleDetailList[0].AssumeRolePolicyDocument",
        "no JSON",
    ),
    "a role twice": (f"{WHOLE}{export(role('app'))}", f"{ROLE} is in the file twice", "parts of two"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "message", "found"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_export_is_named(data: str | bytes, message: str, found: str, tmp_path: Path) -> None:
    """Each wrong file says what it is, where it is wrong, and the command that writes the right one."""
    with pytest.raises(SnapshotError) as caught:
        loaded(tmp_path, data)
    error = caught.value
    assert message in str(error).splitlines()[0]
    assert found in error.found
    assert error.remedy.endswith(COMMAND)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path that is wrong, or a directory, is an error with the command that writes the file."""
    for path, found in ((tmp_path / "none.json", "no such file"), (tmp_path, "Is a directory")):
        with pytest.raises(SnapshotError, match="the file cannot be read") as caught:
            load(path, "iam.json")
        assert (found, COMMAND) == (caught.value.found, caught.value.remedy)


def both(directory: Path, one: str, other: str) -> tuple[IamSnapshot, ...]:
    """Load two files."""
    for name, text in (("a.json", one), ("b.json", other)):
        (directory / name).write_text(text, encoding="utf-8")
    return load_all((directory / name, name) for name in ("a.json", "b.json"))


def test_two_files_of_one_account_have_to_be_equal(tmp_path: Path) -> None:
    """The same content twice counts once; another one names what differs and which file is newer."""
    assert 1 == len(both(tmp_path, WHOLE, json.dumps(json.loads(WHOLE))))
    assert 2 == len(both(tmp_path, WHOLE, export(role("app", account=OTHER))))
    with pytest.raises(SnapshotError, match=f"two files are of account {ACCOUNT}, and they differ") as caught:
        both(tmp_path, WHOLE, export(APP, policies=POLICIES).replace("2026-11-20", "2026-10-01"))
    assert "a.json, b.json" == caught.value.place
    assert (
        f"arn:aws:iam::{ACCOUNT}:role/batch and 1 more "
        "(newest date in a.json: 2026-11-20, newest date in b.json: 2026-10-01)" == caught.value.found
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    others=st.dictionaries(st.text(max_size=5), _JSON, max_size=3),
    roles=st.lists(_JSON, max_size=3),
    indent=st.none() | st.integers(0, 3),
)
def test_entries_are_what_json_has(others: dict[str, Any], roles: list[Any], indent: int | None) -> None:
    """Walking a text finds the same values as decoding it, each at the line where it begins."""
    tree = {**others, "RoleDetailList": roles}
    text = json.dumps(tree, indent=indent)
    (found,) = pages(text, "iam.json")
    assert roles == [entry.value for entry in found.entries]
    assert others == found.others
    lines = text.splitlines()
    for entry in found.entries:
        assert json.dumps(entry.value, indent=indent).splitlines()[0] in lines[entry.span.line - 1]
