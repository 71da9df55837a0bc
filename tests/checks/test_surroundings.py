"""What has a say beside the policies of role and resource: grants, the key's state, endpoints, the organization."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.function_access import check_function_access
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.errors import PolicyError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Value
from infraspec.ecs.task_definition import task_definitions
from infraspec.resource_types import PolicyKind
from tests.terraform.sources import plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
ACCOUNT, OTHER = "111122223333", "123456789012"
CONTRACT = Contract.model_validate(
    {"project": {"application": "shop"}, "environments": {"prod": {"account_id": ACCOUNT, "region": "eu-west-1"}}}
)
BASE = """
provider "aws" { region = "eu-west-1" }
variable "unknown" {}
resource "aws_kms_key" "orders" {
  KEY
}
resource "aws_secretsmanager_secret" "orders" {
  name       = "orders"
  kms_key_id = aws_kms_key.orders.arn
  SECRET
}
resource "aws_iam_role" "start" {
  name               = "orders-start"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
  BOUNDARY
}
resource "aws_iam_role_policy" "start" {
  name   = "start"
  role   = aws_iam_role.start.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.orders.arn },
      ALLOW_USE
    ]
  })
}
resource "aws_ecs_task_definition" "orders" {
  family                   = "orders"
  requires_compatibilities = [COMPATIBILITIES]
  execution_role_arn       = aws_iam_role.start.arn
  container_definitions    = jsonencode([{
    name = "orders", image = "public.ecr.aws/shop/orders:1"
    secrets = [{ name = "ORDERS", valueFrom = aws_secretsmanager_secret.orders.arn }]
  }])
}
"""
DECRYPT = '{ Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.orders.arn },'
READ, USE = "secretsmanager:GetSecretValue", "kms:Decrypt"


def judged(directory: Path, further: str = "", action: str = READ, **parts: str) -> Finding:
    """Return the finding about an action, for a tree with some parts of its own."""
    source = BASE + further
    for name, default in (
        ("KEY", ""),
        ("SECRET", ""),
        ("BOUNDARY", ""),
        ("ALLOW_USE", DECRYPT),
        ("COMPATIBILITIES", '"FARGATE"'),
    ):
        source = source.replace(name, parts.get(name.lower(), default))
    plan = plan_of(directory, source).replaced(account=ACCOUNT)
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    (one,) = (finding for finding in found if finding.subject.endswith(action))
    return one


def grant(
    operations: str = '["Decrypt"]', who: str = "aws_iam_role.start.arn", more: str = "", key: str = "key_id"
) -> str:
    """Return a grant of the key."""
    reference = key if "." in key or '"' in key else f"aws_kms_key.orders.{key}"
    return f"""
    resource "aws_kms_grant" "orders" {{
      key_id            = {reference}
      grantee_principal = {who}
      operations        = {operations}
      {more}
    }}
    resource "aws_kms_key" "other" {{}}
    """


def context(kind: str, pairs: str) -> str:
    """Return a constraint of a grant."""
    return f"constraints {{\n encryption_context_{kind} = {{ {pairs} }}\n }}"


OWN = "SecretARN = aws_secretsmanager_secret.orders.arn"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (grant(), PROVEN),
        (grant(key="arn"), PROVEN),
        (grant(key="id"), PROVEN),
        (grant('["Encrypt", "Decrypt", "DescribeKey"]'), PROVEN),
        (grant(who=f'"arn:aws:iam::{ACCOUNT}:role/orders-start"'), PROVEN),
        (grant(more=context("subset", OWN)), PROVEN),
        (grant('["Encrypt"]'), VIOLATED),
        (grant(who=f'"arn:aws:iam::{ACCOUNT}:role/other"'), VIOLATED),
        (grant(key="aws_kms_key.other.key_id"), VIOLATED),
        (
            grant(
                more=context("subset", 'SecretARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-a1b2c3"')
            ),
            VIOLATED,
        ),
        (grant(more=context("equals", OWN)), VIOLATED),
        (grant(more=context("subset", 'app = "orders"')), VIOLATED),
        (grant(more="constraints {\n encryption_context_subset = var.unknown\n }"), UNDETERMINED),
        (grant("var.unknown"), UNDETERMINED),
        (grant(who="var.unknown"), UNDETERMINED),
        (grant(key="var.unknown"), UNDETERMINED),
        (grant(more="count = var.unknown ? 1 : 0"), UNDETERMINED),
    ],
)
def test_a_grant_of_the_key_lets_in(text: str, expected: Verdict, tmp_path: Path) -> None:
    """A grant to the role for Decrypt allows without a policy, within its constraints."""
    assert expected is judged(tmp_path, text, USE, allow_use="").verdict


def test_a_deny_wins_over_a_grant(tmp_path: Path) -> None:
    """What a policy denies no grant allows, and the proof by a grant names it."""
    deny = DECRYPT.replace("Allow", "Deny")

    assert VIOLATED is judged(tmp_path, grant(), USE, allow_use=deny).verdict
    assert (
        "aws_iam_role.start is allowed by aws_kms_grant.orders Statement"
        == judged(tmp_path, grant(), USE, allow_use="").reason
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("is_enabled = true", PROVEN),
        ("enable_key_rotation = true", PROVEN),
        ('key_usage = "ENCRYPT_DECRYPT"', PROVEN),
        ('customer_master_key_spec = "SYMMETRIC_DEFAULT"', PROVEN),
        ("is_enabled = false", VIOLATED),
        ('key_usage = "SIGN_VERIFY"', VIOLATED),
        ('customer_master_key_spec = "RSA_4096"', VIOLATED),
        ('customer_master_key_spec = "HMAC_256"\n  key_usage = "GENERATE_VERIFY_MAC"', VIOLATED),
        ("is_enabled = var.unknown", UNDETERMINED),
        ("key_usage = var.unknown", UNDETERMINED),
    ],
)
def test_a_key_that_cannot_decrypt(key: str, expected: Verdict, tmp_path: Path) -> None:
    """A key that is disabled, asymmetric or for something else decrypts no secret, whatever policies say."""
    found = judged(tmp_path, "", USE, key=key)

    assert expected is found.verdict
    assert expected is PROVEN or "aws_kms_key.orders" in found.found + found.reason


NAMED = "data.aws_vpc_endpoint_service.s.service_name"
NETWORK = """
resource "aws_vpc" "a" { cidr_block = "10.0.0.0/16" }
resource "aws_vpc" "b" { cidr_block = "10.1.0.0/16" }
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.a.id
  cidr_block = "10.0.0.0/24"
}
resource "aws_ecs_service" "orders" {
  name            = "orders"
  task_definition = aws_ecs_task_definition.orders.arn
  launch_type     = "FARGATE"
  network_configuration { subnets = [aws_subnet.a.id] }
}
resource "aws_vpc_endpoint" "e" {
  vpc_id              = aws_vpc.a.id
  service_name        = "com.amazonaws.eu-west-1.secretsmanager"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  policy              = jsonencode({ Version = "2012-10-17", Statement = [STATEMENTS] })
}
"""
ALL = '{ Effect = "Allow", Principal = "*", Action = "*", Resource = "*" }'
DENY = '{ Effect = "Deny", Principal = "*", Action = "secretsmanager:*", Resource = "*" }'
OF_ROLE = ALL.replace('"*", Action', "{ AWS = aws_iam_role.start.arn }, Action", 1)


@pytest.mark.parametrize(
    ("statements", "edits", "expected"),
    [
        (ALL, (), PROVEN),
        (OF_ROLE, (), PROVEN),
        (ALL.replace('Resource = "*"', "Resource = aws_secretsmanager_secret.orders.arn"), (), PROVEN),
        (f"{ALL}, {DENY}".replace("secretsmanager:*", "s3:*"), (), PROVEN),
        (f"{ALL}, {DENY}", (), VIOLATED),
        (ALL.replace('Action = "*"', 'Action = "s3:*"'), (), VIOLATED),
        (OF_ROLE.replace("aws_iam_role.start.arn", f'"arn:aws:iam::{ACCOUNT}:role/other"'), (), VIOLATED),
        (DENY, (("private_dns_enabled = true", "private_dns_enabled = false"),), PROVEN),
        (DENY, (("private_dns_enabled = true\n", "\n"),), PROVEN),
        (DENY, (("private_dns_enabled = true", "private_dns_enabled = var.unknown"),), UNDETERMINED),
        (DENY, (("vpc_id              = aws_vpc.a.id", "vpc_id = aws_vpc.b.id"),), PROVEN),
        (DENY, (("vpc_id              = aws_vpc.a.id", "vpc_id = var.unknown"),), UNDETERMINED),
        (DENY, (("eu-west-1.secretsmanager", "eu-west-1.ssm"),), PROVEN),
        (DENY, (('"com.amazonaws.eu-west-1.secretsmanager"', "var.unknown"),), UNDETERMINED),
        (DENY, (("[aws_subnet.a.id]", "var.unknown"),), UNDETERMINED),
        (DENY, (("aws_ecs_task_definition.orders.arn", '"other"'),), UNDETERMINED),
        (DENY, (("FARGATE", "EC2"),), UNDETERMINED),
        ("var.unknown", (), UNDETERMINED),
    ],
)
def test_the_policy_of_an_endpoint_has_to_allow_it(
    statements: str, edits: tuple[tuple[str, str], ...], expected: Verdict, tmp_path: Path
) -> None:
    """Where the names of a service lead to an endpoint in the VPC of the tasks, its policy has a say."""
    text = NETWORK.replace("STATEMENTS", statements)
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    more = {"compatibilities": '"EC2"'} if any("EC2" in after for _, after in edits) else {}
    found = judged(tmp_path, text, **more)

    assert expected is found.verdict, str(found)
    assert expected is PROVEN or "aws_vpc_endpoint.e" in found.found + found.reason


GATEWAY = NETWORK.replace("  private_dns_enabled = true\n", "").replace('"Interface"', '"Gateway"')
TABLES = """
resource "aws_route_table" "a" { vpc_id = aws_vpc.a.id }
resource "aws_route_table" "b" { vpc_id = aws_vpc.a.id }
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.a.id
  route_table_id = aws_route_table.a.id
}
resource "aws_vpc_endpoint_route_table_association" "e" {
  vpc_endpoint_id = aws_vpc_endpoint.e.id
  route_table_id  = aws_route_table.TABLE.id
}
"""
SERVICE = """
data "aws_vpc_endpoint_service" "s" { service = "secretsmanager" }
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GATEWAY, UNDETERMINED),
        (GATEWAY + TABLES.replace("TABLE", "a"), VIOLATED),
        (GATEWAY + TABLES.replace("TABLE", "b"), PROVEN),
        (GATEWAY + TABLES.replace("aws_route_table.TABLE.id", "var.unknown"), UNDETERMINED),
        (GATEWAY + TABLES.replace("aws_vpc_endpoint.e.id", '"vpce-1"').replace("TABLE", "a"), PROVEN),
        (GATEWAY + TABLES.replace("aws_subnet.a.id", '"subnet-1"').replace("TABLE", "a"), UNDETERMINED),
        (NETWORK.replace('"com.amazonaws.eu-west-1.secretsmanager"', NAMED) + SERVICE, VIOLATED),
        (NETWORK.replace('"com.amazonaws.eu-west-1.secretsmanager"', NAMED) + SERVICE.replace("secrets", ""), PROVEN),
        (NETWORK.replace("aws_vpc.a.id\n  service", 'aws_vpc.a.id\n  region = "us-east-1"\n  service'), PROVEN),
    ],
)
def test_a_request_goes_through_an_endpoint(text: str, expected: Verdict, tmp_path: Path) -> None:
    """Through a gateway by the routes of the subnet, to the service that it is for, in its own region."""
    assert expected is judged(tmp_path, text.replace("STATEMENTS", DENY)).verdict


