"""Every command of the documentation is run, page by page, and prints what the page shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.running import Running
from tests.docs.blocks import BLOCKS, ROOT, Block, blocks
from tests.docs.circumstances import BEFORE, CODES, NOT_RUN, PLACES, RUN, STANDS_FOR, of_block
from tests.docs.console import Step, environment_of, install, run, steps
from tests.docs.shown import assert_shown
from tests.samples import some

REFERENCE = ROOT / "fixtures" / "daily-report-tool"
STAND_INS = Path(__file__).with_name("stand_ins")
CHECKOUT = (
    "bench",
    "conftest.py",
    "fixtures",
    "Makefile",
    "pyproject.toml",
    "pytest.ini",
    "tests_live",
    "tests_static",
)


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


def reason(block: Block) -> str:
    """Return why a block is not run, "" if it is."""
    return NOT_RUN.get(block.page, "") or of_block(NOT_RUN, block)


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
    assert {"proven"} == {entry["state"] for entry in whole["findings"]}
    for name in whole["run"]["environments"]:
        counts = [row for row in whole["counts"] if row["environment"] in (name, "repository")]
        proofs = [entry for entry in whole["findings"] if entry["environment"] in (name, "repository")]
        run = {**whole["run"], "environments": [name]}
        part = {**whole, "run": run, "counts": counts, "findings": proofs}
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
    for binaries in (home / "bin", home / "venv" / "bin"):
        install(binaries, {"python": f'{python} "$@"'})
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
    kept = Kept(
        1,
        "token",
        sandbox.endpoint,
        str(repository),
        "prod",
        "123456789012",
        "aws",
        sandbox.environment,
        sandbox.operator,
    )
    path = home / "run" / "infraspec" / "sandbox.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(kept))


def command(step: Step, home: Path) -> str:
    """Return a command with what has to do for what is nowhere but in the documentation."""
    text = step.command
    for pattern, instead, _ in STANDS_FOR:
        text = re.sub(pattern, instead.replace("HOME", str(home)), text)
    return text


def to_run(page: str, home: Path) -> Iterator[tuple[str, Step | None]]:
    """Yield the lines to run, each with the step of the page that it is of; what is written has to be there then."""
    yield f"cd {home / PLACES.get(page, 'my-repo')}", None
    for block in PAGES[page]:
        place = of_block(PLACES, block)
        if place:
            yield f"cd {home / place}", None
        if before := of_block(BEFORE, block):
            yield before, None
        *rest, last = steps(block.text)
        shown = AFTER.get(block)
        output = shown.text if shown in SHOWN else last.output
        for step in (*rest, replace(last, output=output)):
            line = command(step, home)
            yield line, step
            for file in re.findall(r"> ([\w./~-]+)(?= |$)", line):
                yield f"test -s {file}", None


@pytest.mark.parametrize("page", some(list(PAGES), 3))
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


def test_the_tables_are_used() -> None:
    """Each entry of a table is about a page, a block or a command that there is."""
    commands = [step.command for own in PAGES.values() for block in own for step in steps(block.text)]
    assert [] == [one.pattern for one in STANDS_FOR if not any(re.search(one.pattern, text) for text in commands)]
    assert [] == [part for part in CODES if not any(part in text for text in commands)]
    texts = [block.text.removeprefix("$ ") for block in COMMANDS]
    keys = {*PLACES, *BEFORE, *NOT_RUN} - {block.page for block in COMMANDS}
    assert [] == [key for key in keys if not any(text.startswith(key) for text in texts)]
