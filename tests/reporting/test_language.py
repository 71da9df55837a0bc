"""The frame of reports in Japanese: what it says, and that its catalogue has everything and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.checks.invocation.wirings import table
from infraspec.core.errors import ReportError
from infraspec.core.finding import Verdict
from infraspec.core.rule import wordings
from infraspec.core.rules import RULES
from infraspec.monitoring.drill.failures import failures
from infraspec.monitoring.drill.verdicts import HEARD, LATE, SILENT, UNDETERMINED
from infraspec.reporting.github.comment import _OF_OTHERS, COMMENT_LIMIT, comment
from infraspec.reporting.kpi import GOALS, Period, Sources, kpi_text, measured
from infraspec.reporting.language import Language, catalogue, chosen, say, say_filled, say_finding, say_number, speaking
from infraspec.reporting.notify.notices import Notice, NoticeChange, Told, digest
from infraspec.reporting.run.repository import Links
from infraspec.reporting.trends.site import _LEGEND
from tests.reporting.results import RESULTS, entry

PACKAGE = Path(__file__).parents[2] / "plugins" / "infraspec"
FOUND = {"proven", "violated", "undetermined", "waived", "known", "fixed", "failed", "broken"}
LABELS = {"consequence", "expected", "found", "reason", "fix", "to know"}
UNSEEN = {
    "the service control policies of the organization",
    "the resource control policies of the organization",
    "the service control and resource control policies of the organization",
    "the policies of VPC endpoints that are not in the plan",
    "the policies of VPC endpoints",
    "the state and the grants of KMS keys that are not in the plan",
    "the policies of resources that are not in the plan",
    "what has changed since {origin}",
    "what an operating system, a proxy or a DNS server decides",
}
"""What proofs do not cover, which the code makes of parts."""
CONSEQUENCES = {
    "new tasks of {family} will not start",
    "new tasks of {family} cannot pull their image",
    "tasks of {service} do not start: {needs}",
    "the application in {container} cannot connect to {resource}",
}
"""Those that the code makes; the others are in the tables of the rules."""


def asked() -> set[str]:
    """Return the texts that reports ask for: what is written in calls of `say`, and nouns of what is left out."""
    found = set()
    for file in (PACKAGE / "reporting").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        if "infraspec.reporting.language" not in file.read_text("utf-8"):
            continue
        for node in ast.walk(tree):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in {"say", "say_number", "_say"} and node.args:
                texts = [one.value for one in ast.walk(node.args[0 if name == "say" else 1])
                         if isinstance(one, ast.Constant) and isinstance(one.value, str)]  # fmt: skip
                found |= {f"{{number}} {text}" if name == "say_number" else text for text in texts}
            if isinstance(node, ast.Call) and name == "Section":
                nouns = [keyword.value for keyword in node.keywords if keyword.arg == "noun"] + node.args[3:4]
                found |= {one.value for one in nouns if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    dynamic = {", ", "changes without risk", "broken tests", "failed tests", _OF_OTHERS}
    dynamic |= {goal.name for goal in GOALS} | {"total", "environment", "advice"}
    dynamic |= {meaning for _, meaning in _LEGEND.values()}
    dynamic |= {HEARD, LATE, SILENT, UNDETERMINED} | {failure.what for failure in failures().values()}
    sentences = {rule.sentence for rule in RULES.values()}
    return found | dynamic | FOUND | LABELS | CONSEQUENCES | set(consequences()) | UNSEEN | set(roles()) | sentences


def consequences() -> Iterator[str]:
    """Yield the consequences that the texts of the rules have."""
    for rule in RULES.values():
        if (PACKAGE / "checks" / rule.room / f"{rule.id.replace('-', '_')}.json").exists():
            said = (text.consequence for text in wordings(rule.room, rule.id).values())
            yield from (text for text in said if not re.fullmatch(r"(\{\w+\})?", text))


def roles() -> Iterator[str]:
    """Yield what a finding says of other resources that it names: `Related("role", …)`, and those from tables."""
    for file in PACKAGE.rglob("*.py"):
        if "Related(" not in (text := file.read_text("utf-8")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Related", "_related"} and node.args:
                first = node.args[0]
                yield from [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
    yield from (kind.name for kind in table().kinds)
    yield from ("role", "secret", "parameter", "image")


def test_the_catalogue_has_what_reports_ask_for() -> None:
    """No text of a report has no Japanese, and no entry is of no use."""
    assert asked() == set(catalogue("ja"))


def test_what_has_been_said_has_japanese() -> None:
    """What a violation means and what proofs do not cover, in all that is kept of the reference and of small trees."""
    kept = [PACKAGE.parents[1] / "fixtures" / "golden" / f"{name}.jsonl" for name in ("reference", "cases", "live")]
    lines = [line for file in kept for line in file.read_text("utf-8").splitlines()]
    told = {text for one in map(json.loads, lines) for text in [*one.get("unseen", []), one.get("consequence", "")]}

    assert len(told) > 10
    with speaking("ja"):
        assert [""] == [text for text in sorted(told) if say_filled(text) == text]


def test_values_of_both_texts_are_the_same() -> None:
    """What stands in braces is a value, and has the same name in Japanese."""
    for english, japanese in catalogue("ja").items():
        names = [set(part.partition("}")[0] for part in text.split("{")[1:]) for text in (english, japanese)]  # noqa: C401
        assert names[0] == names[1], english


def test_the_frame_is_japanese() -> None:
    """Headings, verdicts, sentences of rules and consequences are; what AWS and Terraform say is as it is."""
    start = entry(rule="secret-access", consequence="new tasks of shop {x} will not start", verdict=Verdict.VIOLATED)
    text = comment(replace(RESULTS, findings=(start,)), None, Links(), COMMENT_LIMIT, "ja")

    assert "### ❌ infraspec: " in text
    assert "#### 違反" in text
    assert f"- {catalogue('ja')[RULES['secret-access'].sentence]}" in text
    assert "- **影響:** shop {x} の新しいタスクは起動しません" in text
    assert f"- **理由:** {start.finding.reason}" in text
    assert "Violated" not in text


def test_the_language_ends_with_its_report() -> None:
    """What is written after a Japanese report is English again."""
    with speaking("ja"):
        assert ("違反", "原因 2 件") == (say("violated"), say_number(2, "cause"))
    with speaking("ja"):
        assert ("3 of 4", "the queue of orders") == (say_filled("3 of 4"), say_filled("the queue of orders"))
        assert "違反 1、判定不能 2" in say_finding("1 violated, 2 undetermined of 15")
    assert ("violated", "2 causes", "a {b}") == (say("violated"), say_number(2, "cause"), say_filled("a {b}"))


@pytest.mark.parametrize(
    ("option", "contract", "locale", "expected"),
    [
        ("", None, "", "en"),
        ("", None, "ja_JP.UTF-8", "ja"),
        ("", "en", "ja_JP.UTF-8", "en"),
        ("ja", "en", "C", "ja"),
        ("", None, "fr_FR", "en"),
    ],
)
def test_who_chooses(option: str, contract: Language | None, locale: str, expected: Language) -> None:
    """The option before the contract before the locale."""
    assert expected == chosen(option, contract, {"LANG": locale})


def test_a_language_that_there_is_not() -> None:
    """It is an error that names those there are."""
    with pytest.raises(ReportError, match="unknown language"):
        chosen("de", None, {})


def test_a_finding_has_its_labels_in_japanese() -> None:
    """Verdict, labels and consequence are; places, reasons and what is pasted stay, and the columns too."""
    english = (
        "main.tf:1: VIOLATED names: a.b\n    consequence: new tasks of x will not start\n"
        "    expected:    b\n    fix:         c = 1\n                 d: 1"
    )
    japanese = (
        "main.tf:1: 違反 names: a.b\n    影響:        x の新しいタスクは起動しません\n"
        "    期待値:      b\n    修正:        c = 1\n                 d: 1"
    )
    with speaking("ja"):
        assert japanese == say_finding(english)
    assert english == say_finding(english)


def test_the_figures_are_japanese() -> None:
    """Headings, goals and what the figures are made of are."""
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    sources = Sources(incidents=(), deployments=())
    with speaking("ja"):
        text = kpi_text("shop", measured(sources, period), sources, period)
    assert "# shop: 成果指標" in text
    assert "| インシデント数 | 0 | 0 | 前期間の 50 % 以下 |" in text
    assert not [line for line in text.splitlines() if line.startswith("- ") and line.isascii()]


def test_a_message_is_japanese() -> None:
    """Its title and levels are."""
    told = Told("static", "prod", "names", "a.b", "", "critical")
    with speaking("ja"):
        message = digest(NoticeChange("prod", (Notice(told, "x"),), (told,), (told,)), "shop")
    assert ("shop prod: 新規 1 件, 復旧 1 件; 未解消 1 件", "重大 prod\nx\n\n復旧 prod names: a.b") == (
        message.title,
        message.body,
    )
