"""What is wrong with one tag of a resource, or not known of it."""

from __future__ import annotations

from msgspec import Struct

from infraspec.finding import Verdict


class TagFault(Struct, frozen=True):
    """One key that is VIOLATED or UNDETERMINED.

    `value` and `remarks` are for the line to paste: the value if there is one only, and what stands in the comment.
    `unknown` names what would have to be known, for an UNDETERMINED one.
    """

    verdict: Verdict
    key: str
    expected: str
    found: str
    reason: str
    value: str = "…"
    remarks: tuple[str, ...] = ()
    unknown: str = ""
