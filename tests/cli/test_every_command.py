"""Every command: it does its work on good input, and says of bad input what and where, without a traceback.

What each command prints is compared in the file of the command; here none can be left out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main
from infraspec.reporting.run.results import encode
from tests.cli.test_documentation import commands
from tests.cli.test_simulate import CASE
from tests.plugin.project import REFERENCE
from tests.process.test_alerts import item
from tests.reporting.results import PROVEN, RESULTS
from tests.terraform.iam_exports import export, role

GOOD = {
    "checklist": "--infra infra --pull-requests merged.json --at-least 0",
    "conventions": "--infra infra --migration --env prod --plan plan.json",
    "doctor": "--infra infra --env prod",
    "drill": "--infra infra --env prod --plan plan.json --only secret-deleted",
    "explain": "--infra infra --env prod --plan plan.json --role module.iam.aws_iam_role.execution"
    " --action secretsmanager:ListSecrets --resource * --snapshot iam.json",
    "fix": "infra --env prod --rule names --review request.diff",
    "get": "--infra infra --env prod",
    "init": "infra --dry-run",
    "plan": "--infra infra --env prod --var-file variables.tfvars",
    "report annotations": "results.json --base base.json",
    "report baseline": "results.json",
    "report comment": "results.json --base base.json",
    "report kpi": "--infra infra --deployments deployments.jsonl --pull-requests merged.json --alarms alarms.json",
    "report merge": "results.json",
    "report notify": "results.json --infra infra --store store --dry-run",
    "report sarif": "results.json",
    "report site": "results.json --store store",
    "report summary": "results.json --base base.json",
    "runner-policy": "--infra infra --env prod",
    "simulate": "--cases cases.jsonl",
}
"""A command line of each command that needs no AWS."""
ANSWERS = {"drill": 1, "explain": 1}
"""Exit codes of good input that are not 0: the answer is no."""
ELSEWHERE = {
    "check": ("tests/cli/test_check.py", "tests/cli/test_check.py"),
    "diagnose": ("tests/sandbox/test_incident_replay.py", "tests/cli/test_diagnose.py"),
    "rehearse": ("tests/rehearsal/test_reference.py", "tests/cli/test_rehearse.py"),
    "report metrics": ("tests/cli/test_report_telling.py", "tests/cli/test_report_telling.py"),
    "rule": ("tests/cli/test_rule.py", "tests/cli/test_rule.py"),
    "sandbox apply": ("tests/cli/test_sandbox.py", "tests/cli/test_sandbox.py"),
    "sandbox down": ("tests/cli/test_sandbox.py", "tests/cli/test_sandbox.py"),
    "sandbox inbox": ("tests/sandbox/test_inbox.py", "tests/sandbox/test_inbox.py"),
    "sandbox status": ("tests/cli/test_sandbox.py", "tests/cli/test_sandbox.py"),
    "sandbox up": ("tests/cli/test_sandbox.py", "tests/cli/test_sandbox.py"),
}
"""Where commands that need AWS, or the time of a run, are tried on good and on bad input."""
BAD: dict[str, bytes | None] = {
    "absent": None,
    "empty": b"",
    "binary": bytes(range(256)),
    "cut off": b'{"a": [1,',
    "of another kind": b"[[1], 2]",
    "deep": b"[" * 100_000,
}
MAY_BE = {
    ("fix", "--review", "empty"),
    ("report kpi", "--deployments", "empty"),
    ("report notify", "--store", "absent"),
    ("report site", "--store", "absent"),
    ("simulate", "--cases", "empty"),
}
"""What is good: no deployment and no case yet, and a folder that is made."""
NOT_READ = {
    ("drill", "--markdown"),
    ("drill", "--html"),
    ("report kpi", "--plot"),
    ("plan", "--root"),
    ("report baseline", "--shrink"),
}
"""What is written, stands alone, or needs a run of its own: in the files of the commands."""


def leaves(command: click.Command = main, *words: str) -> Iterator[tuple[str, click.Command]]:
    """Return every command that does something, by its words."""
    if not isinstance(command, click.Group):
        yield " ".join(words), command
        return
    for name, inner in commands(command).items():
        yield from leaves(inner, *words, name)


COMMANDS = dict(leaves())
PATHS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if name in GOOD and isinstance(parameter.type, click.Path | click.File)
    if (name, parameter.opts[-1]) not in NOT_READ
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an infrastructure, and every kind of file that a command reads."""
    folder = tmp_path_factory.mktemp("every")
    shutil.copytree(REFERENCE, folder / "infra")
    shutil.copy(REFERENCE.parent / "plans/daily-report-tool-prod.json", folder / "plan.json")
    (folder / "results.json").write_bytes(encode(RESULTS))
    (folder / "base.json").write_bytes(encode(PROVEN))
    (folder / "merged.json").write_text('[{"number": 1, "body": "- [x] done"}]', encoding="utf-8")
    history = {"AlarmHistoryItems": [item("daily-report-tool-prod-cpu", "2025-06-10T10:05:00+09:00")]}
    (folder / "alarms.json").write_text(json.dumps(history), encoding="utf-8")
    (folder / "cases.jsonl").write_text(json.dumps(CASE), encoding="utf-8")
    exported = export(role("shared")).replace("111122223333", "123456789012")  # the account of production
    (folder / "iam.json").write_text(exported, encoding="utf-8")
    (folder / "request.diff").write_text("--- a/main.tf\n+++ b/main.tf\n@@ -1 +1 @@\n-a\n+b\n", encoding="utf-8")
    (folder / "deployments.jsonl").touch()
    (folder / "variables.tfvars").touch()
    return folder


