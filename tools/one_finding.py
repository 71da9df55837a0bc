"""One finding on its way from HCL text to the terminal, by really going it: a part of docs/architecture.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from infraspec import contract as contracts
from infraspec.core.finding import Finding
from infraspec.core.rules import SECRET_ACCESS
from infraspec.core.unknown import Unknown, render
from infraspec.ecs.required_access import required_access
from infraspec.ecs.requirement import AccessContext, Requirement
from infraspec.ecs.task_definition import task_definitions
from infraspec.hcl import parser
from infraspec.hcl.ast import GetAttr, Literal, Name, Node, Object
from infraspec.hcl.files import parse_file
from infraspec.iam.evaluation.decision import Decision
from infraspec.pytest_plugin import run, session
from infraspec.pytest_plugin.rule_tests import RuleCheck, call
from infraspec.terraform import environments
from infraspec.terraform.aws_attributes import AwsAttributes

ROOT = Path(__file__).parents[1]
_INCIDENT = "fixtures/incident-v16"
_SECRET, _ENVIRONMENT = "REFRESH_TOKEN_KEY", "prod"
_BLOCK = 'resource "aws_secretsmanager_secret" "refresh_token" {'


class Step(Struct, frozen=True):
    """One thing that is made on the way: what it is, the modules that make it, and what it is this time."""

    title: str
    modules: tuple[str, ...]
    sentence: str
    text: str


def lines() -> Iterator[str]:
    """Yield the way as Markdown."""
    for number, step in enumerate(steps(), 1):
        *others, last = [f"`{name}`" for name in dict.fromkeys(step.modules)] or [""]
        made = f"{', '.join(others)} and {last}" if others else last
        yield f"### {number}. {step.title}\n"
        yield f"{step.sentence}{f' Made by {made}.' if made else ''}\n"
        yield f"```text\n{step.text}\n```\n"


class Way(Struct, frozen=True):
    """What is made on the way."""

    file: Path
    entry: Node
    requirement: Requirement
    decision: Decision
    check: str
    finding: Finding


def _way() -> Way:
    """Go the way of the finding about the secret of the incident."""
    with chdir(ROOT):  # places are told from there
        contract = contracts.load(ROOT / _INCIDENT)
        plan = environments.Environments(contract, environ={}).plan(_ENVIRONMENT)
    definitions, decisions, check = (
        task_definitions(plan),
        dict[str, Decision](),
        RuleCheck.of(SECRET_ACCESS, "static").run,
    )
    given = {
        "plan": plan,
        "task_definitions": definitions,
        "contract": contract,
        "environment": _ENVIRONMENT,
        "decisions": decisions,
    }
    finding: Finding = next(each for each in call(check, given.__getitem__) if _SECRET in each.subject)
    file = ROOT / str(finding.location).rpartition(":")[0]
    entry = next(node for node in _below(parse_file(file).body) if _is_entry(node))
    context = AccessContext(AwsAttributes(plan), plan.account, plan.region)
    needs = (need for definition in definitions for need in required_access(definition, context))
    requirement = next(each for each in needs if _SECRET in str(each.need))
    return Way(file, entry, requirement, decisions[finding.key], check.__module__, finding)


@cache
def steps() -> tuple[Step, ...]:
    """Return the steps, from the text to the terminal."""
    way = _way()
    terminal = tuple(vars(session)[name].__module__ for name in ("judge", "UnprovenError"))
    return (
        Step(
            "The text",
            (),
            f"A line of a task definition, and the secret that it names: {way.finding.location}.",
            _text(way),
        ),
        Step(
            "The syntax tree",
            (parser.__name__, type(way.entry).__module__),
            "The line as a node; `at` is its offset in the text, from which places are told. It knows no Terraform.",
            _tree(way.entry),
        ),
        _value(way.requirement),
        _required(way.requirement),
        _decided(way.decision),
        _found(way),
        Step(
            "The terminal",
            (*terminal, vars(run)["arrange"].__module__),
            "Waivers and the baseline have their say, the test fails, and what several findings share is told once.",
            _printed(),
        ),
    )


def _value(requirement: Requirement) -> Step:
    return Step(
        "The value",
        (vars(environments)["evaluate"].__module__, Unknown.__module__, AwsAttributes.__module__),
        "The evaluator keeps the reference as an unknown that has a name, inside of the JSON text of the definition. "
        "What AWS promises of such an ARN narrows it: six characters are open, each of which may be any.",
        f"{render(requirement.need.named)}\n{render(requirement.resource)}",
    )


def _required(requirement: Requirement) -> Step:
    return Step(
        "The requirement",
        (required_access.__module__, type(requirement.access).__module__),
        "What has to be allowed to which role, for what, and the document of AWS that says so.",
        _table(
            action=requirement.action,
            resource=render(requirement.resource),
            role=f"{requirement.access.role} role",
            needed_by=str(requirement.need),
            source=str(requirement.access.source),
        ),
    )


def _decided(decision: Decision) -> Step:
    nearest = decision.nearest
    assert nearest is not None  # noqa: S101 - no statement allows it
    return Step(
        "The decision",
        (type(decision).__module__, type(nearest).__module__),
        "What IAM answers, and the statement that came closest.",
        _table(
            outcome=decision.outcome.value, closest=str(nearest.hit), misses_by=nearest.part, because=nearest.reason
        ),
    )


def _found(way: Way) -> Step:
    finding = way.finding
    return Step(
        "The finding",
        (way.check, type(finding).__module__),
        "The verdict with its evidence and the change that fixes it. Reports read this and nothing before it.",
        _table(
            rule=finding.rule,
            verdict=finding.verdict.name,
            location=str(finding.location),
            address=finding.address,
            subject=finding.subject,
            found=finding.found,
        ),
    )


def _text(way: Way) -> str:
    """Return the line with the secret, and the block that it refers to, with their numbers."""
    text = way.file.read_text(encoding="utf-8").splitlines()
    start = text.index(_BLOCK)
    chosen = [number for number, line in enumerate(text) if _SECRET in line]
    chosen += range(start, text.index("}", start) + 1)
    return "\n".join(f"{number + 1:4}  {text[number]}" for number in chosen)


def _below(node: Any) -> Iterator[Node]:
    """Yield a node of the tree and all that is in it."""
    match node:
        case Node():
            yield node
            for name in node.__struct_fields__:
                yield from _below(getattr(node, name))
        case dict():
            yield from _below(tuple(node.values()))
        case tuple() | list():
            for each in node:
                yield from _below(each)
        case msgspec.Struct():
            for name in node.__struct_fields__:
                yield from _below(getattr(node, name))


def _is_entry(node: Node) -> bool:
    return isinstance(node, Object) and any(
        isinstance(value, Literal) and value.value == _SECRET for _, value in node.items
    )


def _tree(entry: Node) -> str:
    """Write a node as a tree of a line each."""
    match entry:
        case Object():
            items = [f"  {_tree(key)} = {_tree(value)}" for key, value in entry.items]
            return "\n".join([f"Object at {entry.at}", *items])
        case GetAttr():
            return f"GetAttr({_tree(entry.target)}, {entry.name!r})"
        case Name():
            return f"Name({entry.name!r})"
        case Literal():
            return f"Literal({entry.value!r})"
    return repr(entry)


def _table(**rows: str) -> str:
    width = max(map(len, rows)) + 2
    return "\n".join(f"{name.replace('_', ' ') + ':':{width}}{value}" for name, value in rows.items())


def _printed() -> str:
    """Return what pytest prints of the failure."""
    command = [
        *(sys.executable, "-m", "pytest", "tests_static", "-p", "no:cacheprovider", "-k", SECRET_ACCESS.id),
        *("--infraspec-dir", _INCIDENT, "--infraspec-env", _ENVIRONMENT),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "INFRASPEC_"))}
    shown = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True).stdout
    found = re.search(r"^\d+ violated of \d+\n.*?(?=\n-{3,} infraspec -)", shown, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f"pytest prints no violation:\n{shown}")
    return "\n".join(line.rstrip() for line in found[0].splitlines()).rstrip()


if __name__ == "__main__":
    print("\n".join(lines()))
