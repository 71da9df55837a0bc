"""CloudWatch alarms: their first state, composite alarms with their rule evaluated, their actions and their history.

Sources: Amazon CloudWatch API Reference, PutMetricAlarm ("the alarm state is immediately set to INSUFFICIENT_DATA"),
PutCompositeAlarm (the grammar of AlarmRule) and DescribeAlarmHistory; Amazon CloudWatch User Guide, "Evaluating
alarms".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partialmethod
from typing import Any

from botocore import xform_name
from moto.cloudwatch import models, responses
from moto.core.responses import ActionResult, EmptyResult
from moto.logs.models import MetricFilters

from infraspec.monitoring.boolean_expressions import AlarmRule, Condition, UnreadableError
from infraspec.sandbox.overlay.alarm_actions import execute
from infraspec.sandbox.overlay.events import emit
from infraspec.sandbox.overlay.targets import Place

_STATE = (
    "state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "state_transitioned_timestamp",
)  # fmt: skip
"""What an alarm keeps when it is put again."""
_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
_HISTORY_LIMIT = 100


def install() -> None:
    """Put the alarms of AWS over those of moto."""
    MetricFilters.add_filter = partialmethod(_add_filter, MetricFilters.add_filter)
    backend = models.CloudWatchBackend
    backend.put_metric_alarm = partialmethod(_put_metric_alarm, backend.put_metric_alarm)
    backend.set_alarm_state = partialmethod(_set_alarm_state, backend.set_alarm_state)
    responses.CloudWatchResponse.put_composite_alarm = _put_composite_alarm
    responses.CloudWatchResponse.describe_alarm_history = _describe_alarm_history
    described = responses.CloudWatchResponse.describe_alarms
    responses.CloudWatchResponse.describe_alarms = partialmethod(_describe_alarms, described)


def _add_filter(  # noqa: PLR0917 - the parameters of moto's
    filters: Any, original: Callable[..., Any], name: str, pattern: str, group: str, transformations: Any
) -> None:
    """Replace the metric filter of the name. Source: Amazon CloudWatch Logs API Reference, PutMetricFilter."""
    filters.delete_filter(name, group)
    original(filters, name, pattern, group, transformations)


def _put_metric_alarm(backend: Any, original: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    before = backend.alarms.get(named["name"])
    alarm = original(backend, *arguments, **named)
    alarm.events = before.events if before is not None else []
    if before is None:
        alarm.state_value, alarm.state_reason = "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation"
        alarm.state_reason_data = None
        alarm.state_transitioned_timestamp = datetime.now(UTC)
        _note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" created', {"type": "Create", "version": "1.0"})
    else:
        for name in _STATE:
            setattr(alarm, name, getattr(before, name))
        _note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" updated', {"type": "Update", "version": "1.0"})
    _evaluate_composites(backend)
    return alarm


def _set_alarm_state(  # noqa: PLR0917 - the parameters of moto's
    backend: Any, original: Callable[..., Any], name: str, reason: str, data: str | None, value: str
) -> None:
    alarm = backend.alarms.get(name)
    before = alarm.state_value if alarm is not None else None
    original(backend, name, reason, data, value)
    if before != value:
        _changed(backend, backend.alarms[name], str(before), value, reason)
        _evaluate_composites(backend)


def move(backend: Any, alarm: Any, value: str, reason: str) -> None:
    """Bring an alarm to the state that its metric gives it."""
    before = alarm.state_value
    alarm.update_state(reason, "{}", value)
    _changed(backend, alarm, before, value, reason)
    _evaluate_composites(backend)


def _put_composite_alarm(response: Any) -> Any:
    rule = response._get_param("AlarmRule")
    if not rule or _rule(rule) is None:
        raise responses.ValidationError("AlarmRule must not contain leading or trailing whitespace or be null")
    response.put_metric_alarm()
    alarm = response.cloudwatch_backend.alarms[response._get_param("AlarmName")]
    for setting in _SUPPRESSION:
        setattr(alarm, xform_name(setting), response._get_param(setting))
    return EmptyResult()


def _describe_alarms(response: Any, original: Callable[[Any], Any]) -> Any:
    """Return metric alarms alone unless AlarmTypes asks for composite ones, as AWS does."""
    answer = original(response)
    types = response._get_param("AlarmTypes", []) or ["MetricAlarm"]
    found = answer.result
    metric = found["MetricAlarms"] if "MetricAlarm" in types else []
    composite = found["CompositeAlarms"] if "CompositeAlarm" in types else []
    return ActionResult({"MetricAlarms": metric, "CompositeAlarms": composite})


def _describe_alarm_history(response: Any) -> Any:
    name, kind = response._get_param("AlarmName"), response._get_param("HistoryItemType")
    limit = int(response._get_param("MaxRecords") or _HISTORY_LIMIT)
    types = response._get_param("AlarmTypes", []) or ["MetricAlarm"]
    items = [
        event
        for alarm in response.cloudwatch_backend.alarms.values()
        for event in alarm.events
        if name in {None, "", alarm.name} and kind in {None, "", event["HistoryItemType"]}
        if event["AlarmType"] in types or name
    ]
    items.sort(key=lambda event: event["Timestamp"], reverse=response._get_param("ScanBy") != "TimestampAscending")
    return ActionResult({"AlarmHistoryItems": items[:limit]})


def _note(alarm: Any, kind: str, summary: str, data: dict[str, Any]) -> None:
    alarm.events.append(
        {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.rule is not None else "MetricAlarm",
            "Timestamp": datetime.now(UTC),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data),
        }
    )


def _changed(backend: Any, alarm: Any, before: str, after: str, reason: str) -> None:
    data = {
        "version": "1.0",
        "oldState": {"stateValue": before},
        "newState": {"stateValue": after, "stateReason": reason},
    }
    _note(alarm, "StateUpdate", f"Alarm updated from {before} to {after}", data)
    alarm.state_transitioned_timestamp = datetime.now(UTC)
    change = {
        "alarmName": alarm.name,
        "state": {"value": after, "reason": reason, "timestamp": alarm.state_transitioned_timestamp},
        "previousState": {"value": before},
    }
    _, partition, _, region, account, *_ = alarm.alarm_arn.split(":")
    emit(
        Place(account, region, partition), "aws.cloudwatch", "CloudWatch Alarm State Change", change, (alarm.alarm_arn,)
    )
    if not alarm.actions_enabled or _is_suppressed(backend, alarm):
        return
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(after, alarm.insufficient_data_actions)
    for action in actions or ():
        error = execute(action, alarm, before)
        told = f'Failed to execute action {action}. Received error: "{error}"'
        summary = told if error else f"Successfully executed action {action}"
        _note(alarm, "Action", summary, {"actionState": "Failed" if error else "Succeeded", "error": error})


def _is_suppressed(backend: Any, alarm: Any) -> bool:
    """Tell whether another alarm keeps the actions of a composite one back. Its periods of waiting are none here."""
    suppressor = getattr(alarm, "actions_suppressor", None)
    other = backend.alarms.get(suppressor.rpartition(":alarm:")[2]) if suppressor else None
    return other is not None and other.state_value == "ALARM"


def _evaluate_composites(backend: Any) -> None:
    """Bring composite alarms to what their rules say, those of others last."""
    for _ in backend.alarms:
        changed = False
        for alarm in backend.alarms.values():
            if alarm.rule is None:
                continue
            value = "ALARM" if _holds(alarm.rule, backend) else "OK"
            if value != alarm.state_value:
                before, reason = alarm.state_value, f"{alarm.alarm_arn} transitioned to {value}"
                alarm.update_state(reason, "{}", value)
                _changed(backend, alarm, before, value, reason)
                changed = True
        if not changed:
            return


def _rule(text: str) -> tuple[AlarmRule, Condition] | None:
    """Return a rule with the alarms it is about; None if it is none."""
    try:
        rule = AlarmRule(text)
        return rule, rule.parse()
    except UnreadableError:
        return None


def _holds(text: str, backend: Any) -> bool:
    rule, condition = _rule(text) or (AlarmRule(""), lambda _states: False)
    alarms = {name: backend.alarms.get(name.rpartition(":alarm:")[2]) for name in rule.names}
    return bool(condition({name: (alarm.state_value,) if alarm else () for name, alarm in alarms.items()}))
