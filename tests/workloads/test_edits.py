"""Edits of the roles of workloads get the verdict that AWS's documents give them.

data/edits.json has each workload as Terraform whose role is `aws_iam_role.own`, with the service that assumes it and
what AWS's page says it needs: actions on a resource. An edit writes the policies of that role in another way, half of
them without harm, and each is written in another layout; the verdict that counts is the worst of those about the role.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from infraspec.checks.access.workload_roles import check_workload_roles
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES
from tests.edits.test_edits import SEED
from tests.terraform.sources import plan_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
PLACE = {"account_id": ACCOUNT, "region": REGION}
CONTRACT = Contract.model_validate({"project": {"application": "edits"}, "environments": {"prod": PLACE}})
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED


class Needed(Struct, frozen=True, forbid_unknown_fields=True):
    """Actions on a resource, an expression; `certain` is false for what the thing goes without."""

    actions: tuple[str, ...]
    resource: str
    passed_to: str = ""
    certain: bool = True


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """Terraform, the rule about it, the service that assumes its role, and what that needs."""

    rule: str
    service: str
    terraform: str
    needs: tuple[Needed, ...]
    document: str


class Edits(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file has."""

    common: str
    workloads: dict[str, Workload]


EDITS = msgspec.json.decode((Path(__file__).parent / "data" / "edits.json").read_bytes(), type=Edits)
Statement = dict[str, Any]


def statement(needed: Needed, **changes: Any) -> Statement:
    """Return the statement that allows what is needed and no more; `= text` is an expression."""
    allowed: Statement = {"Effect": "Allow", "Action": list(needed.actions), "Resource": f"= {needed.resource}"}
    if needed.passed_to:
        allowed["Condition"] = {"StringEquals": {"iam:PassedToService": needed.passed_to}}
    return {**allowed, **changes}


def hcl(value: Any) -> str:
    """Write a value as an expression."""
    if isinstance(value, str) and value.startswith("= "):
        return value[2:]
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {hcl(item)}" for key, item in value.items()) + " }"
    return f"[{', '.join(map(hcl, value))}]" if isinstance(value, list) else json.dumps(value)


def role(service: str, *more: str) -> str:
    """Write the role with its trust policy."""
    let_in = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    trust = f"  assume_role_policy = jsonencode({hcl({'Version': '2012-10-17', 'Statement': [let_in]})})"
    return "\n".join(['resource "aws_iam_role" "own" {', '  name = "own"', trust, *more, "}", ""])


def inline(name: str, *statements: Statement) -> str:
    """Write a policy of the role."""
    document = hcl({"Version": "2012-10-17", "Statement": list(statements)})
    role_of = "  role   = aws_iam_role.own.id"
    return f'resource "aws_iam_role_policy" "{name}" {{\n{role_of}\n  policy = jsonencode({document})\n}}\n'


def attached(*statements: Statement) -> str:
    """Write a policy that is attached to the role."""
    document = hcl({"Version": "2012-10-17", "Statement": list(statements)})
    policy = f'resource "aws_iam_policy" "own" {{\n  name   = "own"\n  policy = jsonencode({document})\n}}\n'
    return f"""{policy}resource "aws_iam_role_policy_attachment" "own" {{
  role       = aws_iam_role.own.name
  policy_arn = aws_iam_policy.own.arn
}}
"""


def block(needed: Needed) -> str:
    """Write a policy as a data source."""
    condition = (
        f"""
    condition {{
      test     = "StringLike"
      variable = "iam:PassedToService"
      values   = ["{needed.passed_to}"]
    }}"""
        if needed.passed_to
        else ""
    )
    return f"""data "aws_iam_policy_document" "own" {{
  statement {{
    actions   = {json.dumps(list(needed.actions))}
    resources = [{needed.resource}]{condition}
  }}
}}
resource "aws_iam_role_policy" "block" {{
  role   = aws_iam_role.own.id
  policy = data.aws_iam_policy_document.own.json
}}
"""


def _boundary(*statements: Statement) -> str:
    document = hcl({"Version": "2012-10-17", "Statement": list(statements)})
    return f'resource "aws_iam_policy" "limit" {{\n  name   = "limit"\n  policy = jsonencode({document})\n}}\n'


