"""Waivers in the comments of the source: what one has to say, where it may stand, and who may write one."""

from __future__ import annotations

import string
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infraspec.checks.state.source import check_source
from infraspec.contract.models import Contract
from infraspec.contract.waivers import NOBODY, InlineWaiver
from infraspec.core.finding import Location, Verdict
from infraspec.hcl.ast import SourceText
from infraspec.terraform.configuration.inline_waivers import waivers_of
from tests.terraform.sources import plan_of

HERE = Path("/infra")
WHOLE = 'reason="legacy" until=2027-03-31'
QUEUE = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
MODULE = 'module "m" {\n  source = "./m"\n}\n'


def read(text: str, name: str = "main.tf") -> tuple[list[InlineWaiver], list[str]]:
    """Return the waivers of a text and the kinds of its faults."""
    waivers, faults = waivers_of([(f"{HERE}/{name}", SourceText(name, text))], {HERE})
    return list(waivers), [fault.kind for fault in faults]


@pytest.mark.parametrize("shape", ["# {}", "// {}", "/* {} */", "# moved in spring: {}", "/*\n * {}\n */"])
def test_a_waiver_may_stand_in_any_comment(shape: str) -> None:
    """It says rules, reason and day, and may say who accepts it."""
    comment = shape.format(f'infraspec:ignore[names, tags] {WHOLE} owner="team \\"a\\""')
    at = comment[: comment.index("infraspec")].count("\n") + 1
    first = comment.count("\n") + 2
    waivers = [
        InlineWaiver(rule, "legacy", date(2027, 3, 31), Location("main.tf", at), first, first + 2, 'team "a"')
        for rule in ("names", "tags")
    ]

    assert (waivers, []) == read(f"{comment}\n{QUEUE}")


def test_the_fields_of_a_waiver_may_stand_on_lines_of_their_own() -> None:
    """In a comment of several lines, in any order; without an owner it is nobody's."""
    comment = '/* infraspec:ignore[names]\n * until="2027-03-31",\n * reason="legacy" */\n'

    (waiver,), faults = read(comment + QUEUE)

    assert (waiver.reason, waiver.expires, waiver.owner, faults) == ("legacy", date(2027, 3, 31), NOBODY, [])


