"""Why something is unknown, as source, plan, files, policies and AWS make it, and what makes it known."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

import infraspec
from infraspec import contract as contracts
from infraspec.checks.access.access_decisions import Keys
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.contract.models import Contract
from infraspec.core import unknown
from infraspec.core.errors import ResourceRefusalError
from infraspec.core.finding import Verdict
from infraspec.core.rules import RULES
from infraspec.core.unknown import AliasTarget, Cause, Unknown, is_known, sources, unknowns
from infraspec.ecs.task_definition import task_definitions, with_placeholders
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.settings import read_settings
from infraspec.terraform.environments import Environments, from_bytes
from infraspec.terraform.provider.known_data import KnownData
from tests.live.test_builders import exists
from tests.terraform.sources import output_of, plan_of, write
from tests.whole_results import Transcript

PACKAGE = Path(infraspec.__path__[0])
CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {"root": "."}}})
RENDERED = 'output "value" { value = VALUE }\n'
MODULES = 'module "app" { source = "acme/app/aws" }\n'
DATA = 'data "aws_vpc" "main" {}\ndata "aws_ami" "it" {\n  for_each = toset(["a"])\n}\n'
STATE = 'data "terraform_remote_state" "iam" {\n  backend = "s3"\n}\n'
VARIABLES = 'variable "tag" {}\nvariable "many" { type = list(string) }\nvariable "on" { type = bool }\n'
FROM_SOURCE = [
    ("var.tag", "MissingVariable", "give var.tag a value: [environments.NAME.variables]"),
    ('"${upper(var.tag)}-x"', "MissingVariable", "give var.tag a value"),
    ("[for one in var.many : upper(one)]", "MissingVariable", "give var.many a value"),
    ("{ a = module.app.x, b = 1 }[var.tag]", "MissingVariable", "give var.tag a value"),
    ("lower(aws_kms_key.k.arn) == var.tag", "MissingVariable", "give var.tag a value"),
    ("data.aws_vpc.main.id", "UnreadData", 'name "aws_vpc.main.id" under [known]'),
    ('data.aws_ami.it["a"].arn', "UnreadData", 'name "aws_ami.it.arn" under [known]'),
    ('split(":", data.aws_vpc.main.arn)[4]', "UnreadData", 'name "aws_vpc.main.arn" under [known]'),
    (
        "data.terraform_remote_state.iam.outputs.role",
        "OtherStack",
        'name the output of the other stack, "terraform_remote_state.iam.outputs" = { role = … } under [known]',
    ),
    ("module.app.url", "AbsentModule", "run `infraspec get`, which fetches the module"),
    ("module.app.list[0].name", "AbsentModule", "run `infraspec get`, which fetches the module"),
    ("data.aws_caller_identity.me.account_id", "UnstatedAccount", "set account_id in [environments.NAME]"),
    ("data.aws_region.here.region", "UnstatedRegion", "set region in [environments.NAME]"),
    ("data.aws_caller_identity.other.id", "UnstatedAccount", "set allowed_account_ids of the provider aws.other"),
    ("data.aws_region.other.region", "UnstatedRegion", "set region of the provider aws.other"),
    ("aws_kms_key.k.arn", "None", "give a plan or state file in which aws_kms_key.k.arn is known"),
    ('sensitive("s")', "Withheld", "it is sensitive and not shown"),
    ('var.on ? jsondecode("{}").x : aws_kms_key.k.arn', "MissingVariable", "give var.on a value"),
    ("uuid()", "AfterApply", "give a plan or state file in which uuid() is known"),
    ("ephemeral.random_password.p.result", "AtRunTime", "the ephemeral random_password.p is created at run time"),
]
SOURCE = (
    VARIABLES
    + DATA
    + STATE
    + MODULES
    + """
