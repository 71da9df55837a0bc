from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.contract.baseline import Baseline, moved
from infraspec.core.errors import BaselineError
from infraspec.core.finding import Finding, Location, Verdict

DAY = date(2026, 11, 30)
QUEUE = Finding("names", Verdict.VIOLATED, "module.a.aws_sqs_queue.q", "name", Location("a.tf", 3), reason="why")


def row(**changes: str) -> dict[str, str]:
    """Return the entry of a known finding."""
    return {"rule": "names", "environment": "dev", "address": QUEUE.address, "subject": "name"} | changes


def baseline(*rows: dict[str, str], **changes: Any) -> Baseline:
    """Return a baseline of known findings."""
    data = {"version": 1, "expires": "2026-11-30", "findings": [*rows], **changes}
    return Baseline.from_json(json.dumps(data), place="b.json", environments=["dev", "prod"])


def finding(**changes: Any) -> Finding:
    """Return a finding, with some of its fields changed."""
    fields = {name: getattr(QUEUE, name) for name in ("rule", "verdict", "address", "subject", "location", "reason")}
    return Finding(**{**fields, **changes})


def is_known(found: Finding, *rows: dict[str, str], environment: str = "dev", moves: Any = ()) -> bool:
    """Tell whether a finding does not count."""
    result = baseline(*rows).part([found], found.rule, environment, DAY, moves)
    assert (found,) == result.known + result.active
    return bool(result.known)


@pytest.mark.parametrize(
    ("found", "entry", "expected"),
    [
        (QUEUE, row(), True),
        (finding(location=Location("b.tf", 99), reason="other"), row(), True),
        (QUEUE, row(rule="tags"), False),
        (QUEUE, row(environment="prod"), False),
        (QUEUE, row(address="module.a.aws_sqs_queue.qq"), False),
        (QUEUE, row(subject=""), False),
        (QUEUE, row(verdict="undetermined"), False),
        (finding(verdict=Verdict.UNDETERMINED), row(verdict="undetermined"), True),
        (finding(verdict=Verdict.UNDETERMINED), row(), True),
        (finding(verdict=Verdict.PROVEN), row(), False),
    ],
)
def test_a_finding_is_known_by_what_it_is_about(found: Finding, entry: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a case
    """Rule, environment, address and subject tell it, not lines; a violation that was a doubt is new."""
    assert expected is is_known(found, entry)


def test_each_entry_stands_for_one_finding() -> None:
    """A second finding of the same key is new."""
    result = baseline(row()).part([QUEUE, QUEUE], "names", "dev", DAY)

    assert ((QUEUE,), (QUEUE,), (0,)) == (result.active, result.known, result.used)


def test_after_its_day_all_of_it_counts() -> None:
    """On its day a baseline holds for the last time; then its findings count and say that it lapsed."""
    assert baseline(row()).part([QUEUE], "names", "dev", DAY).known
    late = baseline(row()).part([QUEUE], "names", "dev", date(2026, 12, 1))

    assert ((), (0,)) == (late.known, late.used)
    assert "why\nthe baseline b.json lapsed on 2026-11-30" == late.active[0].reason


@pytest.mark.parametrize(
    ("moves", "before", "after"),
    [
        ([("a", "b")], "a.x", "b.x"),
        ([("a", "b")], 'a["k"].x', 'b["k"].x'),
        ([("a", "b")], "ab.x", "ab.x"),
        ([("a", "b")], "a", "b"),
        ([("a[0]", 'a["k"]')], "a[0].x", 'a["k"].x'),
        ([("b", "c"), ("a", "b")], "a.x", "c.x"),
        ([("a", "b"), ("b", "a")], "c", "c"),
        ([("", "b"), ("a", "")], "a.x", "a.x"),
    ],
)
def test_moves_are_followed(moves: list[tuple[str, str]], before: str, after: str) -> None:
    """A move of a module or resource moves all that is in it, and moves follow one another."""
    assert after == moved(before, moves)
    assert is_known(finding(address=after), row(address=before), moves=moves)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", "a.b", "b[0]"])), max_size=6))
def test_moves_in_a_circle_end(moves: list[tuple[str, str]]) -> None:
    """Whatever the blocks say, following them ends."""
    assert isinstance(moved("a.x", moves), str)


def test_what_took_the_old_address_is_new() -> None:
    """After a move, a finding at the address of before is another resource's."""
    assert not is_known(QUEUE, row(), moves=[(QUEUE.address, "aws_sqs_queue.moved")])


def test_what_is_fixed() -> None:
    """A known finding that was looked for and not found is fixed; one that was not looked for is not."""
    known = baseline(row(), row(address="x"), row(rule="tags"), row(environment="prod"))

    assert ["dev names: x name"] == [str(entry) for entry in known.fixed({("dev", "names")}, {0})]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "Input should be"),
        ('{"version": 2, "expires": "2026-11-30", "findings": []}', "version"),
        ('{"version": 1, "findings": []}', "expires"),
        ('{"version": 1, "expires": "2026-02-30", "findings": []}', "expires: a day that the calendar has"),
        ('{"version": 1, "expires": "2026-11-30", "findings": [{"rule": ""}]}', "findings.0.rule"),
        ('{"version": 1, "expires": "2026-11-30", "findings": [], "more": 1}', "more"),
        (json.dumps({"version": 1, "expires": "2026-11-30", "findings": [row(environment="qa")]}), "qa"),
        (json.dumps({"version": 1, "expires": "2026-11-30", "findings": [row(rule="no-diff")]}), "a label approves"),
    ],
)
def test_a_malformed_file(text: str, found: str) -> None:
    """The error names the file, what is wrong and what to do."""
    with pytest.raises(BaselineError) as caught:
        Baseline.from_json(text, place="b.json", environments=["dev"])

    assert "b.json" == caught.value.place
    assert found in caught.value.found
    assert caught.value.remedy
