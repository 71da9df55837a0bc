"""Rule `policies` over plans built by hand, from source and from a plan file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.policies.policies import check_policies
from infraspec.contract.models import Contract
from infraspec.core.errors import EvaluationError
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.ecs.task_definition import task_definitions
from infraspec.iam.lint.faults import FINDINGS
from infraspec.terraform.environments import from_bytes
from infraspec.terraform.plan import Plan, Resource
from tests.terraform.sources import plan_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROLE = """
    resource "aws_iam_role" "app" {
      name               = "app"
      assume_role_policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "111122223333" } }]
      })
    }
"""


def contract(**policies: Any) -> Contract:
    """Return a contract with a `[policies]` table."""
    return Contract.model_validate(
        {
            "project": {"application": "app"},
            "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}},
            "policies": policies,
        }
    )


def resource(address: str, **values: Value) -> Resource:
    """Build an instance whose attributes are located by their path."""
    type_, name = address.split(".")
    at = Location("main.tf", 1)
    return Resource(
        address, "managed", type_, name, None, "", values, "aws", at, (), lambda path: Location(path, len(path))
    )


def document(*statements: Value) -> str:
    """Return the text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def findings(*resources: Resource, **policies: Any) -> list[Finding]:
    """Check a plan of these resources."""
    plan = Plan("source", resources, account=ACCOUNT, region=REGION)
    return check_policies(plan, task_definitions(plan), contract(**policies), "prod")


def of(found: list[Finding], kind: str) -> list[Finding]:
    """Return the findings of a kind."""
    return [finding for finding in found if f" {kind}" in f" {finding.subject}"]


def checked(directory: Path, source: str, **policies: Any) -> list[Finding]:
    """Check the plan of Terraform source."""
    plan = plan_of(directory, source)
    return check_policies(plan, task_definitions(plan), contract(**policies), "prod")


@pytest.mark.parametrize(
    ("address", "attribute"),
    [
        ("aws_iam_policy.p", "policy"),
        ("aws_iam_role_policy.p", "policy"),
        ("aws_iam_user_policy.p", "policy"),
        ("aws_iam_group_policy.p", "policy"),
        ("aws_ssoadmin_permission_set_inline_policy.p", "inline_policy"),
    ],
)
def test_policies_of_principals_are_found(address: str, attribute: str) -> None:
    """The text of every resource that gives a principal permissions is looked at."""
    (finding,) = findings(resource(address, **{attribute: document(ALLOW_ALL)}))

    assert (finding.verdict, finding.address) == (Verdict.VIOLATED, address)
    assert finding.subject == f'{attribute} Statement.0: full-access "*"'


@pytest.mark.parametrize(
    ("address", "attribute"),
    [
        ("aws_secretsmanager_secret.p", "policy"),
        ("aws_secretsmanager_secret_policy.p", "policy"),
        ("aws_kms_key.p", "policy"),
        ("aws_kms_key_policy.p", "policy"),
        ("aws_s3_bucket_policy.p", "policy"),
        ("aws_sns_topic_policy.p", "policy"),
        ("aws_sqs_queue_policy.p", "policy"),
        ("aws_ecr_repository_policy.p", "policy"),
        ("aws_opensearch_domain_policy.p", "access_policies"),
        ("aws_iam_role.p", "assume_role_policy"),
    ],
)
def test_policies_of_resources_are_found(address: str, attribute: str) -> None:
    """The text of every resource that says who may use it is looked at."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}

    assert of(findings(resource(address, **{attribute: document(statement)})), "public-access")


def test_inline_policies_of_a_role_and_policies_of_the_organization() -> None:
    """A role's blocks are looked at one by one; a tag policy of an organization is no IAM policy."""
    role = resource("aws_iam_role.app", inline_policy=[{"name": "a", "policy": document(ALLOW_ALL)}])
    tags = resource("aws_organizations_policy.tags", type="TAG_POLICY", content='{"tags": {}}')
    limit = resource("aws_organizations_policy.limit", content=document({**ALLOW_ALL, "Action": "s3:Gte*"}))

    found = findings(role, tags, limit)

    assert [finding.address for finding in found] == ["aws_iam_role.app", "aws_organizations_policy.limit"]
    assert found[0].location == Location("inline_policy.0.policy.Statement.0", 34)
    assert "unknown-action s3:Gte*" in found[1].subject


