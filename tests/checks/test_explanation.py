"""What an explanation has beside the decision: role, action, resource, and the statement that would allow it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.explanation import explain
from infraspec.core.errors import RequestError
from infraspec.core.unknown import render
from infraspec.reporting import document
from infraspec.reporting.explanation import explanation_document
from infraspec.terraform.plan import Plan
from tests.terraform.sources import plan_of
from tests.whole_results import Transcript

SOURCE = """
provider "aws" { region = "eu-west-1" }
resource "aws_secretsmanager_secret" "db" {
  name       = "db"
  kms_key_id = aws_kms_key.secrets.arn
}
resource "aws_kms_key" "secrets" {}
resource "aws_cloudwatch_log_group" "app" { name = "/ecs/app" }
resource "aws_s3_bucket" "files" { bucket = "files-of-app" }
resource "aws_iam_role" "app" { name = "app" }
resource "aws_iam_role" "written" { name = "written" }
resource "aws_iam_role" "bare" { name = "bare" }
resource "aws_iam_role_policy" "app" {
  role   = aws_iam_role.app.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["s3:GetObject", "s3:Lst*"], Resource = "${aws_s3_bucket.files.arn}/*" },
    { Effect = "Allow", Action = "logs:PutLogEvents", Resource = "${aws_cloudwatch_log_group.app.arn}:*" },
    { Effect = "Deny", Action = "secretsmanager:PutSecretValue", Resource = "*" },
  ] })
}
resource "aws_iam_role" "misnamed" { name = "misnamed" }
resource "aws_iam_policy" "read" {
  name   = "read"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "by_name" {
  role       = aws_iam_role.misnamed.name
  policy_arn = aws_iam_policy.read.name
}
resource "aws_iam_role_policy_attachment" "by_text" {
  role       = aws_iam_role.misnamed.name
  policy_arn = "read"
}
data "aws_iam_policy_document" "written" {
  statement {
    actions   = ["secretsmanager:DescribeSecret"]
    resources = [aws_secretsmanager_secret.db.arn]
  }
}
resource "aws_iam_role_policy" "written" {
  role   = aws_iam_role.written.id
  policy = data.aws_iam_policy_document.written.json
}
"""
LOGS, FILES, SECRET = "aws_cloudwatch_log_group.app", "aws_s3_bucket.files", "aws_secretsmanager_secret.db"


@pytest.fixture(name="plan")
def _plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, SOURCE)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (("app", "s3:getobject", FILES), "${aws_s3_bucket.files.arn}/${any key}"),
        (("app", "s3:ListBucket", FILES), "${aws_s3_bucket.files.arn}"),
        (
            ("aws_iam_role.app", "logs:PutLogEvents", LOGS),
            "${aws_cloudwatch_log_group.app.arn}:log-stream:${any stream}",
        ),
        (("app", "logs:PutRetentionPolicy", f"{LOGS}.arn"), "${aws_cloudwatch_log_group.app.arn}"),
        (("app", "secretsmanager:PutSecretValue", SECRET), "${aws_secretsmanager_secret.db.arn}"),
        (("app", "secretsmanager:GetSecretValue", SECRET), "${aws_secretsmanager_secret.db.arn}"),
        (("written", "secretsmanager:GetSecretValue", SECRET), "${aws_secretsmanager_secret.db.arn}"),
        (("bare", "secretsmanager:GetSecretValue", SECRET), "${aws_secretsmanager_secret.db.arn}"),
        (("bare", "ec2:DescribeInstances", "*"), "*"),
        (("misnamed", "s3:GetObject", "arn:aws:s3:::files/x"), "arn:aws:s3:::files/x"),
        (
            (
                "written",
                "secretsmanager:DescribeSecret",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf",
            ),
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf",
        ),
    ],
)
def test_a_question_is_answered_whole(
    question: tuple[str, str, str], asked: str, plan: Plan, transcript: Transcript
) -> None:
    """Of a bucket its objects are asked about, of a log group its streams, where the action is about these."""
    found = explain(plan, *question)
    shown = explanation_document(found)
    transcript([document.as_text(shown), document.as_json(shown.data())])
    assert asked == render(found.resource)


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("ap", "s3:GetObject", FILES),
        ("nobody-of-this-name", "s3:GetObject", FILES),
        ("arn:aws:iam::111122223333:role/apps/app", "s3:GetObject", FILES),
        ("app", "s3:Get*", FILES),
        ("app", "s3:GetObjec?", FILES),
        ("app", "s3:GetObjekt", FILES),
        ("app", "GetObject", FILES),
        ("app", "s3:GetObject", "aws_s3_bucket.file"),
        ("app", "s3:GetObject", "something"),
    ],
)
def test_a_question_that_has_no_answer_is_an_error(role: str, action: str, resource: str, plan: Plan) -> None:
    """It names the option, and asks for what is most like it."""
    with pytest.raises(RequestError):
        explain(plan, role, action, resource)
