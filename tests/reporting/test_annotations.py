import re

import pytest
from msgspec.structs import replace

from infraspec.core.finding import Location, Verdict
from infraspec.reporting.github.annotations import command, workflow_commands
from infraspec.reporting.run.results import Results
from tests.reporting.results import ENTRIES, PROVEN, RESULTS, entry

COMMAND = re.compile(r"::(error|warning) ((?:file=[^,:]+,)?(?:line=\d+,)?title=[^,:]+)::([^\r\n]*)")


@pytest.mark.parametrize(
    ("location", "title", "message", "expected"),
    [
        (None, "a", "b", "::error title=a::b"),
        (Location("x.tf"), "a", "b", "::error file=x.tf,title=a::b"),
        (Location("x.tf", 3), "a", "b", "::error file=x.tf,line=3,title=a::b"),
        (Location("a,b:c"), "1, 2: 3", "b\r\nc", "::error file=a%2Cb%3Ac,title=1%2C 2%3A 3::b%0Ac"),
        (None, "50 %", "5 %, a: b", "::error title=50 %25::5 %25, a: b"),
    ],
)  # fmt: skip
def test_escapes(location: Location | None, title: str, message: str, expected: str) -> None:
    """Properties escape what ends them, messages the ends of lines, as GitHub's toolkit does."""
    assert expected == command("error", location, title, message)


def lines(results: Results = RESULTS, base: Results | None = None) -> list[str]:
    """Return the commands, each of which has to be one."""
    found = list(workflow_commands(results, base))
    assert [] == [line for line in found if not COMMAND.fullmatch(line)]
    return found


def test_a_cause_is_one_annotation() -> None:
    """Problems, then a command for each cause with its environments; waived and proven findings have none."""
    found = lines()

    assert 4 == len(found)
    assert found[0].startswith("::error title=infraspec broken test_own.py%3A%3Atest_own[dev]::PolicyError: p.json")
    assert found[1].startswith("::error file=modules/jobs/main.tf,line=7,title=infraspec names (dev%2C prod)::VIOLATED")
    assert "%0Afix: rename it:%0Aname = " in found[1]


def test_further_places_come_last() -> None:
    """Each line has an annotation, after the first of every cause."""
    other = entry(location=Location("other.tf", 1))
    found = lines(replace(PROVEN, findings=(entry(), other, entry(address="c"), entry(rule="tags"))))

    assert ["main.tf", "main.tf", "other.tf"] == [re.split(r"[/=,]", line.partition(",line")[0])[-1] for line in found]


def test_what_is_new_comes_first() -> None:
    """GitHub cuts off after ten."""
    base = replace(PROVEN, findings=ENTRIES[:2])
    found = lines(replace(PROVEN, findings=(*ENTRIES[:2], entry(rule="tags"))), base)

    assert ["tags (new%2C dev)", "names (dev%2C prod)"] == [
        re.findall("infraspec ([^:]*)::", line)[0] for line in found
    ]


def test_doubts_that_warn_are_warnings() -> None:
    """What does not fail the run is no error."""
    doubt = entry(verdict=Verdict.UNDETERMINED, state="warning")

    assert lines(replace(PROVEN, findings=(doubt,)))[0].startswith("::warning ")
