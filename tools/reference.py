"""Write the pages of the documentation that come from the code, whole or in part: `make reference`."""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES
from infraspec.ecs.task_definition import task_definitions
from infraspec.pytest_plugin import hookspecs, options
from infraspec.pytest_plugin.fixtures import live, own_rules, static
from infraspec.pytest_plugin.rule_tests import RuleCheck, call
from infraspec.terraform.environments import Environments
from tools import architecture
from tools.rule_examples import EXAMPLES, Example

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONTRACT = """[project]
application = "shop"

[environments.prod]
account_id = "111122223333"
region = "eu-west-1"
"""
_ENVIRONMENT = "prod"


def check(rule: str, contract: Contract, environment: str = _ENVIRONMENT) -> Sequence[Finding]:
    """Run a rule, by its id, on an environment of a repository."""
    environments = Environments(contract, environ={})
    settings, plan = environments.settings(), environments.plan(environment)
    given = {
        "plan": plan,
        "task_definitions": task_definitions(plan),
        "contract": contract,
        "environment": environment,
        "root_settings": settings,
        "root_module": settings[environment],
        "decisions": {},
    }
    found: Sequence[Finding] = call(RuleCheck.of(RULES[rule], "static").run, given.__getitem__)
    return found


def finding(rule: Rule, example: Example) -> Finding:
    """Return what a rule finds in its example first."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "infraspec.toml").write_text(CONTRACT + example.contract, encoding="utf-8")
        (directory / "main.tf").write_text(example.hcl.lstrip("\n") + example.hidden, encoding="utf-8")
        found = check(rule.id, contracts.load(directory))
    return next(one for one in found if one.verdict is Verdict.VIOLATED)


def rules() -> str:
    """Return docs/rules.md."""
    return "\n".join([*_rules_head(), *(line for rule in RULES.values() for line in _rule(rule))])


def _rules_head() -> Iterator[str]:
    yield "<!-- written by make reference -->"
    yield "# Rules\n"
    yield "What each rule asks for, why, and what it says where that is not so. The examples are run as this page is"
    yield "written; their environment is `prod` of an application `shop`.\n"
    yield "| rule | what it asks for | severity |\n|---|---|---|"
    for rule in RULES.values():
        yield f"| [`{rule.id}`](#{rule.id}) | {rule.sentence} | {rule.severity} |"
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## `{rule.id}`\n"
    yield f"{rule.sentence} {rule.why}\n"
    if example := EXAMPLES.get(rule):
        if example.contract:
            yield f"```toml\n{example.contract.strip()}\n```\n"
        yield f"```terraform\n{example.hcl.strip()}\n```\n"
        yield f"```text\n{finding(rule, example)}\n```\n"
    yield f"More: [{rule.page}]({rule.page}.md)\n"


def examples() -> str:
    """Return what `infraspec rule` shows: contract, Terraform and finding of each example, by the id of its rule."""
    found = {
        rule.id: {"contract": one.contract.strip(), "terraform": one.hcl.strip(), "finding": str(finding(rule, one))}
        for rule, one in EXAMPLES.items()
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def fixtures() -> str:
    """Return docs/fixtures.md."""
    return "\n".join(_fixtures())


def _fixtures() -> Iterator[str]:
    yield "<!-- written by make reference -->"
    yield "# Options, fixtures and hooks\n"
    yield "## Options of pytest\n"
    yield "Each is an option, an environment variable and an ini value; the first that is set wins.\n"
    yield "| option | environment variable | ini | |\n|---|---|---|---|"
    for name, text in options.documented().items():
        yield f"| `--infraspec-{name.replace('_', '-')}` | `INFRASPEC_{name.upper()}` | `infraspec_{name}` | {text} |"
    for title, module in (
        ("Fixtures of both suites", static),
        ("Fixtures of the live suite", live),
        ("Fixtures for rules of your own", own_rules),
    ):
        yield f"\n## {title}\n"
        yield "| fixture | |\n|---|---|"
        for name, text in _declared(module):
            yield f"| `{name}` | {text} |"
    yield "\n## Hooks\n"
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("pytest_infraspec_"):
            parameters = ", ".join(inspect.signature(function).parameters)
            yield f"### `{name}({parameters})`\n"
            yield f"{dedent(inspect.getdoc(function) or '')}\n"


def _declared(module: Any) -> Iterator[tuple[str, str]]:
    """Yield the fixtures that a module defines, in its order, and the first sentence about each."""
    for name, value in vars(module).items():
        if type(value).__name__ == "FixtureFunctionDefinition" and not name.startswith("_"):
            text = " ".join((inspect.getdoc(value.__wrapped__) or "").partition("\n\n")[0].split())
            yield name, text.removeprefix("Return ").replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "rules.md": rules,
    "fixtures.md": fixtures,
    "architecture.md": architecture.page,
    "../plugins/infraspec/cli/rule_examples.json": examples,
}
"""What is written, by its path from docs/."""


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page().rstrip() + "\n", encoding="utf-8", newline="\n")
    architecture.PICTURE.write_text(architecture.picture(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
