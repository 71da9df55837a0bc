"""`infraspec explain` as a user runs it: a process of its own, its exit code and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from tests.terraform.iam_exports import allow, export, role
from tests.terraform.sources import write

ROOT = Path(__file__).parents[2]
INCIDENT = ROOT / "fixtures" / "incident-v16"
ALLOWED, DENIED, WRONG, UNDETERMINED = 0, 1, 2, 3
READ = "secretsmanager:GetSecretValue"
SHOP = {
    "infraspec.toml": """\
        [project]
        application = "shop"

        [environments.prod]
        account_id = "111122223333"
        region = "eu-west-1"
        """,
    "main.tf": """\
        variable "partner_arn" {
          type = string
        }

        resource "aws_secretsmanager_secret" "db" {
          name       = "shop-db"
          kms_key_id = aws_kms_key.main.arn
        }

        resource "aws_secretsmanager_secret" "api" { name = "shop-api" }
        resource "aws_kms_key" "main" {}
        resource "aws_cloudwatch_log_group" "app" { name = "/ecs/shop" }
        resource "aws_s3_bucket" "files" { bucket = "shop-files" }

        resource "aws_iam_role" "app" {
          name               = "shop-app"
          assume_role_policy = "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": []}"
        }

        resource "aws_iam_role_policy" "app" {
          role = aws_iam_role.app.id
          policy = jsonencode({
            Version = "2012-10-17"
            Statement = [
              { Effect = "Allow", Action = "secretsmanager:Get*", Resource = aws_secretsmanager_secret.db.arn },
              { Effect = "Allow", Action = "logs:PutLogEvents", Resource = aws_cloudwatch_log_group.app.arn },
              { Effect = "Deny", Action = "s3:DeleteObject", Resource = "*" },
              { Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.files.arn}/*" },
              { Effect = "Allow", Action = "s3:GetBucketLocation", Resource = aws_s3_bucket.files.arn },
              { Effect = "Allow", Action = "sqs:SendMessage", Resource = var.partner_arn },
              {
                Effect    = "Allow"
                Action    = "kms:Decrypt"
                Resource  = "*"
                Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.eu-west-1.amazonaws.com" } }
              },
            ]
          })
        }
        """,
}


def run(directory: Path, action: str, resource: str, *more: str, role: str = "shop-app") -> tuple[int, str]:
    """Run the command; return its exit code and what it printed."""
    command = [sys.executable, "-m", "infraspec", "explain", "--infra", str(directory)]
    command += ["--role", role, "--action", action, "--resource", resource, *more]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Write an infrastructure with one role."""
    return write(tmp_path, SHOP)


@pytest.mark.parametrize(
    ("action", "resource", "code", "words"),
    [
        (READ, "aws_secretsmanager_secret.db", ALLOWED, ["ALLOWED", "allowed by aws_iam_role_policy.app Statement.0"]),
        (READ, "aws_secretsmanager_secret.db.arn", ALLOWED, ["it needs kms:Decrypt on aws_kms_key.main.arn too"]),
        (READ, "aws_secretsmanager_secret.api", DENIED, ["DENIED: no statement allows it", "main.tf:25"]),
        ("s3:GetObject", "aws_s3_bucket.files", ALLOWED, ["Statement.3"]),
        ("s3:getobject", "arn:aws:s3:::shop-files/a", ALLOWED, ["s3:GetObject"]),
        ("s3:GetBucketLocation", "aws_s3_bucket.files", ALLOWED, ["Statement.4"]),
        ("s3:ListBucket", "aws_s3_bucket.files", DENIED, ["aws_s3_bucket.files.arn"]),
        ("s3:DeleteObject", "aws_s3_bucket.files", DENIED, ["DENIED by a statement", "denied by", "Statement.2"]),
        ("logs:PutLogEvents", "aws_cloudwatch_log_group.app", DENIED, ["warning:   resource-mismatch", ":*"]),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", UNDETERMINED, ["var.partner_arn is unknown"]),
    ],
)
def test_the_answer_and_what_shows_it(shop: Path, action: str, resource: str, code: int, words: list[str]) -> None:
    """The exit code says the decision, the text names the statement behind it."""
    returned, text = run(shop, action, resource)

    assert returned == code, text
    assert [word for word in words if word not in text] == []


def test_what_to_add_as_hcl_and_as_json(shop: Path) -> None:
    """A denial ends with the least statement, by its attribute in HCL and by its ARN in JSON."""
    code, text = run(shop, READ, "aws_secretsmanager_secret.api")

    assert code == DENIED
    _, addition = text.split("To allow it, add to aws_iam_role_policy.app")
    hcl, document = addition.split("The same as JSON:")
    assert "aws_secretsmanager_secret.api.arn" in hcl
    assert json.loads(document) == {
        "Effect": "Allow",
        "Action": [READ],
        "Resource": ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-api-??????"],
    }


def test_no_statement_is_added_to_what_is_denied_or_allowed(shop: Path) -> None:
    """An explicit deny is not fixed by another allow."""
    for action in ("s3:DeleteObject", "s3:GetObject"):
        assert "To allow it" not in run(shop, action, "aws_s3_bucket.files")[1]


def test_condition_keys_of_the_request(shop: Path) -> None:
    """What a Condition asks for is not known unless it is given."""
    key = "kms:ViaService=secretsmanager.eu-west-1.amazonaws.com"
    through = ("--context", key)
    other = ("--context", key.replace("secretsmanager", "ssm"))

    assert run(shop, "kms:Decrypt", "aws_kms_key.main")[0] == UNDETERMINED
    assert run(shop, "kms:Decrypt", "aws_kms_key.main", *through)[0] == ALLOWED
    code, text = run(shop, "kms:Decrypt", "aws_kms_key.main", *other)
    assert code == DENIED
    assert "ssm.eu-west-1.amazonaws.com" in text


def as_json(directory: Path, action: str, resource: str) -> dict[str, Any]:
    """Return what --format json prints."""
    found: dict[str, Any] = json.loads(run(directory, action, resource, "--format", "json")[1])
    return found


def test_json(shop: Path) -> None:
    """JSON holds the decision, the statement with its place, the difference and the addition."""
    allowed = as_json(shop, READ, "aws_secretsmanager_secret.db")
    denied = as_json(shop, READ, "aws_secretsmanager_secret.api")

    assert (allowed["decision"], allowed["kms_key"], allowed["add"]) == ("Allowed", "aws_kms_key.main.arn", None)
    assert denied["decision"] == "ImplicitlyDenied"
    statement = denied["statement"]
    assert (statement["path"], statement["location"]["line"]) == ("Statement.0", 25)
    assert statement["listed"] == "aws_secretsmanager_secret.db.arn"
    assert statement["asked"] == "aws_secretsmanager_secret.api.arn"
    assert denied["add"]["to"] == "aws_iam_role_policy.app"
    assert denied["add"]["json"]["Action"] == [READ]


@pytest.mark.parametrize("role", ["aws_iam_role.app", "shop-app", "arn:aws:iam::111122223333:role/shop-app"])
def test_a_role_goes_by_address_name_or_arn(shop: Path, role: str) -> None:
    """Every name of the role means it."""
    assert run(shop, READ, "aws_secretsmanager_secret.db", role=role)[0] == ALLOWED


@pytest.mark.parametrize(
    ("role", "action", "resource", "more", "words"),
    [
        ("app", READ, "*", (), "did you mean aws_iam_role.app or shop-app or"),
        ("shop-ap", READ, "*", (), "did you mean shop-app or arn:aws:iam::111122223333:role/shop-app?"),
        ("shpo-app", READ, "*", (), "did you mean shop-app?"),
        ("shop-app", "secretsmanager:GetSecretValues", "*", (), "did you mean secretsmanager:GetSecretValue?"),
        ("shop-app", "GetSecretValue", "*", (), "did you mean secretsmanager:GetSecretValue?"),
        ("shop-app", "s3:*", "*", (), "an action without wildcards"),
        ("shop-app", READ, "aws_secretsmanager_secret.dp", (), "did you mean aws_secretsmanager_secret.db?"),
        ("shop-app", READ, "*", ("--env", "prd"), "did you mean `prod`?"),
        ("shop-app", READ, "*", ("--context", "team"), "--context must be KEY=VALUE"),
        ("shop-app", READ, "*", ("--plan", "absent.json"), "absent.json"),
    ],
)
def test_what_does_not_exist(  # noqa: PLR0917 - the columns of a table
    shop: Path, role: str, action: str, resource: str, more: tuple[str, ...], words: str
) -> None:
    """A mistyped role, action, resource or environment is an error that names the one that was meant."""
    code, text = run(shop, action, resource, *more, role=role)

    assert (code, words in text) == (WRONG, True), text


def test_a_plan_file(shop: Path) -> None:
    """With --plan the answer is that of the plan, whose values win over those of the source."""
    statement = {"Effect": "Allow", "Action": READ, "Resource": "arn:aws:secretsmanager:*:*:secret:shop-api-??????"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    resources = [
        planned("aws_iam_role.app", name="shop-app", assume_role_policy=json.dumps({"Statement": []})),
        planned("aws_iam_role_policy.app", role="shop-app", policy=policy),
        planned("aws_secretsmanager_secret.api", name="shop-api"),
    ]
    changes = [
        {**{key: item[key] for key in ("address", "mode", "type", "name", "provider_name")}, "change": change(item)}
        for item in resources
    ]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {},
    }
    (shop / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    assert run(shop, READ, "aws_secretsmanager_secret.api")[0] == DENIED
    assert run(shop, READ, "aws_secretsmanager_secret.api", "--plan", "plan.json")[0] == ALLOWED


def planned(address: str, **values: Any) -> dict[str, Any]:
    """Return a resource of planned_values."""
    type_, name = address.split(".")
    kind = {"address": address, "mode": "managed", "type": type_, "name": name, "schema_version": 0}
    return {**kind, "provider_name": "registry.terraform.io/hashicorp/aws", "values": values}


def change(item: dict[str, Any]) -> dict[str, Any]:
    """Return the change that creates a resource."""
    return {"actions": ["create"], "before": None, "after": item["values"], "after_unknown": {"arn": True}}


def test_the_incident() -> None:
    """The answer of the incident is at the policy document, in a module that has to be given the ARN."""
    role, secret = "module.iam.aws_iam_role.execution", "module.ecs.aws_secretsmanager_secret.refresh_token"

    code, text = run(INCIDENT, READ, secret, "--env", "prod", role=role)

    assert code == DENIED
    assert "To allow it, add to module.iam.data.aws_iam_policy_document.read_secrets" in text
    assert "var.refresh_token_arn" in text


def test_a_role_of_another_stack(shop: Path) -> None:
    """With --snapshot a role that is not in the plan goes by ARN or name; a wrong name says where it was looked for."""
    document = allow(READ, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-db-??????")
    (shop / "iam.json").write_text(export(role("shared", {"read": document})), encoding="utf-8")
    given = ("--snapshot", "iam.json")
    for name in ("shared", "arn:aws:iam::111122223333:role/shared"):
        code, text = run(shop, READ, "aws_secretsmanager_secret.db", *given, role=name)
        assert ALLOWED == code, text
        assert "arn:aws:iam::111122223333:role/shared inline policy read Statement.0 (iam.json:" in text
        assert DENIED == run(shop, READ, "aws_secretsmanager_secret.api", *given, role=name)[0]
    code, text = run(shop, READ, "aws_secretsmanager_secret.db", *given, role="shard")
    assert WRONG == code
    assert "shard is not in iam.json (IAM of account 111122223333" in text
    code, text = run(shop, READ, "aws_secretsmanager_secret.db", "--snapshot", "main.tf", role="shared")
    assert (WRONG, True) == (code, "main.tf:1:1: the file is not JSON" in text)


def test_a_broken_plan_file_is_named_from_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is the user's, not one below the contract."""
    write(
        tmp_path / "infra",
        {"infraspec.toml": '[project]\napplication = "a"\n[environments.prod]\nroot = "."\n', "main.tf": ""},
    )
    (tmp_path / "plan.json").touch()
    monkeypatch.chdir(tmp_path)
    asked = ["--role", "r", "--action", "s3:GetObject", "--resource", "*"]
    result = CliRunner().invoke(main, ["explain", "--infra", "infra", "--plan", "plan.json", *asked])

    assert result.exit_code == 2
    assert result.stderr.startswith("PlanError: plan.json: the file is empty")


def test_an_attachment_that_iam_refuses_is_no_policy_to_extend(tmp_path: Path) -> None:
    """An attachment that names its role by an ARN gives it nothing: the name is the remedy, not a statement there."""
    attachment = """
        resource "aws_iam_role" "other" {
          name               = "shop-other"
          assume_role_policy = "{}"
        }
        resource "aws_iam_policy" "read" {
          policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = "*" }] })
        }
        resource "aws_iam_role_policy_attachment" "read" {
          role       = aws_iam_role.other.arn
          policy_arn = aws_iam_policy.read.arn
        }
        """
    shop = write(tmp_path, {**SHOP, "other.tf": attachment})
    code, text = run(shop, "sqs:SendMessage", "*", role="shop-other")

    assert DENIED == code, text
    assert "which IAM does not take for a name: name aws_iam_role.other.name instead" in text
    assert "To allow it, add to a policy of aws_iam_role.other:" in text
