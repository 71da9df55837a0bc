"""Render Allure's results as one HTML file that asks nobody for anything.

python tools/allure_report.py allure-results allure-report --history allure-history --home .allure

With Node 20 or newer, Allure 3 is installed into `--home` on first use. Without it an `allure` that is on the PATH is
taken, Allure 3 or Allure 2 (allure-commandline, which needs Java). `--history` is a folder that each run reads and
writes, so that the report shows how tests developed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ALLURE = "allure@3.18.0"
_NODE = 20
_SHORTLY = (
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=1000",
    "--fetch-timeout=4000",
)
"""A registry that cannot be reached is told in ten seconds, and not in minutes; what comes slowly is waited for."""
_KEPT = 20
"""How many runs the history keeps."""
_ANALYTICS = re.compile(
    r'<script[^<>]{0,80} src="https://www\.googletagmanager\.com/[^"]{0,200}"></script>\s{0,80}'
    r"(?:<script>[^<]{0,2000}\bgtag\([^<]{0,2000}</script>)?"
)
_TRACKERS = ("googletagmanager.com", "google-analytics.com")
_REFERENCE = re.compile(r"""<(?:script|link|img|iframe)\s[^<>]{0,200}?(?:src|href)=["']?(?:https?:)?//""")


class RenderError(Exception):
    """The report cannot be made; the message says why and what to do."""


class Renderer(NamedTuple):
    """A program that makes the report: its version's first number, and the command."""

    major: int
    command: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Render, and return the exit code: 2 if that is not possible."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        made = render(options.results, options.report, options.history, options.home)
    except RenderError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{made}: open it in a browser, it is complete in itself")
    return 0


def render(results: Path, report: Path, history: Path, home: Path) -> Path:
    """Render the results and return the HTML file. Raises RenderError."""
    if not any(results.glob("*-result.json")):
        raise RenderError(f"{results} holds no results of Allure: write them with make test-static")
    renderer = find(home)
    history.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        (_with_allure_3 if renderer.major > 2 else _with_allure_2)(renderer.command, results, Path(made), history)
        page = without_analytics((Path(made) / "index.html").read_text(encoding="utf-8"))
    report.mkdir(parents=True, exist_ok=True)
    (report / "index.html").write_text(page, encoding="utf-8")
    return report / "index.html"


def find(home: Path, which: Callable[[str], str | None] = shutil.which) -> Renderer:
    """Return Allure 3 of `home`, installed there if need be, else what is on the PATH. Raises RenderError."""
    own = home / "node_modules" / ".bin" / "allure"
    why = _no_node(which)
    if not why and not own.exists():
        why = _install(home)
    if not why:
        return Renderer(3, str(own))
    if installed := which("allure"):
        major = _major(installed)
        if major:
            return Renderer(major, installed)
        why += f"; {installed} is no Allure Report"
    raise RenderError(
        f"the report needs Allure, and {why}.\n"
        "Install Node 20 or newer with npm (https://nodejs.org), and make report brings the rest;\n"
        "or Java and Allure 2: npm install --global allure-commandline"
    )


def without_analytics(page: str) -> str:
    """Take out the scripts that report to Google that somebody reads the page. Raises RenderError if any are left."""
    cleaned = _ANALYTICS.sub("", page)
    left = [name for name in _TRACKERS if name in cleaned] or _REFERENCE.findall(cleaned)
    if left:
        raise RenderError(f"the report would ask others for something, and is not written: {left[0][:200]}")
    return cleaned


def _no_node(which: Callable[[str], str | None]) -> str:
    node, npm = which("node"), which("npm")
    if node is None or npm is None:
        return f"there is no {'node' if node is None else 'npm'}"
    version = _run([node, "--version"], "node does not start").strip().lstrip("v")
    number = version.partition(".")[0]
    return "" if number.isdecimal() and int(number) >= _NODE else f"node is {version}"


def _install(home: Path) -> str:
    """Install Allure 3; return why that is not possible."""
    print(f"installing {ALLURE} into {home}", file=sys.stderr, flush=True)
    quiet = ("--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts")
    done = subprocess.run(
        ["npm", "install", "--prefix", str(home), *quiet, *_SHORTLY, ALLURE],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.removeprefix("npm error ") for line in (done.stderr or done.stdout).splitlines()]
    said = " ".join(" ".join(line for line in lines if "complete log" not in line).split())[:200]
    return f"npm cannot install {ALLURE}: {said or f'exit {done.returncode}'}" if done.returncode else ""


def _major(command: str) -> int:
    try:
        version = _run([command, "--version"], "")
    except RenderError:
        return 0
    found = re.fullmatch(r"\s*(\d+)\.\d+\.\d+\S*\s*", version)
    return int(found[1]) if found else 0


def _with_allure_3(command: str, results: Path, made: Path, history: Path) -> None:
    options = ("--single-file", "--output", str(made), "--report-name", "infraspec")
    groups = ("--group-by", "epic,feature,story")
    kept = ("--history-path", str(history / "history.jsonl"))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "allurerc.json"
        config.write_text(json.dumps({"categories": _categories(results)}), encoding="utf-8")
        _run([command, "awesome", str(results), *options, *groups, *kept, "--config", str(config)], "Allure fails")
    _shorten(history / "history.jsonl")


def _categories(results: Path) -> Any:
    """Return the categories of the results, which Allure 3 takes from its configuration alone."""
    path = results / "categories.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _shorten(history: Path) -> None:
    """Keep the last runs, a line each."""
    lines = history.read_text(encoding="utf-8").splitlines(keepends=True)
    history.write_text("".join(lines[-_KEPT:]), encoding="utf-8")


def _with_allure_2(command: str, results: Path, made: Path, history: Path) -> None:
    """Render with Allure 2, which keeps its history in a report that is not one file: so two are made."""
    before = history / "allure2"
    if before.is_dir():
        shutil.copytree(before, results / "history", dirs_exist_ok=True)
    environ = {"ALLURE_NO_ANALYTICS": "true"}
    with tempfile.TemporaryDirectory() as folder:
        _run([command, "generate", str(results), "--clean", "--output", folder], "Allure fails", environ)
        shutil.copytree(Path(folder) / "history", before, dirs_exist_ok=True)
    single = ("--clean", "--single-file", "--output", str(made))
    _run([command, "generate", str(results), *single], "Allure fails", environ)


def _run(command: Sequence[str], what: str, environ: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command, env={**os.environ, **(environ or {})}, capture_output=True, text=True, check=False, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderError(f"{what}: {error}") from None
    if done.returncode:
        raise RenderError(f"{what}: {' '.join((done.stderr or done.stdout).split())[-500:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
