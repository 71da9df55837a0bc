"""Waivers that stand in the source: `# infraspec:ignore[RULE] reason="…" until=2027-03-31`.

Who maintains a module that was fetched is not who accepts a violation, so files of such modules have no say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from infraspec.contract.waivers import NOBODY, InlineWaiver
from infraspec.core.errors import did_you_mean, listing
from infraspec.core.finding import Location
from infraspec.core.rules import RULES
from infraspec.hcl.ast import SourceText
from infraspec.hcl.comments import Comment, comments
from infraspec.terraform.configuration.module_cache import Package
from infraspec.terraform.plan import Fault

_TOOL = "infraspec"
_MEANT = re.compile(r"\binfraspec\s*:\s*(?:ignore|skip|disable|suppress|waive)\w*", re.IGNORECASE)
"""What somebody writes who means a waiver."""
_WAIVER = re.compile(r"infraspec:ignore\[([^\]]*)\]")
_FIELD = re.compile(r'[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_FIELDS = ("reason", "until", "owner")
_ESCAPE = re.compile(r"\\(.)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_IN_JSON = re.compile(r'"//"\s*:\s*"[^"\n]*\binfraspec\s*:\s*ignore')
_FETCHED = frozenset({".terraform", ".terragrunt-cache"})
"""The directories that Terraform and Terragrunt fetch modules into."""


class _MalformedError(Exception):
    """What is wrong with a waiver, and how to write it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.found = found
        self.remedy = remedy


def waivers_of(
    files: Iterable[tuple[str, SourceText]], directories: Collection[Path]
) -> tuple[tuple[InlineWaiver, ...], tuple[Fault, ...]]:
    """Return the waivers in the comments of configuration files, and what is wrong with those that are none.

    `files` are all that were read, by path; those in the `directories` count, unless these were fetched.
    """
    found: list[InlineWaiver] = []
    faults: list[Fault] = []
    for path, source in files:
        if _TOOL not in source.text or not _is_own(Path(path), directories):
            continue
        if source.name.endswith(".json"):
            faults += [_elsewhere(source, one.start(), "infraspec:ignore") for one in _IN_JSON.finditer(source.text)]
        elif _MEANT.search(source.text):
            for comment in comments(source):
                for at, text in _meant(comment):
                    found += _read(source, comment, at, text, faults)
    return tuple(found), tuple(faults)


def _is_own(file: Path, directories: Collection[Path]) -> bool:
    """Tell whether a file is of one of the directories, and of the repository: not of a module that was fetched."""
    is_fetched = not _FETCHED.isdisjoint(file.parts) or file.is_relative_to(Package("", "").directory.parent)
    return file.parent in directories and not is_fetched


def faults_of_values(source: SourceText) -> list[Fault]:
    """Return the fault of each waiver in a file of variable values: no finding stands there, so it waives nothing."""
    if _TOOL not in source.text or not _MEANT.search(source.text) or source.name.endswith(".json"):
        return []
    return [_elsewhere(source, at, text) for comment in comments(source) for at, text in _meant(comment)]


def _meant(comment: Comment) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each waiver in a comment; in one of several lines it may have several."""
    starts = [one.start() for one in _MEANT.finditer(comment.text)]
    body = comment.text.removesuffix("*/") if comment.text.startswith("/*") else comment.text
    for start, end in zip(starts, [*starts[1:], len(body)], strict=False):
        yield comment.at + start, re.sub(r"\n\s*\*?", "\n", body[start:end]).strip()


def _read(source: SourceText, comment: Comment, at: int, text: str, faults: list[Fault]) -> Iterator[InlineWaiver]:
    """Yield a waiver for each rule that a text names; what is wrong goes to `faults`."""
    location = Location(source.name, source.line(at))
    try:
        rules, fields = _parsed(text)
        expires = _day(fields["until"])
    except _MalformedError as error:
        values = {"found": error.found, "remedy": error.remedy}
        faults.append(Fault("waiver-malformed", source.name, _name(text), location, values))
        return
    if not comment.first:
        faults.append(Fault("waiver-of-nothing", source.name, _name(text), location, {"rules": ", ".join(rules)}))
        return
    owner = fields.get("owner", NOBODY)
    for rule in rules:
        yield InlineWaiver(rule, fields["reason"], expires, location, comment.first, comment.last, owner)


_WIDEST = 60


def _name(text: str) -> str:
    """Return what a finding about a waiver names: its first line, as far as that is short."""
    line = text.partition("\n")[0]
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"


def _parsed(text: str) -> tuple[list[str], Mapping[str, str]]:
    """Return the rules and the fields of a waiver. Raises _MalformedError."""
    head = _WAIVER.match(text)
    if head is None:
        raise _MalformedError(text.partition("\n")[0], "write infraspec:ignore, and the rule behind it in brackets")
    rules = [rule.strip() for rule in head[1].split(",")]
    if not all(rules):
        raise _MalformedError(head[0], "name the rules in the brackets, such as [names] or [names, tags]")
    fields: dict[str, str] = {}
    at = head.end()
    while found := _FIELD.match(text, at):
        name, at = found[1], found.end()
        if name not in _FIELDS:
            hint = "until" if name == "expires" else did_you_mean(name, _FIELDS)
            raise _MalformedError(f"{name}=", hint or f"take {name} out: there are {listing(_FIELDS)}")
        if name in fields:
            raise _MalformedError(f"{name} twice", f"give one {name}")
        fields[name] = (_ESCAPE.sub(r"\1", found[2]) if found[2] is not None else found[3]).strip()
    if rest := text[at:].strip(" \t\r\n,;."):
        raise _MalformedError(rest.partition("\n")[0], 'write a text in quotes, reason="…", and nothing behind')
    for name in ("reason", "until"):
        if not fields.get(name):
            raise _MalformedError(f"no {name}", f"add {name}={_EXAMPLES[name]}")
    if fields.get("owner") == "":
        raise _MalformedError("an empty owner", "name who accepts it, or leave owner out")
    return rules, fields


_EXAMPLES = {"reason": '"…", why it is accepted', "until": "2027-03-31, the last day that it holds"}


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _MalformedError(f"until={text}", "write the last day that it holds as 2027-03-31")


def _elsewhere(source: SourceText, at: int, text: str) -> Fault:
    return Fault("waiver-elsewhere", source.name, _name(text), Location(source.name, source.line(at)), {})


def unknown_rule(waiver: InlineWaiver, own: Iterable[str], *, may_be_own: bool) -> Fault | None:
    """Return the fault of a waiver of a rule that does not exist.

    With `may_be_own` there are rules of the repository whose names are not known; a name that is nearly that of a rule
    is misspelt all the same.
    """
    known = [*RULES, *own]
    hint = did_you_mean(waiver.rule, known)
    if waiver.rule in known or (may_be_own and not hint):
        return None
    values = {
        "rule": waiver.rule,
        "rules": listing(known),
        "hint": hint or "name one of those that `infraspec rule` lists",
    }
    return Fault(
        "waiver-of-unknown-rule", waiver.location.file, f"infraspec:ignore[{waiver.rule}]", waiver.location, values
    )
