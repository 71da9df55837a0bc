"""Log groups as AWS has them beside the reference infrastructure, each with one thing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.log_groups import check_log_groups, log_group_names
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.finding import Finding, Verdict
from infraspec.monitoring.log_group import LogGroup
from tests.live.deployed import deployed, reference
from tests.terraform.sources import plan_of

DEFINITIONS = task_definitions(reference())
NAMES = log_group_names(reference(), DEFINITIONS)
TASKS, ADDRESS = "/ecs/daily-report-tool-prod-backend", "module.ecs.aws_cloudwatch_log_group.this"
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
KEY = "arn:aws:kms:ap-northeast-1:123456789012:key/1"


def groups(**changes: Any) -> dict[str, LogGroup]:
    """Return the log groups with something changed of the service's."""
    found = {name: LogGroup(name, f"arn:aws:logs:::log-group:{name}", 365) for name in NAMES}
    found[TASKS] = replace(found[TASKS], **changes)
    return found


def definition(**options: str) -> TaskDefinition:
    """Return a task definition that logs with awslogs."""
    text = ", ".join(f'"{name.replace("_", "-")}": "{value}"' for name, value in options.items())
    return TaskDefinition.from_json(
        f'{{"family": "job", "containerDefinitions": [{{"name": "job", "image": "job", "logConfiguration": '
        f'{{"logDriver": "awslogs", "options": {{{text}}}}}}}]}}',
        "job.json",
    )


def bad(found: dict[str, LogGroup], *definitions: TaskDefinition) -> list[Finding]:
    """Return the findings that are not proven."""
    findings = check_log_groups(reference(), deployed(), found, [*DEFINITIONS, *definitions])
    return [one for one in findings if one.verdict is not PROVEN]


def test_log_groups_as_the_source_says_are_proven() -> None:
    """Retention and key of each."""
    findings = check_log_groups(reference(), deployed(), groups(), DEFINITIONS)
    assert {PROVEN} == {one.verdict for one in findings}
    assert 2 * len(NAMES) == len(findings)
    assert TASKS in NAMES


@pytest.mark.parametrize(
    ("changes", "subject", "expected", "found"),
    [
        ({"retention_days": 0}, "retention", "retention_in_days 365", "kept for ever"),
        ({"retention_days": 30}, "retention", "retention_in_days 365", "retention_in_days 30"),
        ({"kms_key": KEY}, "key", "no key of one's own", f"kms_key_id {KEY}"),
    ],
)
def test_what_differs_is_one_finding(changes: dict[str, Any], subject: str, expected: str, found: str) -> None:
    """With the command that mends it."""
    (finding,) = bad(groups(**changes))
    assert (VIOLATED, ADDRESS, subject) == (finding.verdict, finding.address, finding.subject)
    assert (expected, found) == (finding.expected, finding.found)
    assert finding.remedy == f"terraform apply -target='{ADDRESS}'"


def test_a_log_group_that_is_not_there_is_one_finding() -> None:
    """It is not said again for the container that logs to it."""
    (finding,) = bad({name: group for name, group in groups().items() if name != TASKS})
    assert (VIOLATED, ADDRESS, f"a log group {TASKS}") == (finding.verdict, finding.address, finding.expected)


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"awslogs_group": "/jobs"}, VIOLATED),
        ({"awslogs_group": TASKS}, None),
        ({"awslogs_group": "/jobs", "awslogs_create_group": "true"}, None),
        ({"awslogs_group": "/jobs", "awslogs_region": "eu-west-1"}, None),
    ],
)
def test_a_group_that_only_a_container_names_has_to_exist(options: dict[str, str], verdict: Verdict | None) -> None:
    """A group that the task makes itself, or one of another region, is not looked for."""
    findings = bad(groups(), definition(**options))
    assert [("job.json", verdict)] * (verdict is not None) == [(one.address, one.verdict) for one in findings]


def test_what_is_not_known_is_undetermined(tmp_path: Path) -> None:
    """A name, or a key, that the source has only after apply."""
    source = (
        'resource "aws_cloudwatch_log_group" "a" { name_prefix = "jobs-" }\n'
        'resource "aws_cloudwatch_log_group" "b" {\n  name = "b"\n  kms_key_id = aws_kms_key.k.arn\n}\n'
        'resource "aws_kms_key" "k" {}\n'
    )
    plan = plan_of(tmp_path, {"main.tf": source})
    findings = check_log_groups(plan, plan.replaced(resources=()), {"b": LogGroup("b", "arn", 0, KEY)}, ())
    verdicts = {(one.address, one.subject): one.verdict for one in findings}
    assert UNDETERMINED is verdicts["aws_cloudwatch_log_group.a", ""]
    assert UNDETERMINED is verdicts["aws_cloudwatch_log_group.b", "key"]
    assert ["b"] == log_group_names(plan, ())
