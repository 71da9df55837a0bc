"""The level of an alarm: the most severe one all of whose channels certainly hear of its own actions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infraspec.contract.alarms import Alarms
from infraspec.monitoring.levels import levels_of_alarms
from infraspec.terraform.environments import environment_plan
from tests.plugin.project import REFERENCE

SOURCE = """
resource "aws_sns_topic" "all" {
  name = "all"
}
resource "aws_sns_topic_subscription" "all" {
  for_each  = toset(["chat", "mail"])
  topic_arn = aws_sns_topic.all.arn
  protocol  = each.key == "chat" ? "https" : "email"
  endpoint  = each.key == "chat" ? "https://chat.example.com" : "ops@example.com"
}
resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name          = "cpu"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  alarm_actions       = [ACTIONS]
}
"""
CHANNELS = {"chat": {"protocols": ["https"]}, "mail": {"protocols": ["email"]}, "pager": {"protocols": ["sms"]}}


@pytest.mark.parametrize(
    ("levels", "actions", "expected"),
    [
        ({"high": ["chat", "mail"], "low": ["chat"]}, "aws_sns_topic.all.arn", "high"),
        ({"high": ["chat", "pager"], "low": ["chat"]}, "aws_sns_topic.all.arn", "low"),
        ({"high": ["pager"]}, "aws_sns_topic.all.arn", ""),
        ({"high": ["chat"]}, "", ""),
        ({"high": ["chat"]}, "var.topic", ""),
    ],
)
def test_level(tmp_path: Path, levels: dict[str, list[str]], actions: str, expected: str) -> None:
    """One of which a channel is missing is not reached, and what is not known reaches none for certain."""
    source = SOURCE.replace("ACTIONS", actions) + 'variable "topic" {\n  type = string\n}\n'
    (tmp_path / "main.tf").write_text(source, encoding="utf-8")
    contract = '[project]\napplication = "shop"\n\n[environments.prod]\nroot = "."\n'
    (tmp_path / "infraspec.toml").write_text(contract, encoding="utf-8")
    plan, _, _ = environment_plan(tmp_path, "prod")
    alarms = Alarms.model_validate({"levels": levels, "channels": CHANNELS})

    assert {"cpu": expected} == levels_of_alarms(plan, alarms)


def test_levels_of_the_reference(tmp_path: Path) -> None:
    """A composite alarm has its own level, and what it names has none of its own."""
    plan, contract, _ = environment_plan(shutil.copytree(REFERENCE, tmp_path / "infra"), "prod")
    assert contract.alarms is not None
    found = levels_of_alarms(plan, contract.alarms)
    prefix = "daily-report-tool-prod"

    assert "critical" == found[f"{prefix}-application-down"]
    assert "" == found[f"{prefix}-no-healthy-target"]
    assert "warning" == found[f"{prefix}-cpu"]
