"""Alarms as AWS has them beside the reference infrastructure, each with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.alarms.alarm_state import alarm_names, check_alarm_state
from infraspec.contract.alarms import Alarms, LiveAlarms
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown
from infraspec.monitoring.live_readings import AlarmHistory, AlarmStates, AlarmStatus, Watched
from infraspec.terraform.plan import Plan
from tests.live.deployed import CONTRACT, changed, deployed, moved, reference, without

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
PREFIX = "daily-report-tool-prod"
CPU = 'module.monitoring.aws_cloudwatch_metric_alarm.utilization["cpu"]'
TARGETS = "module.monitoring.aws_cloudwatch_metric_alarm.unhealthy_targets"
DENIED = "module.monitoring.aws_cloudwatch_metric_alarm.secret_access_denied"
FAILURES = "module.monitoring.aws_cloudwatch_metric_alarm.secret_read_failures"
DOWN = "module.monitoring.aws_cloudwatch_composite_alarm.application_down"
FILTER = 'module.monitoring.aws_cloudwatch_log_metric_filter.secrets["SecretAccessDenied"]'
VIOLATED, UNDETERMINED = Verdict.VIOLATED, Verdict.UNDETERMINED


def states(history: AlarmHistory | None = AlarmHistory(24), **changes: Mapping[str, Any]) -> AlarmStates:  # noqa: B008
    """Return alarms in OK; `changes` by the end of the name, `-` written `_`."""
    found = {}
    for name in alarm_names(reference()):
        status = AlarmStatus(name, f"arn:aws:cloudwatch:::alarm:{name}", "OK", NOW - timedelta(hours=5))
        own = changes.get(name.removeprefix(f"{PREFIX}-").replace("-", "_"), {})
        found[name] = replace(status, **own)
    return AlarmStates(NOW, found, history)


def bad(live: Plan, given: AlarmStates | None = None, **settings: Any) -> list[Finding]:
    """Return the findings that are not proven."""
    alarms = (CONTRACT.alarms or Alarms()).model_copy(update={"live": LiveAlarms(**settings)})
    contract = CONTRACT.model_copy(update={"alarms": alarms})
    found = check_alarm_state(reference(), live, given or states(), contract)
    return [finding for finding in found if finding.verdict is not Verdict.PROVEN]


def test_what_is_as_the_source_says_is_proven() -> None:
    """Every alarm of the reference infrastructure is, when all is as it was applied."""
    findings = check_alarm_state(reference(), deployed(), states(), CONTRACT)
    assert {Verdict.PROVEN} == {finding.verdict for finding in findings}
    alarms = reference().managed("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
    assert {alarm.address for alarm in alarms} == {finding.address for finding in findings}
    assert {"configuration", "state", "history", "what it looks at"} == {finding.subject for finding in findings}


def test_an_alarm_that_rings_is_advice() -> None:
    """It works; that it rings is said, with since when and why."""
    given = states(cpu={"state": "ALARM", "reason": "Threshold Crossed"})
    found = [one for one in check_alarm_state(reference(), deployed(), given, CONTRACT) if one.advice]

    assert [("state", "ALARM for 5 hours: Threshold Crossed")] == [(one.subject, one.found) for one in found]
    assert [] == bad(deployed(), given)


@pytest.mark.parametrize(
    "address",
    [one.address for one in reference().managed("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")],
)
def test_an_alarm_that_is_not_there_is_one_finding(address: str) -> None:
    """It says what to apply."""
    name = reference().by_address[address].get("alarm_name")
    given = states()
    (finding,) = bad(without(address), replace(given, by_name={k: v for k, v in given.by_name.items() if k != name}))
    assert (VIOLATED, address) == (finding.verdict, finding.address)
    assert finding.remedy == f"terraform apply -target='{address}'"


@pytest.mark.parametrize(
    ("address", "values", "found"),
    [
        (CPU, {"threshold": 95}, "threshold 95"),
        (CPU, {"period": 300}, "period 300"),
        (CPU, {"evaluation_periods": 1}, "evaluation_periods 1"),
        (CPU, {"datapoints_to_alarm": 2}, "datapoints_to_alarm 2"),
        (CPU, {"comparison_operator": "LessThanThreshold"}, "comparison_operator LessThanThreshold"),
        (CPU, {"metric_name": "MemoryUtilization"}, "metric_name MemoryUtilization"),
        (CPU, {"namespace": "ECS/ContainerInsights"}, "namespace ECS/ContainerInsights"),
        (CPU, {"statistic": "Maximum"}, "statistic Maximum"),
        (CPU, {"unit": "Count"}, "unit Count"),
        (CPU, {"treat_missing_data": "ignore"}, "treat_missing_data ignore"),
        (CPU, {"actions_enabled": False}, "actions_enabled false"),
        (CPU, {"alarm_actions": []}, "alarm_actions []"),
        (CPU, {"alarm_actions": None}, "alarm_actions []"),
        (CPU, {"alarm_actions": ["arn:aws:sns:ap-northeast-1:123456789012:other"]}, None),
        (CPU, {"insufficient_data_actions": ["arn:aws:sns:ap-northeast-1:123456789012:other"]}, None),
        (CPU, {"dimensions": {"ClusterName": f"{PREFIX}-cluster"}}, None),
        (TARGETS, {"dimensions": {"LoadBalancer": "app/other/1", "TargetGroup": "targetgroup/other/1"}}, None),
        (DOWN, {"alarm_rule": f'ALARM("{PREFIX}-no-healthy-target")'}, None),
        (DOWN, {"actions_enabled": False}, "actions_enabled false"),
    ],
)  # fmt: skip
def test_a_setting_that_differs_is_one_finding(address: str, values: dict[str, Any], found: str | None) -> None:
    """It shows the value of AWS, and nothing else of the alarm is wrong."""
    (finding,) = bad(changed(address, **values))
    assert (VIOLATED, address, "configuration") == (finding.verdict, finding.address, finding.subject)
    assert found is None or finding.found == found
    assert finding.expected.split()[0] == next(iter(values))
    assert finding.location


def test_what_an_expression_reads_is_compared_by_its_ids() -> None:
    """The order of the queries says nothing, their content all."""
    queries = deployed().by_address[FAILURES].get("metric_query")
    assert [] == bad(changed(FAILURES, metric_query=list(reversed(queries))))
    (finding,) = bad(changed(FAILURES, metric_query=[{**queries[0], "expression": "failures"}, *queries[1:]]))
    assert "metric_query rate expression failures" == finding.found
    (finding,) = bad(changed(FAILURES, metric_query=queries[:2]))
    assert "metric_query no query reads" == finding.found


_A, _B, _C = (f"{PREFIX}-{name}" for name in ("no-healthy-target", "unhealthy-targets", "task-start-failures"))


@pytest.mark.parametrize(
    ("rule", "is_same"),
    [
        (f"(ALARM({_C}) AND ALARM({_B})) OR ALARM({_A})", True),
        (f"ALARM(arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:{_A}) OR (ALARM({_B}) AND ALARM({_C}))", True),
        (f"NOT (NOT ALARM({_A}) AND NOT (ALARM({_B}) AND ALARM({_C})))", True),
        (f"ALARM({_A}) OR ALARM({_B}) AND ALARM({_C})", True),
        (f"ALARM({_A}) OR (ALARM({_B}) OR ALARM({_C}))", False),
        (f"ALARM({_A}) OR (ALARM({_B}) AND NOT OK({_C}))", False),
        (f"ALARM({_A}) OR (ALARM({_B}) AND ALARM({_C}-2))", False),
        (f"AT_LEAST(1, ALARM, ({_A}, {_B}, {_C}))", False),
    ],
)
def test_the_rule_of_a_composite_is_compared_by_what_it_means(rule: str, *, is_same: bool) -> None:
    """Order, brackets, quotes and ARNs say nothing; other states of the same alarms do."""
    assert ([] == bad(changed(DOWN, alarm_rule=rule))) is is_same


def test_what_aws_leaves_as_it_is_by_default_is_no_difference() -> None:
    """AWS tells the empty list and the default; the source says nothing of them."""
    assert [] == bad(changed(CPU, actions_enabled=True, insufficient_data_actions=[], datapoints_to_alarm=5, unit=""))


STUCK = {"state": "INSUFFICIENT_DATA", "reason": "Unchecked: Initial alarm creation"}


@pytest.mark.parametrize(
    ("name", "verdict", "reason"),
    [
        ("cpu", VIOLATED, "its dimensions are wrong"),
        ("database_connections", VIOLATED, "its dimensions are wrong"),
        ("secret_access_denied", VIOLATED, "it is not being evaluated"),
        ("no_database_connection", VIOLATED, "it is not being evaluated"),
        ("application_down", UNDETERMINED, "cannot be decided"),
    ],
)
def test_an_alarm_without_data_is_judged_by_its_metric(name: str, verdict: Verdict, reason: str) -> None:
    """A metric that always has data tells that something is gone; one that may have none tells nothing."""
    (finding,) = bad(deployed(), states(AlarmHistory(24), **{name: STUCK}))
    assert (verdict, "state") == (finding.verdict, finding.subject)
    assert reason in finding.reason
    assert "INSUFFICIENT_DATA for 5 hours: Unchecked: Initial alarm creation" == finding.found


def test_an_alarm_on_dynamodb_stays_as_it_is_without_data() -> None:
    """Whatever it says of missing data, so no data says nothing of the alarm."""
    for missing in ("notBreaching", "breaching", "missing"):
        live = changed(CPU, namespace="AWS/DynamoDB", treat_missing_data=missing)
        found = {one.subject: one for one in bad(live, states(cpu=STUCK))}
        assert UNDETERMINED == found["state"].verdict
        assert "keep their state" in found["state"].reason
        assert found["state"].remedy.startswith("in the contract")


def test_a_sparse_metric_is_not_known_until_the_contract_says_so() -> None:
    """With treat_missing_data missing, no data may mean that all is well."""
    live = changed(DENIED, treat_missing_data="missing")
    found = {finding.subject: finding.verdict for finding in bad(live, states(secret_access_denied=STUCK))}
    assert {"configuration": VIOLATED, "state": UNDETERMINED} == found
    found = {
        one.subject: one.verdict for one in bad(live, states(secret_access_denied=STUCK), sparse=["*-access-denied"])
    }
    assert {"configuration": VIOLATED} == found


def test_a_new_alarm_may_have_no_data_yet() -> None:
    """The contract says for how long."""
    young = {**STUCK, "since": NOW - timedelta(minutes=59)}
    assert [] == bad(deployed(), states(cpu=young))
    assert 1 == len(bad(deployed(), states(cpu=young), insufficient_minutes=58))
    assert 1 == len(bad(deployed(), states(cpu={**STUCK, "since": None})))


def test_dimensions_that_name_nothing_are_found() -> None:
    """The alarm can never fire."""
    watched = (Watched("ClusterName shop", exists=True), Watched("ServiceName gone", exists=False))
    (finding,) = bad(deployed(), states(cpu={"watched": watched}))
    assert ("what it looks at", "ServiceName gone, which does not exist") == (finding.subject, finding.found)


def test_a_metric_that_no_filter_counts_is_found() -> None:
    """The filter of the source is what writes it."""
    (finding,) = bad(without(FILTER), states())
    assert (DENIED, "a metric filter for SecretAccessDenied, which does not exist") == (finding.address, finding.found)


def test_an_alarm_that_comes_and_goes_is_found() -> None:
    """More often than the contract allows."""
    assert [] == bad(deployed(), states(AlarmHistory(24, {f"{PREFIX}-cpu": 6})))
    (finding,) = bad(deployed(), states(AlarmHistory(24, {f"{PREFIX}-cpu": 7})))
    assert (CPU, "flapping", "7 times") == (finding.address, finding.subject, finding.found)


def test_an_action_that_failed_is_found() -> None:
    """With what CloudWatch says of it, once."""
    failed = f"Failed to execute action arn:aws:sns:ap-northeast-1:123456789012:{PREFIX}-warning"
    (finding,) = bad(deployed(), states(AlarmHistory(24, {}, {f"{PREFIX}-cpu": (failed, failed)})))
    assert (CPU, "actions", failed) == (finding.address, finding.subject, finding.found)


def test_without_a_history_nothing_is_said_of_it() -> None:
    """What cannot be asked is not proven."""
    findings = check_alarm_state(reference(), deployed(), states(None), CONTRACT)
    assert "history" not in {finding.subject for finding in findings}


def test_what_the_source_does_not_know_is_undetermined() -> None:
    """Without the live target group, the dimension of the source cannot be compared."""
    live = without("module.network.aws_lb_target_group.tasks")
    assert {(UNDETERMINED, "configuration")} == {(one.verdict, one.subject) for one in bad(live)}


@pytest.mark.parametrize("live", [deployed(), without(CPU)])
def test_an_alarm_of_another_region_is_left_out(live: Plan) -> None:
    """It is neither missing nor the one that has its name here; how many there are is said."""
    found = check_alarm_state(moved(CPU, region="us-east-1"), live, states(), CONTRACT)
    assert CPU not in {one.address for one in found}
    assert ["aws_cloudwatch_metric_alarm in us-east-1 (1)"] == [one.found for one in found if one.advice]


@pytest.mark.parametrize("live", [deployed(), without(CPU)])
def test_an_alarm_that_may_be_in_another_account_is_undetermined(live: Plan) -> None:
    """Whether there is one of its name or not."""
    source = moved(CPU, account=Unknown("var.account"))
    found = [one for one in check_alarm_state(source, live, states(), CONTRACT) if one.address == CPU]
    assert [(UNDETERMINED, "var.account is unknown")] == [(one.verdict, one.found) for one in found]


@pytest.mark.parametrize("region", ["us-east-1", Unknown("var.dr")])
def test_a_filter_of_another_region_is_not_missing(region: Any) -> None:
    """Whether it counts what the alarm looks at is not known."""
    filters = [one.address for one in reference().managed("aws_cloudwatch_log_metric_filter")]
    source = moved(*filters, region=region)
    found = check_alarm_state(source, without(*filters), states(), CONTRACT)
    assert [] == [one for one in found if one.address == DENIED and one.verdict is not Verdict.PROVEN]
    found = check_alarm_state(reference(), without(*filters), states(), CONTRACT)
    assert VIOLATED in {one.verdict for one in found if one.address == DENIED}


def of_source(address: str, **values: Any) -> Plan:
    """Return the reference with other values of one alarm."""
    plan, own = reference(), reference().by_address[address]
    other = replace(own, values={**own.values, **values})
    return plan.replaced(resources=tuple(other if one is own else one for one in plan.resources))


@pytest.mark.parametrize(
    ("address", "values", "subject", "verdict"),
    [
        (CPU, {"alarm_name": Unknown("var.name")}, "", UNDETERMINED),
        (CPU, {"threshold": 1, "threshold_metric_id": "band"}, "configuration", Verdict.PROVEN),
        (CPU, {"threshold": 1}, "configuration", VIOLATED),
        (FAILURES, {"metric_query": Unknown("var.queries")}, "configuration", UNDETERMINED),
    ],
)
def test_what_the_source_leaves_open(address: str, values: dict[str, Any], subject: str, verdict: Verdict) -> None:
    """A name that is not known is not looked for, and a threshold that is a band is none."""
    band = {"threshold_metric_id": values["threshold_metric_id"]} if "threshold_metric_id" in values else {}
    found = check_alarm_state(of_source(address, **values), changed(address, **band), states(), CONTRACT)
    (finding,) = [one for one in found if (one.address, one.subject) == (address, subject)]
    assert verdict is finding.verdict
