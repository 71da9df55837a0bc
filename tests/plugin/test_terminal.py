"""The terminal: each cause once, the same order with workers, colour, and how much is said."""

from __future__ import annotations

import re

import pytest

from tests.plugin.project import CONTRACT, INCIDENT, Project, run_suite, text_of
from tests.plugin.test_baseline import RULES, queues

THREE = Project(
    {"infraspec.toml": CONTRACT + '[environments.prod]\nroot = "."\n' + RULES, "queues.tf": queues(a="X", b="X", c="Y")}
)
ONLY = ("-k", "test_names")


def failures(result: pytest.RunResult) -> list[str]:
    """Return the lines of the failures: their heads, and what is said of each."""
    text = text_of(result)
    section = text[text.index("= FAILURES =") : text.index("- infraspec -")]
    return [line for line in section.splitlines()[1:] if line]


def test_a_cause_is_said_once(pytester: pytest.Pytester) -> None:
    """The first environment has it in full with the others' names, the others have a line."""
    lines = failures(run_suite(pytester, INCIDENT))

    assert 1 == sum(line.startswith("    fix: ") for line in lines)
    assert "    also in:     staging, prod" in lines
    assert 2 == sum(line.startswith("as above: terraform/") and ": VIOLATED secret-access: " in line for line in lines)
    assert 3 == lines.count("1 violated of 15")


def test_of_many_alike_ten_are_named(pytester: pytest.Pytester) -> None:
    """The others are a number, and -v shows them."""
    many = Project({**THREE.files, "queues.tf": queues(**{f"q{number:02}": "X" for number in range(14)})})
    lines = failures(many.run(pytester, *ONLY, "--infraspec-env", "dev"))

    assert "    and 13 more like it:" in lines
    assert "      … and 3 more: -v shows all" in lines
    assert 11 == sum(": VIOLATED names: " in line for line in lines)


def test_of_many_of_a_kind_three_are_said(pytester: pytest.Pytester) -> None:
    """Reasons that differ by what they name alone are of one kind: the others have a line, or are a number."""
    names = {f"q{number:02}": f"X{number}" for number in range(16)}
    many = Project({**THREE.files, "queues.tf": queues(**names)})
    lines = failures(many.run(pytester, *ONLY, "--infraspec-env", "dev"))
    quiet = failures(many.run(pytester, *ONLY, "--infraspec-env", "dev", "-q"))

    assert 3 == sum(line.startswith("    fix: ") for line in lines)
    at = lines.index("13 more of this kind:")
    assert "      infra/queues.tf:11: VIOLATED names: aws_sqs_queue.q03" == lines[at + 1]
    assert "      … and 3 more: -v shows all" == lines[at + 11]
    assert 3 == sum(line.startswith("    fix: ") for line in quiet)
    assert "13 more of this kind:" in quiet


def test_findings_of_one_cause_are_a_line_each(pytester: pytest.Pytester) -> None:
    """Two queues with the same wrong name have one reason and fix; a third has its own."""
    lines = failures(THREE.run(pytester, *ONLY))

    assert 2 == sum(line.startswith("    fix: ") for line in lines)
    at = lines.index("    and 1 more like it:")
    assert "      infra/queues.tf:5: VIOLATED names: aws_sqs_queue.b" == lines[at + 1]
    assert 2 == sum(line.startswith("as above: ") for line in lines)


def test_quiet(pytester: pytest.Pytester) -> None:
    """With -q a cause is its place, its reason and its fix, a line each."""
    lines = failures(THREE.run(pytester, *ONLY, "-q"))

    assert [
        "3 violated of 3",
        "infra/queues.tf:2: VIOLATED names: aws_sqs_queue.a and 1 more like it (also in prod)",
        "infra/queues.tf:8: VIOLATED names: aws_sqs_queue.c (also in prod)",
    ] == [line for line in lines[1:8] if not line.startswith("    ")]
    assert ["reason", "fix"] * 2 == [line.partition(":")[0].strip() for line in lines if line.startswith("    ")]


def test_verbose(pytester: pytest.Pytester) -> None:
    """With -v every finding is said in full, and the slowest rules are named."""
    result = THREE.run(pytester, *ONLY, "-v")

    assert 6 == sum(line.startswith("    fix: ") for line in failures(result))
    result.stdout.re_match_lines([r"slowest  names \d+\.\d\d s"])
    assert "slowest " not in text_of(THREE.run(pytester, *ONLY))


