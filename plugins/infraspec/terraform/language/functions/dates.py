"""Dates and times in RFC 3339. Those that ask the clock are unknown.

Source: Terraform Language, "formatdate" (Specification Syntax), "timeadd" and "timecmp" Functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.terraform.language.functions.parameters import function, text
from infraspec.terraform.language.partial_values import Undetermined

_MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TOKEN = re.compile(r"(?P<quote>'')|'(?P<quoted>(?:[^']|'')+)'|(?P<letters>([A-Za-z])\4*)|(?P<other>[^A-Za-z']+)")


def _pieces(pattern: str, time: datetime) -> Iterator[str]:
    """Write a time; EvaluationError for letters that mean nothing and for an open quote."""
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


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_DURATION = re.compile(r"[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_STEP = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NANOSECONDS = {
    "ns": 1,
    **dict.fromkeys(("us", "µs", "μs"), 10**3),
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_MOST_DIGITS = 40
"""The digits of a number that matter: those before the point are too many, or those after it too small."""

_LONGEST_DURATION = 2**63
"""Nanoseconds, not included."""


@function("formatdate", text, text)
def format_date(pattern: str, timestamp: str) -> str:
    """Write a time by a pattern such as `YYYY-MM-DD'T'hh:mm:ssZ`."""
    return "".join(_pieces(pattern, _moment(timestamp)[0]))


@function("timeadd", text, text)
def add(timestamp: str, duration: str) -> str:
    """Add a duration such as `1h30m`."""
    time, nanoseconds = _moment(timestamp)
    try:
        later = time + timedelta(seconds=(nanoseconds + _nanoseconds(duration)) // 10**9)
    except OverflowError:
        raise LimitError("A time lies outside of the years 1 to 9999") from None
    return later.isoformat().replace("+00:00", "Z")


@function("timecmp", text, text)
def compare(one: str, other: str) -> int:
    """Return -1, 0 or 1 as the first time is before, at or after the second."""
    left, right = _moment(one), _moment(other)
    return (left > right) - (left < right)


def _moment(timestamp: str) -> tuple[datetime, int]:
    """Read a time to the second in its zone, and nanoseconds."""
    match = _TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise _no_timestamp(timestamp)
    if timestamp.startswith("0000"):
        raise Undetermined
    try:
        time = datetime.fromisoformat(match[1] + match[3])
    except ValueError:
        raise _no_timestamp(timestamp) from None
    return time, int((match[2] or "0")[:9].ljust(9, "0"))


def _no_timestamp(found: str) -> EvaluationError:
    expected = "RFC 3339, such as 2024-05-31T12:00:00Z"
    return EvaluationError("not a valid RFC3339 timestamp", expected=expected, found=found)


def _nanoseconds(duration: str) -> int:
    if duration in {"0", "+0", "-0"}:
        return 0
    if not _DURATION.fullmatch(duration):
        expected = "numbers with h, m, s, ms, us or ns"
        raise EvaluationError("invalid duration", expected=expected, found=duration)
    total = sum(int(Fraction(number[:_MOST_DIGITS]) * _NANOSECONDS[unit]) for number, unit in _STEP.findall(duration))
    if total >= _LONGEST_DURATION:
        raise EvaluationError("invalid duration", expected="less than 292 years", found=duration)
    return -total if duration[0] == "-" else total
