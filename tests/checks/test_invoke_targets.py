"""What is named otherwise than by an ARN, and what a workload uses: the URL of a function, keys, images and layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

ACCOUNT, OTHER, REGION = "111122223333", "123456789012", "eu-west-1"
PLACE = {"account_id": ACCOUNT, "region": REGION}
CONTRACT = Contract.model_validate({"project": {"application": "shop"}, "environments": {"prod": PLACE}})
PROVIDER = f'provider "aws" {{\n  region = "{REGION}"\n}}\n'
P, V, U = "proven", "violated", "undetermined"


def judged(directory: Path, source: str) -> list[Finding]:
    """Return what the rule says of a source."""
    known = KnownData.of({}, account=ACCOUNT, region=REGION, partition="aws")
    return check_invoke_access(plan_of(directory, {"main.tf": PROVIDER + source}, known=known), CONTRACT, "prod")


def function(*lines: str) -> str:
    """Return a function with arguments."""
    own = ['  function_name = "orders"', f'  role = "arn:aws:iam::{ACCOUNT}:role/orders"']
    return "\n".join(['resource "aws_lambda_function" "orders" {', *own, *lines, "}", ""])


# Keys: what Lambda encrypts in its own name


def key(statement: str) -> str:
    """Return a key whose policy has the account's access and a statement."""
    principal = f'{{ AWS = "arn:aws:iam::{ACCOUNT}:root" }}'
    root = f'{{ Effect = "Allow", Action = "kms:*", Resource = "*", Principal = {principal} }}'
    policy = f'jsonencode({{ Version = "2012-10-17", Statement = [{root}{statement and ", " + statement}] }})'
    alias = 'resource "aws_kms_alias" "code" {\n  name = "alias/code"\n  target_key_id = aws_kms_key.code.id\n}\n'
    return f'resource "aws_kms_key" "code" {{\n  policy = {policy}\n}}\n{alias}'


def lets_in(service: str = "lambda", actions: str = '["kms:Decrypt", "kms:GenerateDataKey"]', more: str = "") -> str:
    """Return a statement that lets a service use a key."""
    return (
        f'{{ Effect = "Allow", Action = {actions}, Resource = "*", '
        f'Principal = {{ Service = "{service}.amazonaws.com" }}{more} }}'
    )


_KEY = "kms:EncryptionContext:aws:lambda:FunctionArn"
_CONTEXT = f', Condition = {{ StringLike = {{ "{_KEY}" = "arn:aws:lambda:*:%s:function:%s" }} }}'


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (lets_in(), P),
        (lets_in(actions='"kms:*"'), P),
        (lets_in(actions='["kms:Decrypt", "kms:GenerateDataKey*"]'), P),
        (lets_in(more=_CONTEXT % (ACCOUNT, "*")), P),
        (lets_in(more=_CONTEXT % (ACCOUNT, "orders")), P),
        ("", V),
        (lets_in("s3"), V),
        (lets_in(actions='"kms:Decrypt"'), V),
        (lets_in(more=_CONTEXT % (OTHER, "*")), V),
        (lets_in(more=_CONTEXT % (ACCOUNT, "others")), V),
    ],
    ids=range(10),
)
def test_lambda_may_use_the_key_of_the_code(tmp_path: Path, statement: str, expected: str) -> None:
    """The policy of the key lets Lambda encrypt the code of this function."""
    found = judged(tmp_path, function("  source_kms_key_arn = aws_kms_key.code.arn") + key(statement))
    assert [expected] == [one.verdict.value for one in found]


@pytest.mark.parametrize("named", ["aws_kms_alias.code.target_key_arn", "aws_kms_alias.code.arn"])
def test_an_alias_names_a_key(tmp_path: Path, named: str) -> None:
    """A key that is named by an alias has to let Lambda in just as well."""
    found = judged(tmp_path, function(f"  source_kms_key_arn = {named}") + key(lets_in("s3")))
    assert [V] == [one.verdict.value for one in found]


@pytest.mark.parametrize(
    ("statement", "expected"), [(lets_in(actions='"kms:Decrypt"'), P), ("", U), (lets_in("s3"), U)]
)
def test_lambda_may_decrypt_the_filters_of_a_mapping(tmp_path: Path, statement: str, expected: str) -> None:
    """AWS does not say in whose name the filters are decrypted, so that a policy without Lambda leaves it open."""
    mapping = """
resource "aws_lambda_event_source_mapping" "orders" {
  function_name    = aws_lambda_function.orders.arn
  event_source_arn = "arn:aws:sqs:eu-west-1:111122223333:orders"
  kms_key_arn      = aws_kms_key.code.arn
}
"""
    found = judged(tmp_path, function() + mapping + key(statement))
    assert [expected] == [one.verdict.value for one in found]


def test_a_key_that_is_elsewhere_is_not_known(tmp_path: Path) -> None:
    """A key of another stack has a policy that is not in the plan; the key of AWS asks for nothing."""
    other = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    found = judged(tmp_path / "one", function(f'  source_kms_key_arn = "{other}"'))
    assert [U] == [one.verdict.value for one in found]
    of_aws = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/lambda"
    assert [] == judged(tmp_path / "two", function(f'  source_kms_key_arn = "{of_aws}"'))


