"""Naming patterns: the table of names.json, names with unknown parts, and the errors of a pattern."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.conventions.naming import NamePattern, NamingRule
from infraspec.core.errors import ContractError
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Text, Unknown, concatenate

CASES = json.loads((Path(__file__).parent / "data/names.json").read_text(encoding="utf-8"))
FACTS = {
    "application": "daily-report-tool",
    "environment": "prod",
    "region": "ap-northeast-1",
    "account_id": "123456789012",
}
HIDDEN = Unknown("random_id.this.hex")


def _rule(case: dict[str, Any]) -> NamingRule:
    return NamingRule.parse(case["pattern"], case.get("placeholders", {}), FACTS)


def _id(case: dict[str, Any]) -> str:
    return f"{case['pattern']} {case['name']}"


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_verdict(case: dict[str, Any]) -> None:
    """A name is proven or violated as the table says."""
    assert Verdict(case["verdict"]) is _rule(case).judge(case["name"])


@pytest.mark.parametrize("case", [c for c in CASES if "reason" in c], ids=_id)
def test_reason(case: dict[str, Any]) -> None:
    """The reason says where the name departs from the pattern and what belongs there."""
    assert case["reason"] == _rule(case).explain(case["name"])


@pytest.mark.parametrize("case", [c for c in CASES if "expected" in c], ids=_id)
def test_expected(case: dict[str, Any]) -> None:
    """What is expected is the pattern, and what it comes to here."""
    assert case["expected"] == _rule(case).described


@pytest.mark.parametrize("case", [c for c in CASES if "suggestion" in c], ids=_id)
def test_suggestion(case: dict[str, Any]) -> None:
    """The name to paste is the valid one that was most likely meant, or none if that would be a guess."""
    assert case["suggestion"] == _rule(case).suggest(case["name"])


@pytest.mark.parametrize("case", [c for c in CASES if c.get("suggestion")], ids=_id)
def test_a_suggestion_is_valid(case: dict[str, Any]) -> None:
    """Whatever is suggested matches the pattern itself."""
    rule = _rule(case)
    assert rule.judge(rule.suggest(case["name"]) or "") is Verdict.PROVEN


@given(st.sampled_from(CASES), st.integers(0, 40), st.integers(0, 40))
def test_hiding_a_part_of_a_name_never_contradicts(case: dict[str, Any], start: int, end: int) -> None:
    """With a part of the name unknown the verdict is the known one or UNDETERMINED, and the reason can be given."""
    rule, (start, end) = _rule(case), sorted((start, end))
    hidden = concatenate((case["name"][:start], HIDDEN, case["name"][end:]))
    verdict = rule.judge(hidden)
    assert verdict in {Verdict.UNDETERMINED, rule.judge(case["name"])}
    if verdict is Verdict.VIOLATED:
        assert rule.explain(hidden if isinstance(hidden, Text) else Text((HIDDEN,)))
        assert rule.suggest(hidden if isinstance(hidden, Text) else Text((HIDDEN,))) is None


def test_a_contradicting_beginning_or_end_is_violated() -> None:
    """What is known before or after the unknown part decides if it alone contradicts."""
    rule = NamingRule.parse("{application}-{environment}-{engine}", {"engine": "postgres|mysql"}, FACTS)
    assert rule.judge(Text(("other-", HIDDEN))) is Verdict.VIOLATED
    assert rule.judge(Text((HIDDEN, "-mysql8"))) is Verdict.VIOLATED
    assert rule.judge(Text(("daily-", HIDDEN))) is Verdict.UNDETERMINED
    reason = rule.explain(Text(("other-", HIDDEN)))
    assert reason == "unexpected `other-${random_id.this.hex}`: expected {application} (daily-report-tool)"
    assert "`-mysql8`" in rule.explain(Text((HIDDEN, "-mysql8")))


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("{application}-{region}", "daily-report-tool-eu-west-1", "daily-report-tool-tokyo"),
        ("{application}-{account_id}", "daily-report-tool-111122223333", "daily-report-tool-12"),
        ("{application}{Region}", "daily-report-toolEuWest1", "x"),
    ],
)
def test_a_fact_that_is_not_known_settles_nothing(pattern: str, good: str, bad: str) -> None:
    """A name of the right form is UNDETERMINED as long as the region or account is not known, never proven."""
    known = {"application": "daily-report-tool", "environment": "prod"}
    rule = NamingRule.parse(pattern, {}, known)
    assert rule.judge(good) is Verdict.UNDETERMINED
    assert rule.judge(bad) is Verdict.VIOLATED
    assert rule.patterns[0].unsettled
    assert rule.suggest(bad) is None


@pytest.mark.parametrize(
    ("application", "name", "verdict"),
    [
        ("daily-report-tool", "DailyReportToolLogs", "proven"),
        ("daily-report-tool", "DailyReportLogs", "proven"),
        ("daily-report-tool", "DailyLogs", "violated"),
        ("billing", "BillingLogs", "proven"),
        ("tool", "ToolLogs", "proven"),
        ("tool", "Logs", "violated"),
        ("ledger_service", "LedgerLogs", "proven"),
        ("myTeam", "MyTeamLogs", "proven"),
    ],
)
def test_capitalised_application(application: str, name: str, verdict: str) -> None:
    """{Application} is every word capitalised, with or without a last word such as "tool"."""
    pattern = NamePattern.parse("{Application}Logs", {}, {"application": application, "environment": "prod"})
    assert Verdict(verdict) is pattern.judge(name)


@pytest.mark.parametrize("name", ["Pre-Prod", "PreProd"])
def test_capitalised_environment(name: str) -> None:
    """{Environment} is as Terraform's title() writes it, or the words joined."""
    pattern = NamePattern.parse("{Environment}", {}, {"application": "a", "environment": "pre-prod"})
    assert pattern.judge(name) is Verdict.PROVEN
    assert pattern.judge("pre-prod") is Verdict.VIOLATED


