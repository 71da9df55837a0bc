from __future__ import annotations

import re
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

import tests_live.test_rules
import tests_static.test_rules
from infraspec.core.finding import Location, Related, Verdict
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES, rule_of
from infraspec.pytest_plugin.rule_tests import RuleCheck
from infraspec.terraform.plan import Resource
from tools.rule_examples import EXAMPLES

PACKAGE = Path(__file__).parents[2] / "plugins" / "infraspec"


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_has_its_module(rule: Rule) -> None:
    """The module that is named as a rule has its check, and whatever else judges it returns text."""
    for suite in rule.suites:
        check = RuleCheck.of(rule, suite)

        assert rule.module == check.run.__module__
        texts = [one for one in (check.skip, check.exhibit) if one]
        assert ["str"] * len(texts) == [signature(one).return_annotation for one in texts]


def test_each_suite_has_a_test_of_each_of_its_rules() -> None:
    """The test is named as the rule, says what it asks for, and is chosen by its id, too."""
    for suite, module in (("static", tests_static.test_rules), ("live", tests_live.test_rules)):
        tests = {name: test for name, test in vars(module).items() if name.startswith("test_")}

        assert [rule.test for rule in RULES.values() if suite in rule.suites] == list(tests)
        assert {rule_of(name.removeprefix("test_").replace("_", "-")).sentence for name in tests} == {
            test.__doc__ for test in tests.values()
        }


def test_each_rule_has_its_reason() -> None:
    """Each says what it asks for and why, and those that source alone can break have an example of that."""
    assert [] == [id_ for id_, rule in RULES.items() if not rule.sentence.endswith(".") or not rule.why.endswith(".")]
    assert set(EXAMPLES) <= set(RULES.values())


def test_what_is_known_of_a_rule_is_known_without_its_check() -> None:
    """Reports, completion and the contract start without importing a check, and without pytest."""
    program = "import sys; from infraspec.core.rules import RULES; print(len(RULES), *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    number, *modules = done.stdout.split()

    assert str(len(RULES)) == number
    assert not [name for name in modules if name.startswith(("infraspec.checks", "infraspec.terraform", "pytest"))]


def test_an_id_is_written_once() -> None:
    """Whoever means a rule in the code asks for the rule, and its id is no text of its own elsewhere."""
    ids = "|".join(id_ for id_ in RULES if "-" in id_)
    texts = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

    assert [] == [name for name, text in texts.items() if re.search(rf'(?<!\[)(?<!page=)"({ids})"', text)]


def test_a_rule_of_ones_own() -> None:
    """Of a rule that infraspec does not have no more is known than its id."""
    own = rule_of("mine")

    assert ("mine", "Own rules", "normal", "", False) == (own.id, own.domain, own.severity, own.page, own.is_critical)


PLACE, OTHER = Location("main.tf", 3), Related("role", "aws_iam_role.a")
SAID = {"expected": "a", "found": "b", "reason": "c", "remedy": "d"}


def test_a_subject_has_a_word_for_each_verdict() -> None:
    """Each has the rule, the place and the subject; advice is proven."""
    subject = RULES["names"].about("aws_sqs_queue.a", "name", PLACE, [OTHER])
    found = [subject.proven("c"), subject.violated(**SAID), subject.undetermined(**SAID), subject.advice(**SAID)]

    assert [("names", "aws_sqs_queue.a", "name", PLACE, (OTHER,))] * 4 == [
        (one.rule, one.address, one.subject, one.location, one.related) for one in found
    ]
    assert [Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN] == [one.verdict for one in found]
    assert [False, False, False, True] == [one.advice for one in found]
    assert [("", "", "c", ""), *[("a", "b", "c", "d")] * 3] == [
        (one.expected, one.found, one.reason, one.remedy) for one in found
    ]


def test_a_subject_is_judged_by_what_holds() -> None:
    """It is proven without a word, or violated with all of them."""
    subject = RULES["names"].about("aws_sqs_queue.a", "name", PLACE)

    assert subject.proven() == subject.judged(holds=True, **SAID)
    assert subject.violated(**SAID) == subject.judged(holds=False, **SAID)


def test_what_is_proven_may_have_a_remedy() -> None:
    """A risk that the contract does not call critical is proven, and still says how to avoid it."""
    finding = RULES["plan-review"].about("aws_sqs_queue.a").proven("c", remedy="d")

    assert (Verdict.PROVEN, "d", False) == (finding.verdict, finding.remedy, finding.advice)


def test_a_resource_says_where_it_is() -> None:
    """A subject that is a resource has its address and line, unless a nearer line is given."""
    resource = Resource("aws_sqs_queue.a", "managed", "aws_sqs_queue", "a", None, "", {}, location=PLACE)
    rule, nearer = RULES["names"], Location("main.tf", 5)

    assert ("aws_sqs_queue.a", PLACE) == (rule.about(resource).address, rule.about(resource).location)
    assert nearer == rule.about(resource, location=nearer).location
