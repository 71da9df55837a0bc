"""The patterns of formatdate.

Source: Terraform Language, "formatdate Function" (Specification Syntax).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from infraspec.errors import EvaluationError

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TOKEN = re.compile(r"(?P<quote>'')|'(?P<quoted>(?:[^']|'')+)'|(?P<letters>([A-Za-z])\4*)|(?P<other>[^A-Za-z']+)")


def written(pattern: str, time: datetime) -> str:
    """Write a time; EvaluationError for letters that mean nothing and for an open quote."""
    return "".join(_pieces(pattern, time))


def _pieces(pattern: str, time: datetime) -> Iterator[str]:
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            raise EvaluationError("unterminated literal in the format", expected="'", found=pattern[position:])
        if match["letters"]:
            yield _field(match["letters"], time)
        else:
            yield match["other"] or (match["quoted"] or match["quote"]).replace("''", "'")
        position = match.end()


def _field(letters: str, time: datetime) -> str:
    if letters not in _FIELDS:
        expected = ", ".join(_FIELDS)
        raise EvaluationError("invalid date format verb", expected=expected, found=letters)
    return _FIELDS[letters](time)


def _offset(time: datetime, separator: str) -> str:
    minutes = int((time.utcoffset() or timedelta()).total_seconds()) // 60
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02d}{separator}{minutes % 60:02d}"


def _half(time: datetime) -> str:
    return "am" if time.hour < 12 else "pm"  # noqa: PLR2004 - noon


_FIELDS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda time: f"{time.year:04d}",
    "YY": lambda time: f"{time.year % 100:02d}",
    "MMMM": lambda time: _MONTHS[time.month - 1],
    "MMM": lambda time: _MONTHS[time.month - 1][:3],
    "MM": lambda time: f"{time.month:02d}",
    "M": lambda time: str(time.month),
    "DD": lambda time: f"{time.day:02d}",
    "D": lambda time: str(time.day),
    "EEEE": lambda time: _DAYS[time.weekday()],
    "EEE": lambda time: _DAYS[time.weekday()][:3],
    "hh": lambda time: f"{time.hour:02d}",
    "h": lambda time: str(time.hour),
    "HH": lambda time: f"{time.hour % 12 or 12:02d}",
    "H": lambda time: str(time.hour % 12 or 12),
    "AA": lambda time: _half(time).upper(),
    "aa": _half,
    "mm": lambda time: f"{time.minute:02d}",
    "m": lambda time: str(time.minute),
    "ss": lambda time: f"{time.second:02d}",
    "s": lambda time: str(time.second),
    "ZZZZZ": lambda time: _offset(time, ":"),
    "ZZZZ": lambda time: _offset(time, ""),
    "ZZZ": lambda time: _offset(time, "") if time.utcoffset() else "UTC",
    "Z": lambda time: _offset(time, ":") if time.utcoffset() else "Z",
}
