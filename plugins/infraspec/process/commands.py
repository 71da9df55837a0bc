"""The commands of a pipeline: which is the one asked about, and what others run in turn."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Hashable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import PurePosixPath
from typing import Literal

from msgspec import Struct

from infraspec.core.finding import Location
from infraspec.process.checkout import CheckedOut
from infraspec.process.expressions import HOLE
from infraspec.process.makefile import NAMES, Makefile, MakeRule, Recipe, read_makefile
from infraspec.process.programs import judged, known_programs, program_of, programs, suite_of
from infraspec.process.shell import MANY, Shell, UnreadableScriptError, joined
from infraspec.process.worlds import World

_SHELLS = frozenset({"bash", "sh", "dash", "zsh"})


class Asked(Struct, frozen=True):
    """What is asked about: commands by their words, or, within a target of a makefile, whatever tests something."""

    words: tuple[str, ...]
    kind: Literal["words", "suite", "tools", "any"] = "words"

    @classmethod
    def of(cls, text: str) -> Asked:
        """Return what a text asks about, such as `make test-static`."""
        try:
            return cls(tuple(shlex.split(text)))
        except ValueError:
            return cls(tuple(text.split()))

    def more(self, words: Sequence[str]) -> list[str] | None:
        """Return the words of a command beside those asked for; None if it is another command."""
        name = program_of(words)
        if self.kind == "suite":
            return list(words[1:]) if suite_of(words) else None
        if self.kind == "tools":
            return list(words[1:]) if name and name not in {"make", "gh"} else None
        if self.kind == "any":
            return None if known_programs().tests_nothing(words) else list(words[1:])
        if known_programs().tests_nothing(words):
            return None
        if self.words[0] in known_programs().runs_as(words[0]):
            return _without([self.words[0], *words[1:]], self.words)
        if len(self.words) == 1 and self.words[0] == _subcommand(words):
            return _without(words, self.words)
        return None

    def is_named_in(self, text: str) -> bool:
        """Tell whether every word of it stands in a text as a word of its own."""
        return all(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in self.words)


def _subcommand(words: Sequence[str]) -> str:
    return next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")


def _without(words: Sequence[str], asked: Sequence[str]) -> list[str] | None:
    """Return words without those that are asked for, which have to be there in their order.

    `-check=true` is `-check`, as programs in Go such as terraform read it.
    """
    rest, pending = [], list(asked)
    for word in words:
        if pending and (word == pending[0] or (word.startswith("-") and word == f"{pending[0]}=true")):
            pending.pop(0)
        else:
            rest.append(word)
    return None if pending else rest


class Ran(Struct, frozen=True):
    """A command asked about that has run: for which environments, if it is limited to some, and which suite it is."""

    words: tuple[str, ...]
    location: Location
    environments: frozenset[str] | None
    suite: str


_CONTAINERS = ("docker", "nerdctl", "podman")
_PASSIVE = frozenset({"actions", "aws", "azure", "docker", "github", "google", "hashicorp"})
"""How the owners of actions begin that scan nothing: `actions/checkout`, `aws-actions/…`, `docker/login-action`."""


class Execution:
    """Runs the scripts of one job in one world, and keeps what became of the command asked about."""

    def __init__(self, repository: CheckedOut, asked: Asked, world: World, *, instance: Hashable = "") -> None:
        self.repository, self.asked, self.world, self.instance = repository, asked, world, instance
        self.file = ""
        self.ran: list[Ran] = []
        self.failed: Hashable = None
        self.losses: list[tuple[Location, str]] = []
        self.near: list[tuple[Location, str]] = []
        """What looks like the command, and is not."""
        self.unseen: list[tuple[Location, str]] = []
        """What may run the command, and cannot be looked into."""
        self.written: dict[str, str] = {}
        """Environment variables that later steps have."""
        self.checked_out: Callable[[str], str] = lambda _: ""
        """Says why a directory does not have what is to be tested; empty if it has."""

    @property
    def words(self) -> re.Pattern[str]:
        """What a text has in it that may run what is asked about."""
        return _relevant(self.asked)

    def matches(self, pattern: str, directory: str) -> Sequence[str] | None:
        """Return the paths that a pattern matches in a directory; None if that is not known."""
        return self.repository.matches(pattern, directory)

    def lost(self, line: int, why: str) -> None:
        """Take notice that a failure is not seen from here on."""
        if self.failed is not None:
            self.losses.append((Location(self.file, line), why))

    def wrote(self, path: str, words: Sequence[str]) -> None:
        """Take in what a command writes into the file of variables. Source: GitHub Docs, "Workflow commands"."""
        if not re.fullmatch(r"\$\{?GITHUB_ENV\}?", path):
            return
        found = re.match(r"(\w+)=(.*)$", words[-1], re.DOTALL) if words else None
        if found and words[0] in {"echo", "printf"}:
            self.written[found[1]] = found[2]
        else:
            self.written.update(dict.fromkeys(_CHANGING, HOLE))

    def run(self, words: Sequence[str], shell: Shell, line: int) -> int:
        """Run a program and return its exit code."""
        words, extra = unwrapped(words, shell)
        saved = dict(shell.variables)
        shell.variables.update(extra)
        try:
            return self._run(words, shell, line)
        finally:
            shell.variables = saved

    def _run(self, words: Sequence[str], shell: Shell, line: int) -> int:
        if not words:
            return 0
        if any(hole in _called(words[0]) for hole in (HOLE, MANY)):
            if self.asked.kind == "words":
                self._unseen(line, "an unknown command")
            return 0
        inner = self._script(words, shell, line)
        if inner is not None:
            return inner
        words = [_called(words[0]), *words[1:]]
        extra = self.asked.more(words)
        if extra is not None:
            return self._asked_for(words, extra, shell, line)
        if words[0] == "make":
            return _Make(self, shell, words, line).run()
        return self._other(words, line) if self.asked.kind == "words" else 0

    def _other(self, words: Sequence[str], line: int) -> int:
        """Run another program, which may run the command that is asked about."""
        if not known_programs().tests_nothing(words):
            given = [word for word in words if word not in {"--", "-"}]
            if len(self.asked.words) > 1 and _without(given[1:], self.asked.words) is not None:
                return self._of_another(words, line)
        if _without(words, self.asked.words) is not None:
            self._near(line, f"`{words[0]}` runs nothing of it")
        if words[0] in _CONTAINERS and (image := next(filter(self._is_image, words[1:]), "")):
            self._unseen(line, f"the image {image}, which is not in the repository")
        return 0

    def may_be_in(self, target: str) -> bool:
        """Tell whether an action or an image may run the program asked about: one of its name, or any for a scanner."""
        owner, *parts = re.split(r"[/_.-]", target.partition("@")[0].removeprefix("docker://").partition(":")[0])
        if self.asked.kind != "words" or "setup" in parts:
            return False
        program, known = self.asked.words[0], known_programs()
        names = {program, *known.akin.get(program, ())}
        return bool(names & {owner, *parts}) or (program in known.scanners and owner not in _PASSIVE)

    def _is_image(self, word: str) -> bool:
        return self.asked.words[0] in re.split(r"[/_.:-]", word)

    def _near(self, line: int, why: str) -> None:
        self.near.append((Location(self.file, line), why))

    def _unseen(self, line: int, why: str) -> None:
        self.unseen.append((Location(self.file, line), why))

    def _of_another(self, words: Sequence[str], line: int) -> int:
        """Run a command that is given to a program of which nothing is known."""
        sees = self.world.choose((line, words[0], "sees"), doubt=f"what `{words[0]}` makes of the exit code")
        return self.outcome(words, line, lost="" if sees else f"`{words[0]}` may make a success of it")

    def _script(self, words: Sequence[str], shell: Shell, line: int) -> int | None:
        """Run what a shell is given, or a script of the repository; None for any other program."""
        options, rest = "", list(words)
        if words[0] in _SHELLS or words[0] in {"source", "."}:
            options, rest = _shell_arguments(words)
            if not rest:
                return 0
            if rest[0] == "-c" and len(rest) > 1:
                return self._sub(rest[1], shell, options, self.file, line)
        elif "/" not in words[0]:
            return None
        path = joined(shell.directory, rest[0])
        text = self.repository.text(path)
        if text is None and words[0] in _SHELLS:
            self._unseen(line, f"a script {rest[0]} that is not in the repository")
            return 0
        if text is None or not (path.endswith((".sh", ".bash")) or re.match(r"#!.*\b(?:ba|da|z)?sh\b", text)):
            return None
        if words[0] in {"source", "."}:
            return self._sub(text, shell, "e" if shell.errexit else "", path, 1, pipefail=shell.pipefail)
        shebang = re.match(r"#!\S+(?:\s+\S*sh)?\s+(-\w+)", text)
        own = shebang[1] if shebang and words[0] not in _SHELLS else ""
        return self._sub(text, shell, options + own, path, 1)

    def _sub(self, text: str, shell: Shell, options: str, file: str, line: int, *, pipefail: bool = False) -> int:
        inner = Shell(self, self.world, shell.variables, directory=shell.directory, depth=shell.depth + 1)
        inner.errexit = bool(re.search(r"(?:^|-)\w*e", options))
        inner.pipefail = pipefail or "pipefail" in options
        before, self.file = self.file, file if file == self.file else self.repository.shown(file)
        try:
            return inner.run(text, line)
        except UnreadableScriptError as error:
            return self.unread(text, line, f"{error.message} ({self.file}:{line})")
        finally:
            self.file = before

    def concerns(self, text: str) -> bool:
        """Tell whether a script that cannot be read may run what is asked about."""
        return all(word in text for word in self.asked.words) and (
            self.asked.kind == "words" or bool(self.words.search(text))
        )

    def unread(self, text: str, line: int, why: str) -> int:
        """Leave to the world what becomes of a script that cannot be read."""
        if not self.concerns(text):
            return 0
        sees = self.world.choose((self.instance, line, why), doubt=why)
        return self.outcome(self.asked.words or ("make",), line, lost="" if sees else why)

    def _asked_for(self, words: Sequence[str], extra: Sequence[str], shell: Shell, line: int) -> int:
        if why := self.checked_out(shell.directory):
            return self.outcome(words, line, lost=why)
        if words[0] == "make":
            return _Make(self, shell, words, line).run(asked=True)
        lost, doubt, environments = judged(words, extra, shell, self.repository)
        if doubt and self.world.choose((line, doubt), doubt=doubt):
            lost = lost or doubt
        return self.outcome(words, line, lost=lost, environments=environments)

    def outcome(
        self, words: Sequence[str], line: int, *, lost: str = "", environments: frozenset[str] | None = None
    ) -> int:
        """Let the command asked about fail or succeed, as the world says; `lost` says why nobody sees it fail."""
        self.ran.append(Ran(tuple(words), Location(self.file, line), environments, suite_of(words)))
        key = (self.instance, tuple(words))
        if self.failed is None and self.world.choose(("fails", key)):
            self.failed = key
        if self.failed != key:
            return 0
        if lost:
            self.lost(line, lost)
        return 0 if lost else 1


_CHANGING = ("PYTEST_ADDOPTS", "MAKEFLAGS", "INFRASPEC_ENV", "INFRASPEC_DIR")


@cache
def _relevant(asked: Asked) -> re.Pattern[str]:
    words = {PurePosixPath(word).name for word in asked.words[:1]} | {"make", "pytest", "infraspec", "bash", "sh"}
    words |= {front for front, runs in known_programs().fronts.items() if runs & words}
    if asked.kind in {"tools", "any"}:
        return re.compile(r"\w")
    return re.compile(
        "|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in sorted(words)) + rf"|\.sh\b|[{HOLE}]"
    )


def unwrapped(words: Sequence[str], shell: Shell) -> tuple[list[str], dict[str, str]]:
    """Return the command that others such as `env` and `timeout` run, with the variables that they set for it."""
    rest: list[str] = list(words)
    extra: dict[str, str] = {}
    while rest:
        name = _called(rest[0])
        if name == "python" and "-m" in rest[1:4]:
            rest = rest[rest.index("-m") + 1 :]
            continue
        known = known_programs()
        runner = known.runners.get(name, "") in rest[1:]
        if not runner and (name not in known.wrappers or name in known.runners):
            return rest, extra
        rest = rest[1:]
        if runner:
            rest = rest[rest.index(known.runners[name]) + 1 :]
        rest = _after_options(name, rest, extra, shell)
        if name == "env" and not rest:
            return ["env"], extra
    return rest, extra


def _after_options(name: str, rest: list[str], extra: dict[str, str], shell: Shell) -> list[str]:
    """Return the command after the options and variables of a program that runs it."""
    valued: AbstractSet[str] = known_programs().wrappers.get(name, frozenset())
    needs_time = name == "timeout"
    while rest and (rest[0].startswith("-") or re.match(r"[A-Za-z_]\w*=", rest[0]) or needs_time):
        word = rest.pop(0)
        if word in {"-C", "--chdir"} and name == "env" and rest:
            shell.directory = joined(shell.directory, rest[0])
        if word in valued and rest:
            rest.pop(0)
        elif "=" in word and not word.startswith("-"):
            extra[word.partition("=")[0]] = word.partition("=")[2]
        elif not word.startswith("-"):
            needs_time = False
    return rest


def _called(word: str) -> str:
    """Return the name of a program without its directory."""
    name = re.sub(r"^python[\d.]+$", "python", PurePosixPath(word).name if "/" in word else word)
    return "pytest" if name == "py.test" else name


def _shell_arguments(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the options that a shell is given, and what it runs: a file, or `-c` and a text."""
    options, rest = "", list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] != "-c":
        option = rest.pop(0)
        options += option if not option.startswith("--") else ""
        if option.endswith("o") and rest:
            options += f" {rest.pop(0)}"
        if not option.startswith("--") and "c" in option:
            return options, ["-c", *rest]
    return options, rest


