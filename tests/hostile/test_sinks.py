"""Nothing of a hostile repository is shown raw: in a pipe, on a terminal, in a file, to the runner of a workflow."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.reporting.document import (
    Code,
    Column,
    Document,
    Field,
    Fields,
    Items,
    Paragraph,
    Part,
    Row,
    Table,
    TextSpan,
    Title,
    Tree,
    code,
    raw,
)
from infraspec.reporting.page import as_html
from tests.hostile import oracles
from tests.hostile.payloads import MARKERS, PAYLOADS
from tests.hostile.repository import toml, write_repository

ROOT = Path(__file__).parents[2]
RESULTS = "out/results.json"
SUITE = (
    "-m", "pytest", str(ROOT / "tests_static"), "-p", "infraspec.plugin", "-q", "--infraspec-dir", ".",
    "--infraspec-plan", "plan.json",
    "--infraspec-results", RESULTS, "--junitxml", "out/junit.xml", "--alluredir", "out/allure", "-n", "0",
    "-p", "no:cacheprovider", "-c", str(ROOT / "pytest.ini"), "--rootdir", ".", "-rs", "-v",
)  # fmt: skip
COMMANDS: dict[str, tuple[str, ...]] = {
    "doctor": ("doctor",),
    "plan": ("plan",),
    "fix": ("fix",),
    "review": ("fix", "--review", "pull.diff"),
    "narrow": ("fix", "--narrow"),
    "drill": ("drill",),
    "rule": ("rule", "names"),
    "kpi": ("report", "kpi"),
    "playbook": ("diagnose", "--env", "local"),
    "no such environment": ("plan", "--env", PAYLOADS["new line"]),
    "no such address": ("explain", PAYLOADS["script"]),
    "no such file": ("checklist", "CODEOWNERS"),
    "checklist": ("checklist", "--pull-requests", "merged.json"),
    "runner-policy": ("runner-policy",),
    "conventions": ("conventions",),
    "migration": ("conventions", "--migration"),
    "explain": ("explain", "aws_secretsmanager_secret.s12"),
    "init": ("init", "--dry-run"),
    "comment": ("report", "comment", RESULTS),
    "summary": ("report", "summary", RESULTS),
    "sarif": ("report", "sarif", RESULTS),
    "site": ("report", "site", RESULTS),
    "baseline": ("report", "baseline", RESULTS),
    "merge": ("report", "merge", RESULTS, RESULTS),
    "annotations": ("report", "annotations", RESULTS),
}


def environment() -> dict[str, str]:
    """Return the variables of a process that finds infraspec here, and of a hostile pull request no more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI"))}
    event = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "event.json"}
    return {
        **kept,
        **event,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "plugins", ROOT))),
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a hostile repository whose static suite has run, with its output in files."""
    directory = write_repository(tmp_path_factory.mktemp("hostile") / "infra")
    done = subprocess.run([sys.executable, *SUITE], cwd=directory, env=environment(), capture_output=True, check=False)
    (directory / "out" / "stdout.txt").write_bytes(done.stdout + done.stderr)
    return directory


def test_the_repository_is_hostile(repository: Path) -> None:
    """Each payload is in many places, and the suite has judged them."""
    text = (repository / RESULTS).read_text(encoding="utf-8")

    assert len(PAYLOADS) >= 60
    assert [] == [name for name, word in MARKERS.items() if word not in text]


def test_a_run_in_a_pipe(repository: Path) -> None:
    """What pytest prints, in a log."""
    assert [] == list(oracles.in_log((repository / "out" / "stdout.txt").read_text(encoding="utf-8")))


def test_files_of_a_run(repository: Path) -> None:
    """Results, JUnit's and Allure's, tables as CSV and HTML among them, each as its readers take it."""
    files = [path for path in (repository / "out").rglob("*") if path.is_file() and path.name != "stdout.txt"]
    found = {path.name: list(oracles.ORACLES[path.suffix](_read(path)))[:3] for path in files}

    assert {path.suffix for path in files} == {".json", ".xml", ".csv", ".html", ".properties"}
    assert {} == {name: lines for name, lines in found.items() if lines}


FORMS = {
    "annotations": oracles.in_annotations,
    "comment": oracles.in_markdown,
    "summary": oracles.in_markdown,
    "review": oracles.in_review,
    "sarif": oracles.in_json,
    "site": oracles.in_html,
    "merge": oracles.in_json,
    "baseline": oracles.in_json,
}
"""How the output of a command is read, if not as a log."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_in_a_pipe(repository: Path, name: str) -> None:
    """Output and errors of what reads the repository, or its results."""
    command = [sys.executable, "-m", "infraspec", *COMMANDS[name]]
    done = subprocess.run(command, cwd=repository, env=environment(), capture_output=True, check=False)
    told, errors = done.stdout.decode(), done.stderr.decode()

    assert told + errors
    assert "Traceback" not in errors
    assert [] == list(oracles.in_log(errors))
    assert [] == list(FORMS.get(name, oracles.in_log)(told))[:5]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_page(name: str) -> None:
    """Whatever a text holds, a page shows it as text, in every part of a document."""
    text = PAYLOADS[name]
    parts: list[Part] = [
        Title((text, code(text), raw(text), TextSpan(text, "bad"))),
        Paragraph(text),
        Fields((Field(text, text),)),
        Table((Column(text),), (Row((text,), Code(text)),)),
        Items.of([text]),
        Tree(text, ((Code(text),),)),
    ]

    assert [] == list(oracles.in_html(as_html(Document(lambda _form: parts))))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_files_of_a_drill(tmp_path: Path, language: str) -> None:
    """The page and the Markdown of a drill, whose failures are about resources with names of others."""
    keys = ", ".join(toml(one) for one in PAYLOADS.values() if not re.search("[\ud800-\udfff]", one))
    source = (
        f'resource "aws_secretsmanager_secret" "each" {{\n  for_each = toset([{keys}])\n  name     = each.key\n}}\n'
    )
    (tmp_path / "main.tf").write_text(source, encoding="utf-8")
    contract = '[project]\napplication = "shop"\n\n[environments.prod]\nroot = "."\n'
    (tmp_path / "infraspec.toml").write_text(contract, encoding="utf-8")
    options = ("--lang", language, "--only", "secret-deleted", "--html", "drill.html", "--markdown", "drill.md")
    command = [sys.executable, "-m", "infraspec", "drill", *options]
    subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    files = [tmp_path / "drill.html", tmp_path / "drill.md"]

    assert all(_read(file).count("aws_secretsmanager_secret.each") > 60 for file in files)
    assert {} == {file.name: found for file in files if (found := list(oracles.ORACLES[file.suffix](_read(file)))[:5])}


