"""What can be said of text with unknown parts: how it begins and ends, and which text it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infraspec.unknown import JsonText, Text, Unknown, Value, computed_from, concatenate, render


class UnorderedJsonText(JsonText):
    """JSON text of a tree that holds a set with unknown elements, the order of which is not known.

    The tree can be read; of the text itself nothing is known.
    """

    __slots__ = ()

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The whole text as one unknown."""
        return (Unknown(f"jsonencode({render(self.tree)})", computed_from(self.tree)),)


def known_prefix(text: Value) -> str:
    """Return the known beginning of a str or Text; empty for anything else."""
    if isinstance(text, str):
        return text
    if isinstance(text, Text) and isinstance(text.parts[0], str):
        return text.parts[0]
    return ""


def known_suffix(text: Value) -> str:
    """Return the known end of a str or Text; empty for anything else."""
    if isinstance(text, str):
        return text
    if isinstance(text, Text) and isinstance(text.parts[-1], str):
        return text.parts[-1]
    return ""


def known_runs(text: Value) -> list[str]:
    """Return the known parts of a str or Text, in order."""
    if isinstance(text, str):
        return [text]
    return [part for part in text.parts if isinstance(part, str)] if isinstance(text, Text) else []


def may_equal(one: str | Text, other: str | Text) -> bool:
    """Tell whether two texts can be the same: False only if their known parts rule it out."""
    if isinstance(one, str):
        return one == other if isinstance(other, str) else _may_be(other, one)
    if isinstance(other, str):
        return _may_be(one, other)
    return _agree(known_prefix(one), known_prefix(other), str.startswith) and _agree(
        known_suffix(one), known_suffix(other), str.endswith
    )


def _agree(one: str, other: str, holds: Callable[[str, str], bool]) -> bool:
    return holds(one, other) or holds(other, one)


def _may_be(text: Text, candidate: str) -> bool:
    """Tell whether the known parts stand in the candidate, in order and without overlap."""
    prefix, suffix = known_prefix(text), known_suffix(text)
    position, end = len(prefix), len(candidate) - len(suffix)
    if position > end or not (candidate.startswith(prefix) and candidate.endswith(suffix)):
        return False
    first = 1 if prefix else 0
    last = -1 if suffix else None
    for part in text.parts[first:last]:
        if isinstance(part, str):
            position = candidate.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
    return True


def joined(parts: Iterable[str | Unknown | Text]) -> str | Text | Unknown:
    """Join pieces of text; a lone unknown stays itself."""
    whole = concatenate(parts)
    if isinstance(whole, Text) and not isinstance(whole, JsonText) and len(whole.parts) == 1:
        return whole.parts[0]
    return whole