def test_a_policy_of_an_endpoint_apart(tmp_path: Path) -> None:
    """It takes the place of the endpoint's own; the key is asked by the service, not through the endpoint."""
    text = (
        NETWORK.replace("STATEMENTS", ALL)
        + f"""
    resource "aws_vpc_endpoint_policy" "e" {{
      vpc_endpoint_id = aws_vpc_endpoint.e.id
      policy          = jsonencode({{ Statement = [{DENY.replace("secretsmanager:*", "*")}] }})
    }}
    """
    )
    found = judged(tmp_path, text)

    assert (VIOLATED, True) == (found.verdict, "in aws_vpc_endpoint_policy.e" in found.remedy)
    assert PROVEN is judged(tmp_path, text.replace("secretsmanager", "kms"), USE).verdict


FUNCTION = """
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = aws_iam_role.start.arn
  layers        = ["arn:aws:lambda:eu-west-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension:12"]
  environment { variables = { ORDERS = aws_secretsmanager_secret.orders.arn } }
  vpc_config {
    subnet_ids         = [aws_subnet.a.id]
    security_group_ids = []
  }
}
"""
ELSEWHERE = 'resource "aws_subnet" "elsewhere" {\n  vpc_id     = aws_vpc.b.id\n  cidr_block = "10.1.0.0/24"\n}\n'
DYNAMIC = """
  dynamic "vpc_config" {
    for_each = var.unknown
    content {
      subnet_ids         = [var.unknown]
      security_group_ids = []
    }
  }
"""
IN_THE_VPC = FUNCTION[FUNCTION.index("  vpc_config") : FUNCTION.rindex("}")]


