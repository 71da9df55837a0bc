"""Rule `playbooks`: for everything that can go wrong there is a page that says what to do, who, and how fast."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from infraspec.checks.process.playbook_commands import names_in_source, of_the_cli
from infraspec.checks.process.playbook_rehearsals import rehearsed
from infraspec.contract.models import Contract
from infraspec.contract.operations import Playbooks
from infraspec.contract.paths import display
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.core.runtime import is_in_repository, read_regular
from infraspec.process.makefile import target_names
from infraspec.process.markdown import Page, read_page
from infraspec.process.playbooks import PHASES, Phase, Playbook
from infraspec.terraform.plan import Plan

RULE = RULES["playbooks"]

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PUNCTUATION = frozenset("();<>|&")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def check_playbooks(
    contract: Contract,
    settings: Playbooks,
    playbooks: Sequence[Playbook],
    sources: Mapping[str, Plan] = MappingProxyType({}),
    today: date | None = None,
) -> list[Finding]:
    """Judge the playbooks of a repository: complete, owned, within their times, links and commands that exist.

    `sources` are the plans whose names commands may use; `today` says how old rehearsals are.
    """
    owners = settings.owners or ([contract.project.owner] if contract.project.owner else [])
    findings = [*_coverage(playbooks, settings, display(contract, settings.directory))]
    for playbook in playbooks:
        findings += (_owner(playbook, owners), *_times(playbook, settings))
        findings += (
            *_links(playbook.page, contract.directory),
            *_commands(playbook.page, settings, contract.directory),
            *of_the_cli(playbook),
            *names_in_source(playbook, contract, sources),
        )
    return [*findings, *rehearsed(contract, settings, playbooks, today)]


def _coverage(playbooks: Sequence[Playbook], settings: Playbooks, shown: str) -> Iterator[Finding]:
    """Judge that each required id, failure class or alarm has a playbook in each language."""
    by_topic: dict[tuple[str, str], Playbook] = {}
    for playbook in playbooks:
        for topic in (playbook.id, *playbook.covers):
            by_topic.setdefault((topic, playbook.language), playbook)
    for topic, language in product(settings.required, settings.languages):
        name = f"{topic} ({language})"
        if covering := by_topic.get((topic, language)):
            yield RULE.about(covering.page.file, name, covering.page.location("id")).proven()
            continue
        ids = ", ".join(sorted({playbook.id for playbook in playbooks})) or "no playbook at all"
        page = _front_matter(topic, language)
        absent = RULE.about(shown, name, Location(shown))
        yield absent.say("no-playbook", topic=topic, language=language, ids=ids, page=page)


def _front_matter(topic: str, language: str) -> str:
    targets = ", ".join(f"{phase}: {minutes}" for phase, minutes in zip(PHASES, (5, 15, 30, 1440), strict=True))
    return (
        f"# {topic}.md\n---\nid: {topic}\nlanguage: {language}\ntitle: …\nowner: …\n"
        f"failure_classes: [{topic}]\ntargets: {{{targets}}}\n---"
    )


def _owner(playbook: Playbook, owners: Sequence[str]) -> Finding:
    subject = RULE.about(playbook.page.file, "owner", playbook.page.location("owner"))
    said = {"owners": ", ".join(owners), "owner": playbook.owner, "first": next(iter(owners), "")}
    return subject.judge("other-owner", holds=not owners or playbook.owner in owners, **said)


def _times(playbook: Playbook, settings: Playbooks) -> Iterator[Finding]:
    page, phases = playbook.page, {phase.name: phase for phase in playbook.phases}
    for number, name in enumerate(PHASES, 1):
        limit, target, phase = settings.targets.of(name), playbook.targets.get(name), phases.get(name)
        if target is None or target > limit:
            found = "no target" if target is None else f"{target} minutes"
            subject = RULE.about(page.file, f"phase {name}", page.location("targets"))
            yield subject.say("no-target", name=name, limit=limit, found=found)
            continue
        location = Location(page.file, phase.heading.line) if phase else page.location("targets")
        holds = phase is not None and phase.minutes == target and bool(phase.items)
        found = phase.heading.text if phase else "no such heading"
        subject = RULE.about(page.file, f"phase {name}", location)
        reason = _phase_reason(phase, target)
        yield subject.judge("no-phase", holds=holds, number=number, target=target, found=found, reason=reason)


def _phase_reason(phase: Phase | None, target: int) -> str:
    if phase is None:
        return "the page does not say what to do in this phase"
    if phase.minutes != target:
        said = "no time" if phase.minutes is None else f"{phase.minutes} minutes"
        return f"the heading says {said}, the front matter {target} minutes"
    return "there is nothing to tick below the heading"


def _links(page: Page, root: Path) -> Iterator[Finding]:
    for link in page.links:
        if _SCHEME.match(link.target) or link.target.startswith("//") or page.path is None:
            continue
        file, _, fragment = link.target.partition("#")
        target = page.path.parent / unquote(file) if file else page.path
        exists = is_in_repository(target, root)
        leads = exists and (
            not fragment or target.suffix != ".md" or unquote(fragment) in read_page(target, target.name).anchors
        )
        subject = RULE.about(page.file, f"link {link.target}", Location(page.file, link.line))
        yield subject.judge("no-heading" if exists else "no-file", holds=leads, fragment=fragment)


_QUOTED = re.compile(r"'[^']*'")
_SET = re.compile(
    r"(?:^|[\s;&|(])(?:([A-Za-z_]\w*)\+?=|for\s+([A-Za-z_]\w*)\s+in\b|read\s+(?:-\w+\s+)*((?:[A-Za-z_]\w*\s*)+))"
)
_USED = re.compile(r"(?<!\\)\$(?:\{#?([A-Za-z_]\w*)(?!\w*:?[-=?+])[^}]*\}|([A-Za-z_]\w*))")
_OF_SESSION = re.compile(r"AWS_|GITHUB_|(?:HOME|USER|PATH|PWD|SHELL|HOSTNAME|TMPDIR|EDITOR|LANG|RANDOM|SECONDS)$")
"""How the variables begin that a session has anyway."""


def _variables(page: Page) -> Iterator[Finding]:
    """Judge that each variable of a command has a line above that sets it. Source: POSIX, "Shell Parameters"."""
    known: set[str] = set()
    for command in page.commands:
        text = _QUOTED.sub("''", command.text)
        known |= {name for found in _SET.findall(text) for part in found for name in part.split()}
        for name in dict.fromkeys(first or second for first, second in _USED.findall(text)):
            if not _OF_SESSION.match(name):
                subject = RULE.about(page.file, f"variable {name}", Location(page.file, command.line))
                yield subject.judge("no-variable", holds=name in known, name=name, command=command.text)
                known.add(name)


def _commands(page: Page, settings: Playbooks, root: Path) -> Iterator[Finding]:
    yield from _variables(page)
    for command in page.commands:
        problem = _problem(command.text, settings.commands, root)
        expected, found = problem or ("", "")
        yield RULE.about(page.file, f"command {command.text}", Location(page.file, command.line)).judge(
            "no-command", holds=problem is None, expected=expected, found=found
        )


def _problem(text: str, programs: Sequence[str], root: Path) -> tuple[str, str] | None:
    """Return what was expected and found where a command line cannot be run."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        return "a command line with its quotes closed", str(error)
    begins = True
    for at, word in enumerate(words):
        if set(word) <= _PUNCTUATION:
            begins = word[-1] in "(|&;"
        elif begins and not _ASSIGNMENT.match(word):
            if problem := _program(word, words[at + 1 :], programs, root):
                return problem
            begins = False
    return None


def _make_targets(root: Path) -> set[str]:
    try:
        makefile = read_regular(root / "Makefile", within=root).decode("utf-8", "replace")
    except OSError:
        return set()
    return target_names(makefile)


def _program(word: str, rest: Sequence[str], programs: Sequence[str], root: Path) -> tuple[str, str] | None:
    if "/" in word:
        return None if is_in_repository(root / word, root) else ("a file of the repository", f"no file {word}")
    if word not in programs:
        return "one of " + ", ".join(programs), word
    if word == "make":
        targets = _make_targets(root)
        asked = next((item for item in rest if not item.startswith("-") and "=" not in item), None)
        if asked is not None and asked not in targets:
            return "a target of the Makefile: " + (", ".join(sorted(targets)) or "there is no Makefile"), asked
    return None
