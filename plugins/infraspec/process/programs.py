"""Programs that pipelines run: which of them test something, and what their options do to that.

Source: the documentation that programs.json names for each.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from infraspec.process.checkout import CheckedOut
from infraspec.process.expressions import HOLE
from infraspec.process.shell import MANY, Shell, joined


class Program(Struct, frozen=True, forbid_unknown_fields=True):
    """What the options of a program do to its exit code and to what it judges."""

    source: str
    """The documentation that says so."""
    passes: frozenset[str] = frozenset()
    """Options with which it succeeds whatever there is to find."""
    selects: frozenset[str] = frozenset()
    """Options with which it judges, or counts, a part."""
    fine: frozenset[str] = frozenset()
    fine_valued: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    """Options that name the environments of the contract to be judged."""
    directory: frozenset[str] = frozenset()
    plugins: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    """Options without all of which it succeeds whatever there is to find."""
    needs_not: str = ""
    """The value of such an option that is as good as none."""
    options_in: str = ""
    """The environment variable that has more options."""
    suite: frozenset[str] = frozenset()
    live: frozenset[str] = frozenset()
    unlisted: Literal["fine", "unknown"] = "unknown"


class Programs(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of programs."""

    inert: frozenset[str]
    """Programs that test nothing."""
    installers: frozenset[str]
    """Commands that install what they name."""
    runners: Mapping[str, str]
    """Programs that run what stands after a word of theirs."""
    wrappers: Mapping[str, frozenset[str]]
    """Programs that run the command which follows, with those of their options that take a value."""
    fronts: Mapping[str, frozenset[str]]
    """Programs that hand their command to another, which is one of these. Source: Terragrunt documentation, "run"."""
    akin: Mapping[str, frozenset[str]]
    """Words in the names of actions that may run a program, beside its own name."""
    unread: Mapping[str, frozenset[str]]
    """Endings of files that a command does not look at.

    Source: Terraform documentation, "terraform fmt command" and "terraform validate command".
    """
    programs: Mapping[str, Program]
    """Programs that test something, by the words that they begin with."""
    scanners: frozenset[str]
    """Those that actions of other names run, too."""

    def tests_nothing(self, words: Sequence[str]) -> bool:
        """Tell whether a command prints, looks, or installs."""
        return words[0] in self.inert or " ".join(words[:2]) in self.installers

    def runs_as(self, name: str) -> frozenset[str]:
        """Return the programs that run when a program is called."""
        return self.fronts.get(name, frozenset()) | {name}

    def reads(self, words: Sequence[str], file: str) -> bool:
        """Tell whether a command looks at a file. `terraform validate` takes no values of variables."""
        if any(word.startswith(("-var", "--var")) for word in words):
            return True
        names = self.runs_as(words[0])
        unread = (
            ends for command, ends in self.unread.items() if command.split()[0] in names and command.split()[1] in words
        )
        return not any(file.endswith(tuple(ends)) for ends in unread)


@cache
def known_programs() -> Programs:
    """Return what is known of programs."""
    return msgspec.json.decode(Path(__file__).with_name("programs.json").read_bytes(), type=Programs)


def programs() -> Mapping[str, Program]:
    """Return the programs that test something, by the words that they begin with."""
    return known_programs().programs


def program_of(words: Sequence[str]) -> str:
    """Return the name under which a program is known; empty if it is not."""
    if len(words) > 1 and " ".join(words[:2]) in programs():
        return " ".join(words[:2])
    return words[0] if words[0] in programs() else ""


def suite_of(words: Sequence[str]) -> Literal["static", "live", ""]:
    """Return which suite of infraspec a command runs."""
    if list(words[:2]) == ["infraspec", "check"]:
        return "live" if "--live" in words else "static"
    if words[0] != "pytest":
        return ""
    for word in words[1:]:
        known = programs()["pytest"]
        for paths, suite in ((known.suite, "static"), (known.live, "live")):
            if word in paths or re.split(r"::|/test_|\.test_", word)[0] in paths:
                return "static" if suite == "static" else "live"
    return ""


