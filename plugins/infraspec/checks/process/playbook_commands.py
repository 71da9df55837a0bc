"""Part of the rule `playbooks`: commands of the AWS CLI exist, and names in commands are those of the source."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from infraspec.contract.models import Contract
from infraspec.core.errors import closest
from infraspec.core.finding import Finding, Location
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.runtime import installation
from infraspec.core.unknown import JsonText, Text, Value
from infraspec.process.aws_cli import models, wrong_words
from infraspec.process.markdown import ShellBlock
from infraspec.process.playbooks import Playbook
from infraspec.process.shell import UnreadableScriptError, commands_in, statements
from infraspec.terraform.plan import Plan

RULE = RULES["playbooks"]
_ALMOST = 0.9
"""How much alike a name is to one of the source, of which it is most likely a slip."""


def of_the_cli(playbook: Playbook) -> Iterator[Finding]:
    """Judge the commands of the AWS CLI by the models of AWS's APIs, and that a shell can read each block."""
    for block in playbook.page.blocks:
        location = Location(playbook.page.file, block.line)
        if (wrong := _unreadable(block)) is not None:
            location = Location(playbook.page.file, wrong)
            if all(_is_closed(one.text) for one in playbook.page.commands):  # else the rule has said where it is open
                yield RULE.about(playbook.page.file, f"block {block.line}", location).say("no-shell")
            continue
        asked = [(words, line) for words, line in commands_in(block.text) if words[:1] == ["aws"]]
        if asked and models() is None:
            subject = RULE.about(playbook.page.file, f"block {block.line}", location)
            yield subject.say("no-models", remedy=installation("live"))
            return
        for words, line in asked:
            yield from _of_command(playbook, words, block.line + line)


def _is_closed(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def _unreadable(block: ShellBlock) -> int | None:
    """Return the line at which no shell can read a block, None if one can."""
    try:
        statements(block.text)
    except UnreadableScriptError as error:
        return block.line + int(error.place or 0)
    return None


def _of_command(playbook: Playbook, words: Sequence[str | None], line: int) -> Iterator[Finding]:
    shown = " ".join("…" if word is None else word for word in words[:3])
    wrong = wrong_words(words)
    location = Location(playbook.page.file, line)
    if not wrong:
        yield RULE.about(playbook.page.file, f"AWS CLI {shown}, line {line}", location).proven()
    for one in wrong:
        subject = RULE.about(playbook.page.file, f"AWS CLI {shown}: {one.word}", location)
        remedy = one.nearest or f"look it up: aws {' '.join(str(word) for word in words[1:2])} help"
        yield subject.say("no-such-word", what=one.what, word=one.word, remedy=remedy)


def names_in_source(playbook: Playbook, contract: Contract, sources: Mapping[str, Plan]) -> Iterator[Finding]:
    """Judge the names in commands that begin as those of an environment do: the source has them."""
    for environment, plan in sources.items():
        pattern = _named(contract.project.application, environment)
        known: frozenset[str] | None = None
        for block in playbook.page.blocks:
            for number, text in enumerate(block.text.splitlines()):
                for found in pattern.finditer(text):
                    known = known or plan.derived(_Names).names
                    location = Location(playbook.page.file, block.line + number)
                    subject = RULE.about(playbook.page.file, f"name {found[0]}, line {location.line}", location)
                    is_begun = text[found.end() :][:1] == "$"
                    yield _of_name(subject, found[0], known, (playbook.id, environment), is_begun=is_begun)


def _of_name(
    subject: Subject, name: str, known: frozenset[str], rehearsal: tuple[str, str], *, is_begun: bool
) -> Finding:
    """Judge a name; of one that goes on with a variable, the beginning. `rehearsal` is of which page and where."""
    part = name.strip("/").rpartition(":")[2].rstrip("-_.")
    if part in known or name in known or (is_begun and any(one.startswith(part) for one in known)):
        return subject.proven()
    nearest = closest(part, known, _ALMOST)
    if nearest is None:
        page, environment = rehearsal
        return subject.say("unknown-name", name=name, id=page, environment=environment)
    return subject.say("no-name", name=name, nearest=nearest)


@cache
def _named(application: str, environment: str) -> re.Pattern[str]:
    """Return what matches the names of an environment: `shop-prod-app`, `/shop/prod/log-level`."""
    beginnings = (
        f"{re.escape(application)}-{re.escape(environment)}-|/{re.escape(application)}/{re.escape(environment)}/"
    )
    return re.compile(rf"(?<![\w-])(?:{beginnings})[\w./-]*")


class _Names:
    """The names that the source of a plan has: each known text of a resource, and its parts between colons."""

    def __init__(self, plan: Plan) -> None:
        texts = {text for resource in plan.resources for value in resource.values.values() for text in _texts(value)}
        parts = {part.strip("/") for text in texts for part in re.split(r"[:\s\"',]+", text)}
        self.names = frozenset(parts | {segment for part in parts for segment in (part.rpartition("/")[2],)})


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, Text):
        yield from (part for part in value.parts if isinstance(part, str))
    elif isinstance(value, JsonText):
        yield from _texts(value.tree)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
