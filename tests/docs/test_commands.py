"""Every command of the documentation is run, page by page, and prints what the page shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

from infraspec.sandbox.keeping import Kept
from infraspec.sandbox.running import Running
from tests.docs.blocks import BLOCKS, ROOT, Block, blocks
from tests.docs.console import Step, environment_of, install, run, steps
from tests.docs.shown import assert_shown

REFERENCE = ROOT / "fixtures" / "daily-report-tool"
STAND_INS = Path(__file__).with_name("stand_ins")
CHECKOUT = ("conftest.py", "fixtures", "Makefile", "pyproject.toml", "pytest.ini", "tests_live", "tests_static")

STANDS_FOR: Mapping[str, str] = {
    r"shop-prod-(?:app|web)\b": "daily-report-tool-prod-backend",  # the shop of the pages is
    r"\bshop-prod-": "daily-report-tool-prod-",  # the reference infrastructure,
    r"role/shared-execution": "role/daily-report-tool-prod-backend-execution",
    r"(?<=iam-)111122223333|(?<=iam::)111122223333(?=:role)": "123456789012",
    r"\baws_secretsmanager_secret\.db\b": """'module.secretsmanager.aws_secretsmanager_secret.this["database"]'""",
    r"infraspec diagnose (.*--env) prod": r"$IN_SANDBOX infraspec diagnose \1 local",  # its accounts the sandbox
    r"^(aws (?!ecs list-clusters)|infraspec report metrics)": r"$IN_SANDBOX \1",
    r"^make test-live INFRA=": "make -n test-live INFRA=",  # the README has the same command without INFRA, and runs it
    r"^pytest (.* --infraspec-env )staging": r"$IN_SANDBOX pytest \1local",
    r"ssh=ci@worker\.example\.com": "popen",  # another machine is another process
    r"/srv/infrastructure": "HOME/my-repo",
    r"/opt/infraspec/bin/python": sys.executable,
}
"""What a command has that is nowhere but in the documentation, and what has to do for it."""

PLACES: Mapping[tuple[str, int], str] = {
    ("CONTRIBUTING.md", 0): "checkout",
    ("README.md", 0): "checkout",
    ("docs/getting-started.md", 0): "checkout",
    ("docs/incident-replay.md", 0): "checkout",
    ("docs/live.md", 0): "checkout",
    ("docs/live.md", 1): "my-repo",
    ("docs/sandbox.md", 0): "checkout",
}
"""Where the reader of a block is, by its number in the page: in a checkout of infraspec, or else in a repository."""

RUN = "pytest -q --pyargs infraspec.tests_static"
BEFORE: Mapping[tuple[str, int], str] = {
    ("CONTRIBUTING.md", 0): "mkdir docs",
    ("docs/ci.md", 1): ('cp "$SITE"/{dev,staging,prod}.json .'),
    ("docs/cli.md", 1): "mkdir -p ~/.config/fish/completions",
    ("docs/iam.md", 0): f"cat > cases.jsonl << 'END'\n{blocks('json', page='docs/iam.md')[0].text}END",
    ("docs/metrics-and-notifications.md", 0): 'cp "$SITE"/results.json infraspec-results.json',
    ("docs/own-rules.md", 0): (
        f"mkdir tests; cat > tests/test_own.py << 'END'\n{blocks('python', page='docs/own-rules.md')[0].text}END"
    ),
    ("docs/reports.md", 2): (
        f"sed -i '/^.suite.$/a baseline = \"infraspec-baseline.json\"' infraspec.toml"
        f" && {RUN} --infraspec-results infraspec-results.json"
    ),
    ("docs/trends.md", 0): 'cp "$SITE"/results.json infraspec-results.json',
}
"""What is there before a block, by its number in the page, because the page says so."""

CODES: Mapping[str, int] = {
    "make test-static INFRA=fixtures/incident-v16": 2,
    "--infraspec-plan plan.json": 1,  # of Terraform 0.15, which lacks some of it: fixtures/README.md
}
"""Exit codes other than 0, by the command or a part of it."""

NOT_RUN: Mapping[str, str] = {
    "docs/ten-minutes.md": "three repositories of other people, which are not ours to copy",
    "make test-peer": "it downloads another AWS",
}
"""Pages and commands that are not run, with the reason; test_existing.py sees that the commands exist."""


def reason(block: Block) -> str:
    """Return why a block is not run, "" if it is."""
    return next((why for what, why in NOT_RUN.items() if what in (block.page, block.text.strip("$ \n"))), "")


def pages() -> dict[str, list[Block]]:
    """Return the blocks to run by page, of pages that begin with the same blocks those of the longest alone."""
    by_page: dict[str, list[Block]] = {}
    for block in TAKEN:
        by_page.setdefault(block.page, []).append(block)
    kept: dict[str, list[Block]] = {}
    for page, own in sorted(by_page.items(), key=lambda item: (-len(item[1]), len(item[0]))):
        texts = [block.text for block in own]
        if all(texts != [block.text for block in other[: len(texts)]] for other in kept.values()):
            kept[page] = own
    return kept


REPLAYED = blocks("sh", page="docs/incident-replay.md")
COMMANDS = [block for block in blocks("console", "sh") if block not in REPLAYED]
TAKEN = [block for block in COMMANDS if not reason(block)]
LEFT_OUT = [block for block in COMMANDS if reason(block)]
AFTER = {block: text for block, text in pairwise(BLOCKS) if block in TAKEN and text.language == "text"}
# What has a mark is the output of another repository than the page has so far.
SHOWN = [text for block, text in AFTER.items() if text.page == block.page and not text.mark]
PAGES = pages()


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, which is all that an installation is; write results of its static suite beside it."""
    site = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(site)
    repository = shutil.copytree(REFERENCE, site / "repository")
    command = [sys.executable, "-m", *RUN.split(), "--infraspec-results", "../results.json"]
    environment = environment_of(site, PYTHONPATH=str(site))
    subprocess.run(command, cwd=repository, env=environment, check=True, capture_output=True)
    whole = json.loads((site / "results.json").read_text(encoding="utf-8"))
    assert not whole["findings"]
    for name in whole["run"]["environments"]:
        counts = [row for row in whole["counts"] if row["environment"] in (name, "repository")]
        part = {**whole, "run": {**whole["run"], "environments": [name]}, "counts": counts}
        (site / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    return site


def prepare(home: Path, sandbox: Running, site: Path) -> dict[str, str]:
    """Make a checkout, a repository with a contract, one without, and the programs; return the environment."""
    shutil.copytree(REFERENCE, home / "my-repo")
    checkout = home / "checkout"
    for name in CHECKOUT:
        (checkout / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, checkout / name)
    shutil.copytree(REFERENCE, checkout / "my-infrastructure", ignore=shutil.ignore_patterns("infraspec.toml"))
    python = f'exec "{sys.executable}"'
    install(home / "bin", {path.stem: f'{python} "{path}" "$@"' for path in STAND_INS.glob("*.py")})
    install(home / "bin", {name: f'{python} -m {name} "$@"' for name in ("infraspec", "pytest")})
    install(home / "venv" / "bin", {"python": f'{python} "$@"'})
    for stamp in (".suite", ".live", ".test"):
        (home / "venv" / stamp).touch()
    return environment_of(
        home,
        PYTHONPATH=str(site),
        SITE=str(site),
        VENV=str(home / "venv"),
        WORKERS="0",
        PLAN_OF_PROD=str(ROOT / "fixtures/plans/daily-report-tool-prod.json"),
        IN_SANDBOX=" ".join(["env", *(f"{name}={value}" for name, value in sandbox.operator.items())]),
    )


def keep(sandbox: Running, home: Path, repository: Path) -> None:
    """Note the sandbox as one that `infraspec sandbox up` has started for a repository."""
    kept = Kept(1, "token", sandbox.endpoint, str(repository), "prod", {}, {})
    path = home / "run" / "infraspec" / "sandbox.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(asdict(kept)), encoding="utf-8")


def command(step: Step, home: Path) -> str:
    """Return a command with what has to do for names of the documentation."""
    text = step.command
    for what, instead in STANDS_FOR.items():
        text = re.sub(what, instead.replace("HOME", str(home)), text)
    return text


def to_run(page: str, home: Path) -> Iterator[tuple[str, Step | None]]:
    """Yield the lines to run, each with the step of the page that it is of; what is written has to be there then."""
    for number, block in enumerate(PAGES[page]):
        place = PLACES.get((page, number), "" if number else "my-repo")
        if place:
            yield f"cd {home / place}", None
        if (page, number) in BEFORE:
            yield BEFORE[page, number], None
        *rest, last = steps(block.text)
        shown = AFTER.get(block)
        output = shown.text if shown in SHOWN else last.output
        for step in (*rest, replace(last, output=output)):
            line = command(step, home)
            yield line, step
            for file in re.findall(r"> ([\w./~-]+)(?= |$)", line):
                yield f"test -s {file}", None


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page(page: str, sandbox: Running, site: Path, tmp_path: Path) -> None:
    """Each command of a page ends as it should, and prints what the page shows."""
    home = tmp_path / "home"
    environment = prepare(home, sandbox, site)
    if page != "docs/sandbox.md":  # it starts its own
        keep(sandbox, home, home / ("checkout/my-infrastructure" if page == "README.md" else "my-repo"))
    lines = list(to_run(page, home))
    for (line, step), result in zip(lines, run([line for line, _ in lines], home, environment), strict=True):
        code = next((code for part, code in CODES.items() if part in line), 0)
        assert code == result.code, f"{line}\n{result.printed}"
        if step is not None and step.output:
            assert_shown(step.output, result.printed)