def test_a_search_domain_in_a_vpc_is_not_public() -> None:
    """A domain that is reached from its VPC alone may let everybody in, one with a public endpoint may not."""
    text = document({"Effect": "Allow", "Principal": "*", "Action": "es:*", "Resource": "*"})
    public = resource("aws_opensearch_domain.search", access_policies=text)
    within = resource("aws_opensearch_domain.search", access_policies=text, vpc_options=[{"subnet_ids": ["subnet-1"]}])
    apart = resource("aws_opensearch_domain_policy.search", access_policies=text)

    assert of(findings(public), "public-access")
    assert not of(findings(within, apart), "public-access")


def test_a_permissions_boundary_may_allow_everything() -> None:
    """A boundary limits; a policy that is attached too does not."""
    boundary = resource("aws_iam_policy.limit", policy=document(ALLOW_ALL))
    role = resource("aws_iam_role.app", permissions_boundary=Unknown("aws_iam_policy.limit.arn"))
    attachment = resource("aws_iam_role_policy_attachment.app", policy_arn=Unknown("aws_iam_policy.limit.arn"))

    assert [finding.verdict for finding in findings(boundary, role)] == [Verdict.PROVEN]
    assert [finding.verdict for finding in findings(boundary, role, attachment)] == [Verdict.VIOLATED]


def test_the_contract_says_what_a_finding_does() -> None:
    """A finding fails, advises or is passed over, as `[policies.severity]` says."""
    policy = resource("aws_iam_policy.p", policy=document(ALLOW_ALL))

    (failing,) = findings(policy)
    (advising,) = findings(policy, severity={"full-access": "advise"})
    (ignored,) = findings(policy, severity={"full-access": "ignore"})

    assert (failing.verdict, failing.advice) == (Verdict.VIOLATED, False)
    assert (advising.verdict, advising.advice) == (Verdict.PROVEN, True)
    assert (ignored.verdict, ignored.advice, ignored.reason) == (Verdict.PROVEN, False, "no fault in 1 statement")


def test_what_is_not_certain_advises_unless_the_contract_says_otherwise() -> None:
    """A mismatch that the reference alone shows is advice; the contract can make it fail."""
    listing = {"Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "arn:aws:ecs:*:*:task-definition/app:1"}
    policy = resource("aws_iam_policy.p", policy=document(listing))

    assert [finding.advice for finding in findings(policy)] == [True]
    assert [f.verdict for f in findings(policy, severity={"resource-mismatch": "fail"})] == [Verdict.VIOLATED]


def test_unknown_parts_are_not_accused() -> None:
    """An unknown effect, action, resource, condition or principal may be right."""
    unknown = Unknown("var.any")
    statements = [
        {"Effect": unknown, "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": unknown, "Resource": "arn:aws:s3:::b"},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [unknown, Text(("arn:aws:s3:::", unknown))]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [Text((unknown, "/x"))]},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": unknown},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b", "Condition": {"StringEquals": unknown}},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": [
            Text(("secretsmanager.", unknown, ".amazonaws.com"))]}}},
    ]  # fmt: skip
    key = resource(
        "aws_kms_key.p",
        policy=JsonText({"Statement": [{"Effect": "Allow", "Principal": unknown, "Action": "kms:*", "Resource": "*"}]}),
    )

    found = findings(
        resource("aws_iam_policy.p", policy=JsonText({"Version": "2012-10-17", "Statement": statements})), key
    )

    assert [(finding.verdict, finding.advice) for finding in found] == [(Verdict.PROVEN, False)] * 2


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Unknown("module.remote.policy"), "module.remote.policy is unknown"),
        (Sensitive("var.policy", document(ALLOW_ALL)), "var.policy is sensitive"),
    ],
)
def test_a_document_of_which_nothing_is_known_is_undetermined(value: Value, words: str) -> None:
    """It is not passed over, and it is not proven."""
    (finding,) = findings(resource("aws_iam_policy.p", policy=value))

    assert (finding.verdict, finding.found) == (Verdict.UNDETERMINED, words)
    assert finding.remedy


def test_a_malformed_document_is_a_finding_of_its_own() -> None:
    """It names file, resource and the path in the JSON, no contract makes less of it, and all others are judged."""
    wrong = resource("aws_iam_policy.one", policy=document({"Effect": "allow", "Action": "s3:*", "Resource": "*"}))
    broken = resource("aws_iam_policy.two", policy='{"Statement": [}')
    every = dict.fromkeys(FINDINGS, "ignore")

    found = findings(wrong, broken, resource("aws_iam_policy.three", policy=document(ALLOW_ALL)), severity=every)

    assert [(one.verdict, one.key) for one in found] == [
        (Verdict.VIOLATED, "aws_iam_policy.one policy Statement.0.Effect: malformed"),
        (Verdict.VIOLATED, "aws_iam_policy.two policy: malformed"),
        (Verdict.PROVEN, "aws_iam_policy.three policy"),
    ]
    effect, syntax, _ = found
    assert effect.location == Location("policy.Statement.0.Effect", 25)
    assert (effect.expected, effect.found) == ("Allow or Deny", "allow")
    assert effect.reason == "AWS rejects it: a statement's Effect is Allow or Deny"
    assert "line 1, column 16" in syntax.found
    assert all(one.remedy for one in (effect, syntax))