# The URL of a function behind CloudFront

URL = """
resource "aws_lambda_function_url" "orders" {
  function_name      = aws_lambda_function.orders.function_name
  authorization_type = "AWS_IAM"
}
resource "aws_cloudfront_origin_access_control" "orders" {
  name                              = "orders"
  origin_access_control_origin_type = "lambda"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}
resource "aws_cloudfront_distribution" "orders" {
  origin {
    origin_id                = "orders"
    domain_name              = DOMAIN
    origin_access_control_id = aws_cloudfront_origin_access_control.orders.id
  }
}
"""
DOMAINS = [
    'trimsuffix(trimprefix(aws_lambda_function_url.orders.function_url, "https://"), "/")',
    'replace(replace(aws_lambda_function_url.orders.function_url, "https://", ""), "/", "")',
    'split("/", aws_lambda_function_url.orders.function_url)[2]',
    '"${aws_lambda_function_url.orders.url_id}.lambda-url.eu-west-1.on.aws"',
]


def permission(action: str, **changes: str) -> str:
    """Return a permission of the function for the distribution."""
    lines = {
        "action": f'"lambda:{action}"',
        "function_name": "aws_lambda_function.orders.function_name",
        "principal": '"cloudfront.amazonaws.com"',
        "source_arn": "aws_cloudfront_distribution.orders.arn",
        **changes,
    }
    body = "\n".join(f"  {name} = {value}" for name, value in lines.items())
    return f'resource "aws_lambda_permission" "{action}" {{\n{body}\n}}\n'


BOTH = permission("InvokeFunctionUrl") + permission("InvokeFunction")


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (BOTH, P),
        (permission("InvokeFunctionUrl", function_url_auth_type='"AWS_IAM"') + permission("InvokeFunction"), P),
        (permission("InvokeFunctionUrl") + permission("InvokeFunction", invoked_via_function_url="true"), P),
        (permission("*"), P),
        (permission("InvokeFunctionUrl"), U),
        (permission("InvokeFunction"), V),
        ("", V),
        (BOTH.replace("cloudfront.amazonaws.com", "apigateway.amazonaws.com"), V),
        (BOTH.replace("aws_cloudfront_distribution.orders.arn", f'"arn:aws:cloudfront::{OTHER}:distribution/E1"'), V),
        (permission("InvokeFunctionUrl", function_url_auth_type='"NONE"') + permission("InvokeFunction"), V),
    ],
    ids=range(10),
)
def test_a_distribution_calls_the_url_of_a_function(tmp_path: Path, permissions: str, expected: str) -> None:
    """CloudFront needs lambda:InvokeFunctionUrl, and for a URL that is new lambda:InvokeFunction too."""
    named = permissions.replace('"aws_lambda_permission" "*"', '"aws_lambda_permission" "all"')
    found = judged(tmp_path, function() + URL.replace("DOMAIN", DOMAINS[0]) + named)
    assert [expected] == [one.verdict.value for one in found]


@pytest.mark.parametrize("domain", DOMAINS, ids=["trimmed", "replaced", "split", "by its id"])
def test_a_domain_is_that_of_a_url(tmp_path: Path, domain: str) -> None:
    """However the domain of the URL is computed, the distribution calls the function of it."""
    found = judged(tmp_path, function() + URL.replace("DOMAIN", domain))
    assert [V] == [one.verdict.value for one in found]


# Images and layers of other accounts


def test_the_image_of_another_account_rests_on_its_repository(tmp_path: Path) -> None:
    """An image of the same account asks for nothing: Lambda adds what it needs to the policy of the repository."""
    for number, (account, expected) in enumerate(((ACCOUNT, []), (OTHER, [U]))):
        image = f'  image_uri = "{account}.dkr.ecr.{REGION}.amazonaws.com/orders:1"'
        found = judged(tmp_path / str(number), function('  package_type = "Image"', image))
        assert expected == [one.verdict.value for one in found]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"{ACCOUNT}:layer:tools:3", []),
        ("015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension:11", []),
        (f"{OTHER}:layer:tools:3", [U]),
    ],
)
def test_the_layer_of_another_account_rests_on_its_policy(tmp_path: Path, arn: str, expected: list[str]) -> None:
    """Layers of this account, and those that AWS publishes, ask for nothing."""
    found = judged(tmp_path, function(f'  layers = ["arn:aws:lambda:{REGION}:{arn}"]'))
    assert expected == [one.verdict.value for one in found]


def test_a_body_that_is_not_known_may_call_a_function(tmp_path: Path) -> None:
    """Whether an API calls a function is not known where its document is not."""
    api = 'resource "aws_api_gateway_rest_api" "a" {\n  name = "a"\n  body = var.body\n}\n'
    api += 'variable "body" {\n  type = string\n}\n'
    assert [U] == [one.verdict.value for one in judged(tmp_path, api)]