@pytest.mark.parametrize(
    ("network", "place", "expected"),
    [
        (IN_THE_VPC, "", VIOLATED),
        (IN_THE_VPC, "aws_subnet.elsewhere.id", PROVEN),
        (IN_THE_VPC, "var.unknown", UNDETERMINED),
        ("", "", PROVEN),
        ("  vpc_config {\n    subnet_ids         = []\n    security_group_ids = []\n  }\n", "", PROVEN),
        (DYNAMIC, "", UNDETERMINED),
    ],
)
def test_a_function_asks_from_its_own_subnets(network: str, place: str, expected: Verdict, tmp_path: Path) -> None:
    """Its requests leave the VPC that it is connected to; without one no endpoint of the plan is on their way."""
    text = NETWORK.replace("STATEMENTS", DENY) + FUNCTION.replace(IN_THE_VPC, network)
    text = text.replace("[aws_subnet.a.id]\n    security", f"[{place or 'aws_subnet.a.id'}]\n    security")
    base = BASE[: BASE.index('resource "aws_ecs_task_definition"')].replace("ecs-tasks", "lambda")
    base = base.replace("      ALLOW_USE\n", "")
    for name in ("KEY", "SECRET", "BOUNDARY"):
        base = base.replace(f"  {name}\n", "")
    text = base + text + ELSEWHERE
    plan = plan_of(tmp_path, text).replaced(account=ACCOUNT)
    (one,) = (found for found in check_function_access(plan, CONTRACT, "prod") if found.subject.endswith(READ))

    assert expected is one.verdict, str(one)
    assert expected is PROVEN or "aws_vpc_endpoint.e" in one.found + one.reason


