"""What AWS's own policies say: those that a data source returns, and that of a repository AWS keeps for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.policies.policies import check_policies
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.plan import Plan
from tests.terraform.sources import plan_of

FLUENT_BIT = "906394416424.dkr.ecr.eu-west-1.amazonaws.com/aws-for-fluent-bit:stable"
OWN = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:1"
NAME, ARN = "AmazonECSTaskExecutionRolePolicy", "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
ATTACHED = """
resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = data.aws_iam_policy.execution.arn
}
"""
INLINE = """
resource "aws_iam_role_policy" "execution" {
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy.execution.policy
}
"""
MERGED = """
data "aws_iam_policy_document" "execution" {
  source_policy_documents = [data.aws_iam_policy.execution.policy]
  statement {
    actions   = ["s3:ListAllMyBuckets"]
    resources = ["*"]
  }
}
resource "aws_iam_role_policy" "execution" {
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.execution.json
}
"""


def verdicts(
    directory: Path, image: str, grant: str, *, named: str = f'name = "{NAME}"', account: str = "111122223333"
) -> set[Verdict]:
    """Judge the pull of an image, and return the verdicts."""
    return {finding.verdict for finding in findings(directory, image, grant, named=named, account=account)}


def findings(directory: Path, image: str, grant: str, *, named: str, account: str) -> list[Finding]:
    """Judge the pull of an image by a role that has `grant`, in an account that the contract names or not."""
    plan, contract = planned(directory, image, grant, named=named, account=account)
    return check_secret_access(plan, task_definitions(plan), contract, "prod")


def planned(
    directory: Path, image: str, grant: str, *, named: str, account: str = "111122223333"
) -> tuple[Plan, Contract]:
    """Return the plan of a task definition whose execution role has `grant`, and the contract."""
    plan = plan_of(
        directory,
        f"""
provider "aws" {{
  region = "eu-west-1"
}}
data "aws_iam_policy" "execution" {{
  {named}
}}
resource "aws_iam_role" "execution" {{
  name               = "app"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [
      {{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "ecs-tasks.amazonaws.com" }} }}
    ]
  }})
}}
{grant}
resource "aws_ecs_task_definition" "app" {{
  family                   = "app"
  execution_role_arn       = aws_iam_role.execution.arn
  requires_compatibilities = ["FARGATE"]
  container_definitions    = jsonencode([{{ name = "app", image = "{image}" }}])
}}
""",
    )
    environment = {"account_id": account} if account else {}
    return plan, Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": environment}})


@pytest.mark.parametrize("grant", [ATTACHED, INLINE, MERGED], ids=["attached", "inline", "merged"])
@pytest.mark.parametrize("named", [f'name = "{NAME}"', f'arn = "{ARN}"'], ids=["name", "arn"])
def test_a_data_source_returns_the_text_of_a_policy_of_aws(tmp_path: Path, named: str, grant: str) -> None:
    """A data source of a policy whose content is known is decided, wherever its text or ARN is used."""
    assert {Verdict.PROVEN} == verdicts(tmp_path, OWN, grant, named=named)


@pytest.mark.parametrize("grant", [INLINE, MERGED], ids=["inline", "merged"])
def test_the_text_of_another_policy_stays_unknown(tmp_path: Path, grant: str) -> None:
    """What a policy of the account says cannot be decided from its name."""
    assert Verdict.UNDETERMINED in verdicts(tmp_path, OWN, grant, named='name = "our-own"')


@pytest.mark.parametrize("grant", [INLINE, MERGED], ids=["inline", "merged"])
@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (f'name = "{NAME}"', (Verdict.PROVEN, "policy")),
        (f'arn = "{ARN}"', (Verdict.PROVEN, "policy")),
        ('name = "AdministratorAccess"', (Verdict.VIOLATED, 'policy Statement.0: full-access "*"')),
    ],
)
def test_the_text_of_a_policy_of_aws_is_judged_where_it_is_used(
    tmp_path: Path, named: str, expected: tuple[Verdict, str], grant: str
) -> None:
    """An inline policy that takes the text of one of AWS's has the faults of that text."""
    assert {expected} == {(one.verdict, one.subject) for one in inline_findings(tmp_path, grant, named)}


def test_the_text_of_another_policy_is_not_judged(tmp_path: Path) -> None:
    """An inline policy that takes the text of a policy of the account is UNDETERMINED, not proven."""
    (finding,) = inline_findings(tmp_path, INLINE, 'name = "our-own"')
    assert (Verdict.UNDETERMINED, "data.aws_iam_policy.execution.policy is unknown") == (
        finding.verdict,
        finding.found,
    )


def inline_findings(directory: Path, grant: str, named: str) -> list[Finding]:
    """Return what the rule `policies` finds in the inline policy of the role."""
    plan, contract = planned(directory, OWN, grant, named=named)
    found = check_policies(plan, task_definitions(plan), contract, "prod")
    return [finding for finding in found if finding.address == "aws_iam_role_policy.execution"]


@pytest.mark.parametrize("account", ["111122223333", ""], ids=["known", "unknown"])
def test_an_image_that_aws_keeps_for_everybody_needs_the_role_alone(tmp_path: Path, account: str) -> None:
    """The repository of AWS for Fluent Bit lets every account pull, and the role still has to be allowed to."""
    assert {Verdict.PROVEN} == verdicts(tmp_path, FLUENT_BIT, ATTACHED, account=account)
    assert Verdict.VIOLATED in verdicts(tmp_path, FLUENT_BIT, "", account=account)


@pytest.mark.parametrize("image", [FLUENT_BIT.replace("fluent-bit", "fluent"), FLUENT_BIT.replace("6424", "6425")])
def test_no_other_repository_of_another_account_is_taken_for_open(tmp_path: Path, image: str) -> None:
    """The policy of any other repository elsewhere is not known."""
    assert Verdict.UNDETERMINED in verdicts(tmp_path, image, ATTACHED)


def test_without_the_account_it_says_what_the_account_would_decide(tmp_path: Path) -> None:
    """Whether an image is one of another account is told by account_id, which the reason and the remedy say."""
    found = findings(tmp_path, OWN, ATTACHED, named=f'name = "{NAME}"', account="")
    finding = next(one for one in found if one.verdict is Verdict.UNDETERMINED)
    assert finding.reason == (
        "it is unknown whether aws_iam_role.execution is in account 111122223333; "
        "if it is not, the policy of the resource must also allow it"
    )
    assert "account_id" in finding.remedy


def test_an_account_that_a_variable_names_is_asked_for(tmp_path: Path) -> None:
    """Where the account of the image is not known, it is that which makes it known."""
    image = "${var.registry}.dkr.ecr.eu-west-1.amazonaws.com/app:1"
    grant = f'{ATTACHED}\nvariable "registry" {{}}\n'
    found = findings(tmp_path, image, grant, named=f'name = "{NAME}"', account="111122223333")
    remedies = {one.remedy for one in found if one.verdict is Verdict.UNDETERMINED and "is in account" in one.reason}
    assert remedies == {"give var.registry a value: [environments.NAME.variables] or var_files of the contract"}


def test_a_statement_without_a_resource_denies_in_the_policy_of_a_repository(tmp_path: Path) -> None:
    """Statements of ECR repository policies have no Resource and count all the same."""
    denied = """
resource "aws_ecr_repository" "app" {
  name = "app"
}
resource "aws_ecr_repository_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Deny", Principal = "*", Action = "ecr:BatchGetImage" }]
  })
}
"""
    assert Verdict.VIOLATED in verdicts(tmp_path, OWN, ATTACHED + denied)
