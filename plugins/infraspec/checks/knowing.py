"""How to make known what is not: the cheapest way, in terms of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable

from infraspec.checks.elsewhere import INTO_THE_PLAN
from infraspec.terraform.iam_snapshot import EXPORT
from infraspec.terraform.known_data import asked
from infraspec.unknown import Unknown

OWN_ACCOUNT = Unknown("aws_caller_identity.account_id")
_VARIABLE = re.compile(r"(?<![\w.-])var\.([A-Za-z_][\w-]*)")
_REGION = re.compile(r"^aws_region\.region \((?P<alias>.+)\)$")
_ACCOUNT = re.compile(r"^aws_caller_identity\.account_id(?: \((?P<alias>.+)\))?$")
_OUTPUT = re.compile(r"^(?:module\.[\w-]+(?:\[[^\]]*\])?\.)+\w+$")
_ELSEWHERE = re.compile(r"^what policies the role ")
_CONTENT = re.compile(r"^the content of ")
_PLACEHOLDER = re.compile(r"^placeholder (.+)$")


def how_to_know(unknown: Unknown) -> str:
    """Return the cheapest way to learn an unknown."""
    address = unknown.address
    for pattern, remedy in _BY_FORM:
        if found := pattern.search(address):
            return remedy(found)
    if key := next(asked(address), None):
        return f'name "{key}" under [known] of the contract, or give a plan file'
    if variable := _VARIABLE.search(address):
        return f"give var.{variable[1]} a value: [environments.NAME.variables] or var_files of the contract"
    if _OUTPUT.search(address):
        return (
            f"run `terraform init -backend=false`, which fetches the module, or give a plan in which {address} is known"
        )
    if " " in address:
        return "bring the role and its policies into the plan, or name the policies' content under [known]"
    return f"give a plan or state file in which {address} is known"


def _account(found: re.Match[str]) -> str:
    alias = found["alias"]
    if alias:
        return f"set allowed_account_ids of the provider {alias}, or let it assume a role by its whole ARN"
    return "set account_id in [environments.NAME] of the contract"


_BY_FORM: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_ACCOUNT, _account),
    (_REGION, lambda found: f"set region of the provider {found['alias']}"),
    (
        _ELSEWHERE,
        lambda _: (
            f"{INTO_THE_PLAN}, or give a snapshot of IAM in its account, --infraspec-snapshot iam.json:\n{EXPORT}"
        ),
    ),
    (
        _CONTENT,
        lambda _: (
            "manage the policy in this root module, let the live suite read it in the account, read it with data "
            '"aws_iam_policy" and name its `policy` under [known], or give a snapshot of IAM, --infraspec-snapshot '
            f"iam.json:\n{EXPORT}"
        ),
    ),
    (_PLACEHOLDER, lambda found: f"render the file with {found[1]} set, and name the result in the contract"),
)
