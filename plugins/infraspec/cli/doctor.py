"""`infraspec doctor`: what keeps infraspec from knowing all, and what to do about it."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from infraspec import contract as contracts
from infraspec.adoption.answers import Answer, Ranking, ranking
from infraspec.adoption.checkup import HealthState, Line, checkup, worst
from infraspec.adoption.contract_text import with_line
from infraspec.cli.common import INFRA, TEXT_OR_JSON, echo, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError, WriteError, counted
from infraspec.core.rules import RULES
from infraspec.core.runtime import installation, require, write_whole
from infraspec.core.unknown import Value
from infraspec.reporting.document import Code, Column, Document, Paragraph, Row, Table, TextSpan, Tone
from infraspec.resource_types.managed_policies import managed_policies
from infraspec.terraform.environments import Environments
from infraspec.terraform.planfile.iam_snapshot import load_all
from infraspec.terraform.provider.schema import provider_version

_TONES: Mapping[HealthState, Tone] = {
    HealthState.OK: "good",
    HealthState.WARNING: "doubtful",
    HealthState.PROBLEM: "worst",
}
_COLUMNS = (Column(least=max(len(state.value) for state in HealthState)), Column(most=24), Column())


def health_document(lines: Sequence[Line]) -> Document:
    """Return a line for each thing with its state, below it what is to be done, and how many there are of each."""
    counts = Counter(line.state.value for line in lines)
    numbers = [f"{counts['ok']} ok", *(counted(counts[state], state) for state in ("warning", "problem"))]
    told = Paragraph(", ".join(numbers), _TONES[worst(lines)])
    table = Table(_COLUMNS, tuple(map(_row, lines)), header="never")
    return Document(lambda _form: (table, told), lambda: list(map(_data, lines)))


def _row(line: Line) -> Row:
    note = Code(line.remedy, "toml" if line.remedy.startswith("[") else "text") if line.remedy else None
    return Row((TextSpan(line.state.value, _TONES[line.state]), TextSpan(line.topic, "strong"), line.message), note)


def _data(line: Line) -> dict[str, str]:
    return {"topic": line.topic, "state": line.state.value, "message": line.message, "remedy": line.remedy}


def adoption_document(found: Iterable[tuple[str, str]], files: Iterable[tuple[str, str, str]], rest: str) -> Document:
    """Return labels and what was found; path, state and note of files; and what to do next, text with commands."""
    labels = Table((Column(least=11), Column()), tuple(map(Row, found)), header="never")
    columns = (Column(least=32), Column(), Column())
    rows = tuple(Row((path, _state(state), TextSpan(note, "quiet"))) for path, state, note in files)
    table = Table(columns, rows, header="never")
    return Document(lambda _form: (labels, table, Code(rest)))


def _state(state: str) -> TextSpan:
    return TextSpan(state, "good" if state == "written" else "doubtful")


PROBLEM = 1
"""Exit code if there is a problem."""

_PYTHON = (3, 11)
_PACKAGES = ("pytest", "pytest-xdist")
_EXTRAS = {
    "live": ("boto3", "the live suite and infraspec doctor --live"),
    "sandbox": ("moto", "the sandbox, a local AWS emulator"),
    "allure": ("allure-pytest", "Allure results"),
}
_PROGRAMS = {
    "git": ("the commit in reports", "https://git-scm.com/downloads"),
    "terraform": (
        "`infraspec get` of modules in registries, and plans",
        "https://developer.hashicorp.com/terraform/install",
    ),
    "session-manager-plugin": (
        "`aws ecs execute-command`, by hand in an incident",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html",
    ),
}


@click.command()
@INFRA
@click.option("--env", "environment", help="Environment to look at.  [default: all]")
@click.option("--live", is_flag=True, help="Ask AWS too: credentials, account, clock, endpoints, permissions.")
@click.option(
    "--write", is_flag=True, help="Prompt for the values that resolve the most, and write them to the contract."
)
@click.option("--aws", is_flag=True, help="Read those values from the account, and write them to the contract.")
@TEXT_OR_JSON
@reported
def doctor(infra: Path, environment: str | None, *, live: bool, write: bool, aws: bool, form: str) -> None:
    """Show what infraspec cannot determine, and why: tools, contract, sources, modules, data.

    \b
    infraspec doctor
    infraspec doctor --infra ../my-infrastructure --env prod --format json
    infraspec doctor --env staging --live
    infraspec doctor --write
    infraspec doctor --aws

    Each line is ok, a warning (something stays undetermined) or a problem (something does not work). Warnings and
    problems come with a remedy, such as lines to paste into infraspec.toml. AWS is called only with --live or --aws:
    --live checks the identity, the clock, and one read of each service that the live suite uses. Nothing is changed and
    no secret is read.

    --write prompts for the values that resolve the most, and writes them to the contract. --aws reads these values from
    the account of the environment and prints each read. With both, it prompts for what the account does not tell.

    \b
    exit code  0  no problem
               1  a problem
               2  wrong input: no such environment, no terminal to ask on
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if write or aws:
        fill_in(infra, environment, write=write, aws=aws)
        return
    with waiting("evaluating the source") as say:
        lines = [*tool_lines(), *data_lines(dt.datetime.now(dt.UTC).date()), *checkup(infra, environment)]
        if live:
            say("asking AWS")
            lines += live_lines(infra, environment)
    show_document(health_document(lines), form)
    if worst(lines) is HealthState.PROBLEM:
        sys.exit(PROBLEM)


