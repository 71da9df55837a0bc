"""The name of the application: what most names of resources begin with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from infraspec.adoption.words import ENVIRONMENT_WORDS

_WORD = re.compile(r"[A-Za-z0-9]+")
_SAYING_NOTHING = frozenset({"main", "this", "default", "terraform", "tf", "aws", "ecs", "fargate", "app", "alb", "my"})
_SHARE = 0.4
_EXTENDED = 0.8
_LEAST = 3


def application_of(names: Sequence[str], environments: Iterable[str]) -> tuple[str, int] | None:
    """Return what most names begin with, environments aside, and how many do; None if there is nothing such.

    It is extended by words as long as nearly all of these names go on alike.
    """
    aside = ENVIRONMENT_WORDS | {name.lower() for name in environments if _WORD.fullmatch(name)}
    beginnings = [beginning for name in names if (beginning := _beginning(name, aside))]
    if len(beginnings) < _LEAST:
        return None
    chosen, count = Counter(words[0] for words, _ in beginnings).most_common(1)[0]
    if count < max(_LEAST, _SHARE * len(names)):
        return None
    length, held = 1, [entry for entry in beginnings if entry[0][0] == chosen]
    while True:
        following = Counter(words[: length + 1] for words, _ in held if len(words) > length)
        longer, more = following.most_common(1)[0] if following else ((), 0)
        if not more or more < _EXTENDED * len(held) or more < _LEAST:
            break
        held = [entry for entry in held if entry[0][: length + 1] == longer]
        length += 1
    if set(held[0][0][:length]) <= _SAYING_NOTHING:
        return None
    written = Counter(_written(text, length) for _, text in held).most_common(1)[0][0]
    return written, len(held)


def _beginning(name: str, aside: set[str] | frozenset[str]) -> tuple[tuple[str, ...], str] | None:
    """Return the words of a name up to the first that an environment is called by, and the text from there."""
    words = [(match[0], match.start()) for match in _WORD.finditer(name)]
    while words and words[0][0].lower() in aside:
        words = words[1:]
    taken: list[str] = []
    for word, _ in words:
        if word.lower() in aside:
            break
        taken.append(word)
    return (tuple(taken), name[words[0][1] :]) if taken else None


def _written(text: str, length: int) -> str:
    """Return the first words of a text as they are written, with what parts them."""
    ends = [match.end() for match in _WORD.finditer(text)]
    return text[: ends[length - 1]]
