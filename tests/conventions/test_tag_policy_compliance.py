"""Compliance with a tag policy as AWS defines it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infraspec.conventions.effective_tags import EffectiveTags, TagFault
from infraspec.conventions.tag_policy import PolicyForType, TagPolicy
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Sensitive, Text, Unknown

HIDDEN = Unknown("var.cost_center")
COST = {
    "tag_key": "CostCenter",
    "tag_value": ["CC-*", "100", "*@example.com"],
    "enforced_for": ["secretsmanager:*"],
    "report_required_tag_for": ["logs:log-group", "kendra:faq"],
}


def _faults(
    type_: str, tags: dict[str, Any], rule: dict[str, Any] = COST, open_: Unknown | None = None
) -> list[TagFault]:
    policy = TagPolicy.from_json(json.dumps({"tags": {"costcenter": rule}}))
    return PolicyForType.of(policy, type_).faults(type_, EffectiveTags(tags, open_))


@pytest.mark.parametrize(
    ("type_", "tags", "verdict"),
    [
        ("aws_sns_topic", {}, "proven"),
        ("aws_sns_topic", {"Other": "x"}, "proven"),
        ("aws_sns_topic", {"CostCenter": "CC-7"}, "proven"),
        ("aws_sns_topic", {"CostCenter": "CC-"}, "proven"),
        ("aws_sns_topic", {"CostCenter": "100"}, "proven"),
        ("aws_sns_topic", {"CostCenter": 100}, "proven"),
        ("aws_sns_topic", {"CostCenter": "a@example.com"}, "proven"),
        ("aws_sns_topic", {"CostCenter": "cc-7"}, "violated"),
        ("aws_sns_topic", {"CostCenter": "1000"}, "violated"),
        ("aws_sns_topic", {"CostCenter": "a@exampleXcom"}, "violated"),
        ("aws_sns_topic", {"costcenter": "CC-7"}, "violated"),
        ("aws_sns_topic", {"CostCenter": "CC-7", "COSTCENTER": "CC-7"}, "violated"),
        ("aws_sns_topic", {"CostCenter": None}, "proven"),
        ("aws_cloudwatch_log_group", {}, "violated"),
        ("aws_cloudwatch_log_group", {"CostCenter": None}, "violated"),
        ("aws_cloudwatch_log_group", {"CostCenter": "CC-7"}, "proven"),
        ("aws_new_thing", {}, "undetermined"),
        ("aws_new_thing", {"CostCenter": "CC-7"}, "proven"),
        ("aws_sns_topic", {"CostCenter": HIDDEN}, "undetermined"),
        ("aws_sns_topic", {"CostCenter": Text(("CC-", HIDDEN))}, "undetermined"),
        ("aws_sns_topic", {"CostCenter": Text(("XX-", HIDDEN, "."))}, "violated"),
        ("aws_sns_topic", {"CostCenter": Sensitive("var.c", "XX")}, "undetermined"),
    ],
)
def test_verdict(type_: str, tags: dict[str, Any], verdict: str) -> None:
    """Case and value are checked where the tag is there; a missing one only for the types that need it."""
    faults = _faults(type_, tags)
    assert Verdict(verdict) is (faults[0].verdict if faults else Verdict.PROVEN)


def test_tags_that_are_not_known() -> None:
    """Tags that are not known as a whole settle nothing but what is certainly wrong."""
    assert [f.verdict for f in _faults("aws_sns_topic", {}, open_=HIDDEN)] == [Verdict.UNDETERMINED]
    assert [f.verdict for f in _faults("aws_sns_topic", {"CostCenter": "CC-1"}, open_=HIDDEN)] == [Verdict.UNDETERMINED]
    assert [f.verdict for f in _faults("aws_sns_topic", {"CostCenter": "x"}, open_=HIDDEN)] == [Verdict.VIOLATED]


def test_enforcement_is_said_where_aws_refuses() -> None:
    """A wrong value of an enforced type says so; a missing tag does not, for AWS does not refuse it."""
    wrong = _faults("aws_secretsmanager_secret", {"CostCenter": "x"})[0]
    assert "AWS refuses the request (enforced_for secretsmanager:*)" in wrong.reason
    assert "refuses" not in _faults("aws_sns_topic", {"CostCenter": "x"})[0].reason
    both = COST | {"report_required_tag_for": ["secretsmanager:secret"]}
    assert "refuses" not in _faults("aws_secretsmanager_secret", {}, both)[0].reason


def test_values_of_a_parent_policy_are_open() -> None:
    """With @@append a value that is not listed may be the parent's; a removed one is certainly wrong."""
    rule = {"tag_key": "CostCenter", "tag_value": {"@@append": ["a"], "@@remove": ["b"]}}
    assert _faults("aws_sns_topic", {"CostCenter": "a"}, rule) == []
    assert _faults("aws_sns_topic", {"CostCenter": "c"}, rule)[0].verdict is Verdict.UNDETERMINED
    assert _faults("aws_sns_topic", {"CostCenter": "b"}, rule)[0].verdict is Verdict.VIOLATED


def test_no_values_is_any_value() -> None:
    """A policy without tag_value allows any value, and the value to paste is left open."""
    rule = {"tag_key": "CostCenter", "report_required_tag_for": ["sns:topic"]}
    assert _faults("aws_sns_topic", {"CostCenter": HIDDEN}, rule) == []
    fault = _faults("aws_sns_topic", {}, rule)[0]
    assert (fault.value, fault.remarks) == ("…", ("any value",))


def test_a_single_value_is_the_one_to_paste() -> None:
    """If a policy allows one value, that is pasted; of several the remark lists them."""
    only = {"tag_key": "CostCenter", "tag_value": ["100"], "report_required_tag_for": ["sns:topic"]}
    assert _faults("aws_sns_topic", {}, only)[0].value == "100"
    assert _faults("aws_cloudwatch_log_group", {})[0].remarks == ("one of CC-*, 100, *@example.com",)
