"""The results of one run, as data: what every report is made from.

docs/infraspec-results.schema.json describes them as a file, which is written whole or not at all. They are the same,
byte for byte, for the same infrastructure and contract, but for `run.time` and `run.seconds`: entries are in the order
of environments and rules, then by place; paths are relative to the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from infraspec.core.errors import ReportError, writing
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import RULES
from infraspec.core.runtime import write_whole
from infraspec.core.visible_text import Visible, visible_json
from infraspec.reporting.language import Language

VERSION: Literal[1] = 1
"""Version of the file's format; it is raised when a reader of the one before would misread it."""

FILE_NAME = "infraspec-results.json"

State: TypeAlias = Literal["failing", "warning", "waived", "known", "advice", "proven"]
"""What a finding does to the run. A `warning` is UNDETERMINED with `undetermined = "warn"`, `known` is one of the
baseline, `advice` is PROVEN and could be better. `proven` findings are kept of rules that describe something, such as
each change of a plan, and of those that say what a proof rests on."""


class Acceptance(Visible, frozen=True, omit_defaults=True):
    """A waiver or an approval: why, by whom, and the last day, as 2026-11-01.

    `place` is where the comment of a waiver stands in the source; None for one of the contract.
    """

    reason: str
    owner: str
    expires: str
    place: Location | None = None

    @property
    def by(self) -> str:
        """Who accepts it, and where it is said if that is not the contract."""
        return f"{self.owner} at {self.place}" if self.place else self.owner


class Entry(Visible, frozen=True):
    """A finding in an environment. `waiver` is what waives it; of a finding that is not waived, what has lapsed."""

    environment: str
    state: State
    finding: Finding
    waiver: Acceptance | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells it from others, over runs and edits of lines."""
        return self.environment, self.finding.rule, self.finding.address, self.finding.subject


class Count(Visible, frozen=True):
    """How many findings a rule has in an environment, by verdict; the waived and known ones are counted apart."""

    environment: str
    rule: str
    proven: int
    violated: int
    undetermined: int
    waived: int
    known: int = 0


class Problem(Visible, frozen=True):
    """A test without a verdict: `broken` by an error of the input or the tool, or `failed` by an assertion of its own.

    `error` is the error's class. `message` is what infraspec or the author of an assertion has written, and empty for
    other errors: nobody knows what they show. What pytest adds to an assertion, the values in it, is in the log alone.
    """

    kind: Literal["broken", "failed"]
    test: str
    environment: str
    error: str
    message: str = ""


class Skipped(Visible, frozen=True):
    """A test that did not look, and why."""

    test: str
    environment: str
    reason: str


class Flaky(Visible, frozen=True):
    """A test that failed, and passed when it was run again."""

    test: str
    environment: str
    reason: str


class PlanFile(Visible, frozen=True):
    """The plan or state that completed the source of an environment."""

    environment: str
    file: str


class Fixed(Visible, frozen=True):
    """A known finding of the baseline that is none any more."""

    environment: str
    rule: str
    address: str
    subject: str


class Moved(Visible, frozen=True):
    """What a `moved` block or a plan renames in an environment: addresses before and after."""

    environment: str
    before: str
    after: str


class BaselineUse(Visible, frozen=True):
    """The baseline of the contract: the last day it holds, and what can be taken out of it."""

    file: str
    expires: str
    fixed: tuple[Fixed, ...]


class Run(Visible, frozen=True):
    """What was run. `time` is in UTC, `seconds` how long it took; `commit` is what the CI system says, or empty.

    `suite` is "live" if a test of it has asked AWS. A run is not `complete` if a part of the suite was chosen, or if it
    stopped before its end.
    """

    infraspec: str
    time: str
    application: str
    contract: str
    environments: tuple[str, ...]
    plans: tuple[PlanFile, ...]
    commit: str
    complete: bool
    suite: Literal["static", "live"] = "static"
    seconds: float = 0
    language: Language = "en"


R = TypeVar("R", PlanFile, Count, Entry, Problem, Skipped, Moved)


class Results(Visible, frozen=True):
    """The results of one run.

    `findings` are all that are not proven, and those that describe a change of a plan or say what they rest on.
    """

    version: Literal[1]
    run: Run
    counts: tuple[Count, ...]
    findings: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    flaky: tuple[Flaky, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    moves: tuple[Moved, ...] = ()
    baseline: BaselineUse | None = None

    def total(self, verdict: str) -> int:
        """Return how many findings there are of a column of `counts`."""
        return sum(getattr(count, verdict) for count in self.counts)

    def renamed(self, names: Mapping[str, str]) -> Results:
        """Return the results with environments under other names: what is in the sandbox is not the environment."""

        def of(rows: tuple[R, ...]) -> tuple[R, ...]:
            return tuple(replace(row, environment=names.get(row.environment, row.environment)) for row in rows)

        environments = tuple(names.get(name, name) for name in self.run.environments)
        return replace(
            self,
            run=replace(self.run, environments=environments, plans=of(self.run.plans)),
            counts=of(self.counts),
            findings=of(self.findings),
            problems=of(self.problems),
            skipped=of(self.skipped),
            flaky=of(self.flaky),
            moves=of(self.moves),
        )

    def ran(self) -> frozenset[tuple[str, str]]:
        """Return the environments and rules that were looked at."""
        return frozenset((count.environment, count.rule) for count in self.counts)

    @property
    def passed(self) -> bool:
        """Whether everything is proven, waived or known."""
        return not self.problems and not any(entry.state in {"failing", "warning"} for entry in self.findings)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    (reference,), definitions = msgspec.json.schema_components([Results], ref_template="#/$defs/{name}")
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "infraspec-results.schema.json",
        "title": FILE_NAME,
        **reference,
        "$defs": {name: _plain(definition) for name, definition in definitions.items()},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def _plain(definition: dict[str, Any]) -> dict[str, Any]:
    """Take the indentation of docstrings out of descriptions."""
    text = definition.get("description")
    return definition | {"description": " ".join(text.split())} if text else definition


def function_of(test: str) -> str:
    """Return the name of the function of a test's id, `test_rules.py::test_names[dev]`."""
    return test.partition("::")[2].partition("[")[0] or test


