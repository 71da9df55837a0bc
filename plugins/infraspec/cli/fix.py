"""`infraspec fix`: patches of the source that fix what is violated."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import indent

import click

from infraspec.cli.common import PATH, echo, reported, repository
from infraspec.cli.terminal import waiting
from infraspec.contract import display
from infraspec.core.errors import ContractError, ReportError, counted, did_you_mean, unreadable, writing
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import RULES
from infraspec.core.runtime import read_regular, write_whole
from infraspec.core.visible_text import visible_json
from infraspec.fixes.judgement import Infrastructure
from infraspec.fixes.narrow import Narrowed, Narrowing
from infraspec.fixes.proof import Fixes, Prover
from infraspec.reporting.document import escape
from infraspec.reporting.github.suggestions import review as as_review
from infraspec.reporting.github.suggestions import shown_lines
from infraspec.reporting.run.recorder import REPOSITORY


@click.command()
@click.argument("infra", type=PATH, required=False)
@click.option(
    "--env", "environment", default="", help="Environments of the contract, separated by commas.  [default: all]"
)
@click.option("--rule", "rules", multiple=True, metavar="NAME", help="Fix only findings of this rule; may be repeated.")
@click.option(
    "--finding",
    "findings",
    multiple=True,
    metavar="TEXT",
    help="Fix only findings that contain this text; may be repeated.",
)
@click.option("--narrow", is_flag=True, help="Instead, narrow statements with wildcards to what tasks need.")
@click.option(
    "--review",
    type=PATH,
    metavar="DIFF",
    help="Print a GitHub review with suggestions for this diff of a pull request.",
)
@click.option("--write", is_flag=True, help="Write the patches into the files.")
@reported
def fix(
    infra: Path | None,
    environment: str,
    rules: tuple[str, ...],
    findings: tuple[str, ...],
    *,
    narrow: bool,
    review: Path | None,
    write: bool,
) -> None:
    """Fix violations of the static suite in the Terraform source.

    \b
    infraspec fix                                show the patches as a diff
    infraspec fix --rule secret-access --write   write the patches of one rule into the files
    infraspec fix --finding DB_PASSWORD          only findings that contain this text
    infraspec fix | git apply                    the same as --write
    infraspec fix --narrow                       the smallest policies that tasks need, where they have wildcards

    INFRA is the directory of the contract. By default, this directory and its parents are searched.

    A patch is shown only if it is proven: with the patch, the finding is PROVEN, and no verdict of any rule in any
    environment gets worse. Findings with one cause (instances, environments, callers of a module) share one patch,
    which uses a variable or output that already has the value. A statement allows the missing actions and resources
    and nothing else. Comments and formatting are kept. Findings without a patch are listed with the reason. --write
    then reads the files again and checks them.

    \b
    exit code  0  nothing is violated, or everything was fixed and written
               1  there are unwritten patches, findings without a patch, or unreadable files
               2  wrong input: no contract, an unknown environment or rule
    """  # noqa: D301 - \b keeps click from wrapping the examples
    for rule in rules:
        if rule not in RULES:
            raise ContractError("there is no such rule", place=f"--rule {rule}", remedy=did_you_mean(rule, RULES))
    with waiting("checking the source and each patch"):
        infrastructure = Infrastructure(infra or repository(), environment)
        if narrow:
            narrowing = Narrowing(infrastructure)
            narrowing.run()
            fixes = Fixes((), {path: infrastructure.text(path) for path in narrowing.texts}, narrowing.texts)
        else:
            fixes = Prover(infrastructure).run(rules, findings)
    shown = {path: display(infrastructure.contract, path) for path in fixes.after}
    if write:
        for path, text in fixes.after.items():
            with writing("the file cannot be written", shown[path], "a file that the user may write to"):
                write_whole(path, text.encode())
    checked = list(_checked(infra or repository(), environment)) if write and fixes.after else []
    if review is not None:
        click.echo(visible_json(_review(fixes, shown, review)))
        return
    lines = _narrowed(narrowing.statements) if narrow else _told(fixes, write=write)
    for line in (*lines, *(() if write else _diffs(fixes, shown)), *(() if narrow else _unfixed(fixes))):
        echo(line)
    for line in checked:
        echo(line)
    if fixes.after and not write:
        echo("\ninfraspec fix --write applies it")
    sys.exit(1 if fixes.unfixed or fixes.unread or (fixes.after and not write) else 0)


def _told(fixes: Fixes, *, write: bool) -> Iterator[str]:
    """Yield the findings that are fixed: what comes before the diffs, which `git apply` takes, and skips the rest."""
    if not fixes.fixed and not fixes.unfixed:
        yield "nothing is violated in what could be read" if fixes.unread else "nothing is violated"
        return
    if fixes.fixed:
        found = counted(len(_alike((one.environment, one.finding, "") for one in fixes.fixed)), "finding")
        yield f"{found} fixed{' and written' if write else ', if this is applied'}:"
        yield from _listed((one.environment, one.finding, "") for one in fixes.fixed)


def _checked(infra: Path, environment: str) -> Iterator[str]:
    """Yield what the static suite says of the files as they are written now."""
    with waiting("checking the written files"):
        infrastructure = Infrastructure(infra, environment)
        judged = infrastructure.judged()
    found = [(name, one) for name in (*infrastructure.chosen, REPOSITORY) for one in judged[name].findings]
    counts = []
    for verdict in (Verdict.VIOLATED, Verdict.UNDETERMINED):
        number = len(_alike((name, one, "") for name, one in found if one.verdict is verdict))
        counts.append(f"{number or 'nothing'} {verdict.name.lower()}")
    unjudged = {rule for one in judged.values() for rule in one.failed}
    if unjudged:
        counts.append(f"{counted(len(unjudged), 'rule')} not judged: {', '.join(sorted(unjudged))}")
    yield f"\nchecked again: {', '.join(counts)}"


def _diffs(fixes: Fixes, shown: Mapping[Path, str]) -> Iterator[str]:
    for path, name in shown.items():
        yield f"\ndiff --git a/{name} b/{name}"
        yield _diff(fixes.before[path], fixes.after[path], name)


def _unfixed(fixes: Fixes) -> Iterator[str]:
    if fixes.awaited:
        yield "\nset these variables; only you know their values:"
        for environment, text in fixes.awaited:
            yield indent(f"{environment}: {text}", "  ")
    if fixes.unfixed:
        told = [(one.environment, one.finding, one.reason) for one in fixes.unfixed]
        yield f"\n{counted(len(_alike(told)), 'finding')} without a patch:"
        yield from _listed(told)
    if fixes.unread:
        yield "\nnot read:"
        yield from (f"  {line}" for line in fixes.unread)


def _narrowed(statements: Sequence[Narrowed]) -> Iterator[str]:
    if not statements:
        yield "no statement that a task needs contains a wildcard"
        return
    yield f"{counted(len(statements), 'statement')} with wildcards, and what tasks need of each:"
    for one in statements:
        told = f"unchanged: {one.reason}" if one.reason else ", ".join(one.actions)
        yield f"  {one.policy} {one.path}\n      {told}"


def _review(fixes: Fixes, shown: Mapping[Path, str], diff: Path) -> str:
    told = "\n".join(["`infraspec fix` proposes:", *(escape(line) for line in _told(fixes, write=False))])
    try:
        text = read_regular(diff).decode("utf-8", "replace")
    except OSError as error:
        raise unreadable(ReportError, str(diff), error) from None
    lines = shown_lines(text)
    if text.strip() and not lines:
        expected = "the diff of a pull request, as printed by `git diff` or `gh pr diff`"
        raise ReportError("this is not a diff", place=str(diff), expected=expected)
    before, after = ({name: each[path] for path, name in shown.items()} for each in (fixes.before, fixes.after))
    return json.dumps(as_review(before, after, lines, told), indent=2)


Row = tuple[str, Finding, str]


def _alike(rows: Iterable[Row]) -> dict[tuple[str, str], list[str]]:
    """Return the environments by what is said of a finding."""
    alike: dict[tuple[str, str], list[str]] = {}
    for environment, finding, reason in rows:
        alike.setdefault((f"{finding.rule}: {finding.key}", reason), []).append(environment)
    return alike


def _listed(rows: Iterable[Row]) -> Iterator[str]:
    for (named, reason), environments in _alike(rows).items():
        where = ", ".join(dict.fromkeys(environments))
        yield f"  {named} ({where})" + (f"\n      {reason}" if reason else "")


def _diff(before: str, after: str, name: str) -> str:
    lines = list(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
    )
    told = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(told).removesuffix("\n")