LIMITED = "  permissions_boundary = aws_iam_policy.limit.arn"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
Edit = Callable[[Workload, Needed], str]


def _bare(workload: Workload, text: str, *more: str) -> str:
    return role(workload.service, *more) + text


def _service(needed: Needed) -> str:
    return needed.actions[0].partition(":")[0]


HARMLESS: Mapping[str, Edit] = {
    "as it is": lambda w, n: _bare(w, inline("one", statement(n))),
    "every resource": lambda w, n: _bare(w, inline("one", statement(n, Resource="*"))),
    "actions by a wildcard": lambda w, n: _bare(w, inline("one", statement(n, Action=f"{_service(n)}:*"))),
    "actions in capitals": lambda w, n: _bare(w, inline("one", statement(n, Action=[a.upper() for a in n.actions]))),
    "an action in each policy": lambda w, n: _bare(
        w, "".join(inline(f"p{i}", statement(n, Action=a)) for i, a in enumerate(n.actions))
    ),
    "attached": lambda w, n: _bare(w, attached(statement(n))),
    "a data source": lambda w, n: _bare(w, block(n)),
    "a boundary that allows it": lambda w, n: _bare(w, inline("one", statement(n)) + _boundary(ALL), LIMITED),
    "a condition that holds": lambda w, n: _bare(
        w,
        inline(
            "one",
            statement(
                n,
                Condition={
                    **statement(n).get("Condition", {}),
                    "StringLike": {"aws:PrincipalAccount": ACCOUNT},
                },
            ),
        ),
    ),
    "a deny of something else": lambda w, n: _bare(
        w, inline("one", statement(n), {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"})
    ),
}
HARMFUL: Mapping[str, Edit] = {
    "no policy": lambda w, _n: _bare(w, ""),
    "an action less": lambda w, n: _bare(w, inline("one", statement(n, Action=[*n.actions[1:], "s3:ListBucket"]))),
    "another resource": lambda w, n: _bare(
        w, inline("one", statement(n, Resource=f"arn:aws:{_service(n)}:{REGION}:{ACCOUNT}:another"))
    ),
    "another account": lambda w, n: _bare(
        w, inline("one", statement(n, Resource=f"arn:aws:{_service(n)}:{REGION}:123456789012:*"))
    ),
    "denied": lambda w, n: _bare(w, inline("one", statement(n), statement(n, Effect="Deny", Resource="*"))),
    "a boundary without it": lambda w, n: _bare(
        w,
        inline("one", statement(n)) + _boundary({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        LIMITED,
    ),
    "another service passed to": lambda w, n: _bare(
        w, inline("one", statement(n, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}))
    ),
    "a role of another account": lambda w, n: _bare(
        w, inline("one", statement(n, Condition={"StringEquals": {"aws:PrincipalAccount": "123456789012"}}))
    ),
}
CASES = [(name, needed) for name, workload in EDITS.workloads.items() for needed in workload.needs]
by_need = pytest.mark.parametrize(
    ("name", "needed"), CASES, ids=[f"{name}, {needed.actions[0]} on {needed.resource}" for name, needed in CASES]
)


PROVIDER = f'provider "aws" {{\n  region = "{REGION}"\n}}\n'
_OWN = re.compile(r"aws_iam_role\.own\b")
_POLICY = re.compile(r"^(  policy = )(jsonencode\(.*\))$", re.MULTILINE)


def _with_local(text: str) -> str:
    """Name the role by a local value, and keep each policy of it in one."""
    told = _POLICY.findall(text)
    text = _POLICY.sub(lambda found: f"{found[1]}local.policies[{told.index(found.groups())}]", text)
    kept = ", ".join(policy for _, policy in told)
    workload = text.replace("role_arn = aws_iam_role.own.arn", "role_arn = local.own")
    return f"{workload}\nlocals {{\n  own      = aws_iam_role.own.arn\n  policies = [{kept}]\n}}\n"


def _several(key: str, argument: str) -> Callable[[str], dict[str, str]]:
    def written(text: str) -> dict[str, str]:
        head = 'resource "aws_iam_role" "own" {\n'
        return {"main.tf": PROVIDER + _OWN.sub(f"aws_iam_role.own[{key}]", text).replace(head, f"{head}  {argument}\n")}

    return written


LAYOUTS: Mapping[str, Callable[[str], dict[str, str]]] = {
    "plain": lambda text: {"main.tf": PROVIDER + text},
    "module": lambda text: {
        "main.tf": PROVIDER + 'module "work" {\n  source = "./work"\n}\n',
        "work/main.tf": text,
    },
    "count": _several("0", "count = 1"),
    "for_each": _several('"a"', 'for_each = toset(["a"])'),
    "locals": lambda text: {"main.tf": PROVIDER + _with_local(text)},
}
"""How the same resources are written, by name."""


def judged(workload: Workload, directory: Path, text: str) -> Iterator[list[Finding]]:
    """Yield what the rule says of the role in the layout that a seed chooses, or in each if it is `all`."""
    number = int.from_bytes(hashlib.sha256(f"{SEED} {workload.terraform} {text}".encode()).digest()[:4])
    for name in list(LAYOUTS) if SEED == "all" else [list(LAYOUTS)[number % len(LAYOUTS)]]:
        plan = plan_of(directory / name, LAYOUTS[name](EDITS.common + workload.terraform + text))
        found = check_workload_roles(plan, CONTRACT, "prod", RULES[workload.rule], None)
        yield [one for one in found if "aws_iam_role.own" in one.subject]


def about(found: list[Finding], needed: Needed) -> set[Verdict]:
    """Return the verdicts about what is needed."""
    return {
        one.verdict
        for one in found
        for action in needed.actions
        if action in one.subject.rpartition(": ")[2].split(", ") or action in one.subject.split(": ", 1)[-1].split(", ")
        if _is_about(one, needed)
    }


def _is_about(finding: Finding, needed: Needed) -> bool:
    named = needed.resource.strip('"')
    return named in finding.subject or not named.startswith("aws_")


@by_need
@pytest.mark.parametrize("edit", HARMLESS)
def test_what_does_no_harm_is_proven(name: str, needed: Needed, edit: str, tmp_path: Path) -> None:
    """What AWS asks for is allowed, however it is written."""
    workload = EDITS.workloads[name]
    for found in judged(workload, tmp_path, HARMLESS[edit](workload, needed)):
        assert {PROVEN} == about(found, needed)


@by_need
@pytest.mark.parametrize("edit", HARMFUL)
def test_what_does_harm_is_violated(name: str, needed: Needed, edit: str, tmp_path: Path) -> None:
    """What AWS asks for is not allowed: VIOLATED, or UNDETERMINED where the thing goes without."""
    workload = EDITS.workloads[name]
    if edit == "another service passed to" and not needed.passed_to:
        pytest.skip("only a role is passed")
    expected = VIOLATED if needed.certain else UNDETERMINED
    for found in judged(workload, tmp_path, HARMFUL[edit](workload, needed)):
        assert expected in about(found, needed)
        assert about(found, needed) <= {PROVEN, expected}


@pytest.mark.parametrize("name", EDITS.workloads)
def test_another_service_may_not_assume_the_role(name: str, tmp_path: Path) -> None:
    """The trust policy has to name the service that acts with the role."""
    workload = EDITS.workloads[name]
    trust = f"sts:AssumeRole by {workload.service}"

    for service, expected in ((workload.service, PROVEN), ("ec2.amazonaws.com", VIOLATED)):
        for found in judged(workload, tmp_path / service, role(service) + inline("one", ALL)):
            assert {expected} == {one.verdict for one in found if one.subject.endswith(trust)}


@pytest.mark.parametrize("name", EDITS.workloads)
def test_who_may_do_everything_leaves_nothing_open(name: str, tmp_path: Path) -> None:
    """A role that may do everything has every permission, those of keys apart, whose policies have a say."""
    workload = EDITS.workloads[name]
    others = ("kms:Decrypt", "sts:AssumeRole by lambda" if workload.service.startswith("edge") else "kms:Decrypt")
    for found in judged(workload, tmp_path, _bare(workload, inline("one", ALL))):
        assert {PROVEN} == {one.verdict for one in found if not any(other in one.subject for other in others)}