def find(entries: Sequence[Entry], *states: State) -> tuple[Entry, ...]:
    """Return the entries in any of the states, in order."""
    return tuple(entry for entry in entries if entry.state in states)


def unseen(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return what the proofs of findings do not look at, each once."""
    return tuple(dict.fromkeys(part for finding in findings for part in finding.unseen))


_PLACES = {id_: at for at, id_ in enumerate(RULES)}

VERDICTS = (Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN)
"""The verdicts, the worst first."""


def by_rule(environment: str, rule: str, environments: Sequence[str]) -> tuple[int, int, str]:
    """Return what to sort by: the contract's environments, then the repository; the suite's rules, then others."""
    place = environments.index(environment) if environment in environments else len(environments)
    return place, _PLACES.get(rule, len(_PLACES)), rule


def by_place(finding: Finding) -> tuple[int, str, int, str, str]:
    """Return what to sort the findings of one rule by: violations first, each kind by file and line."""
    location = finding.location
    return (
        VERDICTS.index(finding.verdict),
        location.file if location else "",
        location.line if location else 0,
        finding.key,
        finding.found,
    )


def encode(results: Results) -> bytes:
    """Return the text of the file."""
    return visible_json(msgspec.json.format(msgspec.json.encode(results), indent=1).decode()).encode() + b"\n"


def write(results: Results, path: Path) -> None:
    """Write the file, whole or not at all. Raises ReportError if that is not possible."""
    with _writing(path):
        write_whole(path, encode(results))


def prepare(path: Path) -> None:
    """Make the folder of a results file and take away the file of the run before. Raises ReportError.

    Nothing but a file is taken away: a device or a folder has not been written by a run.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError(0, "it is not a file")
        path.unlink(missing_ok=True)


def read(path: Path) -> Results:
    """Read a file. Raises ReportError if it is not there or not a results file of this version."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReportError(
            "the results cannot be read",
            place=str(path),
            found=error.strerror or type(error).__name__,
            remedy=f"write them with: pytest --infraspec-results {FILE_NAME}",
        ) from None
    try:
        results = msgspec.json.decode(content, type=Results)
        _check_times(results)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReportError(
            "this is no results file of this release",
            place=str(path),
            expected=f"what pytest --infraspec-results writes, version {VERSION}",
            found=str(error),
            remedy="write it again with this release",
        ) from None
    return results


def _check_times(results: Results) -> None:
    """Raise ValueError unless the times and days that reports reckon with are some."""
    if datetime.fromisoformat(results.run.time).tzinfo is None:
        raise ValueError(f"run.time has no offset from UTC: {results.run.time}")
    for day in (entry.waiver.expires for entry in results.findings if entry.waiver):
        date.fromisoformat(day)
    if results.baseline:
        date.fromisoformat(results.baseline.expires)


def _writing(path: Path) -> AbstractContextManager[None]:
    expected = "a file in a folder that the user running the tests may write to"
    return writing("the results cannot be written", f"--infraspec-results {path}", expected)


if __name__ == "__main__":
    import json
    import sys

    Path(sys.argv[1]).write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8", newline="\n")