resource "aws_kms_key" "k" {}
resource "aws_sqs_queue" "q" { count = var.on ? 1 : 0 }
provider "aws" {
  alias = "other"
  profile = "other"
}
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_caller_identity" "other" { provider = aws.other }
data "aws_region" "other" { provider = aws.other }
"""
)


@pytest.mark.parametrize(("expression", "cause", "remedy"), FROM_SOURCE, ids=[case[0] for case in FROM_SOURCE])
def test_what_source_leaves_open(tmp_path: Path, expression: str, cause: str, remedy: str) -> None:
    """Each expression that is not known says what would make it so."""
    value = output_of(tmp_path, SOURCE + RENDERED.replace("VALUE", expression))
    causes = {type(each.cause).__name__.replace("NoneType", "None") for each in sources(next(unknowns(value)))}
    assert cause in causes
    assert how_to_know(next(unknowns(value))).startswith(remedy)


PLAN = {
    "format_version": "1.2",
    "configuration": {"provider_config": {"aws": {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws"}}},
    "resource_changes": [
        {
            "address": 'module.net["a"].data.aws_subnets.all',
            "module_address": 'module.net["a"]',
            "mode": "data",
            "type": "aws_subnets",
            "name": "all",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["read"], "before": None, "after": {}, "after_unknown": {"ids": [True]}},
        },
        {
            "address": "aws_sqs_queue.q",
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": "q",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["create"], "before": None, "after": {}, "after_unknown": {"arn": True}},
        },
    ],
}


def test_what_a_plan_leaves_open() -> None:
    """A data source that is read during apply is to be named, with all of its module; a resource has to be made."""
    read, made = from_bytes(json.dumps(PLAN).encode(), "plan.json").resources
    assert how_to_know(read.get("ids")[0]).startswith('name "module.net.data.aws_subnets.all.ids" under [known]')
    assert "give a plan or state file in which aws_sqs_queue.q.arn is known" == how_to_know(made.get("arn"))


TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
ROLE, POLICY = "arn:aws:iam::111122223333:role/shared", "arn:aws:iam::111122223333:policy/team"
VALUE = "arn:aws:secretsmanager:eu-west-1:{}:secret:{}"
LOGGED = {
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/app", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "x"},
    }
}
READS = {"secrets": [{"name": "DB", "valueFrom": VALUE.format("111122223333", "db-AbCdEf")}]}
STREAM = "arn:aws:logs:eu-west-1:111122223333:log-group:/app:log-stream:x/app/"


def task(
    container: dict[str, Any], statement: dict[str, Any], more: str = "", role: str = "aws_iam_role.own.arn"
) -> str:
    """Return the source of a task definition and of its role, which has a statement."""

    def written(tree: Any) -> str:
        return json.dumps(tree).replace("${", "$${")

    return f"""
provider "aws" {{
  region = "eu-west-1"
}}
resource "aws_iam_role" "own" {{
  name               = "own"
  assume_role_policy = jsonencode({written({"Version": "2012-10-17", "Statement": [TRUST]})})
}}
resource "aws_iam_role_policy" "own" {{
  role   = aws_iam_role.own.id
  policy = jsonencode({written({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})})
}}
resource "aws_ecs_task_definition" "app" {{
  family                = "app"
  execution_role_arn    = {role}
  container_definitions = jsonencode([{written({"name": "app", "image": "public.ecr.aws/x/y:1", **container})}])
}}
{more}"""


def attached(arn: str) -> str:
    """Return the source of what attaches a policy to the role."""
    return f"""
