from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.contract.models import Waiver
from infraspec.contract.waivers import InlineWaiver, Waived, WaiverBook, apply, matches
from infraspec.core.finding import Finding, Location, Verdict

EXPIRES = date(2026, 11, 1)
BUCKET = Finding(
    "names", Verdict.VIOLATED, 'module.legacy["orders"].aws_s3_bucket.this', 'attribute "bucket"', reason="R"
)
QUEUE = Finding("names", Verdict.UNDETERMINED, "aws_sqs_queue.main")
TOPIC = Finding("names", Verdict.PROVEN, "aws_sns_topic.main")
TAGS = replace(BUCKET, rule="tags")


def waiver(**changes: Any) -> Waiver:
    """Make a waiver of all findings of the names rule."""
    given = {"rule": "names", "address": "*", "reason": "recreates it", "owner": "team-data", "expires": EXPIRES}
    return Waiver.model_validate({**given, **changes})


def test_a_waiver_holds_for_violated_and_undetermined_findings_of_its_rule() -> None:
    """What is proven needs no waiver, and another rule's findings are not touched."""
    accepted = waiver()

    result = apply([BUCKET, QUEUE, TOPIC, TAGS], [accepted], "prod", EXPIRES)

    assert result.active == (TOPIC, TAGS)
    assert result.waived == (Waived(BUCKET, accepted), Waived(QUEUE, accepted))
    assert (result.lapsed, result.used) == ((), (0,))


@pytest.mark.parametrize(("days", "holds"), [(-400, True), (-1, True), (0, True), (1, False), (400, False)])
def test_a_waiver_holds_on_the_day_it_expires_for_the_last_time(days: int, holds: bool) -> None:  # noqa: FBT001 - a case
    """The day of expiry is included, the one after it is not."""
    result = apply([BUCKET], [waiver()], "prod", EXPIRES + timedelta(days=days))

    assert (len(result.waived), len(result.active), len(result.lapsed)) == ((1, 0, 0) if holds else (0, 1, 1))


def test_a_finding_says_that_its_waiver_lapsed() -> None:
    """The reason keeps what it said, and names owner, day and reason of the waiver."""
    lapsed = waiver()
    result = apply([BUCKET, QUEUE], [lapsed], "prod", date(2026, 11, 2))

    told = "waiver by team-data lapsed on 2026-11-01: recreates it"
    assert [finding.reason for finding in result.active] == [f"R\n{told}", told]
    assert [entry.waiver for entry in result.lapsed] == [lapsed, lapsed]
    assert f"    reason:      R\n                 {told}" in str(result.active[0])


def test_the_waiver_that_expires_last_counts() -> None:
    """A renewed waiver waives though the lapsed one is still there; both count as used."""
    old, new = waiver(), waiver(expires=date(2027, 1, 1))

    result = apply([BUCKET], [old, new], "prod", date(2026, 12, 1))

    assert [entry.waiver for entry in result.waived] == [new]
    assert (result.active, result.used) == ((), (0, 1))


def test_a_waiver_holds_in_its_environments_only() -> None:
    """Named environments are the only ones it holds in."""
    accepted = waiver(environments=["dev"])

    assert apply([BUCKET], [accepted], "prod", EXPIRES).active == (BUCKET,)
    assert apply([BUCKET], [accepted], "dev", EXPIRES).active == ()