def test_own_placeholders_win_over_facts_and_defaults() -> None:
    """A placeholder of the contract replaces a fact or a default of the same name."""
    pattern = NamePattern.parse("{environment}-{version}", {"environment": "prd|stg", "version": "[0-9]+"}, FACTS)
    assert pattern.judge("prd-1") is Verdict.PROVEN
    assert pattern.judge("prod-v1") is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("pattern", "place", "message", "remedy"),
    [
        ("{application", "names.patterns.t", "not closed", "close the brace"),
        ("application}", "names.patterns.t", "not opened", "double it"),
        ("{}", "names.patterns.t", "{} has no name", "name the placeholder"),
        ("{a b}", "names.patterns.t", "is no placeholder", "name the placeholder"),
        ("{env}-x", "names.patterns.t", "did you mean {environment}", "write {environment}"),
        ("{enviroment}-x", "names.patterns.t", "did you mean {environment}", "names.placeholders.enviroment"),
        ("{APPLICATION}", "names.patterns.t", "did you mean {application}", "write {application}"),
        ("{Account_id}", "names.patterns.t", "did you mean {account_id}", "write {account_id}"),
        ("regex:a(", "names.patterns.t", "is not a regular expression", "fix"),
        ("regex:(?!a)b", "names.patterns.t", "(?!", "write the expression without it"),
        ("{bad}", "names.placeholders.bad", "is not a regular expression", "fix"),
        ([], "names.patterns.t", "list of patterns is empty", "write a pattern"),
    ],
)
def test_a_bad_pattern_is_an_error_of_the_contract(pattern: Any, place: str, message: str, remedy: str) -> None:
    """An error names the key, says what is wrong and what to write instead."""
    with pytest.raises(ContractError) as caught:
        NamingRule.parse(pattern, {"bad": "[a-"}, FACTS, key="names.patterns.t")
    assert caught.value.place == place
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_long_names_are_judged_in_no_time() -> None:
    """A pattern of many open placeholders does not backtrack over a name of many words."""
    rule = NamingRule.parse("-".join(f"{{p{i}}}" for i in range(8)) + "-{version}", {}, FACTS)
    name = "-".join(["a"] * 400)
    assert rule.judge(name) is Verdict.VIOLATED
    assert rule.judge(f"{name}-v1") is Verdict.PROVEN
    assert rule.suggest(name) is None


def test_template_to_fill_in() -> None:
    """Where no name can be suggested, the line has what is known put in and a note on the rest."""
    pattern = NamePattern.parse("{application}-{engine}-{version}", {"engine": "postgres|mysql"}, FACTS)
    assert pattern.template() == (
        "daily-report-tool-{engine}-{version}",
        "{engine}: postgres|mysql; {version}: v and a number, such as v1",
    )
    assert NamePattern.parse("regex:a+", {}, FACTS).template() == ("…", "matching a+")
