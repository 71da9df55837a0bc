"""The drill of what is deployed: each failure is heard of, and edits in the account that silence it are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache

import pytest
from msgspec.structs import replace

from infraspec.checks.alarms.drill import check_drill
from infraspec.contract.alarms import AskedFailure, DrilledFailures
from infraspec.contract.models import Contract
from infraspec.core.errors import ContractError
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import RefusedRead, Unknown, Value
from infraspec.monitoring.drill.failures import failures
from infraspec.terraform.plan import Plan, Resource
from tests.live.deployed import CONTRACT, deployed, without
from tests.samples import some

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
RULE, SUBSCRIPTION = "aws_cloudwatch_event_rule", "aws_sns_topic_subscription"
CHATBOT = "aws_chatbot_slack_channel_configuration"
ABSENT = "certificate-expiry"
"""The reference has no certificate of its own."""
BY_NOBODY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sns:Publish","Resource":"*"}]}'  # noqa: E501
Change = Mapping[str, Value]


def asking(*names: str, **changes: AskedFailure) -> Contract:
    """Return the contract that asks about some failures alone."""
    others = [name for name in failures() if name not in names]
    return CONTRACT.model_copy(update={"drill": DrilledFailures(failures=changes, without=others)})


def judged(live: Plan, name: str, **changes: AskedFailure) -> list[Finding]:
    """Return the findings about one failure."""
    return check_drill(live, asking(name, **changes), "prod")


@cache
def reference() -> Mapping[str, list[Finding]]:
    """Return the findings about what is deployed as it is, by failure."""
    found: dict[str, list[Finding]] = {}
    for finding in check_drill(deployed(), CONTRACT, "prod"):
        found.setdefault(finding.subject, []).append(finding)
    return found


def edited(change: Callable[[Resource], Change | None]) -> Plan:
    """Return what is deployed with other values of the resources that a change is for."""

    def applied(resource: Resource) -> Resource:
        changes = change(resource)
        return resource if changes is None else replace(resource, values={**resource.values, **changes})

    return deployed().replaced(resources=tuple(map(applied, deployed().resources)))


def rings(resource: Resource) -> bool:
    """Tell whether a rule sends a failure to people, and not to a log that is counted."""
    return any(resource.address == one.address for found in reference().values() for f in found for one in f.related)


def off(resource: Resource) -> Change | None:
    """Switch an alarm's actions off, and a rule that sends to people."""
    if resource.type == RULE:
        return {"state": "DISABLED"} if rings(resource) else None
    return {"actions_enabled": False} if resource.type in {METRIC, COMPOSITE} else None


def no_actions(resource: Resource) -> Change | None:
    """Take an alarm's actions away, and what a rule takes."""
    if resource.type == RULE:
        return {"event_pattern": '{"source": ["nobody"]}'} if rings(resource) else None
    return {"alarm_actions": []} if resource.type in {METRIC, COMPOSITE} else None


def strange(resource: Resource) -> Change | None:
    """Let an alarm look at another metric, and switch a rule off."""
    queries = resource.stated("metric_query")
    if resource.type != METRIC:
        return {"state": "DISABLED"} if resource.type == RULE else None
    if not queries:
        return {"dimensions": {"Nobody": "nothing"}}
    return {
        "metric_query": [
            {**query, "metric": [{**metric, "namespace": "Nobody"} for metric in query.get("metric") or ()]}
            for query in queries
        ]
    }


def unheard(**given: Value) -> Callable[[Resource], Change | None]:
    """Change each subscription, and take the topics from the chat."""

    def change(resource: Resource) -> Change | None:
        return {SUBSCRIPTION: given, CHATBOT: {"sns_topic_arns": []}}.get(resource.type)

    return change


SILENCING: Mapping[str, Callable[[Resource], Change | None]] = {
    "switched off": off,
    "without actions": no_actions,
    "on something else": strange,
    "not confirmed": unheard(pending_confirmation=True),
    "filtered": unheard(filter_policy='{"team": ["a"]}'),
    "not let in": lambda resource: {"policy": BY_NOBODY} if resource.type == "aws_sns_topic_policy" else None,
}
HARMLESS: Mapping[str, Callable[[Resource], Change | None]] = {
    "another description": lambda one: (
        {"alarm_description": "x", "tags": {}} if one.type in {METRIC, COMPOSITE} else None
    ),
    "nothing when it is over": lambda one: {"ok_actions": []} if one.type in {METRIC, COMPOSITE} else None,
    "an empty filter": lambda one: {"filter_policy": "{}"} if one.type == SUBSCRIPTION else None,
    "one datapoint is enough": lambda one: {"datapoints_to_alarm": 1} if one.type == METRIC else None,
    "another name of a rule": lambda one: {"description": "x"} if one.type == RULE else None,
}


def test_the_reference_is_proven() -> None:
    """Each failure is heard of, about each resource that it can be about."""
    assert {*failures()} - {ABSENT} == {*reference()}
    assert {PROVEN} == {finding.verdict for found in reference().values() for finding in found}


@pytest.mark.parametrize("name", some(sorted({*failures()} - {ABSENT}), 5))
@pytest.mark.parametrize("edit", SILENCING)
def test_what_silences_a_failure_is_found(name: str, edit: str) -> None:
    """It is VIOLATED of each resource, with why, what it means and what to change."""
    findings = judged(edited(SILENCING[edit]), name)

    assert len(reference()[name]) == len(findings)
    assert {VIOLATED} == {finding.verdict for finding in findings}
    assert all(finding.reason and finding.consequence and finding.remedy for finding in findings)


