"""What rule `invoke-access` says, beside the verdicts of the edits in tests/edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.checks.invocation.wirings import table
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.provider.schema import schema
from tests.terraform.sources import plan_of

CONTRACT = Contract.model_validate(
    {
        "project": {"application": "shop"},
        "environments": {"prod": {"account_id": "111122223333", "region": "eu-west-1"}},
    }
)
FUNCTION = """
provider "aws" {
  region = "eu-west-1"
}
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = "arn:aws:iam::111122223333:role/orders"
}
"""
TOPIC = """
resource "aws_sns_topic" "news" {
  name = "news"
}
"""


def check(directory: Path, source: str) -> list[Finding]:
    """Judge the function with more source."""
    known = KnownData.of({}, account="111122223333", region="eu-west-1", partition="aws")
    return check_invoke_access(plan_of(directory, FUNCTION + source, known=known), CONTRACT, "prod")


def test_the_finding_says_who_is_kept_out_of_what(tmp_path: Path) -> None:
    """It names the service, what it calls, for what source, the document, and the permission to add."""
    [found] = check(
        tmp_path,
        TOPIC
        + """
resource "aws_sns_topic_subscription" "orders" {
  topic_arn = aws_sns_topic.news.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.orders.arn
}
""",
    )

    assert "aws_lambda_function.orders has no aws_lambda_permission" == found.found
    expected = (
        "sns.amazonaws.com must be allowed to perform lambda:InvokeFunction on aws_lambda_function.orders "
        "for arn:aws:sns:eu-west-1:111122223333:news; "
        'required by AWS: "Fanout Amazon SNS notifications to Lambda functions"'
    )
    assert expected == found.expected
    assert (
        """resource "aws_lambda_permission" "sns_orders" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.news.arn
}"""
        == found.remedy
    )
    assert [("beside", found.remedy)] == [(change.kind, change.text) for change in found.changes]


URL = """
resource "aws_lambda_function_url" "orders" {
  function_name      = aws_lambda_function.orders.function_name
  authorization_type = "NONE"
}
"""
PUBLIC = """
resource "aws_lambda_permission" "public" {
  action                   = "lambda:InvokeFunction"
  function_name            = aws_lambda_function.orders.function_name
  principal                = "*"
  invoked_via_function_url = true
}
"""
BY_ROLE = """
resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "rate(1 day)"
}
resource "aws_cloudwatch_event_target" "orders" {
  rule     = aws_cloudwatch_event_rule.nightly.name
  arn      = aws_lambda_function.orders.arn
  role_arn = "arn:aws:iam::111122223333:role/events"
}
"""
METHOD = """
resource "aws_api_gateway_rest_api" "shop" {
  name = "shop"
}
resource "aws_api_gateway_resource" "order" {
  rest_api_id = aws_api_gateway_rest_api.shop.id
  parent_id   = aws_api_gateway_rest_api.shop.root_resource_id
  path_part   = "{order}"
}
resource "aws_api_gateway_integration" "order" {
  rest_api_id             = aws_api_gateway_rest_api.shop.id
  resource_id             = aws_api_gateway_resource.order.id
  http_method             = "METHOD"
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.orders.invoke_arn
}
resource "aws_lambda_permission" "order" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.shop.execution_arn}/ALLOWED"
}
"""
STAGE = """
resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.shop.id
  stage_name    = "prod"
  deployment_id = "abc123"
}
"""
HTTP = """
resource "aws_sns_topic_subscription" "orders" {
  topic_arn = aws_sns_topic.news.arn
  protocol  = "https"
  endpoint  = "https://shop.example.com"
}
"""


@pytest.mark.parametrize(
    ("source", "verdicts"),
    [
        (URL, ["undetermined"]),
        (URL + PUBLIC, ["proven"]),
        (URL.replace("NONE", "AWS_IAM"), []),
        (BY_ROLE, ["undetermined"]),
        (METHOD.replace("METHOD", "GET").replace("ALLOWED", "*/GET/*"), ["proven"]),
        (
            METHOD.replace("METHOD", "GET").replace("ALLOWED", "*/POST/*").replace("{order}", "new") + STAGE,
            ["violated"],
        ),
        (METHOD.replace("METHOD", "GET").replace("ALLOWED", "*/GET/{order}"), ["undetermined"]),
        (METHOD.replace("METHOD", "ANY").replace("ALLOWED", "*/GET/*"), ["undetermined"]),
        (METHOD.replace("METHOD", "ANY").replace("ALLOWED", "*/*/*"), ["proven"]),
        (TOPIC + HTTP, []),
    ],
)
def test_what_is_known_in_a_request_alone_is_left_open(source: str, verdicts: list[str], tmp_path: Path) -> None:
    """A method that may be any, a parameter, a role and a URL are not decided; what calls no function is not judged."""
    assert verdicts == [found.verdict.value for found in check(tmp_path, source)]


def test_every_row_has_its_document_and_its_type() -> None:
    """The document of a row is listed with its address, and the provider has the type and attribute."""
    rows = table().rows
    documents = {row.document for row in rows} | {kind.key_document for kind in table().kinds if kind.key}

    assert documents == table().sources.keys()
    heads = {(row.type, name.partition(".")[0].partition("#")[0]) for row in rows for name in row.target.split("|")}
    assert [] == [head for head in heads if (known := schema(head[0])) is None or head[1] not in known.names()]


GIVEN = """
module "access" {
  source        = "git::https://example.com/access.git"
  function_name = aws_lambda_function.orders.WHAT
}
"""


@pytest.mark.parametrize("what", ["function_name", "arn"])
def test_a_module_that_is_not_here_may_let_the_caller_in(what: str, tmp_path: Path) -> None:
    """What a function is given to is fetched, before it is said that nothing lets a caller in."""
    by_rule = BY_ROLE.replace('  role_arn = "arn:aws:iam::111122223333:role/events"\n', "")
    [found] = check(tmp_path / "given", by_rule + GIVEN.replace("WHAT", what))

    assert "undetermined" == found.verdict.value
    assert "infraspec get" in found.remedy
    assert ["violated"] == [one.verdict.value for one in check(tmp_path / "alone", by_rule)]


@pytest.mark.parametrize("bus", ["aws_cloudwatch_event_bus.shop.arn", "aws_cloudwatch_event_bus.shop.name", '"shop"'])
def test_a_rule_names_its_bus_by_name_or_arn(tmp_path: Path, bus: str) -> None:
    """The ARN of a rule has the name of its bus, also where the rule names that by an ARN of an unknown account."""
    source = f"""
resource "aws_cloudwatch_event_bus" "shop" {{
  name = "shop"
}}
resource "aws_cloudwatch_event_rule" "made" {{
  name           = "made"
  event_bus_name = {bus}
  event_pattern  = jsonencode({{ source = ["shop"] }})
}}
resource "aws_cloudwatch_event_target" "made" {{
  rule           = aws_cloudwatch_event_rule.made.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  arn            = aws_lambda_function.orders.arn
}}
resource "aws_lambda_permission" "made" {{
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.made.arn
}}
"""
    plan = plan_of(tmp_path, FUNCTION + source)
    assert ["proven"] == [found.verdict.value for found in check_invoke_access(plan, CONTRACT, "prod")]
