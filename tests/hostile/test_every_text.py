"""Each payload in each field of what is shown, through each form in which it is shown: none is raw."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.cli.terminal import show_document
from infraspec.core.errors import ContractError, ErrorCollector, InfraspecError
from infraspec.core.finding import Finding, Location, Related, Verdict
from infraspec.reporting.allure import files as allure
from infraspec.reporting.document import (
    Code,
    Document,
    Field,
    Fields,
    Items,
    Paragraph,
    Table,
    Title,
    Tree,
    as_json,
    as_markdown,
    as_text,
    code,
)
from infraspec.reporting.github.annotations import sarif, workflow_commands
from infraspec.reporting.github.comment import SUMMARY_LIMIT, comment
from infraspec.reporting.kpi import Period, Sources, kpi_plot, kpi_text, measured
from infraspec.reporting.notify.notices import changes, digest, notices
from infraspec.reporting.run.baseline_file import baseline_of
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import (
    Acceptance,
    Count,
    Entry,
    Flaky,
    Moved,
    PlanFile,
    Problem,
    Results,
    Run,
    Skipped,
    encode,
)
from infraspec.reporting.trends.site import site
from tests.hostile.oracles import hidden as in_properties
from tests.hostile.oracles import in_annotations, in_csv, in_html, in_json, in_log, in_markdown, is_hidden, on_terminal
from tests.hostile.payloads import MARKERS, PAYLOADS
from tests.terminal import screen


def finding(text: str, **changed: Any) -> Finding:
    """Return a finding with a text in each field."""
    place = Location(text, 3)
    fields: dict[str, Any] = {
        "rule": "names", "verdict": Verdict.VIOLATED, "address": text, "subject": text, "location": place,
        "expected": text, "found": text, "reason": text, "remedy": text, "consequence": text,
        "related": (Related(text, text, place, text),), "rests_on": (text,), "unseen": (text,), "also": ((text, text),),
    }  # fmt: skip
    return Finding(**{**fields, **changed})


def results(text: str) -> Results:
    """Return results with a text in each field, in each state."""
    accepted = Acceptance(text, text, "2099-01-01", Location(text, 1))
    entries = [Entry(text, "failing", finding(text)), Entry("prod", "waived", finding(text), accepted)]
    entries += [
        Entry("prod", "warning", finding(text, verdict=Verdict.UNDETERMINED)),
        Entry("prod", "known", finding(text)),
        Entry("prod", "advice", finding(text, verdict=Verdict.PROVEN, advice=True)),
        Entry("prod", "failing", finding(text, rule="plan-review")),
    ]
    return Results(
        1,
        Run(
            "0.2.0", "2026-11-01T08:00:00+00:00", text, text, (text, "prod"), (PlanFile("prod", text),), text,
            complete=True,
        ),
        (Count(text, "names", 1, 1, 0, 0), Count("prod", "names", 1, 1, 1, 1, 1), Count("prod", "tags", 1, 0, 0, 0)),
        tuple(entries),
        (Problem("broken", text, text, "ContractError", text), Problem("failed", text, "prod", text, text)),
        (Skipped(text, text, text), Skipped(f"a.py::{text}", "prod", text)),
        (Flaky(text, text, text),),
        (text,),
        (Moved("prod", text, text),),
    )  # fmt: skip


def document(text: str) -> Document:
    """Return a document with a text in each part."""
    rows = (Field(text, text, "bad"), Field("x", text, frame="bad"))
    parts = (
        Title(text),
        Paragraph(text),
        Paragraph((text, code(text))),
        Fields(rows),
        Table.of((text, "x"), [(text, code(text))]),
        Code(text, "terraform"),
        Items.of((text, text)),
        Tree(text, ((Paragraph(text),), (Code(text),))),
    )
    return Document(lambda _: parts, lambda: {text: [text]})


def _verdicts(text: str) -> list[allure.VerdictRow]:
    accepted = Acceptance(text, text, "2099-01-01")
    return [allure.VerdictRow(finding(text), "waived", text, "https://github.com/x", accepted)]


def _notice(text: str) -> str:
    found = results(text)
    told = changes((), notices(found, {}, ("prod",)), found, ("critical", "warning", "info"))
    sent = [digest(one, found.run.application) for one in told]
    return "\n".join(part for one in sent for part in (one.title, one.body))


def _errors(text: str) -> str:
    collector = ErrorCollector()
    for message in (text, "no"):
        error = ContractError(message, place=text, expected=text, found=text, remedy=text, excerpt=text)
        collector.keep(error, text)
    try:
        collector.finalize()
    except InfraspecError as error:
        return str(error)
    return ""


def _kpi(text: str) -> str:
    period = Period(date(2026, 8, 1), date(2026, 10, 31))
    return kpi_text(text, measured(Sources(), period), Sources(), period)


def _plot(text: str) -> str:
    period = Period(date(2026, 8, 1), date(2026, 10, 31))
    return kpi_plot(text, measured(Sources(), period), period)


def _screen(text: str) -> str:
    return screen.on_terminal(lambda: show_document(document(text), "text"), 100).written


SINKS: Mapping[str, tuple[Callable[[str], str], Callable[[str], Iterator[str]]]] = {
    "results file": (lambda text: encode(results(text)).decode(), in_json),
    "comment": (lambda text: comment(results(text), None, Links(), SUMMARY_LIMIT), in_markdown),
    "comment in Japanese": (lambda text: comment(results(text), None, Links(), SUMMARY_LIMIT, "ja"), in_markdown),
    "annotations": (lambda text: "\n".join(workflow_commands(results(text), None)), in_annotations),
    "SARIF": (lambda text: sarif(results(text)), in_json),
    "baseline": (lambda text: baseline_of(results(text), None), in_json),
    "page of trends": (lambda text: site([results(text)]), in_html),
    "notification": (_notice, in_log),
    "Allure's page": (lambda text: allure.as_html(text, _verdicts(text)), in_html),
    "Allure's table": (lambda text: allure.as_csv(_verdicts(text)), in_csv),
    "Allure's environment": (lambda text: allure.environment(results(text)), in_properties),
    "success figures": (_kpi, in_markdown),
    "picture of figures": (_plot, in_html),
    "text of a document": (lambda text: as_text(document(text)), in_log),
    "Markdown of a document": (lambda text: as_markdown(document(text)), in_markdown),
    "JSON of a document": (lambda text: as_json(document(text).data()), in_json),
    "terminal": (_screen, on_terminal),
    "error of the input": (_errors, in_log),
    "finding": (lambda text: str(finding(text)), in_log),
}
"""How a text gets there, and how it is read there."""


def test_there_are_enough_payloads() -> None:
    """Each is another one, and has its word."""
    assert len(PAYLOADS) >= 60
    assert len(set(PAYLOADS.values())) == len(PAYLOADS)
    assert all(MARKERS[name] in text for name, text in PAYLOADS.items())


@pytest.mark.parametrize("sink", SINKS)
def test_no_payload_is_raw(sink: str) -> None:
    """Each payload gets there, as what it says and not as what it does."""
    write, oracle = SINKS[sink]
    told = {name: write(text) for name, text in PAYLOADS.items()}
    raw = {name: list(oracle(text))[:3] for name, text in told.items()}

    assert [] == [name for name, text in told.items() if MARKERS[name] not in text]
    assert {} == {name: lines for name, lines in raw.items() if lines}


ANY = st.text(
    st.sampled_from("a1 :#[]<>|`*_=@&;\"'\\/\n\r\t\x1b\x07\x00\x85\u2028\u202e\u200b\ufe0f\ufeff\ud800\U000e0041"),
    min_size=1,
)


@pytest.mark.parametrize("sink", sorted(SINKS.keys() - {"terminal"}))
@given(text=ANY)
def test_any_text(sink: str, text: str) -> None:
    """What no table has thought of is not raw either."""
    write, oracle = SINKS[sink]

    assert [] == list(oracle(write(text)))


def test_every_hidden_character() -> None:
    """No character of Unicode that is not seen, or acts, is left by the forms; what is printed stays."""
    points = [chr(point) for point in range(0x110000)]
    shown = str(finding("".join(f"a{one}" for one in points if one != "\n" and is_hidden(one))))
    printed = "".join(
        f"a{one}"
        for one in points
        if one.isprintable() and not is_hidden(one) and not unicodedata.name(one, "").startswith("VARIATION")
    )

    assert [] == list(in_log(shown))
    assert finding(printed).found == printed