def scp(target: str, statement: str, kind: str = "SERVICE_CONTROL_POLICY") -> str:
    """Return a policy of the organization with its attachment."""
    return f"""
    resource "aws_organizations_policy" "o" {{
      name    = "o"
      type    = "{kind}"
      content = jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})
    }}
    resource "aws_organizations_policy_attachment" "o" {{
      policy_id = aws_organizations_policy.o.id
      target_id = {target}
    }}
    """


CONTROL = DENY.replace('Principal = "*", ', "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (scp(f'"{ACCOUNT}"', CONTROL.replace("secretsmanager", "s3")), PROVEN),
        (scp(f'"{ACCOUNT}"', CONTROL), VIOLATED),
        (scp(f'"{OTHER}"', CONTROL), PROVEN),
        (scp("var.unknown", CONTROL), UNDETERMINED),
        (scp('"r-ab12"', CONTROL), UNDETERMINED),
        (scp(f'"{ACCOUNT}"', CONTROL.replace("Deny", "Allow").replace("secretsmanager", "s3")), UNDETERMINED),
        (scp(f'"{ACCOUNT}"', CONTROL.replace("Deny", "Allow").replace("secretsmanager:", "")), PROVEN),
        (scp(f'"{ACCOUNT}"', DENY), PROVEN),
        (scp(f'"{ACCOUNT}"', DENY, "RESOURCE_CONTROL_POLICY"), VIOLATED),
        (scp(f'"{OTHER}"', DENY, "RESOURCE_CONTROL_POLICY"), PROVEN),
        (scp(f'"{ACCOUNT}"', DENY.replace("Deny", "Allow"), "RESOURCE_CONTROL_POLICY"), PROVEN),
        (scp(f'"{ACCOUNT}"', CONTROL, "TAG_POLICY"), PROVEN),
    ],
)
def test_policies_of_the_organization_that_the_plan_attaches(text: str, expected: Verdict, tmp_path: Path) -> None:
    """What is attached to the account limits it; one that AWS refuses, or that is of another kind, does not."""
    assert expected is judged(tmp_path, text).verdict