def fill_in(infra: Path, environment: str | None, *, write: bool, aws: bool) -> None:
    """Put the lines that settle most into the contract, with values of the account or of who sits at the terminal.

    Raises WriteError without a terminal to ask on, MissingExtraError where AWS is to be asked and boto3 is not there.
    """
    if write and not sys.stdin.isatty():
        raise WriteError(
            "--write prompts for values, and standard input is not a terminal",
            place="infraspec doctor --write",
            expected="a terminal",
            remedy="infraspec doctor prints the lines to paste; infraspec doctor --aws reads the values in the account",
        )
    contract = contracts.load(infra, rules=RULES, environments=[environment] if environment else None)
    with waiting("finding the values that resolve most"):
        found = ranking(Environments(contract, lenient=True), [environment] if environment else contract.environments)
    echo(f"{found}." if found.answers else "No line of the contract would resolve anything.")
    given = list(_values(contract, found, write=write, aws=aws))
    if given:
        write_whole(contract.path, _filled(contract, given).encode())
        echo(f"{counted(len(given), 'line')} written to {contracts.display(contract, contract.path)}")


def _values(contract: Contract, found: Ranking, *, write: bool, aws: bool) -> Iterator[tuple[Answer, Value]]:
    told: dict[str, list[tuple[Answer, Value]]] = {}
    if aws:
        require("live", "infraspec doctor --aws")
        from infraspec.cli import live_health  # noqa: PLC0415 - boto3 is optional

        told = live_health.account_values(contract, found.answers, click.echo)
    for step in found.steps:
        for answer in step.answers:
            if answer.key in told:
                yield from told[answer.key]
            elif write:
                yield from _asked(contract, answer, step.settles)


def _asked(contract: Contract, answer: Answer, settles: int) -> list[tuple[Answer, Value]]:
    """Ask for a value, or one of each environment, till the contract takes it; nothing is returned to leave it out."""
    leave = "- skips it" if answer.is_certain else "Enter skips it"
    each = "; one value for all, or one for each, separated by commas" if len(answer.environments) > 1 else ""
    while True:
        echo(f"\n{answer.question}; this resolves {counted(settles, 'more verdict')} ({leave}{each})")
        text: str = click.prompt(f"  {answer.key}", default="", show_default=False).strip()
        if text == "-" or not (text or answer.is_certain):
            return []
        try:
            given = answer.given(text)
            _filled(contract, given)
            if answer.key == "snapshots":
                load_all((contracts.resolve(contract, Path(name)), name) for name in given[0][1])
        except (InfraspecError, ValueError) as error:
            echo(f"  {error}", err=True)
        else:
            return given


def _filled(contract: Contract, given: Iterable[tuple[Answer, Value]]) -> str:
    """Return the text of a contract with lines. Raises ContractError if it is none any more."""
    text = contract.path.read_text(encoding="utf-8")
    for answer, value in given:
        for table in answer.tables():
            text = with_line(text, table, answer.line(value))
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / contract.path.name
        copy.write_text(text, encoding="utf-8")
        contracts.load(copy, rules=RULES, environments=[])
    return text


def live_lines(infra: Path, environment: str | None) -> Iterator[Line]:
    """Yield what AWS says of the runner, or how to get what asks it."""
    if find_spec("boto3") is None:
        yield Line.problem("live", "boto3 is not installed", installation("live"))
        return
    from infraspec.cli import live_health  # noqa: PLC0415 - boto3 is optional

    yield from live_health.live_lines(infra, environment)


def tool_lines() -> Iterator[Line]:
    """Yield what is to be said of this machine; what is optional is a warning at most."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        yield Line.ok("python", found)
    else:
        yield Line.problem("python", f"{found} is too old", "install Python 3.11 or newer")
    yield Line.ok("infraspec", _version("pytest-infraspec") or "not installed: running from a checkout")
    yield Line.ok("schema", f"hashicorp/aws {provider_version()}, which the rule source compares with")
    for package in _PACKAGES:
        if installed := _version(package):
            yield Line.ok(package, installed)
        else:
            yield Line.problem(package, "is not installed", f"pip install {package}")
    if find_spec("infraspec.tests_static") is None:
        yield Line.warning(
            "suite",
            "infraspec.tests_static is missing: this is a checkout",
            f"pytest tests_static in the checkout, or {installation()}",
        )
    for extra, (package, purpose) in _EXTRAS.items():
        if installed := _version(package):
            yield Line.ok(extra, f"{package} {installed}")
        else:
            yield Line.warning(extra, f"not installed (optional): {purpose}", installation(extra))
    for program, (purpose, source) in _PROGRAMS.items():
        path = shutil.which(program)
        yield (
            Line.ok(program, path)
            if path
            else Line.warning(program, f"not found (optional): {purpose}", f"install it: {source}")
        )


def data_lines(today: dt.date) -> Iterator[Line]:
    """Yield how old the data is that decisions rest on, where that is more than a year; `today` is the date."""
    known = managed_policies()
    if known.is_old(today):
        message = f"the texts are from {known.date}: AWS may have changed the facts that a proof relies on"
        yield Line.warning("AWS's policies", message, "install a newer version of infraspec")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
