"""Nothing of a hostile repository is shown raw: in a pipe, on a terminal, in a file, to the runner of a workflow."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.repository import CANARY, write_repository

ROOT = Path(__file__).parents[2]
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")
"""What a terminal is told by infraspec itself: colours, and links."""
COMMAND = re.compile(r"^\s*::|##\[|##vso\[")
ANNOTATION = re.compile(r"^::(?:error|warning|notice) [^:]*::")
RESULTS = "out/results.json"
SUITE = (
    "-m", "pytest", str(ROOT / "tests_static"), "-p", "infraspec.plugin", "-q", "--infraspec-dir", ".",
    "--infraspec-results", RESULTS, "--junitxml", "out/junit.xml", "--alluredir", "out/allure", "-n", "0",
    "-p", "no:cacheprovider", "-c", str(ROOT / "pytest.ini"), "--rootdir", ".", "-rs", "-v",
)  # fmt: skip
COMMANDS: dict[str, tuple[str, ...]] = {
    "doctor": ("doctor",),
    "doctor json": ("doctor", "--format", "json"),
    "plan": ("plan",),
    "fix": ("fix",),
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
    """Return the variables of a process that finds infraspec here, and no CI system."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "plugins", ROOT))), "PYTHONIOENCODING": "utf-8"}


def raw(text: str, *, annotations: bool = False) -> Iterator[str]:
    """Yield what of a text is raw."""
    for line in text.replace("\r\n", "\n").split("\n"):
        told = ANNOTATION.sub("", line) if annotations else line
        if HIDDEN.search(told) or COMMAND.search(told) or CANARY in told:
            yield line[:200].encode("unicode_escape").decode()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a hostile repository whose static suite has run, with its output in files."""
    directory = write_repository(tmp_path_factory.mktemp("hostile") / "infra")
    done = subprocess.run([sys.executable, *SUITE], cwd=directory, env=environment(), capture_output=True, check=False)
    (directory / "out" / "stdout.txt").write_bytes(done.stdout + done.stderr)
    return directory


def test_the_repository_is_hostile(repository: Path) -> None:
    """Each payload is in many places, and the suite has judged them."""
    written = "".join(path.read_text(encoding="utf-8") for path in repository.glob("*.tf"))

    assert written.count("boo") + written.count("red") > 60
    assert (repository / RESULTS).stat().st_size > 10_000


def test_a_run_in_a_pipe(repository: Path) -> None:
    """What pytest prints, in a log."""
    assert [] == list(raw((repository / "out" / "stdout.txt").read_text(encoding="utf-8")))


def test_files_of_a_run(repository: Path) -> None:
    """Results, JUnit's and Allure's, tables as CSV and HTML among them."""
    files = [path for path in (repository / "out").rglob("*") if path.is_file()]
    found = {path.name: list(raw(path.read_text(encoding="utf-8"))) for path in files}

    assert {path.suffix for path in files} >= {".json", ".xml", ".csv", ".html", ".txt"}
    assert {} == {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_in_a_pipe(repository: Path, name: str) -> None:
    """Output and errors of what reads the repository, or its results."""
    command = [sys.executable, "-m", "infraspec", *COMMANDS[name]]
    done = subprocess.run(command, cwd=repository, env=environment(), capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr

    assert told
    assert "Traceback" not in told
    assert [] == list(raw(told, annotations=name == "annotations"))


@pytest.mark.parametrize("name", ["doctor", "plan", "explain"])
def test_a_command_on_a_terminal(repository: Path, name: str) -> None:
    """There are colours and links, and nothing else that controls it."""
    told = on_terminal([sys.executable, "-m", "infraspec", *COMMANDS[name]], repository)

    assert told
    assert [] == list(raw(STYLE.sub("", told)))


def test_a_run_on_a_terminal(repository: Path, tmp_path: Path) -> None:
    """As pytest shows it there."""
    told = on_terminal([sys.executable, *SUITE, "--infraspec-results", str(tmp_path / "results.json")], repository)

    assert "VIOLATED" in told
    assert [] == list(raw(STYLE.sub("", told)))


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
    return found.decode("utf-8", "replace").replace("\r", "\n")  # what is after one is at the beginning of a line too
