"""Resources of which there may be none: each small source with the count known to be one, none, and not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.alarms.alarm_delivery import check_alarm_delivery
from infraspec.checks.alarms.alarm_state import check_alarm_state
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tag_policy import check_tag_policy
from infraspec.checks.conventions.tags import check_tags
from infraspec.checks.deployed.database_readings import Observed
from infraspec.checks.deployed.databases import check_databases
from infraspec.checks.deployed.drift import check_drift
from infraspec.checks.deployed.log_groups import check_log_groups
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.checks.services.rollout import check_rollout
from infraspec.checks.state.consistency import check_consistency
from infraspec.checks.state.source import check_source
from infraspec.checks.state.state_bucket import check_state_bucket
from infraspec.contract.live import Databases, Rollout
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.fleet import DeployedService, Fleet, declared_services
from infraspec.ecs.task_definition import task_definitions
from infraspec.monitoring.live_readings import AlarmStates
from infraspec.pytest_plugin.fixtures.own_rules import RunRule
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.checks.existence_cases import CASES, TEXTS, Case
from tests.terraform.sources import plan_of, write

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = """
[project]
application = "app"

[environments.prod]
root = "."
account_id = "111122223333"
region = "ap-northeast-1"

[names.patterns]
aws_sqs_queue = "app-prod-{name}"

[tags.common]
Owner = ".*"
"""
READERS = "\n[policies.secret_readers]\n'aws_secretsmanager_secret.*' = []\n"
KEY = re.compile(r'\[(?:\?|0|"\?"|"a")\]')


def judged(case: Case, directory: Path, count: str, each: str) -> dict[str, Finding]:
    """Return the findings of a source by what they are about, with a count and a for_each in place."""
    source = case.source.replace("COUNT", f"count = {count}").replace("EACH", f"for_each = {each}")
    contract = CONTRACT + (READERS if case.rule == "secret-readers" else "")
    write(directory, {"infraspec.toml": contract, "main.tf": TEXTS + source})
    loaded = contracts.load(directory)
    environments = Environments(loaded, environ={})
    plan = environments.plan("prod")
    definitions = task_definitions(plan)
    checks: Mapping[str, Any] = {
        "names": lambda: check_names(plan, loaded, "prod"),
        "tags": lambda: check_tags(plan, loaded, "prod"),
        "policies": lambda: check_policies(plan, definitions, loaded, "prod"),
        "task-definitions": lambda: check_task_definitions(plan, definitions, loaded, "prod"),
        "secret-access": lambda: check_secret_access(plan, definitions, loaded, "prod"),
        "secret-readers": lambda: check_secret_readers(plan, loaded, "prod"),
        "state-bucket": lambda: check_state_bucket(plan, environments.settings()["prod"]),
    }
    return {KEY.sub("", finding.key): finding for finding in checks[case.rule]()}


@pytest.mark.parametrize("name", CASES)
def test_what_depends_on_an_unknown_count_is_undetermined(name: str, tmp_path: Path) -> None:
    """What is PROVEN or VIOLATED of an unknown count is so with one instance and with none; what is not there is right.

    What is violated with one count and not with the other is UNDETERMINED, and says which variable decides.
    """
    case = CASES[name]
    one, none, unknown = (
        judged(case, tmp_path, *given)
        for given in (("1", 'toset(["a"])'), ("0", "toset([])"), ("var.on ? 1 : 0", "toset(var.keys)"))
    )
    for key, finding in unknown.items():
        known = {found[key].verdict if key in found else PROVEN for found in (one, none)}
        assert finding.verdict is UNDETERMINED or {finding.verdict} == known, finding
    told = [finding for finding in unknown.values() if finding.verdict is UNDETERMINED]
    wrong = [finding for found in (one, none) for finding in found.values() if finding.verdict is not PROVEN]
    assert bool(wrong) == bool(told)
    assert "named by its ARN" in name or all(
        re.search(r"var\.(on|keys)", f"{one.reason} {one.remedy}") for one in told
    ), told


def test_a_violation_of_what_may_be_absent_says_why_and_how_to_know(tmp_path: Path) -> None:
    """It says what the count is, which variable decides it, and the change that fixes it if there is an instance."""
    (found,) = judged(CASES["a name"], tmp_path, "var.on ? 1 : 0", "").values()
    assert UNDETERMINED is found.verdict
    assert found.reason.endswith(
        "\nthe count of aws_sqs_queue.q is unknown: var.on ? 1 : 0; without an instance nothing is wrong"
    )
    known, instance, *_ = found.remedy.splitlines()
    assert "give var.on a value: [environments.NAME.variables] or var_files of the contract" == known
    assert "and if there is an instance:" == instance


def test_a_tag_policy_is_left_open_too(tmp_path: Path) -> None:
    """What does not comply with the organization's policy may not be there."""
    policy = TagPolicy.from_json(
        '{"tags": {"owner": {"tag_key": {"@@assign": "Owner"}, "report_required_tag_for": {"@@assign": ["sqs:*"]}}}}'
    )
    plan = plan_of(tmp_path, TEXTS + 'resource "aws_sqs_queue" "q" {\n  count = var.on ? 1 : 0\n}\n')
    contract = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
    found = {one.address: one.verdict for one in check_tag_policy(plan, contract, "prod", policy)}
    assert UNDETERMINED is found["aws_sqs_queue.q[?]"]
    certain = check_tag_policy(plan.replaced(uncertain={}), contract, "prod", policy)
    assert VIOLATED in {one.verdict for one in certain}


