"""`[rules]` of the contract: what a violation does, by rule and by check."""

from __future__ import annotations

import pytest

from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES
from infraspec.reporting.github.annotations import sarif
from infraspec.reporting.github.comment import comment
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import read
from infraspec.reporting.run.rule_result import switched
from tests.plugin.project import CONTRACT, Project, assert_not_passed, text_of
from tests.plugin.test_outcomes import NOT_ALLOWED

VIOLATED = Finding("secret-access", Verdict.VIOLATED, "a", 'secret "X": kms:Decrypt')
DOUBT = Finding("secret-access", Verdict.UNDETERMINED, "b", 'secret "X": ssm:GetParameters, ssm:GetParameter')
ADVICE = Finding("secret-access", Verdict.PROVEN, "c", advice=True)
BOTH = (VIOLATED, DOUBT, ADVICE)
CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({"names": "off"}, ["violated", "undetermined", "advice"]),
    "off": ({"secret-access": "off"}, []),
    "a check off": ({"secret-access.kms": "off"}, ["undetermined", "advice"]),
    "the other check off": ({"secret-access.ssm": "off"}, ["violated", "advice"]),
    "advice": ({"secret-access": "advice"}, ["advice", "undetermined", "advice"]),
    "a check over its rule": ({"secret-access": "off", "secret-access.kms": "violated"}, ["violated"]),
    "violated": ({"secret-access": "violated"}, ["violated", "undetermined", "violated"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_level_says_what_a_violation_does(case: str) -> None:
    """What is not known is never said to be proven, and a check comes before its rule."""
    levels, expected = CASES[case]
    found = switched("secret-access", BOTH, levels)  # type: ignore[arg-type] # the levels are those of the contract
    assert expected == ["advice" if one.advice else one.verdict.value for one in found.findings]


@pytest.mark.parametrize("switch", ["secret-access", "secret-access.secretsmanager"])
def test_what_is_off_is_said_in_every_report(switch: str, pytester: pytest.Pytester) -> None:
    """The run passes, and summary, comment and code scanning say what was not looked at, and where that is said."""
    contract = f'{CONTRACT}[rules]\n"{switch}" = "off"\n'
    result = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).run(
        pytester, "--infraspec-results", "results.json"
    )

    assert_not_passed(result)
    result.stdout.fnmatch_lines(["skipped  *: switched off at infra/infraspec.toml:9"])
    results = read(pytester.path / "results.json")
    assert "switched off at" in comment(results, None, Links(), 60_000)
    assert "switched off at" in sarif(results)


def test_advice_fails_nothing(pytester: pytest.Pytester) -> None:
    """The finding is shown with its fix."""
    contract = f'{CONTRACT}[rules]\nsecret-access = "advice"\n'
    result = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).run(pytester)

    assert_not_passed(result)
    result.stdout.fnmatch_lines(["advice   dev *ADVICE secret-access: *"])


WRONG = {
    'secret-acces = "off"': ("infraspec.toml:9: ", "did you mean `secret-access`?"),
    '"secret-access.kmss" = "off"': ("infraspec.toml:9: ", "did you mean `kms`?"),
    '"names.x" = "off"': ("infraspec.toml:9: ", "write `names`"),
    'names = "of"': ("infraspec.toml:9: ", "off"),
}


@pytest.mark.parametrize("line", WRONG)
def test_an_unknown_switch_is_an_error_of_the_contract(line: str, pytester: pytest.Pytester) -> None:
    """With its line and the nearest name; the run ends with 4."""
    result = Project({"infraspec.toml": f"{CONTRACT}[rules]\n{line}\n"}).run(pytester)

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert all(text in text_of(result) for text in WRONG[line])


@pytest.mark.parametrize("level", ["off", "advice"])
def test_every_rule_has_a_switch(level: str, pytester: pytest.Pytester) -> None:
    """With all rules off nothing is judged, and with all as advice nothing fails; each says where it is switched."""
    lines = "".join(f'{rule} = "{level}"\n' for rule in RULES)
    tables = "[alarms]\n[state]\n[versions]\n[consistency]\n[process]\n[tags.common]\nOwner = {}\n"
    contract = f"{CONTRACT}{tables}[rules]\n{lines}"
    result = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).run(pytester, "-rs")

    shown = text_of(result)
    if level == "off":
        static = [rule for rule in RULES.values() if "static" in rule.suites]
        result.assert_outcomes(skipped=len(static), passed=1)  # that selectors match something is asked by no rule
        assert len(static) == shown.count("switched off at infra/infraspec.toml:")
    else:
        assert "VIOLATED" not in shown
        assert "ADVICE tags: " in shown
