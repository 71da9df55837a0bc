"""The frame of reports in Japanese: what it says, and that its catalogue has everything and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.core.errors import ReportError
from infraspec.core.finding import Verdict
from infraspec.core.rules import RULES
from infraspec.reporting.github.comment import _OF_OTHERS, COMMENT_LIMIT, comment
from infraspec.reporting.language import Language, catalogue, chosen, say, say_filled, say_number, speaking
from infraspec.reporting.run.repository import Links
from tests.reporting.results import RESULTS, entry

PACKAGE = Path(__file__).parents[2] / "plugins" / "infraspec"
FOUND = {"proven", "violated", "undetermined", "waived", "known", "fixed", "failed", "broken"}
LABELS = {"consequence", "expected", "found", "reason", "fix", "to know"}
CONSEQUENCES = {"new tasks of {family} will not start", "new tasks of {family} cannot pull their image"}


def asked() -> set[str]:
    """Return the texts that reports ask for: what is written in calls of `say`, and nouns of what is left out."""
    found = set()
    for file in (PACKAGE / "reporting").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        if "infraspec.reporting.language" not in file.read_text("utf-8"):
            continue
        for node in ast.walk(tree):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in {"say", "say_number"} and node.args:
                texts = [one.value for one in ast.walk(node.args[-1 if name == "say_number" else 0])
                         if isinstance(one, ast.Constant) and isinstance(one.value, str)]  # fmt: skip
                found |= {f"{{number}} {text}" if name == "say_number" else text for text in texts}
            if isinstance(node, ast.Call) and name == "Section":
                nouns = [keyword.value for keyword in node.keywords if keyword.arg == "noun"] + node.args[3:4]
                found |= {one.value for one in nouns if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    dynamic = {"changes without risk", "broken tests", "failed tests", _OF_OTHERS}
    return found | dynamic | FOUND | LABELS | CONSEQUENCES | {rule.sentence for rule in RULES.values()}


def test_the_catalogue_has_what_reports_ask_for() -> None:
    """No text of a report has no Japanese, and no entry is of no use."""
    assert asked() == set(catalogue("ja"))


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