@pytest.mark.parametrize(("count", "verdict"), [("1", VIOLATED), ("var.on ? 1 : 0", UNDETERMINED)])
def test_a_validation_in_a_module_that_may_be_absent(count: str, verdict: Verdict, tmp_path: Path) -> None:
    """Without an instance of the module nobody asks whether its variable is valid."""
    files = {
        "main.tf": f'variable "on" {{}}\nmodule "m" {{\n  source = "./m"\n  count  = {count}\n  size   = 0\n}}\n',
        "m/main.tf": 'variable "size" {\n  validation {\n    condition     = var.size > 0\n'
        '    error_message = "too small"\n  }\n}\nresource "aws_sqs_queue" "q" {}\n',
    }
    (found,) = (one for one in check_source(plan_of(tmp_path, files)) if not one.advice)
    assert verdict is found.verdict
    assert found.reason.startswith("too small")


def test_what_is_in_a_module_that_may_be_absent(tmp_path: Path) -> None:
    """What a module of unknown count has is no more certain than the module, however it is counted itself."""
    files = {
        "main.tf": 'variable "on" {}\nmodule "m" {\n  source = "./m"\n  count  = var.on ? 1 : 0\n}\n'
        'module "n" {\n  source   = "./m"\n  for_each = toset(var.on)\n}\nresource "aws_sqs_queue" "r" {}\n',
        "m/main.tf": 'variable "own" {\n  default = null\n}\nresource "aws_sqs_queue" "q" {}\n'
        'resource "aws_sqs_queue" "c" {\n  count = length(aws_sqs_queue.q.arn)\n}\n',
    }
    plan = plan_of(tmp_path, files)
    own, deeper, other, root = (
        plan.by_address[address]
        for address in (
            "module.m[?].aws_sqs_queue.q",
            "module.m[?].aws_sqs_queue.c[?]",
            'module.n["?"].aws_sqs_queue.q',
            "aws_sqs_queue.r",
        )
    )
    assert [False, False, False, True] == [plan.is_certain(one) for one in (own, deeper, other, root)]
    assert (True, False, False) == (
        plan.is_certain(own, deeper),
        plan.is_certain(deeper, own),
        plan.is_certain(other, own),
    )
    assert (True, False, False) == (plan.belongs_to(own, own), plan.belongs_to(root, own), plan.belongs_to(own, root))
    assert ["count", "count"] == [why.argument for why in plan.uncertainties(deeper.address).values()]


def test_what_is_of_one_instance_is_not_of_any(tmp_path: Path) -> None:
    """A policy of the role of one key says nothing of the role of another, where the keys are not known."""
    source = """
    resource "aws_iam_role" "r" {
      for_each           = toset(var.keys)
      name               = each.key
      assume_role_policy = local.trust
    }
    resource "aws_iam_role_policy" "read" {
      name   = "read"
      role   = aws_iam_role.r["a"].name
      policy = local.read
    }
    resource "aws_ecs_task_definition" "app" {
      family                = "app"
      execution_role_arn    = aws_iam_role.r["b"].arn
      container_definitions = local.app
    }
    """
    found = judged(Case("secret-access", source), tmp_path, "", "")
    assert {UNDETERMINED} == {one.verdict for key, one in found.items() if "GetSecretValue" in key}


@pytest.mark.parametrize("prod", ["true", None])
def test_environments_with_an_unknown_count_may_differ(prod: str | None, tmp_path: Path) -> None:
    """Whether two environments have the same instances is not known if the count of one of them is not."""
    source = 'variable "on" {}\nresource "aws_sqs_queue" "q" {\n  count = var.on ? 1 : 0\n}\n'
    given = f"[environments.prod.variables]\non = {prod}\n" if prod else ""
    contract = (
        '[project]\napplication = "app"\n[environments.prod]\nroot = "prod"\n'
        f'{given}[environments.test]\nroot = "test"\n[consistency]\nreference = "prod"\n'
    )
    write(tmp_path, {"infraspec.toml": contract, "prod/main.tf": source, "test/main.tf": source})
    loaded = contracts.load(tmp_path)
    environments = Environments(loaded, environ={})
    found = check_consistency(environments.sources(), environments.settings(), loaded, "test")
    assert {UNDETERMINED} == {one.verdict for one in found}
    assert "is unknown: var.on ? 1 : 0" in found[0].found
    assert found[0].remedy.startswith("give var.on a value: [environments.")