def test_a_value_that_cannot_be_had_is_an_error() -> None:
    """An error of the source is no fault of a policy."""

    class Wrong(dict[str, Value]):
        def get(self, key: str, default: Value = None) -> Value:
            raise EvaluationError("no value", place=f"main.tf:1: {key}", remedy=str(default))

    wrong = replace(resource("aws_iam_policy.one"), values=Wrong(policy=""))
    with pytest.raises(EvaluationError):
        findings(wrong)


def test_a_secret_with_more_after_its_arn(tmp_path: Path) -> None:
    """`"${aws_secretsmanager_secret.db.arn}-*"` matches nothing, `*` alone after the ARN does."""
    source = """
        resource "aws_secretsmanager_secret" "db" { name = "db" }
        resource "aws_iam_policy" "read" {
          name   = "read"
          policy = jsonencode({
            Version = "2012-10-17"
            Statement = [
              { Effect = "Allow", Action = "secretsmanager:*", Resource = aws_secretsmanager_secret.db.arn },
              { Effect = "Allow", Action = "secretsmanager:*", Resource = "${aws_secretsmanager_secret.db.arn}*" },
              {
                Effect   = "Allow"
                Action   = "secretsmanager:GetSecretValue"
                Resource = [
                  "${aws_secretsmanager_secret.db.arn}-*",
                ]
              },
            ]
          })
        }
    """

    (finding,) = checked(tmp_path, source)

    assert "resource-mismatch ${aws_secretsmanager_secret.db.arn}-*" in finding.subject
    assert finding.remedy == "use aws_secretsmanager_secret.db.arn"
    assert finding.location is not None
    assert (Path(finding.location.file).name, finding.location.line) == ("main.tf", 14)


def test_a_log_group_by_its_attribute(tmp_path: Path) -> None:
    """The ARN attribute of a log group has no `:*`: log events need it, and the fix can be pasted."""
    source = """
        resource "aws_cloudwatch_log_group" "app" { name = "/ecs/app" }
        data "aws_iam_policy_document" "write" {
          statement {
            actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
            resources = [aws_cloudwatch_log_group.app.arn]
          }
        }
        resource "aws_iam_policy" "write" {
          name   = "write"
          policy = data.aws_iam_policy_document.write.json
        }
    """

    (finding,) = checked(tmp_path, source)

    assert finding.verdict is Verdict.VIOLATED
    assert finding.remedy == 'log streams come after a colon: use "${aws_cloudwatch_log_group.app.arn}:*"'
    assert (finding.location.line if finding.location else 0) == 4


@pytest.mark.parametrize(
    ("address", "attribute", "limit", "words"),
    [
        ("aws_iam_policy.p", "policy", 6_144, "at most 6,144 characters"),
        ("aws_iam_role_policy.p", "policy", 10_240, "at most 10,240 characters in all inline policies"),
        ("aws_iam_user_policy.p", "policy", 2_048, "at most 2,048 characters in all inline policies"),
        ("aws_iam_group_policy.p", "policy", 5_120, "at most 5,120 characters in all inline policies"),
        ("aws_s3_bucket_policy.p", "policy", 20_480, "at most 20,480 characters"),
        ("aws_kms_key.p", "policy", 32_768, "at most 32,768 characters"),
        ("aws_secretsmanager_secret_policy.p", "policy", 20_480, "at most 20,480 characters"),
    ],
)
def test_a_policy_that_is_too_long(address: str, attribute: str, limit: int, words: str) -> None:
    """A policy of the most characters is accepted, one more is not; white space does not count."""
    principal = {} if "_iam_" in address else {"Principal": {"AWS": ACCOUNT}}

    def text(size: int) -> str:
        bare = json.dumps({"Statement": [{"Effect": "Deny", **principal, "Action": "*", "Resource": "*", "Sid": ""}]})
        padded = bare.replace('"Sid": ""', f'"Sid": "{"x" * (size - len("".join(bare.split())))}"')
        assert len("".join(padded.split())) == size
        return padded + "\n" * 100

    assert not of(findings(resource(address, **{attribute: text(limit)})), "too-long")
    (finding,) = of(findings(resource(address, **{attribute: text(limit + 1)})), "too-long")
    assert finding.expected.startswith(words)
    assert finding.found == f"at least {limit + 1:,}"


