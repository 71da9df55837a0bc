"""docs/alarms.md: its tables are those of the catalogue, its contracts are valid, its message is the real one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from infraspec.checks.alarms.alarms import check_alarms
from infraspec.contract.alarms import AlarmItem, Alarms, Bounds, Metric
from infraspec.contract.models import Contract
from infraspec.monitoring.catalogue import catalogue, metrics_of, packaged
from infraspec.monitoring.sample_events import SAMPLES
from tests.docs.blocks import blocks
from tests.terraform.sources import plan_of

DOCUMENT = Path(__file__).parents[2] / "docs/alarms.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
CONTRACTS = [tomllib.loads(block.text) for block in blocks("toml", page="docs/alarms.md")]


def section(name: str) -> str:
    """Return what stands between two marks of the document."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def number(value: float | Bounds | None) -> str:
    """Write a number or its bounds."""
    if isinstance(value, Bounds):
        low, high = (f"{bound:g}" if bound is not None else "" for bound in (value.min, value.max))
        return f"{low} to {high}" if low and high else f"at most {high}" if high else f"at least {low}"
    return "" if value is None else f"{value:g}"


def row(name: str, item: AlarmItem) -> str:
    """Write an item of the catalogue as a row of the table."""
    metrics = metrics_of(item)
    names = [metric.name or " + ".join(metric.counts) for metric in metrics.values()]
    what = f"event {item.event}" if item.event else f"`{item.expression}`" if item.expression else names[0]
    when = f"{item.comparison} {number(item.threshold)}" if item.comparison else ""
    periods = f"{number(item.period)} s, {number(item.evaluation_periods)}" if item.period else ""
    missing = ", ".join(item.missing or [])
    return f"| `{name}` | {item.watches} | {item.level} | {what} | {when} | {periods} | {missing} |\n"


def test_the_table_is_the_catalogue() -> None:
    """Every packaged alarm has a row, and the rows say what the catalogue says."""
    head = "| alarm | watches | level | looks at | fires | period, periods | missing data |\n" + "|---" * 7 + "|\n"
    assert section("catalogue") == head + "".join(row(name, item) for name, item in packaged().items())


def test_the_events_are_those_that_are_tried() -> None:
    """Every kind of event has a row with who writes it and the filter pattern that counts it."""
    head = "| event | written by | a filter pattern that counts it |\n|---|---|---|\n"
    rows = [
        f"| `{name}` | {sample.origin} | `{sample.filter.replace('|', chr(92) + '|')}` |\n"
        for name, sample in SAMPLES.items()
    ]
    assert section("events") == head + "".join(rows)


@pytest.mark.parametrize("model", [AlarmItem, Metric])
def test_every_key_has_a_row(model: type[AlarmItem | Metric]) -> None:
    """The tables of keys are those of the models."""
    assert re.findall(r"^\| `([a-z_]+)` \|", section(model.__name__), re.MULTILINE) == list(model.model_fields)


@pytest.mark.parametrize("tables", CONTRACTS, ids=range(len(CONTRACTS)))
def test_contracts_are_valid(tables: dict[str, object]) -> None:
    """Each TOML block is a contract, or tables of one, and its catalogue can be checked."""
    base = CONTRACTS[0]
    contract = Contract.model_validate({**base, **tables})
    assert catalogue(contract.alarms or Alarms())


def test_the_message_is_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding that the document shows is what the check says."""
    monkeypatch.chdir(tmp_path)
    plan = plan_of(
        Path("terraform"),
        {
            "main.tf": 'provider "aws" { region = "ap-northeast-1" }\n\nresource "aws_ecs_service" "backend" {\n'
            '  name    = "backend"\n  cluster = "main"\n}\nresource "aws_sns_topic" "warning" { name = "warning" }\n',
            "alarms.tf": 'resource "aws_cloudwatch_metric_alarm" "cpu" {\n  alarm_name          = "cpu"\n'
            '  comparison_operator = "GreaterThanThreshold"\n  threshold           = 95\n'
            '  namespace           = "AWS/ECS"\n  metric_name         = "CPUUtilization"\n'
            '  statistic           = "Average"\n  period              = 60\n  evaluation_periods  = 5\n'
            "  alarm_actions       = [aws_sns_topic.warning.arn]\n"
            '  dimensions = {\n    ClusterName = "main"\n    ServiceName = "backend"\n  }\n}\n',
        },
    )
    findings = check_alarms(plan, Contract.model_validate(CONTRACTS[0]), "prod")
    (finding,) = [one for one in findings if one.subject == "service-cpu"]
    (shown,) = blocks("text", page="docs/alarms.md")
    assert f"{finding}\n" == shown.text
