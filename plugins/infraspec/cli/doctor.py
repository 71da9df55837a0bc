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

import click

from infraspec.adoption.checkup import HealthState, Line, checkup, worst
from infraspec.cli.common import INFRA, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.core.errors import counted
from infraspec.reporting.document import Code, Column, Document, Paragraph, Row, Table, TextSpan, Tone
from infraspec.resource_types.managed_policies import managed_policies
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
    "sandbox": ("moto", "the sandbox, which plays AWS on this machine"),
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
@TEXT_OR_JSON
@reported
def doctor(infra: Path, environment: str | None, live: bool, form: str) -> None:  # noqa: FBT001 - click passes by name
    """Say what keeps infraspec from knowing all: tools, contract, sources, modules, data.

    \b
    infraspec doctor
    infraspec doctor --infra ../my-infrastructure --env prod --format json
    infraspec doctor --env staging --live

    Each line is ok, a warning, which limits what can be known, or a problem, which stops it; warnings and problems
    come with what to do, lines for infraspec.toml ready to paste. Only with --live AWS is asked: who calls, what time
    it is, and one read of each service that the live suite looks at. Nothing is changed, no secret read.

    \b
    exit code  0  no problem
               1  a problem
               2  wrong input: no such environment
    """  # noqa: D301 - \b keeps click from wrapping the examples
    with waiting("evaluating the source") as say:
        lines = [*tool_lines(), *data_lines(dt.datetime.now(dt.UTC).date()), *checkup(infra, environment)]
        if live:
            say("asking AWS")
            lines += live_lines(infra, environment)
    show_document(health_document(lines), form)
    if worst(lines) is HealthState.PROBLEM:
        sys.exit(PROBLEM)


def live_lines(infra: Path, environment: str | None) -> Iterator[Line]:
    """Yield what AWS says of the runner, or how to get what asks it."""
    if find_spec("boto3") is None:
        yield Line.problem("live", "boto3 is not installed", "pip install 'pytest-infraspec[live]'")
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
    yield Line.ok("infraspec", _version("pytest-infraspec") or "not installed, from a checkout")
    yield Line.ok("schema", f"hashicorp/aws {provider_version()}, which the rule source compares with")
    for package in _PACKAGES:
        if installed := _version(package):
            yield Line.ok(package, installed)
        else:
            yield Line.problem(package, "is not installed", f"pip install {package}")
    if find_spec("infraspec.tests_static") is None:
        yield Line.warning(
            "suite",
            "infraspec.tests_static is not here: this is a checkout",
            "pytest tests_static in the checkout, or pip install pytest-infraspec",
        )
    for extra, (package, purpose) in _EXTRAS.items():
        if installed := _version(package):
            yield Line.ok(extra, f"{package} {installed}")
        else:
            remedy = f"pip install 'pytest-infraspec[{extra}]'"
            yield Line.warning(extra, f"not installed (optional): {purpose}", remedy)
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
        message = f"the texts are of {known.date}: AWS may have changed what a proof rests on"
        yield Line.warning("AWS's policies", message, "pip install --upgrade pytest-infraspec")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