def test_inline_policies_of_one_role_count_together() -> None:
    """Two policies of a role that are short enough apart may be too long together, however the role is named."""
    half = document({"Effect": "Deny", "Action": "*", "Resource": "*", "Sid": "x" * 6_000})
    role = resource("aws_iam_role.app", name="app")
    first = resource("aws_iam_role_policy.one", role=Unknown("aws_iam_role.app.id"), policy=half)
    second = resource("aws_iam_role_policy.two", role="app", policy=half)
    other = resource("aws_iam_role_policy.other", role="other", policy=half)

    found = of(findings(role, first, second, other), "too-long")

    assert [finding.address for finding in found] == ["aws_iam_role_policy.two"]


def test_a_long_trust_policy_is_advice_while_the_quota_can_be_raised() -> None:
    """Between the quota and what it can be raised to nobody can tell."""

    def trust(size: int) -> Resource:
        statement = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Sid": "x" * size}
        return resource("aws_iam_role.app", assume_role_policy=document(statement))

    assert [(f.verdict, f.advice) for f in findings(trust(3_000))] == [(Verdict.PROVEN, True)]
    assert [(f.verdict, f.advice) for f in findings(trust(9_000))] == [(Verdict.VIOLATED, False)]


BROAD = (
    ROLE
    + """
    resource "aws_secretsmanager_secret" "db" { name = "db" }
    resource "aws_iam_role_policy" "start" {
      role   = aws_iam_role.app.id
      policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "RESOURCE" }]
      })
    }
    resource "aws_ecs_task_definition" "app" {
      family                = "app"
      execution_role_arn    = aws_iam_role.app.arn
      container_definitions = jsonencode([{
        name    = "app", image = "nginx:1"
        secrets = [{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }]
      }])
    }
    """
)


@pytest.mark.parametrize(
    ("listed", "broad"),
    [
        ("*", True),
        (f"{SECRET}*", True),
        ("arn:aws:secretsmanager:*:*:secret:*", True),
        (f"{SECRET}app-*", False),
        ("${aws_secretsmanager_secret.db.arn}", False),
    ],
)
def test_secrets_that_an_execution_role_does_not_need(tmp_path: Path, listed: str, *, broad: bool) -> None:
    """Where the task definition names its secrets, a role that may read all of them is told which it needs."""
    found = of(checked(tmp_path, BROAD.replace("RESOURCE", listed)), "broader-than-needed")

    assert bool(found) is broad
    for finding in found:
        assert finding.advice
        assert "aws_secretsmanager_secret.db.arn" in finding.remedy
        assert "Statement.0" in finding.subject


def test_a_condition_may_narrow_what_an_execution_role_reads(tmp_path: Path) -> None:
    """What a Condition leaves of a wide statement is not known."""
    condition = 'Condition = { StringEquals = { "aws:ResourceTag/app" = "shop" } }'
    source = BROAD.replace('Resource = "RESOURCE"', f'Resource = "*", {condition}')

    assert not of(checked(tmp_path, source), "broader-than-needed")


def test_a_plan_file_is_judged_as_its_source_is() -> None:
    """The JSON of `terraform show` gives the same findings, by address."""
    values = {"name": "p", "policy": document({"Effect": "Allow", "Action": "s3:GetObjects", "Resource": "*"})}
    known = {"address": "aws_iam_policy.p", "mode": "managed", "type": "aws_iam_policy", "name": "p"}
    known["provider_name"] = "registry.terraform.io/hashicorp/aws"
    change = {"actions": ["create"], "before": None, "after": values, "after_unknown": {"arn": True}}
    planned = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [{**known, "schema_version": 0, "values": values}]}},
        "resource_changes": [{**known, "change": change}],
        "configuration": {},
    }
    plan = from_bytes(json.dumps(planned).encode(), "plan.json")

    (finding,) = check_policies(plan, (), contract(), "prod")

    assert finding.address == "aws_iam_policy.p"
    assert finding.remedy == "did you mean s3:GetObject?"


