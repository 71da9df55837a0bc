"""Required tags: the table of tags.json, unknown values, and the errors of a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.contract.static import TagRule, Tags
from infraspec.conventions.effective_tags import EffectiveTags, TagFault
from infraspec.conventions.tags import RequiredTag, TagRules
from infraspec.core.errors import ContractError, InputErrorGroup
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Sensitive, Text, Unknown, Value, concatenate

CASES = json.loads((Path(__file__).parent / "data/tags.json").read_text(encoding="utf-8"))
FACTS = {"application": "daily-report-tool", "environment": "prod"}
HIDDEN = Unknown("var.team")


def _faults(rule: Any, tags: dict[str, Value], *, open_: Unknown | None = None) -> list[TagFault]:
    rules = TagRules.parse(Tags.model_validate({"common": {"K": rule}}), FACTS)
    return rules.of("aws_sns_topic").faults(EffectiveTags(tags, open_))


def _of(case: dict[str, Any]) -> list[TagFault]:
    return _faults(case["rule"], {"K": case["value"]} if "value" in case else {})


def _verdict(faults: list[TagFault]) -> Verdict:
    return faults[0].verdict if faults else Verdict.PROVEN


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_verdict(case: dict[str, Any]) -> None:
    """A tag is proven or violated as the table says."""
    assert Verdict(case["verdict"]) is _verdict(_of(case))


@pytest.mark.parametrize(
    ("case", "field"),
    [(c, f) for c in CASES for f in ("expected", "found", "reason") if f in c],
    ids=lambda part: part if isinstance(part, str) else part["name"],
)
def test_words(case: dict[str, Any], field: str) -> None:
    """A fault says what was expected and found."""
    assert case[field] == getattr(_of(case)[0], field)


@pytest.mark.parametrize("case", [c for c in CASES if "paste" in c], ids=lambda case: case["name"])
def test_the_value_to_paste(case: dict[str, Any]) -> None:
    """The value to paste is the exact one, or left open with the allowed values as a remark."""
    fault = _of(case)[0]
    assert case["paste"] == fault.value
    assert tuple(filter(None, [case.get("remark")])) == fault.remarks


@given(st.sampled_from([c for c in CASES if isinstance(c.get("value"), str)]), st.integers(0, 9), st.integers(0, 9))
def test_hiding_a_part_of_a_value_never_contradicts(case: dict[str, Any], start: int, end: int) -> None:
    """With a part of the value unknown the verdict is the known one or UNDETERMINED."""
    start, end = sorted((start, end))
    value = concatenate((case["value"][:start], HIDDEN, case["value"][end:]))
    verdict = _verdict(_faults(case["rule"], {"K": value}))
    assert verdict in {Verdict.UNDETERMINED, Verdict(case["verdict"])}


@given(st.sampled_from(CASES))
def test_hiding_the_tags_never_contradicts(case: dict[str, Any]) -> None:
    """With the map as a whole unknown nothing is settled."""
    assert _verdict(_faults(case["rule"], {}, open_=HIDDEN)) is Verdict.UNDETERMINED


def test_an_unknown_value_under_a_known_key() -> None:
    """The key is there: any value is proven, a certain value is UNDETERMINED and says what would have to be known."""
    assert _faults({}, {"K": HIDDEN}) == []
    fault = _faults("platform-team", {"K": HIDDEN})[0]
    assert (fault.verdict, fault.unknown) == (Verdict.UNDETERMINED, "${var.team}")
    assert _verdict(_faults("platform-team", {"K": Text(("sre-", HIDDEN))})) is Verdict.VIOLATED


def test_a_sensitive_value_is_not_shown() -> None:
    """A sensitive value is UNDETERMINED, right or wrong, and stands nowhere in the fault."""
    for value in ("right", "wrong"):
        fault = _faults("right", {"K": Sensitive("var.k", value)})[0]
        assert fault.verdict is Verdict.UNDETERMINED
        assert "wrong" not in repr(fault)
        assert "(sensitive value)" in fault.found


def test_a_key_in_other_case_is_another_key() -> None:
    """A key that differs in case is violated and asks whether the right one was meant."""
    fault = _faults("terraform", {"k": "terraform"})[0]
    assert fault.verdict is Verdict.VIOLATED
    assert (fault.found, fault.reason) == ("the key k", "k is another key than K; did you mean K?")


def test_a_known_key_of_an_open_map_is_judged() -> None:
    """If other tags are not known, those that are certain are still judged."""
    assert _faults("a", {"K": "a"}, open_=HIDDEN) == []
    assert _verdict(_faults("a", {"K": "b"}, open_=HIDDEN)) is Verdict.VIOLATED


def test_a_fact_that_is_not_known() -> None:
    """A value that holds the region, which is not known, is never proven."""
    assert _verdict(_faults("{region}", {"K": "eu-west-1"})) is Verdict.UNDETERMINED
    assert _verdict(_faults("{region}", {"K": "Tokyo"})) is Verdict.VIOLATED


def test_the_rules_of_a_type_win_over_the_common_ones() -> None:
    """A type's own rule for a key replaces the common one, and its other keys come on top."""
    table = {"common": {"Owner": "platform-team"}, "resource": {"aws_db_instance": {"Owner": "dba", "Engine": {}}}}
    rules = TagRules.parse(Tags.model_validate(table), FACTS)
    assert rules.of("aws_db_instance").describe() == 'Owner = "dba"\nEngine = any value'
    assert rules.of("aws_sns_topic").describe() == 'Owner = "platform-team"'


@pytest.mark.parametrize(
    ("rule", "message", "remedy"),
    [
        ([], "list of allowed values is empty", "write {} for any value"),
        ({"regex": "("}, "is not a regular expression", "fix"),
        ({"regex": "(?!x)y"}, "(?!", "without it"),
        ("{owner}", "there is no placeholder {owner}", "{application}"),
        ("{env}", "did you mean {environment}", "write {environment}"),
        ("{", "not closed", "double it"),
    ],
)
def test_a_bad_rule_is_an_error_of_the_contract(rule: Any, message: str, remedy: str) -> None:
    """An error names the key, what is wrong, and what to write instead."""
    value = TagRule.model_construct(**rule) if isinstance(rule, dict) else rule
    with pytest.raises(ContractError) as caught:
        RequiredTag.parse("K", value, FACTS, place="tags.common.K")
    assert caught.value.place == "tags.common.K"
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_all_bad_rules_are_reported_at_once() -> None:
    """Two bad rules are two errors of one run."""
    table = {"common": {"A": "{owner}"}, "resource": {"aws_db_instance": {"B": {"regex": "(?!x)y"}}}}
    with pytest.raises(InputErrorGroup) as caught:
        TagRules.parse(Tags.model_validate(table), FACTS)
    assert [error.place for error in caught.value.errors] == ["tags.common.A", "tags.resource.aws_db_instance.B"]
