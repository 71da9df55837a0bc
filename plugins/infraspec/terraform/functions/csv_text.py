"""CSV as RFC 4180 and Go's encoding/csv have it: strict about quotes, blank lines left out."""

from __future__ import annotations

import re

from infraspec.errors import EvaluationError

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN = re.compile(r'[^,"\n]*')


def rows(text: str) -> list[list[str]]:
    """Return the fields of each record; EvaluationError for a stray or open quote."""
    text = text.replace("\r\n", "\n")
    records: list[list[str]] = []
    position = 0
    while position < len(text):
        if text[position] == "\n":
            position += 1
            continue
        record, position = _record(text, position)
        records.append(record)
    return records


def _record(text: str, position: int) -> tuple[list[str], int]:
    fields: list[str] = []
    while True:
        field, position = _field(text, position)
        fields.append(field)
        if text[position : position + 1] != ",":
            return fields, position + 1
        position += 1


def _field(text: str, position: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, position)
    found = quoted or _PLAIN.match(text, position)
    end = found.end() if found else position
    if text[end : end + 1] not in {"", ",", "\n"}:
        line = text.count("\n", 0, end) + 1
        raise EvaluationError("invalid CSV data", expected="a comma or the end of the line", found=f"line {line}")
    return (quoted[1].replace('""', '"') if quoted else text[position:end]), end
