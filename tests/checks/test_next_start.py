from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.checks.services.next_start import check_next_start
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.start import Network, Refusal, StartFacts, StartLogGroup, StoredImage, StoredRole, StoredValue
from tests.live.fleet import NOW, SECRET, Cluster, fleet

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
ROLE = "arn:aws:iam::111122223333:role/execution"
ONE, TWO = "sha256:1", "sha256:2"
READERS = ('container "app", secret "URL"',)


def trust(service: str) -> dict[str, object]:
    """Return a trust policy."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def image(named: str, *running: str, kept: tuple[str, ...] = (ONE, TWO), has_repository: bool = True) -> StartFacts:
    """Return the facts of one image."""
    digests = frozenset(running)
    return StartFacts(
        (
            StoredImage(
                "app",
                "web:1",
                has_repository=has_repository,
                named=named,
                running=digests,
                kept=digests & frozenset(kept),
            ),
        )
    )


def unpinned(named: str, *running: str) -> StartFacts:
    """Return the facts of an image whose digest ECS does not keep, and the repository does not have."""
    (one,) = image(named, *running, kept=()).images
    return StartFacts((replace(one, is_pinned=False),))


def value(**changes: object) -> StartFacts:
    """Return the facts of one secret."""
    return StartFacts(values=(StoredValue("secret", SECRET, READERS, **changes),))  # type: ignore[arg-type]  # a table


CASES: dict[str, tuple[StartFacts, Verdict, bool, str]] = {
    "image": (image(ONE, ONE), PROVEN, False, ""),
    "image of a service without tasks": (image(ONE), PROVEN, False, ""),
    "image is gone": (image("", ONE, kept=()), VIOLATED, False, "sha256:1, which is running, no longer exists"),
    "digest is gone, tag was moved": (image(TWO, ONE, kept=(TWO,)), VIOLATED, False, "sha256:1, which is running"),
    "digest is gone and was not kept": (unpinned(TWO, ONE), VIOLATED, False, "it is sha256:2"),
    "tag is gone and the digest was not kept": (unpinned("", ONE), VIOLATED, False, "no such image"),
    "tag is gone": (image("", ONE), VIOLATED, False, "no such image"),
    "tag was moved": (image(TWO, ONE), VIOLATED, False, "it is sha256:2"),
    "image of several platforms": (
        StartFacts(
            (StoredImage("app", "web:1", named=TWO, running=frozenset({ONE}), kept=frozenset({ONE}), is_index=True),)
        ),
        UNDETERMINED,
        False,
        "a multi-platform image",
    ),
    "repository of another account": (
        StartFacts((StoredImage("app", "web:1", is_seen=False),)),
        UNDETERMINED,
        False,
        "another account",
    ),
    "repository whose policy keeps the runner out": (
        StartFacts((StoredImage("app", "web:1", is_seen=False, refused=Refusal("AccessDenied: its Deny", "let it")),)),
        UNDETERMINED,
        False,
        "AccessDenied: its Deny",
    ),
    "no repository": (image("", has_repository=False), VIOLATED, False, "no such repository"),
    "another registry": (StartFacts((StoredImage("app", "nginx:1", in_ecr=False),)), PROVEN, True, "nginx:1"),
    "secret": (value(), PROVEN, False, ""),
    "secret is gone": (value(exists=False), VIOLATED, False, "no such secret"),
    "secret is being deleted": (value(deleted=NOW), VIOLATED, False, "DeletedDate 2026-11-25"),
    "secret was changed before the start": (value(changed=NOW - timedelta(hours=9)), PROVEN, False, ""),
    "secret was changed since": (value(changed=NOW - timedelta(hours=1)), PROVEN, True, "2 of 2 tasks are older"),
    "parameter elsewhere": (value(exists=None), UNDETERMINED, False, "another account"),
    "secret that keeps the runner out": (
        value(exists=None, refused=Refusal("AccessDenied: a resource-based policy", "allow it there")),
        UNDETERMINED,
        False,
        "AccessDenied: a resource-based policy",
    ),
    "role": (StartFacts(roles=(StoredRole("execution", ROLE, trust("ecs-tasks.amazonaws.com")),)), PROVEN, False, ""),
    "role is gone": (StartFacts(roles=(StoredRole("execution", ROLE, None),)), VIOLATED, False, "no such role"),
    "role for another service": (
        StartFacts(roles=(StoredRole("task", ROLE, trust("ec2.amazonaws.com")),)),
        VIOLATED,
        False,
        "allows only ec2.amazonaws.com",
    ),
    "log group": (StartFacts(log_groups=(StartLogGroup("app", "/ecs/web", exists=True),)), PROVEN, False, ""),
    "log group is gone": (
        StartFacts(log_groups=(StartLogGroup("app", "/ecs/web", exists=False),)),
        VIOLATED,
        False,
        "there is none",
    ),
    "log group is made": (
        StartFacts(log_groups=(StartLogGroup("app", "/ecs/web", exists=False, is_created=True),)),
        PROVEN,
        False,
        "",
    ),
    "subnets": (StartFacts(network=Network({"subnet-1": 0, "subnet-2": 3})), PROVEN, False, ""),
    "a subnet is gone": (
        StartFacts(network=Network({"subnet-1": None, "subnet-2": 3})),
        VIOLATED,
        False,
        "no subnet-1",
    ),
    "no free address": (StartFacts(network=Network({"subnet-1": 0})), VIOLATED, False, "no free IP address"),
    "security groups": (StartFacts(network=Network({}, {"sg-1": True})), PROVEN, False, ""),
    "a security group is gone": (StartFacts(network=Network({}, {"sg-1": False})), VIOLATED, False, "no sg-1"),
}


def judged(directory: Path, facts: StartFacts) -> list[Finding]:
    """Judge a service that runs since three hours."""
    (one,) = fleet(directory, Cluster()).services
    return check_next_start([(one, facts)])


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str, tmp_path: Path) -> None:
    """Each thing that a start needs has its verdict, and says what was found."""
    facts, verdict, advice, found = CASES[case]

    (finding,) = judged(tmp_path, facts)

    assert (finding.verdict, finding.advice) == (verdict, advice)
    assert found in finding.found
    assert (finding.rule, finding.address) == ("next-start", "aws_ecs_service.web")
    if verdict is not PROVEN or advice:
        assert finding.expected
        assert finding.reason
        assert finding.remedy


def test_a_secret_is_restored_by_a_command(tmp_path: Path) -> None:
    """The remedy can be pasted."""
    (finding,) = judged(tmp_path, value(deleted=NOW))

    assert finding.remedy == f"aws secretsmanager restore-secret --secret-id {SECRET}"
    assert finding.subject == "secret db-AbCdEf"


def test_a_service_that_does_not_exist(tmp_path: Path) -> None:
    """It has no next start; that it is missing is said by the rule rollout."""
    (one,) = fleet(tmp_path, Cluster(answers={("ecs", "list_clusters"): {"clusterArns": []}})).services

    assert check_next_start([(one, StartFacts())]) == []