def given(directory: Path, files: tuple[tuple[PolicyKind, str, Value], ...]) -> list[Finding]:
    """Return what is found where the contract gives policies of the organization."""
    source = BASE.replace("KEY", "").replace("SECRET", "").replace("BOUNDARY", "").replace("ALLOW_USE", DECRYPT)
    plan = plan_of(directory, source.replace("COMPATIBILITIES", "")).replaced(account=ACCOUNT, organization=files)
    return check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")


LIMIT = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}
ALLOWED = {"Effect": "Allow", "Action": ["secretsmanager:*", "kms:*"], "Resource": "*"}


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([[LIMIT]], VIOLATED),
        ([[{**LIMIT, "Action": "s3:*"}]], PROVEN),
        ([[ALLOWED]], PROVEN),
        ([[{**ALLOWED, "Action": "s3:*"}]], VIOLATED),
        ([[ALLOWED], [{**ALLOWED, "Action": "s3:*"}]], VIOLATED),
        ([[{**ALLOWED, "Action": "*"}], [ALLOWED]], PROVEN),
    ],
)
def test_policies_of_the_organization_that_the_contract_gives(
    levels: list[list[dict[str, object]]], expected: Verdict, tmp_path: Path
) -> None:
    """Each level has to allow; one that only denies has FullAWSAccess beside it."""
    files = tuple((PolicyKind.ORGANIZATION, "scp.json", {"Version": "2012-10-17", "Statement": one}) for one in levels)

    assert [expected] == [one.verdict for one in given(tmp_path, files) if one.subject.endswith(READ)]


