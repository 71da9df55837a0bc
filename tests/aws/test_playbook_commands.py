"""The commands of AWS in the playbooks of the reference infrastructure exist, with their options."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from infraspec.process.playbooks import read_playbooks

DIRECTORY = Path(__file__).parents[2] / "fixtures/daily-report-tool/docs/playbooks"
_COMMAND = re.compile(r"""(?:^|\$\(|\|\s*)(aws (?:'[^']*'|"[^"]*"|[^|)'"])*)""")
COMMANDS = sorted(
    {
        found
        for playbook in read_playbooks(DIRECTORY, "playbooks")
        for command in playbook.page.commands
        for found in _COMMAND.findall(command.text)
    }
)
GLOBAL = {"--query", "--output", "--region", "--profile", "--no-cli-pager", "--max-items", "--cli-input-json"}
OF_THE_CLI = {("logs", "tail"), ("s3", "cp"), ("s3", "ls"), ("ecs", "execute-command")}
"""Commands that are the CLI's own, not those of an operation."""


@cache
def model(service: str) -> Any:
    """Return the model of a service."""
    return botocore.session.get_session().get_service_model(service)


@cache
def operations(service: str) -> dict[str, str]:
    """Return the operations of a service by the names that the CLI gives them."""
    return {xform_name(name, "-"): name for name in model(service).operation_names}


def problem(text: str) -> str:
    """Return what is wrong with a command of the CLI; empty if nothing is."""
    words = shlex.split(text)
    service, operation, *rest = words[1:]
    if (service, operation) in OF_THE_CLI:
        return ""
    if operation == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service).waiter_names
        return "" if rest[0] in {xform_name(name, "-") for name in waiters} else f"no waiter {rest[0]}"
    if operation not in operations(service):
        return f"{service} has no {operation}"
    shape = model(service).operation_model(operations(service)[operation]).input_shape
    members = shape.members if shape else {}
    options = {f"--{xform_name(name, '-')}" for name in members} | GLOBAL
    options |= {f"--no-{option[2:]}" for option in options}
    required = {f"--{xform_name(name, '-')}" for name in (shape.required_members if shape else ())}
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    wrong = sorted(given - options) + [f"without {one}" for one in sorted(required - given)]
    return ", ".join(wrong)


def test_there_are_commands() -> None:
    """The playbooks ask AWS."""
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_exists(text: str) -> None:
    """Its service, its operation, its options, and all that it demands."""
    assert "" == problem(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aws ecs describe-task --cluster c", "ecs has no describe-task"),
        ("aws ecs describe-tasks --clusters c --tasks t", "--clusters"),
        ("aws ecs describe-tasks --cluster c", "without --tasks"),
        ("aws ecs wait services-steady --cluster c", "no waiter services-steady"),
    ],
)
def test_a_command_that_does_not_exist(text: str, expected: str) -> None:
    """An operation, an option or a waiter that AWS does not have is seen, and so is one that is missing."""
    assert expected == problem(text)
