"""Small trees with what public repositories have get their verdicts: none of them ends a run, or hides another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infraspec.adoption.contract_inference import adopt
from infraspec.core.finding import Verdict
from infraspec.terraform.environments import Environments
from tests.faults.test_unreadable import RULES

LOGS = 'task-definitions: aws_ecs_task_definition.{} container "a", log configuration'
IMAGE = 'UNDETERMINED secret-access: aws_ecs_task_definition.t container "a", '
EXPECTED: dict[str, list[str]] = {
    # a text with a hole is read around it
    "a": [
        'UNDETERMINED task-definitions: aws_ecs_task_definition.t container "app", log configuration',
        f"VIOLATED {LOGS.format('good')}",
        'UNDETERMINED secret-access: aws_ecs_task_definition.t container "app", all of it',
    ],
    "b": [
        'VIOLATED task-definitions: aws_ecs_task_definition.t container "app", log configuration',
        f"VIOLATED {LOGS.format('other')}",
    ],
    # a statement that there may be
    "c": [
        f"VIOLATED {LOGS.format('t')}",
        *(
            f"{IMAGE}image: ecr:{action}"
            for action in ("GetAuthorizationToken", "GetDownloadUrlForLayer", "BatchGetImage")
        ),
        f'{IMAGE}secret "A": ssm:GetParameters',
        f'{IMAGE}KMS key of secret "A": kms:Decrypt',
        "UNDETERMINED policies: aws_iam_role_policy.p policy",
    ],
    # the region is unknown, and then it is: log streams come after a colon
    "e": [f"{IMAGE}log group: logs:{action}" for action in ("CreateLogStream", "PutLogEvents")],
    "f": [f"{IMAGE.replace('UNDETERMINED', 'VIOLATED')}log group: logs:CreateLogStream, logs:PutLogEvents"],
    "g": [f"VIOLATED {LOGS.format('t')}", f'{IMAGE}secret "A": ssm:GetParameters'],
    # two data sources that ask the same have the same answer
    "h": [f"VIOLATED {LOGS.format('t')}", f'{IMAGE}KMS key of secret "A": kms:Decrypt'],
    "i": [
        f"VIOLATED {LOGS.format('t')}",
        "VIOLATED secret-access: aws_ecs_task_definition.t ECS Exec, service aws_ecs_service.s: "
        + ", ".join(f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")),
    ],
    # valid source
    **{letter: [] for letter in "jklmnoq"},
    # one environment that Terraform refuses
    "p": ["VIOLATED source: source prod Cannot use null here (in aws_s3_bucket.c.bucket)"],
    # the ARN of a repository is no image
    "r": [f"{IMAGE.replace('UNDETERMINED', 'VIOLATED')}image: it is there", f"{IMAGE}log group: it is there"],
}
"""What is not proven in each tree."""

DATA = Path(__file__).parent / "data" / "repositories"


def told(tree: Path) -> list[str]:
    """Return what the rules say of a tree with the contract that is proposed for it, but for what is proven."""
    contract = adopt(tree).contract()
    environments = Environments(contract, environ={}, lenient=True)
    return [
        f"{finding.verdict.name} {finding.rule}: {finding.key}"
        for name in contract.environments
        for rule, check in RULES.items()
        if rule != "consistency"
        for finding in check(environments.plan(name), environments, name)
        if finding.verdict is not Verdict.PROVEN
    ]


@pytest.mark.parametrize("letter", EXPECTED)
def test_a_small_tree(tmp_path: Path, letter: str) -> None:
    """A tree is judged whole: what is wrong or not known of it is a finding, and all else is proven."""
    tree = tmp_path / letter
    shutil.copytree(DATA / letter, tree)

    assert EXPECTED[letter] == told(tree)
