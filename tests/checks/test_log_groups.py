"""Log groups as AWS has them beside the reference infrastructure, each with one thing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.log_groups import check_log_groups, log_group_names
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.monitoring.live_readings import LogGroup
from tests.live.deployed import deployed, moved, reference
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
    """With the command that fixes it."""
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


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize(
    ("region", "told"),
    [("us-east-1", "aws_cloudwatch_log_group in us-east-1 (1)"), (Unknown("var.dr"), "var.dr is unknown")],
)
def test_a_group_of_another_region_is_not_the_one_here(region: Any, told: str, *, is_there: bool) -> None:
    """It is left out, or UNDETERMINED where its region is not known; what containers log to here is looked at."""
    given = {name: group for name, group in groups().items() if is_there or name != TASKS}
    found = check_log_groups(moved(ADDRESS, region=region), deployed(), given, DEFINITIONS)
    about = [one for one in found if told == one.found]
    assert [one.advice for one in about] == [region == "us-east-1"]
    assert {PROVEN if is_there else VIOLATED} == {one.verdict for one in found if one.subject.startswith("container")}
    assert not [one for one in found if one.address == ADDRESS and one not in about]


def test_two_groups_of_one_name_are_two() -> None:
    """The one that is here is judged, whichever the source has first."""
    own = reference().by_address[ADDRESS]
    source = moved(region="us-east-1")
    there = replace(own, address="aws_cloudwatch_log_group.there", provider="aws.other")
    for resources in ((there, *source.resources), (*source.resources, there)):
        found = check_log_groups(source.replaced(resources=resources), deployed(), groups(), DEFINITIONS)
        assert {PROVEN} == {one.verdict for one in found}
        assert {ADDRESS} <= {one.address for one in found}


def test_a_task_definition_of_another_region_logs_there() -> None:
    """What it names without a region is not looked for here."""
    address = "module.ecs.aws_ecs_task_definition.this"
    source = moved(address, ADDRESS, region="us-east-1")
    given = {name: group for name, group in groups().items() if name != TASKS}
    definitions = task_definitions(source)
    found = check_log_groups(source, deployed(), given, definitions)
    assert {PROVEN} == {one.verdict for one in found}
    (advice,) = [one for one in found if one.advice]
    assert "aws_cloudwatch_log_group in us-east-1 (1)" in advice.found


@pytest.mark.parametrize(("logged", "verdicts"), [("us-east-1", [VIOLATED]), ("ap-northeast-1", [])])
def test_a_group_of_a_container_is_looked_for_where_the_run_asks(logged: str, verdicts: list[Verdict]) -> None:
    """Whatever the region of the provider without an alias is; another region is not asked."""
    there = deployed().replaced(region="us-east-1")
    job = definition(awslogs_group="/ecs/other", awslogs_region=logged)
    found = check_log_groups(reference(), there, {}, [job])
    assert verdicts == [one.verdict for one in found if one.address == "job.json"]


def test_events_that_are_kept_longer_are_advice() -> None:
    """Nothing is lost by it."""
    found = check_log_groups(reference(), deployed(), groups(retention_days=3653), DEFINITIONS)
    assert {PROVEN} == {one.verdict for one in found}
    assert ["retention_in_days 3653"] == [one.found for one in found if one.advice]
