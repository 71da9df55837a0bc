"""What `infraspec doctor` says, and what `infraspec init` has found and written, as documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from infraspec.adoption.health import Line, State, worst
from infraspec.reporting.document import Code, Column, Document, Paragraph, Row, Span, Table, Tone

_TONES: Mapping[State, Tone] = {State.OK: "good", State.WARNING: "doubtful", State.PROBLEM: "worst"}
_COLUMNS = (Column(least=max(len(state.value) for state in State)), Column(most=24), Column())


def health_document(lines: Sequence[Line]) -> Document:
    """Return a line for each thing with its state, below it what is to be done, and how many there are of each."""
    counts = Counter(line.state.value for line in lines)
    numbers = [f"{counts[state]} {state}{'' if counts[state] == 1 else 's'}" for state in ("warning", "problem")]
    told = Paragraph(f"{counts['ok']} ok, {', '.join(numbers)}", _TONES[worst(lines)])
    table = Table(_COLUMNS, tuple(map(_row, lines)), header="never")
    return Document(lambda _form: (table, told), lambda: list(map(_data, lines)))


def _row(line: Line) -> Row:
    note = Code(line.remedy, "toml" if line.remedy.startswith("[") else "text") if line.remedy else None
    return Row((Span(line.state.value, _TONES[line.state]), Span(line.topic, "strong"), line.message), note)


def _data(line: Line) -> dict[str, str]:
    return {"topic": line.topic, "state": line.state.value, "message": line.message, "remedy": line.remedy}


def adoption_document(found: Iterable[tuple[str, str]], files: Iterable[tuple[str, str, str]], rest: str) -> Document:
    """Return labels and what was found; path, state and note of files; and what to do next, text with commands."""
    labels = Table((Column(least=11), Column()), tuple(map(Row, found)), header="never")
    columns = (Column(least=32), Column(), Column())
    rows = tuple(Row((path, _state(state), Span(note, "quiet"))) for path, state, note in files)
    table = Table(columns, rows, header="never")
    return Document(lambda _form: (labels, table, Code(rest)))


def _state(state: str) -> Span:
    return Span(state, "good" if state == "written" else "doubtful")