@pytest.mark.parametrize("edit", HARMLESS)
def test_what_is_harmless_is_proven(edit: str) -> None:
    """Nothing of what does not silence a failure is a finding."""
    found = check_drill(edited(HARMLESS[edit]), CONTRACT, "prod")

    assert {PROVEN} == {finding.verdict for finding in found}


def test_rules_that_are_off_leave_counts_open() -> None:
    """Who else may write to the log that is counted is not in the plan: UNDETERMINED, and never PROVEN."""
    live = edited(lambda one: {"state": "DISABLED"} if one.type == RULE else None)

    assert {UNDETERMINED} == {one.verdict for one in judged(live, "image-gone")}
    assert {VIOLATED} == {one.verdict for one in judged(live, "secret-deleted")}


def test_a_default_value_of_a_filter_leaves_open() -> None:
    """The lines that a filter does not match may keep its alarms in ALARM: UNDETERMINED, with why."""

    def counting_all(one: Resource) -> Change | None:
        blocks = one.stated("metric_transformation")
        return {"metric_transformation": [{**block, "default_value": "1"} for block in blocks]} if blocks else None

    found = judged(edited(counting_all), "image-gone")

    assert {UNDETERMINED} == {one.verdict for one in found}
    assert all("default_value" in one.reason for one in found)


@pytest.mark.parametrize(
    ("suppressor", "verdict"),
    [("latency", PROVEN), ("no-healthy-target", VIOLATED), ("elsewhere", UNDETERMINED)],
)
def test_a_suppressor_keeps_actions_back(suppressor: str, verdict: Verdict) -> None:
    """While it is in ALARM nobody hears of a composite alarm; one that the account does not have leaves it open."""
    alarm = suppressor if suppressor == "elsewhere" else f"daily-report-tool-prod-{suppressor}"
    block = {"alarm": alarm, "wait_period": 60, "extension_period": 60}
    live = edited(lambda one: {"actions_suppressor": [block]} if one.type == COMPOSITE else None)

    assert {verdict} == {one.verdict for one in judged(live, "no-task")}


def test_composite_alarms_that_cannot_be_read_are_asked_once() -> None:
    """Rules that name each other, or that nobody can read, end; what they would tell of is UNDETERMINED."""
    live = edited(lambda one: {"alarm_rule": "nonsense"} if one.type == COMPOSITE else off(one))

    assert {UNDETERMINED} == {one.verdict for one in judged(live, "image-gone")}


def test_one_way_is_enough() -> None:
    """Two alarms tell of a task that does not start: with one of them the failure is heard of."""
    first, second = (one.address for one in reference()["secret-access-denied"][0].related[:2])
    (whole, *_), (rest, *_) = (judged(plan, "secret-access-denied") for plan in (deployed(), without(second)))

    assert first != second
    assert (PROVEN, PROVEN) == (whole.verdict, rest.verdict)
    assert second not in {one.address for one in rest.related}


def test_what_is_asked_of_a_failure() -> None:
    """A contract sets the minutes and the level of a failure, and takes others out."""
    assert VIOLATED is judged(deployed(), "latency", latency=AskedFailure(minutes=2))[0].verdict
    assert VIOLATED is judged(deployed(), "latency", latency=AskedFailure(level="critical"))[0].verdict
    (late,) = judged(deployed(), "latency", latency=AskedFailure(minutes=4))
    assert "alerted after 5 minutes: chat, email" == late.found
    assert "until 1 minute after the limit" in late.consequence
    assert ["latency"] == [one.subject for one in check_drill(deployed(), asking("latency"), "prod")]


@pytest.mark.parametrize(
    ("table", "place"),
    [
        (DrilledFailures(without=["latenzy"]), "drill.without"),
        (DrilledFailures(failures={"latenzy": AskedFailure()}), "drill.failures"),
        (DrilledFailures(failures={"latency": AskedFailure(level="loud")}), "drill.failures.latency.level"),
    ],
)
def test_what_there_is_not_is_an_error(table: DrilledFailures, place: str) -> None:
    """A failure or a level that there is not is named with its place."""
    with pytest.raises(ContractError) as caught:
        check_drill(deployed(), CONTRACT.model_copy(update={"drill": table}), "prod")

    assert place in str(caught.value)


def test_what_is_not_evaluated_leaves_open() -> None:
    """An alarm with a statistic that the model does not have may ring: UNDETERMINED, with the alarm that may."""
    live = edited(lambda one: {"extended_statistic": "tm90", "statistic": None} if one.name == "latency" else None)
    (finding,) = judged(live, "latency")

    assert UNDETERMINED is finding.verdict
    assert "its statistic tm90 is not evaluated" in finding.reason


class Refused(Plan):
    """An account in which the runner may not list alarms."""

    def unlisted(self, type_: str) -> Unknown | None:
        """Return that alarms may not be listed."""
        cause = RefusedRead("grant cloudwatch:DescribeAlarms")
        return Unknown("alarms that nobody may list", cause) if type_ == METRIC else None


def test_a_refused_read_leaves_open() -> None:
    """Where alarms may not be listed, one of them may tell of it: UNDETERMINED, with the statement to add."""
    silent = edited(off)
    live = Refused(**{one.name: getattr(silent, one.name) for one in fields(Plan) if one.init})
    (finding,) = judged(live, "latency")

    assert UNDETERMINED is finding.verdict
    assert "grant cloudwatch:DescribeAlarms" == finding.remedy