def test_order_with_workers(pytester: pytest.Pytester) -> None:
    """Failures, the table and the short summary have the order of the contract, whichever worker was faster."""
    texts = [text_of(run_suite(pytester, INCIDENT, *workers)) for workers in ((), ("-n", "3"))]
    texts = [re.sub(r"\[gw\d\].*\n", "", text) for text in texts]
    alone, shared = (text[text.index("= FAILURES =") :].rpartition("\n")[0] for text in texts)

    assert alone == shared


def test_counts_and_broken_tests(pytester: pytest.Pytester) -> None:
    """The last row of the table is the sum; tests without a verdict are named below it."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "from infraspec.core.finding import Finding, Verdict\n"
        "def test_mine(plan, assert_proven):\n    assert_proven('mine', [Finding('mine', Verdict.PROVEN, 'a')] * 3)\n"
        "def test_broken(plan):\n    raise KeyError\n"
    )
    result = THREE.run(pytester, suite=own)

    result.stdout.re_match_lines(
        [
            r"environment  rule +proven +violated +undetermined +waived +broken$",
            r"prod +mine +3 +- +- +- +-$",
            r"dev +test_broken +- +- +- +- +1$",
            r"total +6 +- +- +- +2$",
            r"broken   test_own.py::test_broken\[dev\]: KeyError",
        ]
    )


def test_what_was_not_looked_at(pytester: pytest.Pytester) -> None:
    """It is one line, with the environments where others were looked at; -rs and -v have each reason."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "import pytest\n"
        "from infraspec.core.finding import Finding, Verdict\n"
        "def test_mine(plan, environment, assert_proven):\n"
        "    if environment != 'dev':\n"
        "        pytest.skip('nothing there')\n"
        "    assert_proven('mine', [Finding('mine', Verdict.PROVEN, 'a')])\n"
        "def test_all(contract):\n"
        "    pytest.skip('nobody asks')\n"
    )

    def skipped(*arguments: str) -> list[str]:
        text = text_of(THREE.run(pytester, *arguments, suite=own))
        return [line for line in text.splitlines() if line.startswith("skipped  ")]

    assert ["skipped  2 rules: test_all, test_mine (prod) (-rs shows why)"] == skipped()
    assert ["skipped  repository test_all: nobody asks", "skipped  prod test_mine: nothing there"] == skipped("-rs")
    assert skipped("-rs") == skipped("-v")


@pytest.mark.parametrize("name", ["prod", "asia-pacific-northeast-production"])
def test_the_table_fits_eighty_columns(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Names of environments that are too long for a column are above their rows."""
    monkeypatch.setenv("COLUMNS", "80")
    contract = str(THREE.files["infraspec.toml"]).replace("environments.prod", f"environments.{name}")
    text = text_of(Project({**THREE.files, "infraspec.toml": contract}).run(pytester))
    table = text[text.index("- infraspec -") :].splitlines()[1:]
    rows = table[: next(at for at, line in enumerate(table) if line.startswith("total")) + 1]

    assert [] == [line for line in rows if len(line) > 80]
    assert 1 == len({len(line) for line in rows if line != name and line not in ("dev", "repository")})


@pytest.mark.parametrize(("variable", "value", "coloured"), [("FORCE_COLOR", "1", True), ("NO_COLOR", "1", False)])
def test_colour(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    coloured: bool,  # noqa: FBT001 - a case
) -> None:
    """Violations are red where pytest shows colour, and NO_COLOR is heeded."""
    for name in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    lines = THREE.run(pytester, *ONLY).outlines

    assert coloured is any(
        re.match(r"\x1b\[31m.*\x1b\[1m.*VIOLATED|\x1b\[1m.*\x1b\[31m.*VIOLATED", line) for line in lines
    )
    assert coloured is any("\x1b[32m    fix: " in line for line in lines)
    assert coloured is ("\x1b" in "".join(lines))


@pytest.mark.parametrize("verbosity", ["-q", "-v"])
def test_findings_are_said_once_in_a_pipeline(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, verbosity: str
) -> None:
    """Where CI is set pytest does not cut its short summary, which then has the first line of a failure and no more."""
    monkeypatch.setenv("CI", "true")
    text = text_of(THREE.run(pytester, *ONLY, verbosity))
    summary = text.partition("short test summary info")[2]

    assert "test_names[prod] - 3 violated of 3" in summary
    assert "VIOLATED" not in summary