def judged(
    words: Sequence[str], extra: Sequence[str], shell: Shell, repository: CheckedOut
) -> tuple[str, str, frozenset[str] | None]:
    """Return why nobody sees the command fail, what is not known of that, and the environments it is limited to."""
    name = program_of(words)
    if not name:
        suspect = next((word for word in extra if _SUSPECT.search(word)), "")
        return "", f"what `{suspect}` does".replace(HOLE, "…") if suspect else "", None
    known = programs()[name]
    given = [*extra, *_more_options(known, shell, repository, name)]
    limits = set(shell.variables.get("INFRASPEC_ENV", "").split(",")) - {""} if known.environments else set()
    lost, doubt = "", ""
    rest = iter(given)
    for word in rest:
        option, _, value = word.partition("=")
        valued = option in known.fine_valued | known.environments | known.directory | known.plugins
        if valued and not _:
            value = next(rest, "")
        if option in known.environments:
            limits |= {one.strip() for one in value.split(",")}
        elif word in known.passes or option in known.passes:
            lost = lost or f"`{word}` makes `{name}` succeed whatever there is ({known.source})"
        elif option in known.selects or _short(option, known.selects):
            lost = lost or f"with `{option}` `{name}` judges only a part ({known.source})"
        else:
            doubt = doubt or _doubtful(name, known, word, option, value)
    if known.needs and not _needed(known, words):
        lost = (
            lost or f"`{name}` succeeds whatever it finds without {' or '.join(sorted(known.needs))} ({known.source})"
        )
    if name == "pytest" and not doubt:
        lost = lost or _narrowed(words)
    return lost, doubt, frozenset(limits) if limits else None


_SUSPECT = re.compile(
    rf"(?:soft|no|ignore|allow|exit)[-_]?(?:fail|error|zero|exit|code)|dry[-_]?run|^--?help$|^--version$|[{MANY}]",
    re.IGNORECASE,
)


def _short(option: str, known: frozenset[str]) -> bool:
    return not option.startswith("--") and option[:2] in known and len(option) > 2  # noqa: PLR2004 - `-kNAME`


def _doubtful(name: str, known: Program, word: str, option: str, value: str) -> str:
    if option in known.directory:
        return (
            ""
            if value in {".", "./", ""}
            else f"whether `{option} {value}` covers what must be checked".replace(HOLE, "…")
        )
    if option in known.plugins:
        harmless = value in {"no:cacheprovider", "no:xdist", "no:randomly", "xdist", "no:warnings", "no:allure_pytest"}
        return "" if harmless else f"what `{option} {value}` does to `{name}`".replace(HOLE, "…")
    if option in known.fine | known.fine_valued or (known.unlisted == "fine" and MANY not in word):
        return ""
    if not word.startswith("-") and MANY not in word and word != HOLE:
        return ""
    if any(_short(option, names) for names in (known.fine, known.fine_valued)):
        return ""
    return f"what `{word}` does to `{name}`".replace(HOLE, "…").replace(MANY, "…")


def _needed(known: Program, words: Sequence[str]) -> bool:
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in known.needs:
            given = value if equals else words[at + 1] if at + 1 < len(words) else ""
            return not known.needs_not or given != known.needs_not
    return False


def _narrowed(words: Sequence[str]) -> str:
    """Return why a run of pytest judges a part of the suite: a module or a test of it is named."""
    known = programs()["pytest"]
    if not suite_of(words) or any(word in known.suite | known.live for word in words):
        return ""
    return "a module or a test of the suite is named, not the suite"


def _more_options(known: Program, shell: Shell, repository: CheckedOut, name: str) -> Iterator[str]:
    """Yield the options that come from environment variables and from configuration files."""
    if known.options_in and (text := shell.variables.get(known.options_in)):
        if HOLE in text or MANY in text:
            yield f"{MANY}{known.options_in}"
        else:
            with suppress(ValueError):
                yield from shlex.split(text)
    if name == "pytest":
        yield from _addopts(shell.directory, repository)
    if name == "checkov":
        for file in (".checkov.yaml", ".checkov.yml"):
            text = repository.text(joined(shell.directory, file)) or ""
            if re.search(r"^soft-fail:\s*(?:true|yes|on)\b", text, re.MULTILINE | re.IGNORECASE):
                yield "--soft-fail"


def _addopts(directory: str, repository: CheckedOut) -> Iterator[str]:
    """Yield the options of pytest's configuration file. Source: pytest documentation, "Configuration"."""
    for file in ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        text = repository.text(joined(directory, file))
        if text is None or (file != "pytest.ini" and not re.search(r"^\[(?:tool[.:])?pytest", text, re.MULTILINE)):
            continue
        found = re.search(r"^addopts\s*=\s*(.*(?:\n[ \t]+\S.*)*)", text, re.MULTILINE)
        if found:
            with suppress(ValueError):
                yield from shlex.split(re.sub(r"[\[\],]", " ", found[1]) if file == "pyproject.toml" else found[1])
                return
        return
