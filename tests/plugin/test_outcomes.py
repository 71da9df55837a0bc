"""Verdicts become outcomes: proven passes, violated fails with its evidence, undetermined never passes."""

import re
from pathlib import Path

import pytest

from infraspec.core.rules import RULES
from tests.plugin.project import (
    CONTRACT,
    INCIDENT,
    MINIMAL,
    REFERENCE,
    ROOT,
    Project,
    assert_not_passed,
    run_suite,
    text_of,
)

WAIVER = """
[[waivers]]
rule = "secret-access"
address = "*"
reason = "the policy follows"
owner = "platform-team"
expires = {expires}
"""

NOT_ALLOWED = (MINIMAL / "main.tf").read_text(encoding="utf-8")
NOT_ALLOWED = NOT_ALLOWED.replace("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
REGISTRY = (MINIMAL / "main.tf").read_text(encoding="utf-8") + 'module "vpc" { source = "example/vpc/aws" }\n'


def test_reference_infrastructure_is_proven(pytester: pytest.Pytester) -> None:
    """The reference infrastructure passes in its three environments, with a table of the verdicts."""
    result = run_suite(pytester, REFERENCE)

    assert_not_passed(result)
    for environment in ("dev", "staging", "prod"):
        result.stdout.re_match_lines([rf"{environment}\s+secret-access\s+[1-9]\d*\s+-\s+-\s+-"])


def test_incident_is_violated(pytester: pytest.Pytester) -> None:
    """The incident fails in each environment with container, secret, role, statement, both lines and the fix."""
    result = run_suite(pytester, INCIDENT, "--infraspec-env", "prod")

    assert_not_passed(result, failed=1)
    text = text_of(result)
    for fragment in (
        "VIOLATED secret-access",
        'container "app"',
        "REFRESH_TOKEN_KEY",
        "refresh_token",
        "terraform/modules/ecs/main.tf:",
        "terraform/modules/iam/main.tf:",
        "secretsmanager:GetSecretValue",
        "module.iam.aws_iam_role.execution",
    ):
        assert fragment in text
    assert "Traceback" not in text


def test_incident_differs_in_one_change() -> None:
    """The incident is the reference infrastructure with the change of one file."""
    names = {path.relative_to(REFERENCE) for path in REFERENCE.rglob("*") if path.is_file()}
    others = {path.relative_to(INCIDENT) for path in INCIDENT.rglob("*") if path.is_file()}
    different = [name for name in names if (REFERENCE / name).read_bytes() != (INCIDENT / name).read_bytes()]

    assert names == others
    assert [Path("terraform/modules/ecs/main.tf")] == different


def test_violation_fails_without_traceback(pytester: pytest.Pytester) -> None:
    """A violated rule fails the test, and the report is the finding itself."""
    result = Project({"main.tf": NOT_ALLOWED}).run(pytester)

    assert_not_passed(result, failed=1)
    text = text_of(result)
    assert "VIOLATED secret-access: aws_ecs_task_definition.hello" in text
    assert "Traceback" not in text
    assert "def test_" not in text


def test_undetermined_fails_by_default(pytester: pytest.Pytester) -> None:
    """What cannot be decided fails, and says what is not known."""
    result = Project({"main.tf": REGISTRY}).run(pytester)

    assert_not_passed(result, failed=1)
    assert "UNDETERMINED source" in text_of(result)


def test_undetermined_as_a_warning_is_no_pass(pytester: pytest.Pytester) -> None:
    """With undetermined = "warn" the test is an expected failure: visible, and no pass."""
    contract = CONTRACT + '[suite]\nundetermined = "warn"\n'
    result = Project({"main.tf": REGISTRY, "infraspec.toml": contract}).run(pytester, "-rx")

    assert_not_passed(result, xfailed=1)
    assert "UNDETERMINED source" in text_of(result)


def test_waived_violation_passes_and_is_listed(pytester: pytest.Pytester) -> None:
    """A waiver lets the test pass and shows in the summary with owner, reason and day."""
    contract = CONTRACT + WAIVER.format(expires="2999-12-31")
    result = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).run(pytester)

    assert_not_passed(result)
    result.stdout.fnmatch_lines(["waived * (until 2999-12-31 by platform-team: the policy follows)"])


