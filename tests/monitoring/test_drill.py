"""The drill on the reference: each failure is heard of, and edits that silence it are seen, whatever the failure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from infraspec.contract.alarms import Alarms
from infraspec.conventions.placeholders import facts_of
from infraspec.core.truth import Truth
from infraspec.monitoring.drill.failures import failures
from infraspec.monitoring.drill.running import Drill, DrilledFailure
from infraspec.monitoring.sample_events import SAMPLES
from infraspec.terraform.environments import environment_plan
from tests.plugin.project import REFERENCE

ABSENT = {"certificate-expiry"}
"""The reference has no certificate of its own."""


def drill_of(infra: Path) -> Drill:
    """Return the drill of production."""
    plan, contract, name = environment_plan(infra, "prod", None, ())
    facts = facts_of(contract, name, region=plan.region, account=plan.account)
    return Drill(plan, contract.alarms or Alarms(), facts, name)


@cache
def reference() -> tuple[Drill, dict[tuple[str, str], DrilledFailure]]:
    """Return the drill of the reference as it is, and what it found."""
    drill = drill_of(REFERENCE)
    return drill, {(one.name, one.subject): one for one in drill.outcomes()}


def test_each_failure_of_the_reference_is_heard_of() -> None:
    """At its level in time, whatever it is about."""
    _, outcomes = reference()

    assert {*failures()} - ABSENT == {name for name, _ in outcomes}
    assert [] == [key for key, one in outcomes.items() if one.heard is not Truth.YES]


def test_a_quiet_week_of_the_reference() -> None:
    """Nothing rings in a week in which nothing fails, nothing is in ALARM after it, and every alarm is evaluated."""
    drill, _ = reference()
    week = drill.quiet_week()

    assert ((), (), ()) == (week.rings, week.in_alarm, week.not_evaluated)


def _sources(outcome: DrilledFailure) -> set[str]:
    """Return the types of what tells somebody of a failure."""
    arrived = (ring.source for ring in outcome.rings if not ring.lost)
    return {"rule" if "aws_cloudwatch_event_rule" in source else "alarm" for source in arrived}


def by_alarms(outcome: DrilledFailure) -> bool:
    """Tell whether alarms alone tell of a failure."""
    return _sources(outcome) == {"alarm"}


def by_values(outcome: DrilledFailure) -> bool:
    """Tell whether alarms alone tell of a failure, by a value and not by missing data."""
    return by_alarms(outcome) and not by_end_of_data(outcome)


def by_rules(outcome: DrilledFailure) -> bool:
    """Tell whether rules alone tell of a failure."""
    return _sources(outcome) == {"rule"}


def by_filters(outcome: DrilledFailure) -> bool:
    """Tell whether alarms on what metric filters count alone tell of a failure."""
    return by_alarms(outcome) and not outcome.failure.metrics


def by_logged_events(outcome: DrilledFailure) -> bool:
    """Tell whether alarms on events that EventBridge writes to a log group alone tell of a failure."""
    return by_filters(outcome) and all(SAMPLES[one.event].origin != "postgresql" for one in outcome.failure.events)


def by_database(outcome: DrilledFailure) -> bool:
    """Tell whether alarms on metrics of RDS alone tell of a failure."""
    return bool(outcome.failure.metrics) and outcome.failure.watches in {"database", "replica"}


def by_end_of_data(outcome: DrilledFailure) -> bool:
    """Tell whether a failure shows only in data that are missing."""
    return bool(outcome.failure.metrics) and all(one.gone for one in outcome.failure.metrics)


def by_anything(outcome: DrilledFailure) -> bool:
    """Take every failure that is heard of by people who are not in a chat alone."""
    return outcome.failure.level != "info"


SILENCING: dict[str, tuple[str, str, Callable[[DrilledFailure], bool]]] = {
    "actions that are off": (r"\n  alarm_name  ", r"\n  actions_enabled = false\n  alarm_name  ", by_alarms),
    "no actions": (r"\n  alarm_actions .*", "", by_alarms),
    "another threshold": (r"\n  threshold .*", "\n  threshold = 100000000000000", by_values),
    "another dimension": ("DBInstanceIdentifier =", "DBClusterIdentifier =", by_database),
    "missing data that count for nothing": (r'= "breaching"', '= "missing"', by_end_of_data),
    "a pattern that takes nothing": (r"\n  pattern .*= each.value", '\n  pattern = "NOTHING"', by_filters),
    "a text in place of the events": (
        r'\n  target_id = "log"',
        '\n  target_id = "log"\n  input_transformer {\n    input_template = "{}"\n  }',
        by_logged_events,
    ),
    "rules that are off": (r"state         = each.value.state", 'state = "DISABLED"', by_rules),
    "a topic that lets nobody publish": (r'"sns:Publish"', '"sns:Subscribe"', by_anything),
    "a filter policy": (
        r"\n  protocol  ",
        '\n  filter_policy = jsonencode({ team = ["a"] })\n  protocol  ',
        by_anything,
    ),
    "subscriptions without confirmation": (
        r"\n  protocol  ",
        "\n  pending_confirmation = true\n  protocol  ",
        by_anything,
    ),
}
_VALUE = r'(\n +)(value +)= "1"'
HARMLESS: dict[str, tuple[str, str]] = {
    "another description": (r"\n  alarm_description = .*", '\n  alarm_description = "x"'),
    "one datapoint is enough": (
        r"\n  evaluation_periods (.*)",
        r"\n  evaluation_periods \1\n  datapoints_to_alarm = 1",
    ),
    "actions without data": (r"\n  alarm_name  ", r"\n  insufficient_data_actions = []\n  alarm_name  "),
    "lines that count nothing": (_VALUE, r'\1\2= "1"\1default_value = "0"'),
    "an empty filter policy": (r"\n  protocol  ", '\n  filter_policy = "{}"\n  protocol  '),
}


def edited(tmp_path: Path, pattern: str, replacement: str) -> dict[tuple[str, str], DrilledFailure]:
    """Return what a drill finds in the reference with an edit of all of its alarms, rules and topics."""
    infra = shutil.copytree(REFERENCE, tmp_path / "infra")
    changed = 0
    for module in ("monitoring", "jobs"):
        for file in (infra / "terraform/modules" / module).glob("*.tf"):
            text, times = re.subn(pattern, replacement, file.read_text(encoding="utf-8"))
            file.write_text(text, encoding="utf-8")
            changed += times
    assert changed
    return {(one.name, one.subject): one for one in drill_of(infra).outcomes()}


@pytest.mark.parametrize("name", SILENCING)
def test_what_silences_is_seen(tmp_path: Path, name: str) -> None:
    """An edit that silences failures is seen of each that only came by what was edited; the reason is told."""
    pattern, replacement, is_silenced = SILENCING[name]
    found = edited(tmp_path, pattern, replacement)
    silenced = [key for key, one in reference()[1].items() if one.heard is Truth.YES and is_silenced(one)]

    assert silenced
    assert [] == [key for key in silenced if found[key].heard is Truth.YES]
    assert [] == [key for key in silenced if not found[key].silent]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_changes_nothing(tmp_path: Path, name: str) -> None:
    """An edit that silences nothing leaves each failure as it was heard of."""
    found = edited(tmp_path, *HARMLESS[name])

    assert {key: one.heard for key, one in reference()[1].items()} == {key: one.heard for key, one in found.items()}


def test_a_composite_alarm_that_is_not_evaluated_leaves_open(tmp_path: Path) -> None:
    """What it would tell of is undetermined, and not silent; the reason names it."""
    found = edited(
        tmp_path, r"alarm_rule = join\(\" OR \", \[\n    ", 'alarm_rule = join(" OR ", ["ALARM(another)",\n    '
    )
    told = [one for (name, _), one in found.items() if name == "no-task"]

    assert [Truth.MAYBE] == [one.heard for one in told]
    assert all(any("names another, which the plan does not have" in why for why in one.silent) for one in told)


def test_a_default_value_leaves_open(tmp_path: Path) -> None:
    """Lines that count as much as a failure keep its alarms in ALARM: what came by them alone is undetermined."""
    found = edited(tmp_path, _VALUE, r'\1\2= "1"\1default_value = "1"')
    counted = [key for key, one in reference()[1].items() if one.heard is Truth.YES and by_filters(one)]

    assert counted
    assert [] == [key for key in counted if found[key].heard is not Truth.MAYBE]
    assert all(any("default_value" in why for why in found[key].silent) for key in counted)


def test_a_quiet_week_with_a_default_value(tmp_path: Path) -> None:
    """Alarms on such filters may ring in it: that it cannot be decided is said of each, with why."""
    infra = shutil.copytree(REFERENCE, tmp_path / "infra")
    file = infra / "terraform/modules/monitoring/secrets.tf"
    file.write_text(
        re.sub(_VALUE, r'\1\2= "1"\1default_value = "1"', file.read_text(encoding="utf-8")), encoding="utf-8"
    )
    week = drill_of(infra).quiet_week()

    assert ((), ()) == (week.rings, week.in_alarm)
    assert any("secret_access_denied: whether it goes to ALARM depends on" in one for one in week.not_evaluated)


SUPPRESSORS: dict[str, tuple[str, Truth, str]] = {
    "a calm one": ("alarm = aws_cloudwatch_metric_alarm.latency.arn", Truth.YES, ""),
    "one that rings too": (
        "alarm = aws_cloudwatch_metric_alarm.no_healthy_target.alarm_name",
        Truth.NO,
        "its actions are kept back by its suppressor module.monitoring.aws_cloudwatch_metric_alarm.no_healthy_target",
    ),
    "a time that is not known": (
        'alarm = aws_cloudwatch_metric_alarm.latency.arn\n    wait_period = aws_sns_topic.level["info"].owner',
        Truth.MAYBE,
        "whether its suppressor module.monitoring.aws_cloudwatch_metric_alarm.latency suppresses its actions",
    ),
    "another's": ('alarm = "elsewhere"', Truth.MAYBE, "whether its suppressor (none of the plan)"),
}


@pytest.mark.parametrize("name", SUPPRESSORS)
def test_a_suppressor_keeps_actions_back(tmp_path: Path, name: str) -> None:
    """While it is in ALARM nobody hears of a composite alarm; else they do, after the time that is waited for it."""
    alarm, heard, why = SUPPRESSORS[name]
    wait = "wait_period = 150" if "wait" not in alarm else ""
    block = f"actions_suppressor {{\n    {alarm}\n    {wait}\n    extension_period = 60\n  }}"
    found = edited(tmp_path, r"\n  alarm_rule = join", f"\n  {block}\n  alarm_rule = join")
    told = {key: one for key, one in found.items() if key[0] == "no-task"}
    before = reference()[1]

    assert told
    assert {heard} == {one.heard for one in told.values()}
    assert all(any(why in reason for reason in one.silent) for one in told.values() if why)
    if heard is Truth.YES:
        assert {key: (before[key].minute or 0) + 3 for key in told} == {key: one.minute for key, one in told.items()}
