"""Every Python block of the documentation runs and does what the page says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infraspec.sandbox import running as module
from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.running import Running
from tests.docs.blocks import ROOT, Block, blocks
from tests.plugin.project import REFERENCE, run_suite, text_of

HOOKS = [block for block in blocks("python", page="docs/own-rules.md") if "# conftest.py" in block.text]
PAGES = ("README.md", "README.ja.md", "docs/own-rules.md")
RULES = [block for page in PAGES for block in blocks("python", page=page) if block not in HOOKS]
LIVE = blocks("python", page="docs/live.md")
SANDBOX = blocks("python", page="docs/sandbox.md")
PRINTING = blocks("python", page="docs/iam.md")
TAKEN = [*RULES, *HOOKS, *LIVE, *SANDBOX, *PRINTING]
SHOWN = blocks("text", page="docs/iam.md")


def test_rules_pass(pytester: pytest.Pytester) -> None:
    """Each test of a page passes on the reference infrastructure."""
    folder = pytester.mkdir("own")
    for number, block in enumerate(RULES):
        (folder / f"test_own_{number}.py").write_text(block.text, encoding="utf-8")
    result = run_suite(pytester, REFERENCE, "-v", suite=folder)
    passed = {int(number) for number in re.findall(r"test_own_(\d+)\.py::\S+ PASSED", text_of(result))}

    assert {"passed"} == set(result.parseoutcomes()), text_of(result)
    assert set(range(len(RULES))) == passed


ENVIRONMENT = "      environment = [\n"
VARIABLE = '        { name = "APPCONFIG", value = "shop" },\n'
APPCONFIG = """
resource "aws_appconfig_application" "shop" {
  name = "shop"
}

resource "aws_iam_policy" "appconfig" {
  name   = "DailyReportToolAppConfigAccess-${title(split("-", var.name_prefix)[3])}"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "appconfig:GetApplication"
      Resource = aws_appconfig_application.shop.arn
    }]
  })
}
"""
EXPECTED = {
    "8. A check for every environment, without a test": ("own_checks", {"passed": 3}),
    "9. What infraspec does not know of AWS": ("secret_access or names or test_policies", {"failed": 3, "passed": 6}),
    "Resources of another source": ("test_tags", {"failed": 3}),
}


@pytest.mark.parametrize("block", HOOKS, ids=str)
def test_hooks_are_heeded(block: Block, pytester: pytest.Pytester) -> None:
    """A conftest.py of a page works on a reference infrastructure that has AppConfig; what it adds is judged."""
    infra = Path(shutil.copytree(REFERENCE, pytester.path / "infra"))
    module = infra / "terraform/modules/ecs"
    (module / "appconfig.tf").write_text(APPCONFIG, encoding="utf-8")
    text = (module / "main.tf").read_text(encoding="utf-8")
    assert text.count(ENVIRONMENT) == 1
    (module / "main.tf").write_text(text.replace(ENVIRONMENT, ENVIRONMENT + VARIABLE), encoding="utf-8")
    (pytester.path / "own.py").write_text(block.text, encoding="utf-8")
    pytester.syspathinsert()
    selected, expected = EXPECTED[block.heading]
    result = run_suite(pytester, infra, "-k", selected, "-p", "own")
    found = result.parseoutcomes()

    assert expected == {key: found[key] for key in expected}, text_of(result)


def test_live_rules_pass(pytester: pytest.Pytester, sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of the live suite passes on the reference infrastructure in the sandbox."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(pytester.path))
    Kept(
        1,
        "token",
        sandbox.endpoint,
        str(REFERENCE),
        "prod",
        "123456789012",
        "aws",
        sandbox.environment,
        sandbox.operator,
    ).write()
    for number, block in enumerate(LIVE):
        (pytester.path / f"test_live_{number}.py").write_text(block.text, encoding="utf-8")
    result = run_suite(pytester, REFERENCE, "--infraspec-live", "--infraspec-env", "local", suite=pytester.path)
    assert {"passed": len(LIVE)} == result.parseoutcomes(), text_of(result)


@pytest.mark.parametrize("block", PRINTING, ids=str)
def test_printed(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """A script prints what the page shows after it."""
    exec(block.text, {})  # noqa: S102 - our own documentation
    assert [capsys.readouterr().out] == [one.text for one in SHOWN]


def test_sandbox(sandbox: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The scripts run, one after the other; the first sandbox that they start is here the one of the session."""
    started, start = [], module.start

    @contextmanager
    def once(*arguments: Any) -> Iterator[Running]:
        started.append(arguments)
        if len(started) == 1:
            yield sandbox
            return
        with start(*arguments) as running:
            yield running

    monkeypatch.setattr(module, "start", once)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in SANDBOX:
        exec(block.text, names)  # noqa: S102 - our own documentation

    assert [environment for _, environment in started] == ["prod", "prod"]
    assert capsys.readouterr().out == f"{sandbox.endpoint}\nROLLBACK_SUCCESSFUL\n"