def test_lapsed_waiver_no_longer_waives(pytester: pytest.Pytester) -> None:
    """A waiver after its day fails as if it were not there, and says that it lapsed."""
    contract = CONTRACT + WAIVER.format(expires="2020-01-31")
    result = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).run(pytester)

    assert_not_passed(result, failed=1)
    assert "lapsed on 2020-01-31" in text_of(result)


def test_unused_waiver_is_reported(pytester: pytest.Pytester) -> None:
    """A waiver that matches nothing is named in the summary."""
    contract = CONTRACT + WAIVER.format(expires="2999-12-31")
    result = Project({"infraspec.toml": contract}).run(pytester)

    assert_not_passed(result)
    result.stdout.fnmatch_lines(["unused * take it out"])


def test_rule_that_matches_nothing_is_an_error(pytester: pytest.Pytester) -> None:
    """A check without a subject has proven nothing; the contract can allow it."""
    files = {"main.tf": 'resource "aws_sqs_queue" "q" {}\n'}
    result = Project(files).run(pytester)

    assert_not_passed(result, failed=2)
    assert 'allow_empty = ["secret-access"]' in text_of(result)

    allowed = CONTRACT + '[suite]\nallow_empty = ["secret-access", "task-definitions"]\n'
    assert_not_passed(Project({**files, "infraspec.toml": allowed}).run(pytester))


def table(result: pytest.RunResult) -> list[str]:
    """Return environment and rule of each row of the table of verdicts."""
    rows = [re.fullmatch(r"(\S+ +\S+)( +(-|\d+)){4}", line) for line in result.outlines]
    return [" ".join(row[1].split()) for row in rows if row]


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_table_has_the_order_of_the_contract(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """The rows are in order of environments and rules, the repository last, whichever test failed or ended first."""
    result = run_suite(pytester, INCIDENT, "--infraspec-env", "dev,prod", *arguments)
    rules = [row.partition(" ")[2] for row in table(result) if row.startswith("dev")]

    rows = [row for row in table(result) if not row.startswith("repository")]
    assert [*(f"dev {rule}" for rule in rules), *(f"prod {rule}" for rule in rules)] == rows
    assert rows == table(result)[: len(rows)]
    assert sorted(rules, key=[*RULES].index) == rules


def test_environment_named_twice_is_checked_once(pytester: pytest.Pytester) -> None:
    """An environment that is asked for twice has one row for each rule."""
    result = Project().run(pytester, "--infraspec-env", "dev,dev")

    assert_not_passed(result)
    assert len(set(table(result))) == len(table(result))


def test_all_that_matched_nothing_is_allowed_at_once(pytester: pytest.Pytester) -> None:
    """The summary has the lines to paste for all rules that matched nothing, what was allowed before among them."""
    contract = CONTRACT + '[suite]\nallow_empty = ["names"]\n'
    result = Project({"main.tf": 'resource "aws_sqs_queue" "q" {}\n', "infraspec.toml": contract}).run(pytester)

    assert_not_passed(result, failed=2)
    result.stdout.fnmatch_lines(
        [
            "EmptySelectionError: infra/infraspec.toml:9: *",
            "empty    task-definitions, secret-access matched nothing; *",
            "         [[]suite]",
            '         allow_empty = [[]"names", "task-definitions", "secret-access"]',
        ]
    )


def test_rule_that_does_not_exist(pytester: pytest.Pytester) -> None:
    """A waiver or allow_empty for a rule that does not exist is named, with the rule that was meant."""
    waiver = WAIVER.format(expires="2999-12-31").replace("secret-access", "secrets-access")
    contract = CONTRACT + '[suite]\nallow_empty = ["taggs:common", "names"]\n' + waiver
    result = Project({"infraspec.toml": contract}).run(pytester)

    assert_not_passed(result)
    result.stdout.fnmatch_lines(
        [
            "unknown  infra/infraspec.toml:12: no rule secrets-access ran: did you mean `secret-access`?",
            "unknown  infra/infraspec.toml:9: no rule taggs ran: did you mean `tags`?",
        ]
    )
    assert text_of(result).count("unknown  ") == 2


def test_repository_of_task_definition_files_alone(pytester: pytest.Pytester) -> None:
    """Task definition files need no Terraform root beside them; the rule `source` has nothing to look at."""
    files = {
        "infraspec.toml": CONTRACT + 'task_definitions = ["*.json"]\n[suite]\nallow_empty = ["source"]\n',
        "td.json": (ROOT / "fixtures" / "task_definitions" / "described.json").read_text(encoding="utf-8"),
    }
    result = Project(files, base=None).run(pytester)

    assert {"dev task-definitions", "dev secret-access"} <= set(table(result))
    assert "RootMissingError" not in text_of(result)
    assert "td.json:" in text_of(result)


TASK = """
variable "on" { default = false }
resource "aws_ecs_task_definition" "app" {
  count                 = var.on ? 1 : 0
  family                = "app"
  container_definitions = "[]"
}
"""


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"main.tf": TASK}, "the source has 1 task definition, and none is checked*", id="no instance"),
        pytest.param(
            {"main.tf": 'resource "aws_sqs_queue" "q" {}\n', "app/main.tf": TASK},
            "the source has 1 task definition, and none is checked*",
            id="another root",
        ),
        pytest.param(
            {"main.tf": 'module "ecs" { source = "example/ecs/aws" }\n'},
            "nothing was checked: 1 module not downloaded",
            id="a module that is not here",
        ),
    ],
)
def test_what_the_source_has_is_not_passed_over(pytester: pytest.Pytester, files: dict[str, str], message: str) -> None:
    """Task definitions in the source and none judged fail the run, whatever `allow_empty` says of rules."""
    allowed = '[suite]\nundetermined = "warn"\nallow_empty = ["task-definitions", "secret-access"]\n'
    project = Project({**files, "infraspec.toml": CONTRACT + allowed})
    result = project.run(pytester, "-k", "secret_access")

    assert 1 == result.parseoutcomes()["failed"]
    result.stdout.fnmatch_lines([f"EmptySelectionError: *{message}"])


