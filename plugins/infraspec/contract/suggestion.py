"""The word that was probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

ALMOST = 0.8
"""How much alike words are of which one is most likely a slip of the other; it is 1 for the same."""


def closest(word: str, words: Collection[str], alike: float = 0.6) -> str | None:
    """Return the known word most like the given one, or None if none is so much like it."""
    folded = {known.casefold(): known for known in words}
    matches = get_close_matches(word.casefold(), list(folded), n=1, cutoff=alike)
    return folded[matches[0]] if matches else None


def did_you_mean(word: str, words: Collection[str], alike: float = 0.6) -> str:
    """Return "did you mean `…`?", or nothing if no known word is so much like the given one."""
    match = closest(word, words, alike)
    return f"did you mean `{match}`?" if match else ""


def listing(words: Collection[str], limit: int = 12) -> str:
    """Join words for a message, at most `limit` of them."""
    shown = list(words)[:limit]
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
