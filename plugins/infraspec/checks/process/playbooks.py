"""Rule `playbooks`: for everything that can go wrong there is a page that says what to do, who, and how fast."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from infraspec.contract.models import Contract
from infraspec.contract.operations import Playbooks
from infraspec.contract.paths import display
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import PLAYBOOKS as RULE
from infraspec.process.markdown import read_page
from infraspec.process.playbooks import PHASES, Phase, Playbook

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MAKE_TARGET = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*:(?!=)", re.MULTILINE)
_PUNCTUATION = frozenset("();<>|&")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def check_playbooks(contract: Contract, settings: Playbooks, playbooks: Sequence[Playbook]) -> list[Finding]:
    """Judge the playbooks of a repository: complete, owned, within their times, links and commands that exist."""
    shown = display(contract, settings.directory)
    findings = [*_coverage(playbooks, settings, shown)]
    for playbook in playbooks:
        findings += (_owner(playbook, _owners(contract, settings)), *_times(playbook, settings))
        findings += (*_links(playbook), *_commands(playbook, settings, contract.directory))
    return findings


def _owners(contract: Contract, rules: Playbooks) -> Sequence[str]:
    return rules.owners or ([contract.project.owner] if contract.project.owner else [])


def _coverage(playbooks: Sequence[Playbook], rules: Playbooks, shown: str) -> Iterator[Finding]:
    """Judge that each required id, failure class or alarm has a playbook in each language."""
    by_topic: dict[tuple[str, str], Playbook] = {}
    for playbook in playbooks:
        for topic in (playbook.id, *playbook.covers):
            by_topic.setdefault((topic, playbook.language), playbook)
    for topic in rules.required:
        for language in rules.languages:
            found = by_topic.get((topic, language))
            if found is not None:
                yield _proven(found, f"{topic} ({language})", found.page.location("id"))
                continue
            yield Finding(
                RULE.id,
                Verdict.VIOLATED,
                shown,
                f"{topic} ({language})",
                Location(shown),
                expected=f"a playbook for {topic} in language {language}",
                found=", ".join(sorted({book.id for book in playbooks})) or "no playbook at all",
                reason="whoever is called at night has no page for this failure",
                remedy=_front_matter(topic, language),
            )


def _front_matter(topic: str, language: str) -> str:
    targets = ", ".join(f"{phase}: {minutes}" for phase, minutes in zip(PHASES, (5, 15, 30, 1440), strict=True))
    return (
        f"# {topic}.md\n---\nid: {topic}\nlanguage: {language}\ntitle: …\nowner: …\n"
        f"failure_classes: [{topic}]\ntargets: {{{targets}}}\n---"
    )


def _owner(playbook: Playbook, owners: Sequence[str]) -> Finding:
    location = playbook.page.location("owner")
    if not owners or playbook.owner in owners:
        return _proven(playbook, "owner", location)
    return _violated(
        playbook,
        "owner",
        location,
        expected=", ".join(owners),
        found=playbook.owner,
        reason="nobody of that name answers for pages of this repository",
        remedy=f"owner: {owners[0]}",
    )


def _times(playbook: Playbook, rules: Playbooks) -> Iterator[Finding]:
    by_name: Mapping[str, Phase] = {phase.name: phase for phase in playbook.phases}
    for number, name in enumerate(PHASES, 1):
        limit, target, phase = rules.targets.of(name), playbook.targets.get(name), by_name.get(name)
        subject = f"phase {name}"
        location = Location(playbook.page.file, phase.heading.line) if phase else playbook.page.location("targets")
        if target is None or target > limit:
            yield _violated(
                playbook,
                subject,
                playbook.page.location("targets"),
                expected=f"targets.{name} of at most {limit} minutes",
                found="no target" if target is None else f"{target} minutes",
                reason="the contract's [playbooks.targets] sets the time",
                remedy=f"targets: {{{name}: {limit}}}",
            )
        elif phase is None or phase.minutes != target or not phase.items:
            yield _violated(
                playbook,
                subject,
                location,
                expected=f'a heading "## {number}. … ({target} minutes)" with a checklist "- [ ] …" below it',
                found=phase.heading.text if phase else "no such heading",
                reason=_phase_reason(phase, target),
                remedy=f"## {number}. … ({target} minutes)\n\n- [ ] …",
            )
        else:
            yield _proven(playbook, subject, location)


def _phase_reason(phase: Phase | None, target: int) -> str:
    if phase is None:
        return "the page does not say what to do in this phase"
    if phase.minutes != target:
        said = "no time" if phase.minutes is None else f"{phase.minutes} minutes"
        return f"the heading says {said}, the front matter {target} minutes"
    return "there is nothing to tick below the heading"


def _links(playbook: Playbook) -> Iterator[Finding]:
    page = playbook.page
    for link in page.links:
        if _SCHEME.match(link.target) or link.target.startswith("//") or page.path is None:
            continue
        file, _, fragment = link.target.partition("#")
        target = page.path.parent / unquote(file) if file else page.path
        location = Location(page.file, link.line)
        missing = not target.exists()
        if not missing and (not fragment or target.suffix != ".md" or _has_anchor(target, unquote(fragment))):
            yield _proven(playbook, f"link {link.target}", location)
            continue
        yield _violated(
            playbook,
            f"link {link.target}",
            location,
            expected="a file of the repository" if missing else f"a heading for #{fragment}",
            found="no such file" if missing else "no such heading",
            reason="the link leads nowhere",
            remedy="correct the link, or add what it leads to",
        )


def _has_anchor(path: Path, fragment: str) -> bool:
    return fragment in read_page(path, path.name).anchors


def _commands(playbook: Playbook, rules: Playbooks, root: Path) -> Iterator[Finding]:
    for command in playbook.page.commands:
        location = Location(playbook.page.file, command.line)
        problem = _problem(command.text, rules.commands, root)
        if problem is None:
            yield _proven(playbook, f"command {command.text}", location)
            continue
        expected, found = problem
        yield _violated(
            playbook,
            f"command {command.text}",
            location,
            expected=expected,
            found=found,
            reason="the command cannot be run as it stands",
            remedy="correct the command, or add its program to [playbooks] commands",
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
            problem = _program(word, words[at + 1 :], programs, root)
            if problem is not None:
                return problem
            begins = False
    return None


def _program(word: str, rest: Sequence[str], programs: Sequence[str], root: Path) -> tuple[str, str] | None:
    if "/" in word:
        return None if (root / word).is_file() else ("a file of the repository", f"no file {word}")
    if word not in programs:
        return "one of " + ", ".join(programs), word
    if word == "make":
        makefile = root / "Makefile"
        targets = set(_MAKE_TARGET.findall(makefile.read_text(encoding="utf-8"))) if makefile.is_file() else set()
        asked = next((item for item in rest if not item.startswith("-") and "=" not in item), None)
        if asked is not None and asked not in targets:
            return "a target of the Makefile: " + (", ".join(sorted(targets)) or "there is no Makefile"), asked
    return None


def _proven(playbook: Playbook, subject: str, location: Location) -> Finding:
    return Finding(RULE.id, Verdict.PROVEN, playbook.page.file, subject, location)


def _violated(
    playbook: Playbook, subject: str, location: Location, *, expected: str, found: str, reason: str, remedy: str
) -> Finding:
    return Finding(
        RULE.id,
        Verdict.VIOLATED,
        playbook.page.file,
        subject,
        location,
        expected=expected,
        found=found,
        reason=reason,
        remedy=remedy,
    )
