"""Makefiles: which recipes a target runs, and whether a failure in them is one of `make`.

Source: GNU make manual, "Rules", "Recipes", "Errors in Recipes", "How to Use Variables" and "Conditional Parts".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from infraspec.process.expressions import HOLE
from infraspec.process.shell import MANY, UnreadableScriptError

NAMES = ("GNUmakefile", "makefile", "Makefile")
_ASSIGNMENT = re.compile(
    r"^(?:(?:export|override|private)\s+)*([\w.-]+)\s*(\?=|\+=|:::?=|::?=|!=|=)\s*(.*)$", re.DOTALL
)
_RULE = re.compile(r"^([^\s:=#][^:=]*?)\s*(::?)(?!=)\s*(.*)$", re.DOTALL)
_CONDITION = re.compile(r"^(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)$")
_SPECIAL = frozenset({".PHONY", ".IGNORE", ".ONESHELL", ".SILENT", ".POSIX", ".DEFAULT", ".SUFFIXES"})
_MOST_DEPTH = 20
_TARGET = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*:(?!=)", re.MULTILINE)


def target_names(text: str) -> set[str]:
    """Return the targets that the text of a makefile names at the beginning of a line."""
    return set(_TARGET.findall(text))


class Recipe(Struct, frozen=True):
    """A line of a recipe: its command, whether a failure of it counts, and where it stands."""

    text: str
    line: int


class MakeRule(Struct, frozen=True):
    """A target with its prerequisites and its recipe, not yet expanded."""

    target: str
    prerequisites: str
    recipe: tuple[Recipe, ...]
    line: int
    variables: tuple[tuple[str, str, str], ...] = ()
    doubled: bool = False
    """Whether it has two colons, so that each of several recipes is run."""


class Makefile(Struct):
    """A makefile that was read for the variables of one call."""

    file: str
    fixed: Mapping[str, str]
    """The variables of the command line, which go over those of the file."""
    environment: Mapping[str, str]
    variables: dict[str, str]
    rules: dict[str, MakeRule]
    special: dict[str, list[str]]
    """The prerequisites of special targets, such as `.PHONY`."""
    incomplete: list[str]
    """What else may have rules and was not read."""
    decide: Callable[[str], bool] = lambda _: True
    """Says whether a condition holds that is not known."""

    def expand(self, text: str, local: Mapping[str, str] | None = None, depth: int = 0) -> str:
        """Return a text with its variables; HOLE stands for what only make can tell."""
        if depth > _MOST_DEPTH:
            return HOLE
        parts, at = [], 0
        while (start := text.find("$", at)) >= 0:
            parts.append(text[at:start])
            reference, at = _reference(text, start)
            parts.append(self._referred(reference, local or {}, depth + 1))
        return "".join([*parts, text[at:]])

    def _referred(self, reference: str, local: Mapping[str, str], depth: int) -> str:
        if reference == "$":
            return "$"
        if reference in local:
            return local[reference]
        name, _, rest = reference.partition(" ")
        if rest and name in _FUNCTIONS:
            arguments = list(_arguments(rest))
            return _FUNCTIONS[name](self, arguments, local, depth)
        name = self.expand(reference, local, depth)
        if name in self.fixed:
            return self.expand(self.fixed[name], local, depth)
        if name in self.variables:
            return self.expand(self.variables[name], local, depth)
        if name in {"MAKE", "CURDIR"}:
            return {"MAKE": "make", "CURDIR": "."}[name]
        return self.environment.get(name, HOLE if not re.fullmatch(r"[\w.-]+", name) else "")

    def assign(self, name: str, operator: str, value: str) -> None:
        """Assign a variable as its operator says."""
        if operator == "?=" and (name in self.variables or name in self.environment):
            return
        if operator == "+=":
            before = self.variables.get(name, self.environment.get(name, ""))
            value = f"{before} {value}".strip()
        elif operator == "!=":
            value = HOLE
        elif operator not in {"=", "?="}:
            value = self.expand(value).replace("$", "$$")
        self.variables[name] = value

    def rule_of(self, target: str) -> MakeRule | None:
        """Return the rule of a target. Raises UnreadableScriptError if there may be one that is not in the file."""
        if target in self.rules:
            return self.rules[target]
        if self.incomplete or any("%" in name for name in self.rules):
            more = self.incomplete or [name for name in self.rules if "%" in name]
            raise UnreadableScriptError(
                "the rule of the target is not in the file", place=self.file, found=", ".join(more)
            )
        return None


def read_makefile(
    text: str,
    file: str,
    *,
    fixed: Mapping[str, str],
    environment: Mapping[str, str],
    include: Callable[[str], str | None],
    decide: Callable[[str], bool],
) -> Makefile:
    """Read a makefile as a call with such variables does; `include` returns the text of another file."""
    makefile = Makefile(file, fixed, environment, {}, {}, {}, [], decide)
    _read(makefile, text, include)
    return makefile


def _read(makefile: Makefile, text: str, include: Callable[[str], str | None]) -> None:
    open_rules: list[str] = []
    begun: set[str] = set()
    """The open rules that have a line of their recipe, which goes in place of an earlier one."""
    skipping: list[bool] = []
    lines = iter(list(_logical(text)))
    for number, line in lines:
        bare = line.strip()
        if _conditional(makefile, bare, skipping) or any(skipping):
            continue
        if line.startswith("\t") and open_rules:
            for target in open_rules:
                rule = makefile.rules[target]
                before = rule.recipe if target in begun or rule.doubled else ()
                begun.add(target)
                recipe = (*before, Recipe(line[1:], number))
                makefile.rules[target] = MakeRule(
                    target, rule.prerequisites, recipe, rule.line, rule.variables, rule.doubled
                )
            continue
        bare = re.sub(r"(?<!\\)#.*", "", bare).strip()
        if not bare:
            continue
        begun = set()
        open_rules = list(_declare(makefile, bare, number, lines, include))


def _declare(
    makefile: Makefile, line: str, number: int, lines: Iterator[tuple[int, str]], include: Callable[[str], str | None]
) -> Iterator[str]:
    """Take in a line that is no recipe, and yield the targets whose recipe begins after it."""
    if line.startswith("define "):
        _define(makefile, line, lines)
    elif found := re.match(r"^([-s]?)include\s+(.*)$", line):
        _include(makefile, found[2], include, optional=bool(found[1]))
    elif found := _ASSIGNMENT.match(line):
        makefile.assign(found[1], found[2], found[3].strip())
    elif found := _RULE.match(makefile.expand(line) if line.startswith("$") else line):
        yield from _rule(makefile, found, number)
    elif not re.match(r"^(export|unexport|undefine|vpath|override)\b", line):
        makefile.incomplete.append(line)


def _define(makefile: Makefile, line: str, lines: Iterator[tuple[int, str]]) -> None:
    body = []
    for _, text in lines:
        if text.strip() == "endef":
            break
        body.append(text)
    makefile.variables[line.split()[1]] = "\n".join(body)


def _include(makefile: Makefile, names: str, include: Callable[[str], str | None], *, optional: bool) -> None:
    for name in makefile.expand(names).split():
        text = None if HOLE in name else include(name)
        if text is not None:
            _read(makefile, text, include)
        elif HOLE in name or not optional:
            makefile.incomplete.append(f"include {name}".replace(HOLE, "…"))


def _rule(makefile: Makefile, found: re.Match[str], number: int) -> Iterator[str]:
    head, sep, inline = found[3].partition(";")
    for target in makefile.expand(found[1]).split():
        if target in _SPECIAL:
            makefile.special.setdefault(target, []).extend(makefile.expand(head).split())
            continue
        old = makefile.rules.get(target)
        if setting := _ASSIGNMENT.match(head):
            base = old or MakeRule(target, "", (), number)
            given = (*base.variables, (setting[1], setting[2], setting[3].strip()))
            makefile.rules[target] = MakeRule(target, base.prerequisites, base.recipe, base.line, given, base.doubled)
            continue
        before = f"{old.prerequisites} {head}" if old else head
        first = (Recipe(inline.strip(), number),) if sep else ()
        doubled = found[2] == "::"
        kept = old.recipe if old and (doubled or not first) else ()
        makefile.rules[target] = MakeRule(
            target, before, (*kept, *first), number, old.variables if old else (), doubled
        )
        yield target


def _conditional(makefile: Makefile, line: str, skipping: list[bool]) -> bool:
    """Take notice of `ifeq`, `else` and `endif`; whether the line is one of them."""
    if found := _CONDITION.match(line):
        skipping.append(any(skipping) or not _holds(makefile, found[1], found[2]))
    elif re.match(r"^else\b", line) and skipping:
        rest = line[4:].strip()
        skipping[-1] = not skipping[-1] if not rest else skipping[-1] and not _elif(makefile, rest)
    elif re.match(r"^endif\b", line) and skipping:
        skipping.pop()
    else:
        return False
    return True


def _elif(makefile: Makefile, rest: str) -> bool:
    found = _CONDITION.match(rest)
    return bool(found) and _holds(makefile, found[1], found[2]) if found else False


def _holds(makefile: Makefile, kind: str, text: str) -> bool:
    if kind in {"ifdef", "ifndef"}:
        name = text.strip()
        defined = bool(makefile.fixed.get(name) or makefile.variables.get(name) or makefile.environment.get(name))
        return defined == (kind == "ifdef")
    found = re.match(r"^\((.*),(.*)\)\s*$|^[\"'](.*)[\"']\s+[\"'](.*)[\"']\s*$", text)
    sides = [makefile.expand(side).strip() for side in (found.groups() if found else ()) if side is not None]
    if len(sides) != 2 or any(HOLE in side or MANY in side for side in sides):  # noqa: PLR2004 - the two compared
        return makefile.decide(f"{kind} {text}")
    return (sides[0] == sides[1]) == (kind == "ifeq")


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with those that continue them, each with its number from 1."""
    pending, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        if line.endswith("\\"):
            pending += line + "\n" if (pending or line).startswith("\t") else line[:-1] + " "
            continue
        yield begun, pending + line
        pending, begun = "", 0
    if pending:
        yield begun, pending


