"""The page that Allure makes: complete in itself, it asks nobody for anything, and shows how tests developed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.project import INCIDENT, ROOT
from tests.reporting.test_allure import run
from tools import allure_report
from tools.allure_report import RenderError, find, main, render, without_analytics

HOME = ROOT / ".allure"
TRACKED = """<body><div id="app"></div>
    <script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-1');
    </script>
    <script>window.reportData = {}</script></body>"""
ALLURE_2 = """#!/bin/sh
if [ "$1" = --version ]; then echo 2.46.1; exit; fi
[ "$ALLURE_NO_ANALYTICS" = true ] || exit 3
while [ "$1" != --output ]; do shift; done
mkdir -p "$2/history"
echo '<p>Allure 2</p>' > "$2/index.html"
cat RESULTS/history/trend.json 2>/dev/null > "$2/history/trend.json"
echo run >> "$2/history/trend.json"
"""


def which_of(**programs: str) -> Callable[[str], str | None]:
    """Return a look-up of programs by name that finds these alone."""
    return programs.get


def executable(path: Path, text: str) -> str:
    """Write a program."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder of results."""
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "one-result.json").write_text("{}")
    return folder


def test_nobody_learns_that_it_is_read() -> None:
    """The scripts that report to Google are gone, and the others are there."""
    page = without_analytics(TRACKED)

    assert "google" not in page
    assert "gtag" not in page
    assert '<div id="app"></div>' in page
    assert "window.reportData = {}" in page


@pytest.mark.parametrize(
    "left",
    [
        '<script src="//cdn.example.com/x.js"></script>',
        '<link rel="icon" href="https://example.com/icon.svg">',
        "<script>load('https://ssl.google-analytics.com/ga.js')</script>",
    ],
)
def test_what_is_not_known_to_be_harmless(left: str) -> None:
    """A page that would ask others is not written: a later release of Allure may have other scripts."""
    with pytest.raises(RenderError, match="would ask others"):
        without_analytics(f"<body>{left}</body>")


def test_links_are_no_requests() -> None:
    """What a reader may click on stays."""
    page = '<body><a href="https://github.com/example/infraspec">docs</a></body>'

    assert page == without_analytics(page)


def test_nothing_is_installed(tmp_path: Path) -> None:
    """The message says what is missing and what to install."""
    with pytest.raises(RenderError) as caught:
        find(tmp_path, which_of())

    assert "there is no node" in str(caught.value)
    assert "Install Node 20 or newer" in str(caught.value)
    assert "allure-commandline" in str(caught.value)


def test_what_npm_says_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why npm could not install is in the message, without the path of its log."""
    npm = tmp_path / "npm"
    npm.write_text(
        "#!/bin/sh\ncase \"$*\" in *--silent*) exit 1;; esac\necho 'npm error request failed, reason: no route' >&2\n"
        "echo 'npm error A complete log of this run can be found in: /x' >&2\nexit 1\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert allure_report._install(tmp_path).endswith(": request failed, reason: no route")


def test_a_registry_that_cannot_be_reached_is_told_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is told not to, npm tries again for minutes, here as in the Makefile."""
    executable(tmp_path / "npm", f'#!/bin/sh\necho "$*" > {tmp_path}/asked\nexit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    (shortly,) = re.findall(r"^SHORTLY = (.+)$", makefile, re.MULTILINE)

    assert allure_report._install(tmp_path).endswith("exit 1")
    assert shortly in (tmp_path / "asked").read_text(encoding="utf-8")
    assert "--fetch-retries=1 " in shortly
    assert makefile.count("npm install ") == makefile.count("$(SHORTLY)")


def test_node_is_too_old(tmp_path: Path) -> None:
    """An old Node is as good as none; an Allure that is installed is taken in its place."""
    node = executable(tmp_path / "node", "#!/bin/sh\necho v18.1.0\n")
    allure = executable(tmp_path / "allure", "#!/bin/sh\necho 2.46.1\n")
    game = executable(tmp_path / "game", "#!/bin/sh\necho 'a game'\n")

    with pytest.raises(RenderError, match=r"node is 18\.1\.0"):
        find(tmp_path, which_of(node=node, npm=node))
    with pytest.raises(RenderError, match="game is no Allure Report"):
        find(tmp_path, which_of(node=node, npm=node, allure=game))
    assert (2, allure) == find(tmp_path, which_of(node=node, npm=node, allure=allure))


def test_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is nothing to render, the message says how to make it."""
    options = ["--history", str(tmp_path / "history"), "--home", str(tmp_path)]

    assert 2 == main([str(tmp_path), str(tmp_path / "report"), *options])
    assert "write them with make test-static" in capsys.readouterr().err


def test_allure_2_keeps_its_history_too(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told not to report to Google, and each run finds the history of those before."""
    tools = tmp_path / "bin"
    tools.mkdir()
    executable(tools / "allure", ALLURE_2.replace("RESULTS", str(results)))
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    monkeypatch.setattr("tools.allure_report._no_node", lambda _: "there is no node")
    history = tmp_path / "history"
    for _ in range(2):
        page = render(results, tmp_path / "report", history, tmp_path / "home")

    assert "<p>Allure 2</p>\n" == page.read_text(encoding="utf-8")
    assert "run\nrun\n" == (history / "allure2" / "trend.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the incident, rendered twice, so that it has a history."""
    if not (HOME / "node_modules" / ".bin" / "allure").exists() or shutil.which("node") is None:
        pytest.skip("Allure 3 is not installed: make report installs it, with Node 20")
    directory = tmp_path_factory.mktemp("page")
    report = run(directory, INCIDENT, "--infraspec-env", "prod")
    for _ in range(2):
        made = render(report.folder, directory / "report", directory / "history", HOME)
    return made


def test_the_history_grows(page: Path) -> None:
    """Each run is a line of the history, with the tests under the ids that last."""
    lines = (page.parents[1] / "history" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = (json.loads(line)["testResults"] for line in lines)

    assert 2 == len(lines)
    assert first
    assert set(first) == set(second)


def test_a_browser_shows_it_and_asks_nobody(page: Path, tmp_path: Path) -> None:
    """In Chromium the tree of suites shows, and the page requests nothing that is not in it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    tracked = tmp_path / "tracked.html"
    tracked.write_text(page.read_text(encoding="utf-8") + TRACKED, encoding="utf-8")

    dom, asked = opened(browser, page, tmp_path / "log.json")
    assert "Static suite" in dom
    assert "daily-report-tool" in dom
    assert [] == asked
    assert ["https://www.googletagmanager.com/gtag/js?id=G-1"] == opened(browser, tracked, tmp_path / "other.json")[1]


def opened(browser: str, page: Path, log: Path) -> tuple[str, list[str]]:
    """Open a page, and return what it shows as HTML and what it asked for beside itself; not what Chromium asks for."""
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
    profile = f"--user-data-dir={log.with_suffix('')}"
    done = subprocess.run(
        [browser, *quiet, profile, f"--log-net-log={log}", "--virtual-time-budget=5000", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    started = [event.get("params") or {} for event in events]
    of_pages = {
        row["url"] for row in started if "url" in row and row.get("initiator", "not an origin") != "not an origin"
    }
    return done.stdout, sorted(url for url in of_pages if not url.startswith(("file:", "data:", "blob:")))