class _Make:
    """A call of make: the recipes of its targets, run in order."""

    def __init__(self, execution: Execution, shell: Shell, words: Sequence[str], line: int) -> None:
        self.execution, self.shell, self.words, self.line = execution, shell, words, line
        self.variables: dict[str, str] = {}
        self.targets: list[str] = []
        self.directory, self.file = shell.directory, ""
        self.options: list[str] = []
        self._arguments()
        self.done: set[str] = set()
        self.made: Makefile | None = None

    def _arguments(self) -> None:
        flags = self.shell.variables.get("MAKEFLAGS", "")
        first, *others = flags.split() or [""]
        more = [f"-{first}" if first and not first.startswith("-") and "=" not in first else first, *others]
        rest = [*self.words[1:], *filter(None, more)]
        while rest:
            word = rest.pop(0)
            if word in {"-C", "--directory"} or word.startswith(("-C", "--directory=")):
                where = (
                    rest.pop(0) if word in {"-C", "--directory"} and rest else re.sub(r"^-C|^--directory=", "", word)
                )
                self.directory = joined(self.directory, where)
            elif word in {"-f", "--file", "--makefile"} and rest:
                self.file = rest.pop(0)
            elif word.startswith("-"):
                letters = [f"-{letter}" for letter in word[1:]] if re.fullmatch(r"-[a-zA-Z]+", word) else [word]
                self.options += letters
            elif re.match(r"[\w.-]+[:?+]?=", word):
                name, _, value = word.partition("=")
                self.variables[name.rstrip(":?+")] = value.replace("$", "$$")
            else:
                self.targets.append(word)

    def run(self, *, asked: bool = False) -> int:
        """Run the targets and return the exit code; `asked` if the call is the command asked about."""
        known = programs()["make"]
        passes = [one for one in self.options if one in known.passes and one not in self.execution.asked.words]
        unclear = [one for one in [*self.options, *self.targets] if HOLE in one or MANY in one]
        if HOLE in self.directory or unclear:
            return self._opaque(
                asked=asked, why=f"what `{' '.join(self.words)}` runs".replace(HOLE, "…").replace(MANY, "…")
            )
        try:
            made = self.made = self._read()
            if made is None:
                return self._missing(asked=asked, what="makefile")
            targets = self.targets or self._default(made)
            lines = list(self._closure(made, targets))
        except UnreadableScriptError as error:
            return self._opaque(asked=asked, why=f"what make runs: {error.message}")
        if not lines:
            return 0
        absent = next((name for name, rule in lines if rule is None), None)
        if absent is not None:
            return self._missing(asked=asked, what=f"target {absent}")
        return self._recipes(made, [rule for _, rule in lines if rule], passes, asked=asked)

    def _read(self) -> Makefile | None:
        for name in [self.file] if self.file else NAMES:
            path = joined(self.directory, name)
            text = self.execution.repository.text(path)
            if text is not None:
                known = {n: v for n, v in self.shell.variables.items() if re.fullmatch(r"[A-Za-z_]\w*", n)}
                return read_makefile(
                    text,
                    path,
                    fixed=self.variables,
                    environment=known,
                    include=lambda name: self.execution.repository.text(joined(self.directory, name)),
                    decide=lambda text: bool(
                        self.execution.world.choose(("make", text), doubt=f"whether `{text}` holds")
                    ),
                )
        return None

    @staticmethod
    def _default(made: Makefile) -> list[str]:
        goal = made.expand("$(.DEFAULT_GOAL)").split()
        return goal or [next((name for name in made.rules if not name.startswith(".")), "all")]

    def _closure(
        self, made: Makefile, targets: Sequence[str], *, asked: bool = True
    ) -> Iterator[tuple[str, MakeRule | None]]:
        """Yield the rules that targets run, prerequisites first; None for one that the call names and that has none."""
        for target in targets:
            if target in self.done:
                continue
            self.done.add(target)
            rule = made.rule_of(target)
            if rule is None:
                if asked and not self.execution.repository.exists(joined(self.directory, target)):
                    yield target, None
                continue
            before = made.expand(rule.prerequisites.replace("|", " ")).split()
            yield from self._closure(made, before, asked=False)
            phony = target in made.special.get(".PHONY", ())
            if (
                not phony
                and not before
                and rule.recipe
                and self.execution.repository.exists(joined(self.directory, target))
            ):
                self.execution.near.append(
                    (
                        Location(self.execution.repository.shown(made.file), rule.line),
                        f"{target} is a file of the repository, so that make has nothing to do for it",
                    )
                )
                continue
            yield target, rule

    def _recipes(self, made: Makefile, rules: Sequence[MakeRule], passes: Sequence[str], *, asked: bool) -> int:
        execution, before = self.execution, self.execution.asked
        commands = [(rule, line, self._text(made, rule, line)) for rule in rules for line in rule.recipe]
        kept = [one for one in commands if one[2].strip().strip("@-+ ")]
        if asked:
            execution.asked = self._inner("\n".join(text for _, _, text in kept))
        ran = len(execution.ran)
        try:
            status = self._lines(made, kept, passes)
        finally:
            execution.asked = before
        if asked and len(execution.ran) == ran and not status:
            execution.near.append(
                (
                    Location(execution.repository.shown(made.file), rules[-1].line),
                    "the recipe of the target tests nothing",
                )
            )
        return status

    @staticmethod
    def _inner(text: str) -> Asked:
        """Return what tests something in recipes: infraspec's suite, or else known tools, or else any command."""
        if re.search(r"infraspec[./]tests_(?:static|live)|\binfraspec\s+check\b|\btests_(?:static|live)\b", text):
            return Asked((), "suite")
        names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in programs() if name not in {"make", "gh"})
        return Asked((), "tools" if re.search(rf"(?<![\w-])(?:{names})(?![\w-])", text) else "any")

    def _text(self, made: Makefile, rule: MakeRule, line: Recipe) -> str:
        own = Makefile(made.file, made.fixed, made.environment, dict(made.variables), {}, {}, [], made.decide)
        for name, operator, value in rule.variables:
            own.assign(name, operator, value)
        first = made.expand(rule.prerequisites).split()[:1]
        return own.expand(
            line.text, {"@": rule.target, "<": first[0] if first else "", "^": made.expand(rule.prerequisites)}
        )

    def _lines(self, made: Makefile, lines: Sequence[tuple[MakeRule, Recipe, str]], passes: Sequence[str]) -> int:
        execution = self.execution
        ignored = made.special.get(".IGNORE")
        file, execution.file = execution.file, execution.repository.shown(made.file)
        try:
            for rule, line, text in self._together(made, lines):
                prefix = re.match(r"[@\-+\s]*", text)
                signs = prefix[0] if prefix else ""
                status = self._shell(made).run(text[len(signs) :].replace("\\\n\t", "\\\n"), line.line)
                why = (
                    f"`make {passes[0]}` goes on and succeeds"
                    if passes
                    else "the `-` before the command makes make go on and succeed"
                    if "-" in signs
                    else ".IGNORE makes make go on and succeed"
                    if ignored == [] or rule.target in (ignored or ())
                    else ""
                )
                if status and why:
                    execution.lost(line.line, why)
                elif status:
                    return 2
        finally:
            execution.file = file
        return 0

    @staticmethod
    def _together(
        made: Makefile, lines: Sequence[tuple[MakeRule, Recipe, str]]
    ) -> Iterator[tuple[MakeRule, Recipe, str]]:
        """Yield the scripts of recipes: each line is one, or each recipe with `.ONESHELL`."""
        if ".ONESHELL" not in made.special:
            yield from lines
            return
        for target in dict.fromkeys(rule.target for rule, _, _ in lines):
            own = [one for one in lines if one[0].target == target]
            yield (
                own[0][0],
                own[0][1],
                "\n".join(text.lstrip("@-+") if at else text for at, (_, _, text) in enumerate(own)),
            )

    def _shell(self, made: Makefile) -> Shell:
        program = made.expand("$(SHELL)").strip() if "SHELL" in {**made.variables, **made.fixed} else "/bin/sh"
        if PurePosixPath(program.split()[0] if program else "sh").name not in _SHELLS:
            raise UnreadableScriptError("the makefile sets its own shell", found=program)
        flags = made.expand("$(.SHELLFLAGS)") if ".SHELLFLAGS" in made.variables else "-c"
        variables = {**self.shell.variables, **self.variables}
        inner = Shell(
            self.execution, self.execution.world, variables, directory=self.directory, depth=self.shell.depth + 1
        )
        inner.errexit = bool(re.search(r"(?:^|\s)-\w*e", flags))
        inner.pipefail = "pipefail" in flags
        return inner

    def _opaque(self, *, asked: bool, why: str) -> int:
        if not asked:
            return 0
        sees = self.execution.world.choose((self.line, why), doubt=why)
        return self.execution.outcome(self.words, self.line, lost="" if sees else why)

    def _missing(self, *, asked: bool, what: str) -> int:
        if not asked:
            return 0
        where = self.directory or "the root of the repository"
        self.execution.near.append((Location(self.execution.file, self.line), f"there is no {what} in {where}"))
        return 2
