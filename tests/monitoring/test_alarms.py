"""Metric alarms in one form, however they are written."""

from __future__ import annotations

from pathlib import Path

from infraspec.monitoring.alarms import alarms
from tests.terraform.sources import plan_of

QUERIES = """
resource "aws_cloudwatch_metric_alarm" "x" {
  alarm_name = "x"
  metric_query {
    id          = "percent"
    expression  = "100 * rate"
    return_data = true
  }
  metric_query {
    id         = "rate"
    expression = "failed / all"
  }
  metric_query {
    id = "failed"
    metric {
      namespace   = "shop"
      metric_name = "Failed"
      stat        = "Sum"
      period      = 60
    }
  }
  metric_query {
    id = "all"
    metric {
      namespace   = "shop"
      metric_name = "All"
      stat        = "Sum"
      period      = 60
    }
  }
}
"""


def test_expressions_of_expressions_are_written_out(tmp_path: Path) -> None:
    """An expression that refers to another is that one's, down to the metrics."""
    (alarm,) = alarms(plan_of(tmp_path, QUERIES))
    assert alarm.expression == "100 * (failed / all)"
    assert {"failed": "Failed", "all": "All"} == {name: series.name for name, series in alarm.series.items()}


def test_a_lone_query_is_a_metric(tmp_path: Path) -> None:
    """An alarm on one metric_query without an expression is one on that metric."""
    query = 'metric {\n namespace = "shop"\n metric_name = "All"\n stat = "Sum"\n period = 60\n }'
    source = f'resource "aws_cloudwatch_metric_alarm" "x" {{\n metric_query {{\n id = "all"\n {query}\n }}\n}}'
    (alarm,) = alarms(plan_of(tmp_path, source))
    assert (None, ["All"]) == (alarm.expression, [series.name for series in alarm.series.values()])


def test_defaults_are_those_of_the_provider(tmp_path: Path) -> None:
    """What is not configured is what CloudWatch does: missing data is missing, actions are on."""
    (alarm,) = alarms(plan_of(tmp_path, 'resource "aws_cloudwatch_metric_alarm" "x" {}'))
    assert ("missing", True) == (alarm.get("treat_missing_data"), alarm.get("actions_enabled"))
