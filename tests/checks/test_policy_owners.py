"""Who owns what: lists that are complete, policies of one name, and two policies of one resource."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.policies.readers import SecretReaders
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.truth import Truth
from infraspec.core.unknown import JsonText, Unknown
from infraspec.ecs.task_definition import task_definitions
from infraspec.resource_types import TYPES, Policy, PolicyKind
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from tests.checks.access_cases import ACCOUNT, resource
from tests.terraform.sources import plan_of

CONTRACT = Contract.model_validate(
    {"project": {"application": "orders"}, "environments": {"prod": {"account_id": ACCOUNT}}}
)
BASE = """
provider "aws" { region = "eu-west-1" }
variable "given" {}
variable "on" {}
locals {
  trust = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }
  ] })
  read = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.token.arn }
  ] })
  deny = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
  other = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }
  ] })
}
resource "aws_secretsmanager_secret" "token" { name = "orders/token" }
resource "aws_iam_role" "worker" {
  name               = "orders-worker"
  assume_role_policy = local.trust
  ARGUMENTS
}
resource "aws_iam_role" "clerk" {
  name               = "orders-clerk"
  assume_role_policy = local.trust
}
resource "aws_ecs_task_definition" "orders" {
  family                   = "orders"
  execution_role_arn       = aws_iam_role.worker.arn
  requires_compatibilities = ["FARGATE"]
  container_definitions = jsonencode([{
    name    = "orders"
    image   = "public.ecr.aws/orders/orders:1"
    secrets = [{ name = "TOKEN", valueFrom = aws_secretsmanager_secret.token.arn }]
  }])
}
"""
INLINE = """
resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.worker.id
  policy = local.read
}
"""
MANAGED = """
resource "aws_iam_policy" "read" {
  name   = "orders-read"
  policy = local.read
}
resource "aws_iam_policy" "other" {
  name   = "orders-other"
  policy = local.other
}
resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.read.arn
}
"""
P, U = Verdict.PROVEN, Verdict.UNDETERMINED


def only_policies(names: str, role: str = "aws_iam_role.worker.name", more: str = "") -> str:
    """Return a list of the inline policies that a role has."""
    return f"""
resource "aws_iam_role_policies_exclusive" "only" {{
  role_name    = {role}
  policy_names = {names}
  {more}
}}
"""


def only_attached(arns: str) -> str:
    """Return a list of the managed policies that the role has."""
    return f"""
resource "aws_iam_role_policy_attachments_exclusive" "only" {{
  role_name   = aws_iam_role.worker.name
  policy_arns = {arns}
}}
"""


def everywhere(roles: str, policy: str = "read") -> str:
    """Return a list of the roles that a policy is attached to."""
    return f"""
resource "aws_iam_policy_attachment" "all" {{
  name       = "all"
  roles      = {roles}
  policy_arn = aws_iam_policy.{policy}.arn
}}
"""


def second(name: str, policy: str, role: str = "worker") -> str:
    """Return a second inline policy."""
    named = f"name = {name}" if name else ""
    return f"""
resource "aws_iam_role_policy" "second" {{
  {named}
  role   = aws_iam_role.{role}.name
  policy = local.{policy}
}}
"""


INLINE_LIST = '\n  inline_policy {\n    name   = "x"\n    policy = local.other\n  }\n'
DYNAMIC = """
  dynamic "inline_policy" {
    for_each = FOR_EACH
    content {
      name   = "x"
      policy = "{}"
    }
  }