def test_a_waiver_that_matches_nothing_that_can_be_waived_is_not_used() -> None:
    """Neither one that matches no finding, nor one of a finding that is proven, nor one of another rule is."""
    idle, proven, other = waiver(address="aws_x.*"), waiver(address=TOPIC.address), waiver(rule="tags")

    assert apply([BUCKET, TOPIC], [idle, proven, other, waiver()], "prod", EXPIRES).used == (3,)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ('module.legacy["orders"].*', BUCKET.address, True),
        ("module.legacy[*].aws_s3_bucket.*", BUCKET.address, True),
        ('*attribute "bucket"', BUCKET.key, True),
        ("aws_sqs_queue.main", "aws_sqs_queue.main", True),
        ("aws_sqs_queue.mai", "aws_sqs_queue.main", False),
        ("aws_sqs_queue.mai?", "aws_sqs_queue.main", False),
        ("this[0]", "this0", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*b*b", "ab", False),
        ("*a*b*", "xxbxxaxx", False),
        ("**x**", "x", True),
        ("a*", "a\nb", True),
    ],
)
def test_patterns_know_the_star_and_nothing_else(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a case
    """Brackets, quotes, dots and question marks of an address stand for themselves."""
    assert matches(pattern, text) is expected


def naive(pattern: str, text: str) -> bool:
    """Match by the definition: the star takes every length in turn."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return text[:1] == pattern[0] and naive(pattern[1:], text[1:])


@given(st.text("ab*", max_size=7), st.text("ab", max_size=8))
def test_patterns_match_by_the_definition(pattern: str, text: str) -> None:
    """The linear matcher agrees with trying every length."""
    assert matches(pattern, text) == naive(pattern, text)


def test_a_finding_is_matched_by_address_and_by_key() -> None:
    """A pattern names the resource, or the resource and the subject."""
    assert apply([BUCKET], [waiver(address=BUCKET.address)], "prod", EXPIRES).active == ()
    assert apply([BUCKET], [waiver(address=BUCKET.key)], "prod", EXPIRES).active == ()
    assert apply([BUCKET], [waiver(address=BUCKET.subject)], "prod", EXPIRES).active == (BUCKET,)


def test_the_book_lists_what_was_unused_over_all_environments() -> None:
    """A waiver for all environments is of use if it is in one; one for named environments has to be in each."""
    everywhere, named, idle = waiver(), waiver(environments=["dev", "prod"]), waiver(address="x")
    never_ran = waiver(rule="tags")
    book = WaiverBook([everywhere, named, idle, never_ran])

    for finding, environment in ((BUCKET, "prod"), (TOPIC, "dev"), (TOPIC, "staging")):
        book.record(apply([finding], book.waivers, environment, EXPIRES).to_builtins())

    assert [(unused.waiver, unused.environments) for unused in book.unused()] == [
        (named, ("dev",)),
        (idle, ("dev", "prod", "staging")),
    ]
    assert str(book.unused()[0]) == "waiver of names for * by team-data matches no finding in dev: take it out"


def test_the_use_of_waivers_travels_as_json() -> None:
    """What a worker sends is plain data, from which the controller's book knows the same as the worker's."""
    waivers = [waiver(), waiver(address="x"), waiver(address=QUEUE.address, expires=date(2026, 1, 1))]
    result = apply([BUCKET, TOPIC], waivers, "prod", EXPIRES)
    controller = WaiverBook(waivers)

    sent = json.loads(json.dumps(result.to_builtins()))
    controller.record(sent)
    controller.record(sent)

    assert [unused.waiver for unused in controller.unused()] == waivers[1:]
    assert sent["waived"] == [
        {
            "rule": "names",
            "verdict": "violated",
            "address": BUCKET.address,
            "subject": BUCKET.subject,
            "reason": "recreates it",
            "owner": "team-data",
            "expires": "2026-11-01",
        }
    ]


def test_a_waived_finding_says_by_whom_and_until_when() -> None:
    """The summary's line has everything that a reviewer asks for."""
    assert str(Waived(QUEUE, waiver())) == (
        "names: aws_sqs_queue.main (waived by team-data until 2026-11-01: recreates it)"
    )


PLACED = replace(BUCKET, location=Location("main.tf", 7))
INLINE = InlineWaiver("names", "legacy", EXPIRES, Location("main.tf", 4), 5, 9)


@pytest.mark.parametrize(
    ("finding", "holds"),
    [
        (PLACED, True),
        (replace(PLACED, location=Location("main.tf", 5)), True),
        (replace(PLACED, location=Location("main.tf", 9)), True),
        (replace(PLACED, location=Location("main.tf", 4)), False),
        (replace(PLACED, location=Location("main.tf", 10)), False),
        (replace(PLACED, location=Location("main.tf")), False),
        (replace(PLACED, location=Location("other.tf", 7)), False),
        (replace(PLACED, rule="tags"), False),
        (replace(PLACED, verdict=Verdict.PROVEN), False),
        (BUCKET, False),
    ],
)
def test_a_waiver_of_the_source_covers_the_findings_that_stand_in_its_item(finding: Finding, *, holds: bool) -> None:
    """Of its rule, in its file, from the first line to the last."""
    result = apply([finding], [], "prod", EXPIRES, ["names", "tags"], inline=[INLINE])

    assert result.waived == ((Waived(finding, INLINE),) if holds else ())
    assert result.inline == ((INLINE, holds),)


def test_a_lapsed_waiver_of_the_source_says_where_it_stands() -> None:
    """The finding counts again, and its reason names the comment."""
    result = apply([PLACED], [], "prod", date(2026, 11, 2), inline=[INLINE])

    told = "waiver by the comment at main.tf:4 lapsed on 2026-11-01: legacy"
    assert [finding.reason for finding in result.active] == [f"R\n{told}"]


def test_a_waiver_of_the_source_is_unused_if_it_covers_nothing_anywhere() -> None:
    """Where its rule ran; what another environment uses is of use, and workers may report in any order."""
    other = replace(INLINE, location=Location("main.tf", 14), first=15, last=19)
    own = replace(INLINE, rule="ours")
    book = WaiverBook([])
    for environment in ("dev", "prod"):
        findings = [PLACED] if environment == "prod" else []
        for rule in ("source", "names", "tags"):
            result = apply(findings, [], environment, EXPIRES, [rule], inline=[INLINE, other, own])
            book.record(json.loads(json.dumps(result.to_builtins())))

    unknown = "it is misspelt, or a rule of your own that was not run"
    assert [str(unused) for unused in book.unused()] == [
        f"waiver of ours at main.tf:4: no rule ours ran in dev, prod: {unknown}",
        "waiver of names at main.tf:14 covers no finding in lines 15 to 19 in dev, prod: take it out",
    ]