resource "aws_iam_role_policy_attachment" "more" {{
  role       = aws_iam_role.own.name
  policy_arn = "{arn}"
}}
"""


NOTHING = {"Action": "sqs:*", "Resource": "*"}
FROM_POLICIES = {
    "a role elsewhere": (task(LOGGED, NOTHING, role=f'"{ROLE}"'), "bring the role into the plan"),
    "a policy elsewhere": (task(LOGGED, NOTHING, attached(POLICY)), "manage the policy in this root module"),
    "a policy of AWS": (
        task(LOGGED, NOTHING, attached("arn:aws:iam::aws:policy/Unheard")),
        "write the statements of Unheard that are needed into a policy of your own",
    ),
    "a secret of another account": (
        task(
            {"secrets": [{"name": "DB", "valueFrom": VALUE.format("444455556666", "db-AbCdEf")}]},
            {"Action": "*", "Resource": "*"},
        ),
        "see to it that the policy of arn:aws:secretsmanager:eu-west-1:444455556666:secret:db-AbCdEf has this",
    ),
    "a key of a secret elsewhere": (
        task(READS, {"Action": "secretsmanager:*", "Resource": "*"}),
        'set it under [known] of the contract: "aws_secretsmanager_secret.kms_key_id" = ""',
    ),
    "a condition key": (
        task(READS, {"Action": "*", "Resource": VALUE.format("111122223333", "${aws:userid}-*")}),
        "write a statement that does not depend on aws:userid",
    ),
    "a task id": (
        task(LOGGED, {"Action": "*", "Resource": f"{STREAM}a*"}),
        "the task id is created at run time: write a * in its place",
    ),
    "a credential spec": (
        task(
            {"credentialSpecs": ["credentialspecdomainless:arn:aws:s3:::specs/web.json"]},
            {"Action": "*", "Resource": [VALUE.format("111122223333", "db-*"), "arn:aws:s3:::specs/*"]},
        ),
        "check that what the credential spec arn:aws:s3:::specs/web.json names is covered",
    ),
}


@pytest.mark.parametrize(("source", "remedy"), FROM_POLICIES.values(), ids=FROM_POLICIES)
def test_what_policies_leave_open(tmp_path: Path, source: str, remedy: str) -> None:
    """Each finding about access that cannot be decided says what would decide it."""
    plan = plan_of(tmp_path, source, known=KnownData.of({}, account="111122223333"))
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    remedies = [finding.remedy for finding in found if finding.verdict is Verdict.UNDETERMINED]
    assert any(each.startswith(remedy) for each in remedies), remedies


def test_the_key_behind_an_alias(tmp_path: Path) -> None:
    """An alias that the plan has not is to be brought in, or the key named by its ARN."""
    source = 'resource "aws_secretsmanager_secret" "s" {\n  name = "s"\n  kms_key_id = "alias/other"\n}\n'
    plan = plan_of(tmp_path, source)
    attributes = AwsAttributes(plan)
    key = Keys(ArnIndex(attributes)).of("secretsmanager", attributes.narrow(plan.resources[0].reference("arn")))
    assert key is not None
    behind = next(each for each in unknowns(key.arn) if isinstance(each.cause, AliasTarget))
    assert "name the key by its ARN, or bring alias/other and its key into the plan" == how_to_know(behind)


def test_what_a_file_leaves_open() -> None:
    """A placeholder is what a tool fills in; what ecspresso takes from the state is known where the state is."""
    held, placed = with_placeholders(["nginx:<IMAGE_TAG>", "{{ tfstate `aws_lb.web.arn` }}"])
    assert "render the file with IMAGE_TAG set, and name the result in the contract" == how_to_know(held.parts[1])
    assert "give a plan or state file in which aws_lb.web.arn is known" == how_to_know(placed)


def test_what_a_backend_leaves_open(tmp_path: Path) -> None:
    """Terraform reads a backend before it evaluates anything, so its settings are constants."""
    backend = 'terraform {\n  backend "s3" {\n    bucket = "${var.stage}-state"\n  }\n}\n'
    write(tmp_path, {"main.tf": backend})
    bucket = read_settings(tmp_path, Library()).backend.arguments["bucket"]
    assert how_to_know(bucket).startswith('write "${var.stage}-state" as a constant')


def test_what_aws_refuses(tmp_path: Path) -> None:
    """The remedy is that of the refusal, which names the action and the statement that lets the runner in."""

    def refused(**_: object) -> None:
        raise ResourceRefusalError("the runner may not", remedy="allow s3:GetBucketPolicy there")

    buckets = {"Buckets": [{"Name": "app-prod-state"}]}
    answers = {"s3__list_buckets": buckets, "s3__get_bucket_tagging": {}, "s3__get_bucket_policy": refused}
    (policy,) = exists(tmp_path, answers).managed("aws_s3_bucket_policy")
    assert "allow s3:GetBucketPolicy there" == how_to_know(policy.get("policy"))


HELPS: list[tuple[str, dict[str, Any]]] = [
    ("var.tag", {"variables": {"tag": "v1"}}),
    ("data.aws_vpc.main.id", {"known": {"aws_vpc.main.id": "vpc-1"}}),
    ('data.aws_ami.it["a"].arn', {"known": {"aws_ami.it.arn": "arn"}}),
    (
        "data.terraform_remote_state.iam.outputs.role",
        {"known": {"terraform_remote_state.iam.outputs": {"role": "arn:aws:iam::111122223333:role/x"}}},
    ),
    ("data.aws_caller_identity.me.account_id", {"account_id": "111122223333"}),
    ("data.aws_region.here.region", {"region": "eu-west-1"}),
]


@pytest.mark.parametrize(("expression", "said"), HELPS, ids=[case[0] for case in HELPS])
def test_a_remedy_helps(tmp_path: Path, expression: str, said: dict[str, Any]) -> None:
    """What the contract says as the remedy asks for is known from then on."""
    write(tmp_path, {"dev/main.tf": SOURCE + RENDERED.replace("VALUE", expression)})
    values = []
    for environment in ({"root": "dev"}, {"root": "dev", **said}):
        content = {"project": {"application": "app"}, "environments": {"dev": environment}}
        contract = Contract.model_validate(content).model_copy(update={"path": tmp_path / "infraspec.toml"})
        values.append(Environments(contract, environ={}).plan("dev").outputs["value"])
    assert [False, True] == [is_known(value) for value in values]


def test_each_cause_has_its_words(transcript: Transcript) -> None:
    """With names of its own, and as much of it as is known."""
    given: list[Cause] = [
        unknown.AfterApply(),
        unknown.MissingVariable("size"),
        unknown.MissingVariable("size", "module.api"),
        unknown.UnreadData("data.aws_vpc.main", "id"),
        unknown.OtherStack("data.terraform_remote_state.base", "outputs", "vpc"),
        unknown.OtherStack("data.terraform_remote_state.base", "outputs"),
        unknown.AbsentModule("module.api"),
        unknown.UnstatedAccount("aws"),
        unknown.UnstatedAccount("aws.other"),
        unknown.UnstatedRegion("aws"),
        unknown.UnstatedRegion("aws.other"),
        unknown.ComputedFrom((Unknown("var.size", unknown.MissingVariable("size")), Unknown("local.x")), "join"),
        unknown.NoConstant("var.bucket"),
        unknown.ConditionKey("aws:SourceIp"),
        unknown.RolePolicies("shared"),
        unknown.PolicyContent("arn:aws:iam::111122223333:policy/read"),
        unknown.PolicyContent("arn:aws:iam::aws:policy/ReadOnlyAccess", of_aws=True),
        unknown.PolicyElsewhere("aws_kms_key.main"),
        unknown.EncryptionKey("aws_secretsmanager_secret.db", "kms_key_id"),
        unknown.AliasTarget("alias/app"),
        unknown.Contested("take one of them out"),
        unknown.RefusedRead("let the runner read it"),
        unknown.UnreadFile(".tflint.hcl"),
        unknown.Placeholder("IMAGE"),
        unknown.AtRunTime("the key of the object"),
        unknown.BeyondLimit("write fewer of them"),
        unknown.Erroneous("main.tf:3:5: an expression is missing"),
        unknown.Withheld(),
    ]
    assert {type(cause) for cause in given} == {*get_args(Cause)}
    transcript([f"{type(cause).__name__}: {how_to_know(Unknown('it.is', cause))}" for cause in given])


def test_the_causes_are_closed() -> None:
    """Every cause has a case of its own in the remedies, and nothing else is one."""
    names = {cause.__name__ for cause in get_args(Cause)}
    cases = {
        node.cls.attr
        for node in ast.walk(ast.parse((PACKAGE / "checks/common/unknown_remedies.py").read_text()))
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Attribute)
    }
    assert names == cases


def constructions() -> Iterator[tuple[str, ast.Call]]:
    """Yield every place of the package that makes an Unknown, with what it passes."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Unknown":
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_an_unknown_in_words_has_a_cause() -> None:
    """An address that is no reference, but a sentence about something, is no reason: the cause is."""
    bare = []
    for place, call in constructions():
        pieces = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
        if len(call.args) == 1 and any(isinstance(piece, str) and " " in piece for piece in pieces):
            bare.append(place)
    assert [] == bare


def test_the_unknowns_of_the_reference_have_causes() -> None:
    """Whatever the reference leaves open, in each environment, has a cause unless it is a plain reference."""
    contract = contracts.load(Path("fixtures/daily-report-tool"), rules=RULES, environments=[])
    for name in contract.environments:
        plan = Environments(contract, environ={}).plan(name)
        found = [each for resource in plan.resources for each in unknowns(dict(resource.values))]
        assert [] == [each.address for each in found if each.cause is None and {*" (="} & {*each.address}]