def run(name: str, arguments: list[str]) -> Result:
    """Run a command in this process; what it raises is raised."""
    result = CliRunner().invoke(main, [*name.split(), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_none_is_left_out() -> None:
    """Each command is in this file, or its files of tests name it and its exit code for bad input."""
    assert {*GOOD, *ELSEWHERE} == set(COMMANDS)
    root = Path(__file__).parents[2]
    for name, files in ELSEWHERE.items():
        good, bad = ((root / file).read_text(encoding="utf-8") for file in files)
        assert all(name.split()[-1] in text for text in (good, bad))
        assert "2" in bad


@pytest.mark.parametrize("name", GOOD)
def test_good_input(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints something to standard output alone, and its exit code is the documented one."""
    monkeypatch.chdir(folder)
    result = run(name, GOOD[name].split())
    assert (result.exit_code, result.stderr) == (ANSWERS.get(name, 0), "")
    assert result.stdout.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_mistyped_option(name: str) -> None:
    """It is named, with the command whose help to read."""
    result = run(name, ["--fromat", "json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--fromat" in result.stderr
    assert f"{name} --help" in result.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("explian", "Did you mean `explain`?"), ("report comments", "Did you mean `comment`?"), ("zzz", "'zzz'.\n")],
)
def test_mistyped_command(typed: str, meant: str) -> None:
    """It is named, with the one that is like it, if one is; of the commands that were not imported too."""
    result = run(typed, [])
    assert (result.exit_code, result.stdout) == (2, "")
    assert meant in result.stderr


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize(("name", "parameter"), PATHS, ids=lambda part: getattr(part, "name", part))
def test_bad_file(
    name: str, parameter: click.Parameter, kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named with what was expected or what fixes it, nothing is printed as a result, and the exit code is 2."""
    monkeypatch.chdir(folder)
    bad = folder / f"bad {kind}"
    data = BAD[kind]
    if data is not None:
        bad.write_bytes(data)
    option, arguments = parameter.opts[-1], GOOD[name].split()
    place = arguments.index(option) + 1 if isinstance(parameter, click.Option) else 0
    arguments[place] = bad.name
    result = run(name, arguments)

    if (name, option, kind) in MAY_BE:
        assert (result.exit_code, result.stderr) == (0, "")
    elif name == "doctor":  # which says what is wrong, as it does of all else
        assert (result.exit_code, "problem  contract" in result.stdout, bad.name in result.stdout) == (1, True, True)
    else:
        assert (result.exit_code, result.stdout) == (2, "")
        assert bad.name in result.stderr
        assert any(word in result.stderr for word in ("expected:", "remedy:", "--help"))