def test_a_file_of_the_contract_that_is_refused(tmp_path: Path) -> None:
    """A policy of the organization that names a principal is an error with its place."""
    wrong = {"Version": "2012-10-17", "Statement": [{**LIMIT, "Principal": "*"}]}
    with pytest.raises(PolicyError, match=r"scp\.json"):
        given(tmp_path, ((PolicyKind.ORGANIZATION, "scp.json", wrong),))


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", PROVEN),
        ("arn:aws:iam::aws:policy/AmazonS3FullAccess", VIOLATED),
        (f"arn:aws:iam::{ACCOUNT}:policy/limit", UNDETERMINED),
    ],
)
def test_a_boundary_that_a_data_source_reads(arn: str, expected: Verdict, tmp_path: Path) -> None:
    """The permissions boundary is known where the text of the policy is."""
    data = f'data "aws_iam_policy" "limit" {{ arn = "{arn}" }}'

    found = judged(tmp_path, data, boundary="permissions_boundary = data.aws_iam_policy.limit.arn")

    assert expected is found.verdict


@pytest.mark.parametrize(("number", "expected"), [(9, PROVEN), (10, UNDETERMINED)])
def test_more_managed_policies_than_the_quota(number: int, expected: Verdict, tmp_path: Path) -> None:
    """Of eleven policies AWS refuses one, unless the quota was raised: what they allow is not certain."""
    text = f"""
    resource "aws_iam_policy" "more" {{
      count  = {number}
      name   = "more-${{count.index}}"
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }}]
      }})
    }}
    resource "aws_iam_role_policy_attachment" "more" {{
      count      = {number}
      role       = aws_iam_role.start.name
      policy_arn = aws_iam_policy.more[count.index].arn
    }}
    resource "aws_iam_policy" "key" {{
      name   = "key"
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{ Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.orders.arn }}]
      }})
    }}
    resource "aws_iam_role_policy_attachment" "key" {{
      role       = aws_iam_role.start.name
      policy_arn = aws_iam_policy.key.arn
    }}
    """

    assert expected is judged(tmp_path, text, USE, allow_use="").verdict
    assert PROVEN is judged(tmp_path, text, allow_use="").verdict


@pytest.mark.parametrize(("characters", "expected"), [(9_000, PROVEN), (10_000, UNDETERMINED)])
def test_more_inline_policies_than_the_quota(characters: int, expected: Verdict, tmp_path: Path) -> None:
    """Inline policies that are too long together are not all created."""
    text = f"""
    resource "aws_iam_role_policy" "long" {{
      name   = "long"
      role   = aws_iam_role.start.name
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{ Sid = "{"x" * characters}", Effect = "Allow", Action = "s3:GetObject", Resource = "*" }}]
      }})
    }}
    """

    assert expected is judged(tmp_path, text).verdict


def test_a_proof_says_what_it_rests_on(tmp_path: Path) -> None:
    """It names the policies that were asked, and what is in neither plan nor contract."""
    found = judged(tmp_path, grant(), USE, allow_use="")

    assert found.rests_on == (
        "identity policies: aws_iam_role_policy.start",
        "resource policy: aws_kms_key.orders, aws_kms_grant.orders",
    )
    assert found.unseen == ("the service control and resource control policies of the organization",)
    limited = judged(tmp_path, scp(f'"{ACCOUNT}"', CONTROL.replace("secretsmanager", "s3")))
    assert limited.rests_on[-1] == "service control policies: FullAWSAccess, aws_organizations_policy.o"
    assert limited.unseen == (
        "the resource control policies of the organization",
        "the policies of VPC endpoints that are not in the plan",
    )


def test_a_managed_policy_that_is_too_long_allows_nothing(tmp_path: Path) -> None:
    """AWS does not create a policy of more characters than it takes."""
    text = f"""
    resource "aws_iam_policy" "key" {{
      name   = "key"
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{
          Sid = "{"x" * 6_100}", Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.orders.arn
        }}]
      }})
    }}
    resource "aws_iam_role_policy_attachment" "key" {{
      role       = aws_iam_role.start.name
      policy_arn = aws_iam_policy.key.arn
    }}
    """
    found = judged(tmp_path, text, USE, allow_use="")

    assert (VIOLATED, True) == (found.verdict, found.found.startswith("AWS refuses aws_iam_policy.key"))
