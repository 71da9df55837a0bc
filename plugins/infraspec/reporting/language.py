"""The language of what frames a report: headings, verdicts, what rules ask for and what a violation means.

The English text is the key of a catalogue, `texts.ja.json` beside this module; `{name}` stands for a value. What a
finding quotes from AWS and Terraform (expected, found, reason, remedy) stays English in every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from unicodedata import east_asian_width

import msgspec

from infraspec.core.errors import ReportError, counted, did_you_mean

Language: TypeAlias = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_VALUE = re.compile(r"\\\{(\w+)\\\}")
_current: ContextVar[Language] = ContextVar("language", default="en")


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return the texts of a language by the English ones; English has none."""
    if language == "en":
        return {}
    return msgspec.json.decode(Path(__file__).with_name(f"texts.{language}.json").read_bytes(), type=dict[str, str])


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Write what is written inside the block in a language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def spoken() -> Language:
    """Return the language in which is written now."""
    return _current.get()


def chosen(asked: str, stated: Language | None, environ: Mapping[str, str]) -> Language:
    """Return the language that an option asks for, that a contract states, or that of the locale; else English.

    Raises ReportError for a language that does not exist. Source: POSIX, "Environment Variables", LC_ALL and LANG.
    """
    if asked and asked not in LANGUAGES:
        raise ReportError(
            "unknown language",
            place=f"--infraspec-lang {asked}",
            expected=" or ".join(LANGUAGES),
            remedy=did_you_mean(asked, LANGUAGES) or "leave the option out for English",
        )
    locale = (environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or "")[:2]
    return next((one for one in LANGUAGES if one in (asked, *([] if asked else [stated or locale]))), "en")


def say(text: str, /, **values: object) -> str:
    """Return a text in the language of the report, with values in it."""
    return catalogue(_current.get()).get(text, text).format(**values)


def listed(texts: Iterable[str]) -> str:
    """Return texts of a report as a list within a sentence."""
    return say(", ").join(texts)


def say_number(number: int, noun: str, form: str = "") -> str:
    """Return a number with a noun, in the plural where the language has one."""
    if _current.get() == "en":
        return counted(number, noun, form)
    return say(f"{{number}} {noun}", number=f"{number:{form}}")


def say_filled(text: str) -> str:
    """Return a text that may have values in it already, such as a consequence, in the language of the report.

    Of the texts that it may be made of, that is meant which says most itself.
    """
    texts = catalogue(_current.get())
    for english in [] if text in texts else sorted(filter(_is_template, texts), key=len, reverse=True):
        if found := re.fullmatch(_VALUE.sub(r"(?P<\1>.+)", re.escape(english)), text):
            given = found.groupdict()
            return texts[english].format(**given | ({"what": say(given["what"])} if given.get("what") else {}))
    return say(text.replace("{", "{{").replace("}", "}}"))


def _is_template(text: str) -> bool:
    """Tell whether a text has values, and so much of its own that it fits no text that it is not for."""
    return "{" in text and len(re.sub(r"\{\w+\}", "", text)) >= _OWN


_OWN = 15
_LABEL = re.compile(r"^( {4})([a-z][A-Za-z ]*)(: *)", re.MULTILINE)
_CONSEQUENCE = re.compile(r"^( {4}consequence: *)(.+)", re.MULTILINE)
_VERDICT = re.compile(r"\b(VIOLATED|UNDETERMINED|ADVICE)(?= [a-z-]+:)")
_TALLY = re.compile(r"^(?:(\d+) violated)?(?:, )?(?:(\d+) undetermined)? of (\d+)$", re.MULTILINE)


def say_finding(text: str) -> str:
    """Return the text of a finding with verdict and labels in the language of the report, and the rest as it is."""
    if _current.get() == "en":
        return text
    text = _CONSEQUENCE.sub(lambda found: found[1] + say_filled(found[2]), text)
    text = _LABEL.sub(lambda found: found[1] + padded(say(found[2]) + found[3].strip(), len(found[2] + found[3])), text)
    return _VERDICT.sub(lambda found: say(found[1].lower()), _TALLY.sub(_say_tally, text))


def _say_tally(found: re.Match[str]) -> str:
    """Return how many findings of a rule are not proven, "1 violated, 2 undetermined of 15"."""
    parts = [f"{say(name)} {count}" for name, count in (("violated", found[1]), ("undetermined", found[2])) if count]
    return say("{bad} of {total}", bad=listed(parts), total=found[3]) if parts else found[0]


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes. Source: Unicode Standard Annex #11, "East Asian Width"."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def padded(text: str, width: int) -> str:
    """Return a text with blanks behind it, so that it takes some columns."""
    return text + " " * (width - columns_of(text))
