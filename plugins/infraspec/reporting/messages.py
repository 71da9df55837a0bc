"""Changes as messages for people: one for all of an environment, or one for each finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from infraspec.contract.telling import NoticeLevel
from infraspec.reporting.notices import Change, Notice, Told, dedup_key

Kind: TypeAlias = NoticeLevel | Literal["recovered"]

_MOST = 10
_LONGEST = 1500
_ORDER: tuple[NoticeLevel, ...] = ("critical", "warning", "info")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_USER = re.compile(r"(?<=://)[^/\s@]+@")


class Message(Struct, frozen=True):
    """A message; those with one `dedup` are about one thing, which is over once `kind` is recovered."""

    kind: Kind
    title: str
    body: str
    dedup: str


def digest(change: Change, application: str) -> Message:
    """Return one message of all that has changed in an environment; recovered if nothing is open any more."""
    parts = [
        f"{number} {word}"
        for number, word in ((len(change.raised), "new"), (len(change.recovered), "recovered"))
        if number
    ]
    still = f"{len(change.open)} open now" if change.open else "nothing is open now"
    texts = [_shown(notice) for notice in _by_level(change.raised)[:_MOST]]
    if len(change.raised) > _MOST:
        texts.append(f"and {len(change.raised) - _MOST} more")
    texts += [f"RECOVERED {told}" for told in change.recovered[:_MOST]]
    if len(change.recovered) > _MOST:
        texts.append(f"and {len(change.recovered) - _MOST} more recovered")
    kind = (
        _worst(one.told for one in change.raised)
        if change.raised
        else (_worst(change.open) if change.open else "recovered")
    )
    return Message(
        kind,
        f"{application} {change.environment}: {', '.join(parts)}; {still}",
        "\n\n".join(texts),
        dedup_key(application, change.environment, "digest"),
    )


def singles(change: Change, application: str) -> Iterator[Message]:
    """Return a message for each finding that is new, and for each that has recovered."""
    for notice in _by_level(change.raised):
        told = notice.told
        yield Message(told.level, f"{told.level.upper()} {application} {told}", _shown(notice), _key(application, told))
    for told in change.recovered:
        yield Message("recovered", f"RECOVERED {application} {told}", f"RECOVERED {told}", _key(application, told))


def _key(application: str, told: Told) -> str:
    return dedup_key(application, *told.identity)


def _by_level(raised: Collection[Notice]) -> list[Notice]:
    return sorted(raised, key=lambda notice: _ORDER.index(notice.told.level))


def _worst(found: Iterator[Told] | Collection[Told]) -> NoticeLevel:
    return min((told.level for told in found), key=_ORDER.index)


def _shown(notice: Notice) -> str:
    text = f"{notice.told.level.upper()} {notice.told.environment}\n{notice.text}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def masked(text: str, secrets: Collection[str] = ()) -> str:
    """Return a text without access keys, users of URLs, and what is given as secret.

    Findings hold no secrets; this is for what a remedy quotes from a file, and for what a library says of a URL.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _USER.sub("***@", _ACCESS_KEY.sub("***", text))