def test_what_is_passed_over_is_allowed_by_its_own_name(pytester: pytest.Pytester) -> None:
    """What nobody deploys is named in the contract, and the run passes."""
    allowed = '[suite]\nallow_empty = ["secret-access", "secret-access:source"]\n'
    result = Project({"main.tf": TASK, "infraspec.toml": CONTRACT + allowed}).run(pytester, "-k", "secret_access")

    result.assert_outcomes(passed=1)


def test_the_lines_that_settle_most_end_a_run(pytester: pytest.Pytester) -> None:
    """A run that could not tell everything ends with the lines of the contract that settle it, and how many each."""
    reads = (MINIMAL / "main.tf").read_text(encoding="utf-8") + 'variable "size" {}\n'
    source = (
        reads
        + 'data "aws_iam_policy" "other" { name = "other" }\n'
        + ('resource "aws_iam_role_policy" "p" {\n  role = "other"\n  policy = data.aws_iam_policy.other.policy\n}\n')
    )
    contract = CONTRACT + '[suite]\nundetermined = "warn"\n'
    result = Project({"main.tf": source, "infraspec.toml": contract}).run(pytester)

    result.stdout.fnmatch_lines(
        [
            "unknown  1 line would settle 1 of 1 verdict that cannot be decided; `infraspec doctor --write` asks:",
            "         [[]environments.*.known]",
            '         "aws_iam_policy.other.policy" = "…"  # settles 1',
        ]
    )


def test_what_is_wrong_in_the_module_of_another_is_said_at_its_call(pytester: pytest.Pytester) -> None:
    """How a fetched module is written is advice at its call; that a task may not start stays a violation there."""
    entries = '{"Modules": [{"Key": "app", "Source": "registry/app", "Dir": ".terraform/modules/app"}]}'
    files = {
        "main.tf": 'module "app" {\n  source = "registry/app"\n}\n',
        ".terraform/modules/modules.json": entries,
        ".terraform/modules/app/main.tf": NOT_ALLOWED,
        "infraspec.toml": CONTRACT + '[names.patterns]\naws_iam_role = "another-{name}"\n',
    }
    result = Project(files).run(pytester)

    result.stdout.fnmatch_lines(
        [
            "infra/main.tf:1: VIOLATED secret-access: module.app.*",
            "advice   dev infra/main.tf:1: ADVICE names: module.app.*",
        ]
    )
    assert "VIOLATED names" not in text_of(result)
