"""The playbooks of the reference restore what they are about; a usual run rehearses one, INFRASPEC_EDITS=all each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.process.playbooks import check_playbooks
from infraspec.core.finding import Verdict
from infraspec.process.playbooks import Playbook
from infraspec.process.rehearsals import RAN, RESTORED, read_rehearsals
from infraspec.sandbox.rehearsal.failures import FAILURES
from infraspec.sandbox.rehearsal.rehearsing import NOT_RESTORED, STOPPED, Rehearser, failure_of
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.rehearsal.pages import BY_NAME, PAGES, REFERENCE, edited, text_of, wrong_edits

CONTRACT = contracts.load(REFERENCE, environments=["prod"])
EVERY = os.environ.get("INFRASPEC_EDITS") == "all"
RECORD = REFERENCE / "docs/playbooks/rehearsals.json"
ONE = "database-unreachable-en"
LOAD_BEARING = {
    "secret-pending-deletion-en": 'aws secretsmanager restore-secret --secret-id "$SECRET"\n',
    "kms-access-denied-en": 'aws kms enable-key --key-id "$KEY"\n',
    "secret-connection-en": "make apply ENV=prod\n",
    "database-unreachable-en": 'aws rds start-db-instance --db-instance-identifier "$DATABASE"',
    "dead-letters-en": 'aws sqs start-message-move-task --source-arn "$ARN"\n',
    "nightly-task-missing-en": "aws scheduler update-schedule --cli-input-json file://schedule.json\n",
    "secret-access-denied-en": " --force-new-deployment",
    "image-pull-failed-en": 'aws ecs deregister-task-definition --task-definition "$FAILED"',
}
"""What each page cannot do without."""


@cache
def source() -> Plan:
    """Return the production of the reference as its source says it."""
    return Environments(CONTRACT).plan("prod")


def wrong(page: Playbook) -> list[str]:
    """Return what the rule finds wrong with the commands of a page, whatever its record says."""
    assert CONTRACT.playbooks
    settings = CONTRACT.playbooks.model_copy(update={"rehearsals": None, "required": []})
    found = check_playbooks(CONTRACT, settings, [page], {"prod": source()})
    return [f"{one.subject}: {one.found}" for one in found if one.verdict is not Verdict.PROVEN]


@pytest.fixture(scope="module")
def rehearser() -> Rehearser:
    """Rehearse in production."""
    return Rehearser(CONTRACT, "prod", step_seconds=120)


@pytest.mark.parametrize("name", BY_NAME if EVERY else [ONE])
def test_a_playbook_restores(name: str, rehearser: Rehearser) -> None:
    """The live suite sees the failure, every step succeeds, and the live suite is green again."""
    done = rehearser.rehearse(BY_NAME[name])

    stopped = done.stopped_at
    assert stopped is None, (stopped.step, stopped.result)
    assert ((), RESTORED if done.failure else RAN) == (done.left, done.result)
    assert bool(done.failure) == bool(done.seen)


@pytest.mark.parametrize("name", LOAD_BEARING if EVERY else [])
def test_a_step_that_is_missing(name: str, rehearser: Rehearser) -> None:
    """A page without the step that restores does not restore: a later step fails, or something is left."""
    page = BY_NAME[name]
    done = rehearser.rehearse(edited(page, LOAD_BEARING[name], "true " if LOAD_BEARING[name][-1] != "\n" else ""))

    assert done.result in {STOPPED, NOT_RESTORED}
    assert done.left


def test_every_failure_has_a_page() -> None:
    """Each failure that can be made is that of a playbook, and of each page it is known which one it is of."""
    assert set(FAILURES) == {failure_of(page) for page in PAGES} - {""}
    assert {"escalation"} == {page.id for page in PAGES if not failure_of(page)}


def test_the_record_is_of_these_commands() -> None:
    """The record of the reference has each page, restored by the commands that it has now."""
    recorded = {one.playbook: one for one in read_rehearsals(RECORD, "rehearsals.json")}

    assert {page.page.file: page.digest for page in PAGES} == {name: one.commands for name, one in recorded.items()}
    assert {RESTORED, RAN} >= {one.result for one in recorded.values()}


@pytest.mark.parametrize("identifier", sorted({page.id for page in PAGES}))
def test_languages_have_the_same_commands(identifier: str) -> None:
    """What is typed does not depend on the language that one reads."""
    assert BY_NAME[f"{identifier}-en"].digest == BY_NAME[f"{identifier}-ja"].digest


def test_commands_are_proven() -> None:
    """The rule finds nothing wrong with the commands of the reference."""
    assert {} == {name: found for name, page in BY_NAME.items() if (found := wrong(page))}


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.endswith("-en")])
def test_slips(name: str) -> None:
    """A wrong operation, option, name or variable in any command of a page is found without running it."""
    page = BY_NAME[name]
    missed = [what for what, other in wrong_edits(page) if not wrong(other)]

    assert [] == missed


def test_shellcheck(tmp_path: Path) -> None:
    """ShellCheck has nothing to say of the commands of a page, taken together as one script."""
    program = shutil.which("shellcheck") or str(Path(sys.executable).with_name("shellcheck"))
    for name, page in BY_NAME.items():
        script = "#!/bin/bash\n" + "".join(block.text for block in page.page.blocks)
        (tmp_path / f"{name}.sh").write_text(script, encoding="utf-8")
    found = subprocess.run(
        [program, "--format=json", *map(str, sorted(tmp_path.glob("*.sh")))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert [] == [(Path(one["file"]).stem, one["line"], one["message"]) for one in json.loads(found.stdout)]


def test_nothing_asks_for_a_page_that_cannot_be_read() -> None:
    """Every statement of every page is a step with the line that it stands on."""
    for page in PAGES:
        lines = text_of(page).splitlines()
        assert all(lines[step.line - 1].strip() == step.text.splitlines()[0] for step in page.steps())