def test_the_remedy_is_written_for_the_module_of_the_policy(tmp_path: Path) -> None:
    """What stands in the module of the policy is named as it is named there, ready to paste."""
    source = """
    resource "aws_cloudwatch_log_group" "app" { name = "app" }
    resource "aws_iam_policy" "logs" {
      name   = "logs"
      policy = jsonencode({
        Version   = "2012-10-17"
        Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = aws_cloudwatch_log_group.app.arn }]
      })
    }
    """
    files = {"main.tf": 'module "job" {\n  for_each = toset(["a"])\n  source = "./job"\n}\n', "job/main.tf": source}
    (finding,) = check_policies(plan_of(tmp_path, files), (), contract(), "prod")
    assert finding.remedy == 'log streams come after a colon: use "${aws_cloudwatch_log_group.app.arn}:*"'


def _given(tmp_path: Path, text: str) -> dict[str, str]:
    found = check_policies(plan_of(tmp_path, {"main.tf": text}), (), contract(), "prod")
    return {one.address.rpartition(".")[2]: "advice" if one.advice else one.verdict.name.lower() for one in found}


def test_a_statement_that_is_written_as_arguments_is_judged(tmp_path: Path) -> None:
    """Everybody may not be named without a condition, neither for a function, a layer nor an event bus."""
    text = """
        resource "aws_lambda_permission" "open" {
          function_name = "import"
          action        = "lambda:InvokeFunction"
          principal     = "*"
        }
        resource "aws_lambda_permission" "misspelt" {
          function_name = "import"
          action        = "lambda:InvokeFuntion"
          principal     = "s3.amazonaws.com"
        }
        resource "aws_lambda_permission" "organization" {
          function_name    = "import"
          action           = "lambda:InvokeFunction"
          principal        = "*"
          principal_org_id = "o-a1b2c3d4e5"
        }
        resource "aws_lambda_permission" "service" {
          function_name = "import"
          action        = "lambda:InvokeFunction"
          principal     = "s3.amazonaws.com"
          source_arn    = "arn:aws:s3:::uploads"
        }
        resource "aws_lambda_permission" "url" {
          function_name          = "import"
          action                 = "lambda:InvokeFunctionUrl"
          principal              = "*"
          function_url_auth_type = "NONE"
        }
        resource "aws_lambda_layer_version_permission" "layer" {
          layer_name     = "tools"
          version_number = 1
          statement_id   = "all"
          action         = "lambda:GetLayerVersion"
          principal      = "*"
        }
        resource "aws_cloudwatch_event_permission" "bus" {
          principal    = "*"
          statement_id = "all"
        }
        resource "aws_cloudwatch_event_permission" "members" {
          principal    = "*"
          statement_id = "members"
          condition {
            key   = "aws:PrincipalOrgID"
            type  = "StringEquals"
            value = "o-a1b2c3d4e5"
          }
        }
        resource "aws_cloudwatch_event_permission" "account" {
          principal    = "123456789012"
          statement_id = "account"
        }
    """

    assert _given(tmp_path, text) == {
        "open": "violated",
        "misspelt": "violated",
        "organization": "proven",
        "service": "proven",
        "url": "advice",
        "layer": "violated",
        "bus": "violated",
        "members": "proven",
        "account": "proven",
    }


@pytest.mark.parametrize(
    ("principal", "condition", "verdict"),
    [
        ("{ AWS = var.who }", "", Verdict.UNDETERMINED),
        ("{ AWS = [var.who, aws_iam_role.app.arn] }", "", Verdict.UNDETERMINED),
        ("var.whole", "", Verdict.UNDETERMINED),
        ("{ AWS = var.who }", 'StringEquals = { "aws:SourceAccount" = "111122223333" }', Verdict.PROVEN),
        ("{ AWS = aws_iam_role.app.arn }", "", Verdict.PROVEN),
        ('{ AWS = "arn:aws:iam::${var.who}:root" }', "", Verdict.PROVEN),
        ("{ Service = var.who }", "", Verdict.PROVEN),
    ],
)
def test_a_principal_of_which_nothing_is_known_may_be_everybody(
    tmp_path: Path, principal: str, condition: str, verdict: Verdict
) -> None:
    """An ARN that a resource gets never is, nor is one of which a part is known."""
    source = f"""
variable "who" {{}}
variable "whole" {{}}
resource "aws_sns_topic" "alerts" {{
  name = "app-alerts"
}}
resource "aws_sns_topic_policy" "alerts" {{
  arn    = aws_sns_topic.alerts.arn
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alerts.arn
      Principal = {principal}
      {f"Condition = {{ {condition} }}" if condition else ""}
    }}]
  }})
}}
"""
    found = checked(tmp_path, source + ROLE)
    assert [verdict] == [one.verdict for one in found if one.address == "aws_sns_topic_policy.alerts"]
