"""The README shows what the suite really prints."""

import re
from pathlib import Path

import pytest

from tests.plugin.project import INCIDENT, REFERENCE, run_suite, text_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_incident_message(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the incident in the README is that of the suite, and there is no other finding."""
    monkeypatch.chdir(ROOT)
    block = re.search(r"<!-- incident -->\n```text\n(.*?)```\n<!-- /incident -->", README, re.DOTALL)
    text = text_of(run_suite(pytester, INCIDENT, "--infraspec-env", "prod"))
    printed = text[text.index("1 violated of") : text.index("\n---", text.index("1 violated of"))]

    assert block is not None
    assert block[1] == printed + "\n"
    assert (1, 0) == (text.count(": VIOLATED "), text.count("UNDETERMINED "))


def test_table_of_verdicts(pytester: pytest.Pytester) -> None:
    """The table in the README is the end of that of the reference infrastructure, and so is the number of tests."""
    block = re.search(r"\n…\n((?:(?:prod|repository) .*\n)+)…\n=+ (.*) in .* =+\n", README)
    text = text_of(run_suite(pytester, REFERENCE))

    assert block is not None
    assert f"\n{block[1]}total " in text
    assert f" {block[2]} in " in text


def test_live_table(pytester: pytest.Pytester) -> None:
    """The rows of the live suite in the README are those of the reference infrastructure in the sandbox."""
    block = re.search(r"deployed it\n…\n((?:local .*\n)+)…\n=+ (.*) in .* =+\n", README)
    text = text_of(run_suite(pytester, REFERENCE, "--infraspec-env", "local", suite=ROOT / "tests_live"))

    assert block is not None
    assert [] == [row for row in block[1].splitlines() if f"{row}\n" not in text]
    assert f" {block[2]} in " in text


def test_documents_that_are_linked_exist() -> None:
    """Every relative link of the README leads somewhere."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_python_example_runs(pytester: pytest.Pytester) -> None:
    """The rule in the README is a test that passes on the reference infrastructure."""
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    own = pytester.path / "test_own.py"
    own.write_text(block[1], encoding="utf-8")

    run_suite(pytester, REFERENCE, suite=own).assert_outcomes(passed=3)


JAPANESE = (ROOT / "README.ja.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^#+(?= )",  # headings by level
        r"^```[\s\S]*?^```",  # blocks of code, word for word
        r"^\|(?= ?`[^|]*\|)",  # rows of tables that begin with code
        r"`--infraspec-[a-z]+",
        r"\]\((docs/[^)#]+|C[A-Z]+\.md|bench/[^)]+|fixtures/[^)]+)\)",
    ],
)
def test_japanese_is_in_step(pattern: str) -> None:
    """README.ja.md has the headings, code, tables and links of README.md, in the same order but for links."""
    english, japanese = (re.findall(pattern, text, re.MULTILINE) for text in (README, JAPANESE))

    assert english
    assert sorted(english) == sorted(japanese)
    assert english == japanese or pattern.startswith(r"\]")
