"""The ways of tasks through the network as a document: hop by hop, and what stops a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from infraspec.core.finding import Finding, Verdict
from infraspec.reporting.document import Code, Document, Field, Fields, Form, Items, Part, Title, Tone, place

_VERDICTS: Mapping[Verdict, tuple[str, Tone]] = {
    Verdict.PROVEN: ("REACHED", "good"),
    Verdict.VIOLATED: ("NOT REACHED", "bad"),
    Verdict.UNDETERMINED: ("UNDETERMINED: cannot be decided from what is known", "doubtful"),
}


def paths_document(findings: Sequence[Finding]) -> Document:
    """Return each end with its verdict, the hops of its paths, and what is to be changed."""
    return Document(partial(_parts, findings), partial(_data, findings))


def worst_tone(findings: Sequence[Finding]) -> Tone:
    """Return how the worst of the verdicts looks."""
    tones = {_VERDICTS[finding.verdict][1] for finding in findings}
    return "bad" if "bad" in tones else "doubtful" if "doubtful" in tones else "good"


def _parts(findings: Sequence[Finding], _form: Form) -> Iterator[Part]:
    for finding in findings:
        words, tone = _VERDICTS[finding.verdict]
        yield Title(f"{words}: {finding.key}{place(finding.location)}", tone=tone)
        for path in _paths(finding):
            yield Items.of(path)
        if finding.verdict is not Verdict.PROVEN:
            yield Fields((Field("why", finding.reason),))
            yield Code(finding.remedy, "terraform")


def _paths(finding: Finding) -> list[list[str]]:
    lines = finding.rests_on or (finding.found,)
    return [line.split(" -> ") for line in lines]


def _data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "verdict": finding.verdict.value,
            "address": finding.address,
            "subject": finding.subject,
            "paths": _paths(finding),
            "reason": finding.reason if finding.verdict is not Verdict.PROVEN else "",
            "fix": finding.remedy,
        }
        for finding in findings
    ]
