from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import signature
from pathlib import Path

import pytest
from msgspec.structs import asdict

import tests_live.test_rules
import tests_static.test_rules
from infraspec.core.finding import Location, Related, Verdict
from infraspec.core.rule import Rule, Wording, wordings
from infraspec.core.rules import RULES, rule_of
from infraspec.pytest_plugin.rule_tests import RuleCheck
from infraspec.terraform.plan import Resource
from tools.rule_examples import EXAMPLES

PACKAGE = Path(__file__).parents[2] / "plugins" / "infraspec"


def rule_file(rule: Rule) -> str:
    """Return the file of what a rule has to say."""
    return f"checks/{rule.room}/{rule.id.replace('-', '_')}.json"


def values_of(text: Wording) -> set[str]:
    """Return the names of the values that a text takes, beside the address of its subject."""
    return set(re.findall(r"\{(\w+)\}", "\n".join(asdict(text).values()))) - {"address"}


def said_by(rule: Rule) -> Iterator[tuple[str, set[str]]]:
    """Yield the names of the texts that the checks of a rule say, each with the names of the values that they give."""
    for path in (PACKAGE / "checks" / rule.room).glob("*.py"):
        source = path.read_text(encoding="utf-8")
        if f'RULE = RULES["{rule.id}"]\n' not in source:
            continue
        functions = {one.name: one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef)}
        returned = {
            name: {
                text for one in ast.walk(function) if isinstance(one, ast.Return) for text in literals(one.value, {})
            }
            for name, function in functions.items()
        }
        for function in functions.values():
            yield from said_in(function, returned)


def said_in(function: ast.FunctionDef, returned: Mapping[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    """Yield what a function says; a name, or values, may be kept in a variable of its own."""
    kept = {**faults(), **returned}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(node.targets[0].elts, node.value.elts, strict=True))
            for target, value in pairs:
                found = [one for one in value.keys if one] if isinstance(value, ast.Dict) else [value]
                name = ast.unparse(target)
                kept[name] = kept.get(name, set()).union(*(literals(one, returned) for one in found))
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in {"say", "judge"}:
            given = [{one.arg} if one.arg else kept[ast.unparse(one.value)] for one in call.keywords]
            for name in literals(call.args[0], kept):
                yield name, {str(value) for values in given for value in values}


def literals(node: ast.AST | None, known: Mapping[str, set[str]]) -> set[str]:
    """Return the texts that an expression may be: one, either of two, or those of a variable or a function."""
    match node:
        case ast.IfExp(body=first, orelse=second):
            return literals(first, known) | literals(second, known)
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
            return known.get(name, set())
        case ast.Attribute():
            return known.get(ast.unparse(node), set())
    return set()


_MAKING = {"Fault", "self._say", "self._call", "self._fault", "MissingPartError"}
"""What makes a fault of the source."""
_IN_DICTIONARIES = {
    *("name", "owner", "hint", "schema", "instance", "source", "better", "remedy"),
    *("names", "first", "file", "lines"),
    *("found", "rule", "rules"),
}
"""The values that such calls give in a dictionary."""


@cache
def faults() -> Mapping[str, set[str]]:
    """Return the texts that faults of the source are told with, and the names of the values that they have."""
    files = [PACKAGE / "terraform" / name for name in ("source.py", "configuration/schema_checks.py")]
    files += [PACKAGE / f"terraform/configuration/{name}.py" for name in ("static_checks", "inline_waivers")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    made = [call for call in calls if ast.unparse(call.func) in _MAKING]
    kinds = {text for call in made for text in literals(call.args[0], {})}
    kinds |= {
        text
        for node in nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "kind"
        for text in literals(node.value, {})
    }
    values = {word.arg for call in made for word in call.keywords if word.arg} | _IN_DICTIONARIES
    return {"fault.kind": kinds, "fault.values": values}


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


def test_a_subject_says_what_its_rule_has() -> None:
    """A text of the rule has the values in it, which are not looked into, and the verdict that stands with it."""
    subject = RULES["state-store"].about("aws_s3_bucket.a", "name", PLACE, [OTHER])
    said = subject.say("absent", argument="bucket", name="{argument}")

    assert Verdict.VIOLATED is said.verdict
    assert ("state-store", "aws_s3_bucket.a", "name", PLACE) == (said.rule, said.address, said.subject, said.location)
    assert "the bucket {argument} of the backend" == said.expected
    with pytest.raises(KeyError, match="argument"):
        subject.say("absent", name="a")


def test_a_subject_is_judged_by_what_holds() -> None:
    """It is proven without a word, or violated with what the rule has."""
    subject = RULES["process"].about("pull request #1", "name", PLACE)

    assert subject.proven() == subject.judge("not-ticked", holds=True, text="a")
    assert subject.say("not-ticked", text="a") == subject.judge("not-ticked", holds=False, text="a")


WORDED = [rule for rule in RULES.values() if (PACKAGE / rule_file(rule)).is_file()]


@pytest.mark.parametrize("rule", WORDED, ids=lambda rule: rule.id)
def test_what_a_rule_has_to_say_is_said(rule: Rule) -> None:
    """Each text of a rule is said by its checks, which give it every value that it names."""
    texts, said = wordings(rule.room, rule.id), list(said_by(rule))

    assert set(texts) == {name for name, _ in said}
    assert [] == [(name, left) for name, given in said if (left := values_of(texts[name]) - given)]


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


def test_a_class_name_stands_for_one_thing() -> None:
    """No two modules of the package have a public class of one name."""
    names = Counter(
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r"^class ([A-Z]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert {} == {name: count for name, count in names.items() if count > 1}