def test_a_rule_of_ones_own_is_left_open_too(run_rule: RunRule) -> None:
    """A check of a repository's own need not know of counts."""

    def forbid(plan: Plan) -> list[Finding]:
        return [Finding("own", VIOLATED, one.address) for one in plan.managed()]

    hcl = 'variable "on" {}\nresource "aws_sqs_queue" "q" {\n  count = var.on ? 1 : 0\n}\n'
    hcl += 'resource "aws_sqs_queue" "r" {}\n'
    assert [UNDETERMINED, VIOLATED] == [one.verdict for one in run_rule(forbid, hcl)]


def test_what_a_rule_of_ones_own_returns_else_is_left_to_whoever_asked(run_rule: RunRule) -> None:
    """What is no finding is handed on as it is, with a count that is not known and without."""
    hcl = 'variable "on" {}\nresource "aws_sqs_queue" "q" {\n  count = COUNT\n}\n'
    for count, key in (("1", "0"), ("var.on ? 1 : 0", "?")):
        found = run_rule(lambda plan: [one.address for one in plan.managed()], hcl.replace("COUNT", count))
        assert [f"aws_sqs_queue.q[{key}]"] == list(map(str, found))


LIVE = """
variable "on" {}
resource "aws_iam_role" "r" {
  count              = var.on ? 1 : 0
  name               = "app"
  assume_role_policy = "{}"
}
resource "aws_cloudwatch_log_group" "g" {
  count = var.on ? 1 : 0
  name  = "app"
}
resource "aws_db_instance" "d" {
  count      = var.on ? 1 : 0
  identifier = "app"
}
resource "aws_ecs_task_definition" "d" {
  count  = var.on ? 1 : 0
  family = "app"
  container_definitions = jsonencode([{
    name = "app", image = "x", logConfiguration = { logDriver = "awslogs", options = { awslogs-group = "other" } }
  }])
}
resource "aws_ecs_service" "s" {
  count   = var.on ? 1 : 0
  name    = "app"
  cluster = "app"
}
resource "aws_sns_topic" "t" {
  count = var.on ? 1 : 0
  name  = "app"
}
resource "aws_cloudwatch_metric_alarm" "a" {
  count         = var.on ? 1 : 0
  alarm_name    = "app"
  alarm_actions = aws_sns_topic.t[*].arn
}
resource "aws_cloudwatch_event_rule" "e" {
  count         = var.on ? 1 : 0
  name          = "app"
  event_pattern = "{}"
}
resource "aws_cloudwatch_event_target" "e" {
  count = var.on ? 1 : 0
  rule  = aws_cloudwatch_event_rule.e[0].name
  arn   = aws_sns_topic.t[0].arn
}
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_aws_does_not_have_may_not_be_meant_to_be_there(tmp_path: Path) -> None:
    """Where the source may make none, it is no violation that AWS has none."""
    contract = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
    plan, live = plan_of(tmp_path, LIVE), Plan("live", (), region="ap-northeast-1", account="111122223333")
    plan = plan.replaced(region=live.region, regions={}, account=live.account)
    services = tuple(map(DeployedService, declared_services(plan)))
    found = [
        *check_drift(plan, live, {}),
        *check_log_groups(plan, live, {}, task_definitions(plan)),
        *check_databases(plan, live, Observed(NOW, {}), Databases()),
        *check_rollout(Fleet(services, (), (), NOW), Rollout(), {}),
        *check_alarm_state(plan, live, AlarmStates(NOW, {}), contract),
        *check_alarm_delivery(plan, live, {}, contract, "prod"),
    ]
    told = [finding for finding in found if finding.verdict is not PROVEN]
    rules = {"drift", "log-groups", "databases", "rollout", "alarm-state", "alarm-delivery"}
    assert rules == {finding.rule for finding in told}
    assert [] == [one for one in told if one.verdict is VIOLATED or "var.on" not in one.reason]
    certain = plan.replaced(uncertain={})
    assert {VIOLATED} == {one.verdict for one in check_drift(certain, live, {}) if one.verdict is not PROVEN}


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """A finding that is proven, or about what is certainly there, is the same."""
    plan = plan_of(tmp_path, 'variable "on" {}\nresource "aws_sqs_queue" "q" {\n  count = var.on ? 1 : 0\n}\n')
    for finding in (Finding("r", PROVEN, "aws_sqs_queue.q[?]"), Finding("r", VIOLATED, "aws_sqs_queue.r")):
        assert finding == left_open(plan, finding)
