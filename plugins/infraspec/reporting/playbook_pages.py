"""The playbooks for what goes wrong when a finding is deployed all the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.rules import SECRET_ACCESS, TASK_DEFINITIONS
from infraspec.ecs.stop_reason import FailureClass
from infraspec.errors import InfraspecError
from infraspec.finding import Finding
from infraspec.process.playbooks import read_playbooks

_BY_ACTION = (
    ("secretsmanager:", FailureClass.SECRET_ACCESS_DENIED),
    ("ssm:GetParameters", FailureClass.PARAMETER_UNREADABLE),
    ("kms:", FailureClass.KMS_ACCESS_DENIED),
    ("ecr:", FailureClass.IMAGE_PULL_FAILED),
    ("logs:", FailureClass.LOGGING_FAILED),
)
_BY_RULE = {TASK_DEFINITIONS.id: FailureClass.SECRET_REFERENCE_INVALID}


class PlaybookPage(NamedTuple):
    """A playbook: its id, its language, and its file as people see it."""

    id: str
    language: str
    file: str


def failure_classes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return what a task would stop with because of the findings, by the action that a role may not do."""
    found: dict[str, None] = {}
    for finding in findings:
        action = finding.subject.rpartition(": ")[2]
        by_action = [kind.value for start, kind in _BY_ACTION if action.startswith(start)]
        if finding.rule == SECRET_ACCESS.id:
            found |= dict.fromkeys(by_action)
        elif finding.rule in _BY_RULE:
            found[_BY_RULE[finding.rule].value] = None
    return tuple(found)


def playbook_pages(contract: Contract, findings: Iterable[Finding]) -> tuple[PlaybookPage, ...]:
    """Return the playbooks of the contract for findings, in order of their paths.

    Playbooks that are malformed are left to the rule about them.
    """
    wanted = failure_classes(findings)
    if not wanted or contract.playbooks is None:
        return ()
    directory = contract.playbooks.directory
    try:
        playbooks = read_playbooks(resolve(contract, directory), display(contract, directory))
    except InfraspecError:
        return ()
    return tuple(
        PlaybookPage(playbook.id, playbook.language, playbook.page.file)
        for playbook in playbooks
        if any(kind in playbook.covers for kind in wanted)
    )