@pytest.mark.parametrize("name", ["doctor", "plan", "explain", "init"])
def test_a_command_on_a_terminal(repository: Path, name: str) -> None:
    """There are colours and links, and nothing else that controls it."""
    told = on_terminal([sys.executable, "-m", "infraspec", *COMMANDS[name]], repository)

    assert told
    assert [] == list(oracles.on_terminal(told))[:5]


def test_a_run_on_a_terminal(repository: Path, tmp_path: Path) -> None:
    """As pytest shows it there."""
    told = on_terminal([sys.executable, *SUITE, "--infraspec-results", str(tmp_path / "results.json")], repository)

    assert "VIOLATED" in told
    assert [] == list(oracles.on_terminal(told))[:5]


def _read(path: Path) -> str:
    return path.read_bytes().decode()


def on_terminal(command: list[str], directory: Path) -> str:
    """Return what a command writes to a terminal."""
    main, side = pty.openpty()
    variables = {**environment(), "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=directory, env=variables, stdout=side, stderr=side, stdin=side) as process:
        os.close(side)
        found = bytearray()
        while select.select([main], [], [], 60)[0]:
            try:
                part = os.read(main, 1 << 16)
            except OSError:
                break
            if not part:
                break
            found += part
        process.wait()
    os.close(main)
    return found.decode()
