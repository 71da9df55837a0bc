"""What belongs to an environment and is in no source."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.checks.deployed.inventory import Owned, Stray, check_inventory
from infraspec.contract.live import Inventory
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown
from infraspec.terraform.plan import Resource
from tests.live.deployed import moved, reference

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
HERE = "ap-northeast-1:123456789012"
ALARM = f"arn:aws:cloudwatch:{HERE}:alarm:daily-report-tool-prod-by-hand"
LISTED = Stray(ALARM, "aws_cloudwatch_metric_alarm", "its name", certain=True)
TAGGED = Stray(f"arn:aws:lambda:{HERE}:function:by-hand", "", "its tags", certain=False)


def bad(*strays: Stray, allow: tuple[str, ...] = (), has_state: bool = False) -> list[Finding]:
    """Return the findings that are not proven."""
    found = check_inventory(reference(), strays, Inventory(allow=list(allow)), has_state=has_state)
    return [one for one in found if one.verdict is not PROVEN]


def test_an_environment_without_strays_is_one_proven_finding() -> None:
    """It says how many resources the source makes, and how many more are allowed."""
    (finding,) = check_inventory(reference(), [LISTED], Inventory(allow=["arn:*:alarm:*-by-hand"]), has_state=False)
    assert (PROVEN, f"{len(reference().managed())} resources of the source, 1 more that the contract allows") == (
        finding.verdict, finding.reason,
    )  # fmt: skip


def test_what_a_service_lists_is_certain() -> None:
    """It says what to delete, take over or allow."""
    (finding,) = bad(LISTED)
    assert (VIOLATED, ALARM) == (finding.verdict, finding.address)
    assert "to = aws_cloudwatch_metric_alarm.NAME" in finding.remedy
    assert f'allow = ["{ALARM}"]' in finding.remedy


def test_what_is_no_arn_is_no_resource_of_the_source() -> None:
    """It is told as it is."""
    (finding,) = bad(Stray("sg-0a1b", "aws_security_group", "its tags", certain=True))
    assert (VIOLATED, "sg-0a1b") == (finding.verdict, finding.address)


@pytest.mark.parametrize(("has_state", "verdict"), [(False, UNDETERMINED), (True, VIOLATED)])
def test_what_only_tags_tell_of_is_certain_with_a_state(*, has_state: bool, verdict: Verdict) -> None:
    """Without one the source may have it under an id that AWS assigned."""
    (finding,) = bad(TAGGED, has_state=has_state)
    assert verdict is finding.verdict


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:ecs:{HERE}:task/cluster/1",
        f"arn:aws:ecs:{HERE}:task-definition/of-another-family:3",
        f"arn:aws:ecs:{HERE}:container-instance/cluster/1",
        f"arn:aws:ecs:{HERE}:service-deployment/cluster/service/1",
        f"arn:aws:ecs:{HERE}:service-revision/cluster/service/1",
        f"arn:aws:ec2:{HERE}:network-interface/eni-1",
        f"arn:aws:rds:{HERE}:snapshot:rds:daily-report-tool-prod-postgres-2026",
        f"arn:aws:rds:{HERE}:cluster-snapshot:rds:daily-report-tool-prod-2026",
        f"arn:aws:rds:{HERE}:auto-backup:ab-1",
    ],
)
def test_what_aws_makes_by_itself_is_left_out(arn: str) -> None:
    """It has the tags of what it was made for."""
    assert [] == bad(Stray(arn, "", "its tags", certain=False), has_state=True)


@pytest.mark.parametrize(
    ("arn", "owned"),
    [
        (f"arn:aws:sns:{HERE}:daily-report-tool-prod-critical", True),
        (f"arn:aws:logs:{HERE}:log-group:/ecs/daily-report-tool-prod-backend:*", True),
        (f"arn:aws:secretsmanager:{HERE}:secret:daily-report-tool-prod-database-v1-a1B2c3", True),
        (f"arn:aws:secretsmanager:{HERE}:secret:daily-report-tool-prod-database-v9-a1B2c3", False),
        (f"arn:aws:kms:{HERE}:key/00000000-0000-0000-0000-000000000000", False),
        (ALARM, False),
    ],
)
def test_arns_of_the_source_are_known(arn: str, *, owned: bool) -> None:
    """Whole, or but for what AWS appends; a key has nothing but what AWS makes up."""
    assert owned is Owned(reference()).has(arn)


@pytest.mark.parametrize(("region", "owned"), [(None, True), (Unknown("var.dr"), True), ("us-east-1", False)])
def test_an_id_is_of_what_is_where_the_arn_says(region: Any, *, owned: bool) -> None:
    """The id of an alarm is its name, which each region may have."""
    values = {"id": "daily-report-tool-prod-by-hand"}
    alarm = Resource("a.b", "managed", "aws_cloudwatch_metric_alarm", "b", None, "", values, "aws.other")
    plan = moved(region=region)
    assert owned is Owned(plan.replaced(resources=(*plan.resources, alarm))).has(ALARM)