"""
IGNORED = "\n  lifecycle {\n    ignore_changes = [inline_policy]\n  }\n"
EXCLUSIVE = "aws_iam_role_policies_exclusive.only"
ROLES = {
    "nothing else": (INLINE, "", P),
    "an empty list of inline policies": (INLINE + only_policies("[]"), "", EXCLUSIVE),
    "a list that has it by reference": (INLINE + only_policies("[aws_iam_role_policy.read.name]"), "", P),
    "a list that has it by name": (INLINE + only_policies('["other", "read"]'), "", P),
    "a list of another name": (INLINE + only_policies('["reads"]'), "", EXCLUSIVE),
    "a list of a role that is named by text": (INLINE + only_policies("[]", '"orders-worker"'), "", EXCLUSIVE),
    "a list of another role": (INLINE + only_policies("[]", "aws_iam_role.clerk.name"), "", P),
    "a list of a role that is not known": (INLINE + only_policies("[]", "var.given"), "", EXCLUSIVE),
    "a list that is not known": (INLINE + only_policies("var.given"), "", EXCLUSIVE),
    "a list that is not made": (INLINE + only_policies("[]", more="count = 0"), "", P),
    "a list of which there may be none": (INLINE + only_policies("[]", more="count = var.on ? 1 : 0"), "", "only"),
    "an empty block": (INLINE, "inline_policy {}", "aws_iam_role.worker"),
    "another block": (INLINE, INLINE_LIST, "aws_iam_role.worker"),
    "a block that is left alone": (INLINE, INLINE_LIST + IGNORED, P),
    "no block of a dynamic one": (INLINE, DYNAMIC.replace("FOR_EACH", "[]"), P),
    "blocks that are not known": (INLINE, DYNAMIC.replace("FOR_EACH", "var.given"), "aws_iam_role.worker"),
    "no managed policies": (INLINE, "managed_policy_arns = []", P),
    "a list of no attachments": (INLINE + only_attached("[]"), "", P),
    "a second policy of its name": (INLINE + second('"read"', "other"), "", "aws_iam_role_policy.second"),
    "a second policy that has the same text": (INLINE + second('"read"', "read"), "", P),
    "a second policy of another name": (INLINE + second('"reads"', "other"), "", P),
    "a second policy of its name in another role": (INLINE + second('"read"', "other", "clerk"), "", P),
    "a second policy without a name": (INLINE + second("", "other"), "", P),
    "a deny that is not listed": (
        INLINE + second('"no"', "deny") + only_policies('["read"]'), "", EXCLUSIVE
    ),
    "an attachment": (MANAGED, "", P),
    "an empty list of ARNs": (MANAGED, "managed_policy_arns = []", "aws_iam_role.worker"),
    "a list of ARNs that has it": (MANAGED, "managed_policy_arns = [aws_iam_policy.read.arn]", P),
    "a list of ARNs that has another": (
        MANAGED, "managed_policy_arns = [aws_iam_policy.other.arn]", "aws_iam_role.worker"
    ),
    "a list of ARNs that is null": (MANAGED, "managed_policy_arns = null", P),
    "a list of ARNs that is not known": (MANAGED, "managed_policy_arns = var.given", "aws_iam_role.worker"),
    "an empty block beside an attachment": (MANAGED, "inline_policy {}", P),
    "an empty list of attachments": (
        MANAGED + only_attached("[]"), "", "aws_iam_role_policy_attachments_exclusive.only"
    ),
    "a list of attachments": (MANAGED + only_attached("[aws_iam_policy.other.arn, aws_iam_policy.read.arn]"), "", P),
    "a list of attachments by text": (
        MANAGED + only_attached(f'["arn:aws:iam::{ACCOUNT}:policy/orders-read"]'), "", P
    ),
    "a policy that others have alone": (
        MANAGED + everywhere("[aws_iam_role.clerk.name]"), "", "aws_iam_policy_attachment.all"
    ),
    "a policy that both have": (MANAGED + everywhere("[aws_iam_role.clerk.name, aws_iam_role.worker.name]"), "", P),
    "another policy that others have": (MANAGED + everywhere('["orders-clerk"]', "other"), "", P),
    "something else allows it": (INLINE + MANAGED + only_policies("[]"), "", P),
}  # fmt: skip


def judged(directory: Path, more: str, arguments: str = "") -> Finding:
    """Judge whether the role may read the secret."""
    plan = plan_of(directory, BASE.replace("ARGUMENTS", arguments) + more)
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    return next(finding for finding in found if "GetSecretValue" in finding.subject)


@pytest.mark.parametrize(("more", "arguments", "expected"), ROLES.values(), ids=ROLES)
def test_what_an_owner_does_not_list_is_not_certain(
    tmp_path: Path, more: str, arguments: str, expected: Verdict | str
) -> None:
    """What one resource gives a role and another takes away depends on which is applied last; both are named."""
    finding = judged(tmp_path, more, arguments)
    if isinstance(expected, Verdict):
        assert expected is finding.verdict
    else:
        assert U is finding.verdict
        assert expected in finding.reason
        assert finding.remedy


def test_the_change_that_settles_it_is_named(tmp_path: Path) -> None:
    """The remedy says what to add, where, with the place."""
    finding = judged(tmp_path, INLINE + only_policies("[]"))
    added, _, place = finding.remedy.partition(" (")
    assert f"add aws_iam_role_policy.read.name to policy_names of {EXCLUSIVE}" == added
    assert place.endswith("main.tf:48)")


PEOPLE = """
provider "aws" { region = "eu-west-1" }
locals {
  read = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
}
resource "aws_secretsmanager_secret" "token" { name = "orders/token" }
resource "aws_iam_KIND" "someone" { name = "someone" }
resource "aws_iam_KIND_policy" "read" {
  name   = "read"
  KIND   = aws_iam_KIND.someone.name
  policy = local.read
}
resource "aws_iam_KIND_policies_exclusive" "only" {
  KIND_name    = aws_iam_KIND.someone.name
  policy_names = NAMES
}
"""


@pytest.mark.parametrize("kind", ["user", "group"])
@pytest.mark.parametrize(("names", "certain"), [("[]", False), ('["read"]', True)])
def test_users_and_groups_are_no_different(tmp_path: Path, kind: str, names: str, *, certain: bool) -> None:
    """Who may read a secret is not certain where a list has not the policy that allows it."""
    plan = plan_of(tmp_path, PEOPLE.replace("KIND", kind).replace("NAMES", names)).replaced(account=ACCOUNT)
    (reader,) = SecretReaders(plan).of(plan.by_address["aws_secretsmanager_secret.token"])
    assert certain is reader.certain


ATTACHED = [
    pytest.param(known.type, policy, owner, id=f"{known.type} of {owner}")
    for known in TYPES.values()
    for policy in known.policies
    if policy.kind is PolicyKind.RESOURCE and policy.of
    for owner in policy.owners
]


def document(effect: str) -> JsonText:
    """Return a policy that lets everybody do all, or denies it."""
    statement = {"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"}
    return JsonText({"Version": "2012-10-17", "Statement": [statement]})


def bounds(policy: Policy, type_: str, owner: str, effects: str, own: str = "") -> set[Truth]:
    """Return how certain the policies are that an owner has: its `own` one, and one for each effect."""
    path = next((one.attribute for one in TYPES[owner].policies if one.kind is PolicyKind.RESOURCE), "") if own else ""
    values = {path: document(own)} if path else {}
    of = Unknown(f"{owner}.it.{'id' if policy.of in {'key_id', 'identifier'} else 'arn'}")
    written = [
        resource(f"{type_}.n{index}", **{policy.of: of, policy.attribute: document(effect)})
        for index, effect in enumerate(effects.split())
    ]
    plan = Plan("source", (resource(f"{owner}.it", **values), *written), account=ACCOUNT, region="eu-west-1")
    found = ArnIndex(AwsAttributes(plan)).policies(Unknown(f"{owner}.it.arn"), ACCOUNT, "kms:Decrypt")
    return {clause.bound for one in found if one.name.startswith((type_, owner + ".it")) for clause in one.clauses}


@pytest.mark.parametrize(("type_", "policy", "owner"), ATTACHED)
def test_two_policies_of_one_resource_are_not_certain(type_: str, policy: Policy, owner: str) -> None:
    """Each type of policy is the one of its resource: of two that differ either may be it."""
    if "." in policy.attribute:
        pytest.skip("in a block")
    assert {Truth.YES} == bounds(policy, type_, owner, "Allow")
    assert {Truth.YES} == bounds(policy, type_, owner, "Allow Allow")
    assert {Truth.MAYBE} == bounds(policy, type_, owner, "Allow Deny")


KEY = """
resource "aws_kms_key" "k" {
  policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = "*", Action = "kms:*", Resource = "*" }] })
  LIFE
}
resource "aws_kms_key_policy" "k" {
  key_id = aws_kms_key.k.id
  policy = jsonencode({ Statement = [{ Effect = "EFFECT", Principal = "*", Action = "kms:*", Resource = "*" }] })
}
"""
IGNORES = "lifecycle {\n    ignore_changes = [policy]\n  }"


@pytest.mark.parametrize(
    ("life", "effect", "expected"),
    [
        ("", "Allow", [("aws_kms_key.k", Truth.YES), ("aws_kms_key_policy.k", Truth.YES)]),
        ("", "Deny", [("aws_kms_key.k", Truth.MAYBE), ("aws_kms_key_policy.k", Truth.MAYBE)]),
        (IGNORES, "Deny", [("aws_kms_key_policy.k", Truth.YES)]),
    ],
)
def test_an_argument_beside_a_resource(
    tmp_path: Path, life: str, effect: str, expected: list[tuple[str, Truth]]
) -> None:
    """The policy of a key is its argument or its resource, unless the key leaves it alone once it exists."""
    plan = plan_of(tmp_path, KEY.replace("LIFE", life).replace("EFFECT", effect))
    found = ArnIndex(AwsAttributes(plan)).policies(Unknown("aws_kms_key.k.arn"), ACCOUNT, "kms:Decrypt")
    assert expected == [(one.name, one.clauses[0].bound) for one in found]