BROKEN = {
    "ignore[names]": "no reason",
    'ignore[names] reason="a"': "no until",
    "ignore[names] until=2027-03-31": "no reason",
    f'ignore[names] reason=" " {WHOLE.split()[1]}': "no reason",
    'ignore[names] reason="a" until=31.03.2027': "until=31.03.2027",
    'ignore[names] reason="a" until=2027-02-30': "until=2027-02-30",
    'ignore[names] reason="a" expires=2027-03-31': "expires=",
    f'ignore[names] {WHOLE} ownr="me"': "ownr=",
    f"ignore[names] {WHOLE} until=2027-04-01": "until twice",
    f'ignore[names] {WHOLE} owner=""': "an empty owner",
    'ignore[names] reason="a until=2027-03-31': "",
    "ignore[names] reason=old name until=2027-03-31": "name until=2027-03-31",
    f"ignore[] {WHOLE}": "infraspec:ignore[]",
    f"ignore[names,] {WHOLE}": "infraspec:ignore[names,]",
    f"ignore names {WHOLE}": "",
    f"ignore {WHOLE}": "",
    f"ignores[names] {WHOLE}": "",
    f" ignore[names] {WHOLE}": "",
    f"skip[names] {WHOLE}": "",
    f"IGNORE[names] {WHOLE}": "",
    f"disable=names {WHOLE}": "",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_comment_that_is_meant_for_a_waiver_is_none_or_a_whole_one(text: str, tmp_path: Path) -> None:
    """What is wrong is a violation of `source` at its line, which says what is expected and how to write it."""
    plan = plan_of(tmp_path, f"{QUEUE}\n# infraspec:{text}\n{QUEUE.replace('jobs', 'mails')}")

    (finding,) = check_source(plan)

    assert (plan.waivers, finding.verdict) == ((), Verdict.VIOLATED)
    assert str(finding.location).endswith("main.tf:5")
    assert finding.expected == 'infraspec:ignore[RULE] reason="…" until=YYYY-MM-DD'
    assert BROKEN[text] in finding.found
    assert finding.remedy


def test_text_that_looks_like_a_waiver_is_none() -> None:
    """In quotes or a heredoc it is text, and a comment about infraspec is a comment."""
    waiver = f"# infraspec:ignore[names] {WHOLE}".replace('"', "'")
    text = f'a = "{waiver}"\nb = <<EOT\n{waiver}\nEOT\n# infraspec ignores this, see infraspec: check\n'

    assert ([], []) == read(text)


def test_a_waiver_stands_on_something() -> None:
    """One that has an empty line after it is said to waive nothing."""
    assert ([], ["waiver-of-nothing"]) == read(f"# infraspec:ignore[names] {WHOLE}\n\n{QUEUE}")


@pytest.mark.parametrize("rule", ["nams", "name", "no-such-rule"])
def test_a_waiver_of_an_unknown_rule_is_said(rule: str, tmp_path: Path) -> None:
    """With the rules that there are, and the nearest; a rule of a plugin of the repository is known."""
    plan = plan_of(tmp_path, f"# infraspec:ignore[{rule}] {WHOLE}\n{QUEUE}")
    own = plan.replaced(additions=type(plan.additions)(rules=(rule,)))

    (finding,) = check_source(plan)

    assert (Verdict.VIOLATED, rule) == (finding.verdict, finding.found)
    assert str(finding.location).endswith("main.tf:1")
    assert "names" in finding.expected
    assert [Verdict.PROVEN] == [one.verdict for one in check_source(own)]


def test_a_rule_may_be_one_of_own_tests(tmp_path: Path) -> None:
    """Where the contract names directories of own rules, only what is like a rule of infraspec is misspelt."""
    contract = Contract.model_validate(
        {"project": {"application": "a"}, "environments": {"dev": {}}, "suite": {"own_rules": ["rules"]}}
    )
    plan = plan_of(tmp_path, f"# infraspec:ignore[buckets-of-ours, nams] {WHOLE}\n{QUEUE}")

    assert ["nams"] == [one.found for one in check_source(plan, contract)]


@pytest.mark.parametrize("folder", [".terraform/modules/m", ".terragrunt-cache/x/m"])
def test_a_module_that_was_fetched_may_not_waive(folder: str, tmp_path: Path) -> None:
    """Nor do its comments say anything; those of a module of the repository do."""
    inner = f"# infraspec:ignore[names] {WHOLE}\n{QUEUE}# infraspec:ignore[names]\n"

    fetched = plan_of(tmp_path / "a", {"main.tf": MODULE.replace("./m", f"./{folder}"), f"{folder}/main.tf": inner})
    own = plan_of(tmp_path / "b", {"main.tf": MODULE, "m/main.tf": inner})

    assert ((), ()) == (fetched.waivers, fetched.refused_waivers)
    assert (1, 1) == (len(own.waivers), len(own.refused_waivers))


def test_a_waiver_elsewhere_is_said_to_have_no_effect(tmp_path: Path) -> None:
    """Files of values hold no finding, and JSON has no comments."""
    files = {
        "main.tf": QUEUE + 'variable "a" { default = "" }\n',
        "terraform.tfvars": f'# infraspec:ignore[names] {WHOLE}\na = "# infraspec:ignore[x]"\n',
        "more.tf.json": '{"//": "infraspec:ignore[names] ", "locals": {"a": "infraspec:ignore"}}',
    }

    found = [one for one in check_source(plan_of(tmp_path, files)) if one.verdict is Verdict.VIOLATED]

    assert ["more.tf.json:1", "terraform.tfvars:1"] == sorted(Path(str(one.location)).name for one in found)


@settings(max_examples=100, deadline=None, database=None)
@given(reason=st.text(string.printable.replace("\n", "").replace("\r", ""), min_size=1).filter(str.strip))
def test_any_text_is_a_reason(reason: str) -> None:
    """Quotes and backslashes are escaped; a bracket, a hash or what looks like a field is text."""
    quoted = reason.replace("\\", "\\\\").replace('"', '\\"')

    (waiver,), faults = read(f'# infraspec:ignore[names] reason="{quoted}" until=2027-03-31\n{QUEUE}')

    assert ([], reason.strip()) == (faults, waiver.reason)