def _reference(text: str, start: int) -> tuple[str, int]:
    """Return what a `$` refers to, and where the text goes on after it."""
    if start + 1 >= len(text):
        return "$", len(text)
    opening = text[start + 1]
    if opening not in "({":
        return opening, start + 2
    closing, depth = {"(": ")", "{": "}"}[opening], 0
    for at in range(start + 1, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if not depth:
            return text[start + 2 : at], at + 1
    return "", len(text)


def _arguments(text: str) -> Iterator[str]:
    depth, begin = 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "({") - (letter in ")}")
        if letter == "," and not depth:
            yield text[begin:at]
            begin = at + 1
    yield text[begin:]


def _if(makefile: Makefile, arguments: Sequence[str], local: Mapping[str, str], depth: int) -> str:
    condition = makefile.expand(arguments[0].strip(), local, depth).strip()
    holds = makefile.decide(f"$(if {arguments[0]})") if condition and not condition.strip(HOLE + MANY) else condition
    chosen = arguments[1:2] if holds else arguments[2:3]
    return makefile.expand(chosen[0].strip(), local, depth) if chosen else ""


def _or(makefile: Makefile, arguments: Sequence[str], local: Mapping[str, str], depth: int) -> str:
    return next((found for one in arguments if (found := makefile.expand(one.strip(), local, depth))), "")


def _strip(makefile: Makefile, arguments: Sequence[str], local: Mapping[str, str], depth: int) -> str:
    return " ".join(makefile.expand(",".join(arguments), local, depth).split())


def _unknown(makefile: Makefile, arguments: Sequence[str], local: Mapping[str, str], depth: int) -> str:
    del makefile, arguments, local, depth
    return MANY


_FUNCTIONS: Mapping[str, Callable[[Makefile, Sequence[str], Mapping[str, str], int], str]] = {
    "if": _if,
    "or": _or,
    "strip": _strip,
    "error": lambda *_: "",
    **dict.fromkeys(("filter", "filter-out", "firstword", "foreach", "notdir", "patsubst", "shell", "sort"), _unknown),
    **dict.fromkeys(("subst", "wildcard", "word", "words", "call", "eval", "and", "abspath", "realpath"), _unknown),
    **dict.fromkeys(("addprefix", "addsuffix", "basename", "dir", "findstring", "info", "join", "lastword"), _unknown),
    **dict.fromkeys(("flavor", "let", "origin", "suffix", "value", "warning", "wordlist"), _unknown),
}
