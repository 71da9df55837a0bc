"""Databases as RDS tells of them beside the reference infrastructure, each with one thing changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.database_readings import (
    Database,
    Group,
    Maintenance,
    Observed,
    Readings,
    SecurityGroupRule,
    Side,
)
from infraspec.checks.deployed.databases import check_databases, database_identifiers
from infraspec.contract.live import Databases
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown
from tests.live.deployed import deployed, moved, reference

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
MAIN, REPLICA = "daily-report-tool-prod-postgres", "daily-report-tool-prod-postgres-replica-1"
ADDRESS, SERVICE = "module.rds.aws_db_instance.this", "module.ecs.aws_ecs_service.this"
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
RETENTION = reference().by_address[ADDRESS].get("backup_retention_period")
READINGS = Readings(connections=None, lag_seconds=0, free_bytes=80 * 2**30)
SIDE = Side(
    "vpc-1", (Group("sg-db", (SecurityGroupRule("tcp", 5432, 5432, frozenset({"sg-tasks"})),)),), ("10.0.9.0/24",)
)
CLOSED = replace(SIDE, groups=(Group("sg-db"),))
TASKS = Side(
    "vpc-1", (Group("sg-tasks", egress=(SecurityGroupRule("-1", 0, 65535, cidrs=("0.0.0.0/0",)),)),), ("10.0.1.0/24",)
)
NO_WAY = f"{SERVICE}: no ingress rule of sg-db certainly allows port 5432"
SOON = Maintenance("system-update", "New OS", NOW + timedelta(days=6))


def database(name: str, **changes: Any) -> Database:
    """Return a healthy instance."""
    healthy = Database(
        name,
        f"arn:aws:rds:ap-northeast-1:123456789012:db:{name}",
        "available",
        NOW - timedelta(days=100),
        5432,
        RETENTION,
        NOW - timedelta(minutes=5),
        100,
        MAIN if name == REPLICA else "",
        readings=READINGS,
        side=SIDE,
    )
    return replace(healthy, **changes)


def findings(name: str = MAIN, settings: Databases | None = None, **changes: Any) -> list[Finding]:
    """Return what is found with something changed of one instance."""
    found = {one: database(one, **(changes if one == name else {})) for one in (MAIN, REPLICA)}
    observed = Observed(NOW, found, {SERVICE: TASKS})
    return check_databases(reference(), deployed(), observed, settings or Databases())


def bad(name: str = MAIN, settings: Databases | None = None, **changes: Any) -> list[Finding]:
    """Return the findings that are not proven."""
    return [one for one in findings(name, settings, **changes) if one.verdict is not PROVEN]


def test_healthy_databases_are_proven() -> None:
    """Of an instance in eight respects, and of a replica in one more; an open path is called no more than that."""
    found = findings()
    assert [MAIN, REPLICA] == database_identifiers(reference())
    assert {PROVEN} == {one.verdict for one in found}
    assert 7 + 8 == len(found)
    (reach, _) = [one for one in found if one.subject == "reachability"]
    assert f"path open from {SERVICE}; that somebody connects was not seen" == reach.reason
    assert not [one for one in found if "reachable" in str(one)]


def test_an_instance_that_is_not_there_is_one_finding() -> None:
    """It says what to apply."""
    observed = Observed(NOW, {REPLICA: database(REPLICA)}, {SERVICE: TASKS})
    (finding,) = [
        one for one in check_databases(reference(), deployed(), observed, Databases()) if one.verdict is VIOLATED
    ]
    assert (ADDRESS, f"terraform apply -target='{ADDRESS}'") == (finding.address, finding.remedy)


@pytest.mark.parametrize(
    ("changes", "verdict", "subject", "found"),
    [
        ({"status": "stopped"}, VIOLATED, "status", "stopped"),
        ({"status": "storage-full"}, VIOLATED, "status", "storage-full"),
        ({"status": "incompatible-network"}, VIOLATED, "status", "incompatible-network"),
        ({"status": "modifying"}, UNDETERMINED, "status", "modifying"),
        ({"status": "configuring-log-exports"}, UNDETERMINED, "status", "configuring-log-exports"),
        ({"retention_days": 1}, VIOLATED, "backup retention", "1 days"),
        ({"retention_days": 0}, VIOLATED, "backup retention", "0 days"),
        ({"latest_restorable": NOW - timedelta(minutes=61)}, VIOLATED, "restorable", "2026-11-25 07:59 UTC"),
        ({"latest_restorable": None}, VIOLATED, "restorable", "none"),
        ({"latest_restorable": None, "created": NOW - timedelta(hours=1)}, UNDETERMINED, "restorable", "none"),
        ({"readings": replace(READINGS, free_bytes=9.5 * 2**30)}, VIOLATED, "storage", "9.5 % free"),
        ({"readings": replace(READINGS, free_bytes=None)}, UNDETERMINED, "storage", "unknown"),
        ({"pending": ("DBInstanceClass",)}, VIOLATED, "pending changes", "DBInstanceClass"),
        ({"maintenance": (SOON,)}, VIOLATED, "maintenance", "system-update, by itself on 2026-12-01: New OS"),
        ({"side": CLOSED}, VIOLATED, "reachability", NO_WAY),
        ({"side": None}, UNDETERMINED, "reachability", "no service whose way to it is known"),
        ({"connects": False}, VIOLATED, "reachability", "no connection"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_finding(changes: dict[str, Any], verdict: Verdict, subject: str, found: str) -> None:
    """With the instance's ARN, and a remedy."""
    (finding,) = bad(**changes)
    assert (verdict, ADDRESS, subject, found) == (finding.verdict, finding.address, finding.subject, finding.found)
    assert all((finding.expected, finding.reason, finding.remedy, finding.location))
    assert finding.related[0].address.endswith(MAIN)


@pytest.mark.parametrize(
    ("changes", "verdict", "found"),
    [
        ({"readings": replace(READINGS, lag_seconds=301)}, VIOLATED, "301 seconds"),
        ({"readings": replace(READINGS, lag_seconds=-1)}, VIOLATED, "-1 seconds"),
        ({"readings": replace(READINGS, lag_seconds=None)}, UNDETERMINED, "unknown"),
        ({"replication": ("read replication: error",)}, VIOLATED, "read replication: error"),
    ],
)
def test_a_replica_that_is_behind_is_one_finding(changes: dict[str, Any], verdict: Verdict, found: str) -> None:
    """Minus one says that nothing is replicated; no data says nothing."""
    (finding,) = bad(REPLICA, **changes)
    assert (verdict, "replica lag", found) == (finding.verdict, finding.subject, finding.found)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, PROVEN) for status in ("available", "storage-optimization", "backing-up")),
        ("configuring-enhanced-monitoring", PROVEN),
        *((status, VIOLATED) for status in ("creating", "deleting", "failed", "inaccessible-encryption-credentials")),
        *((status, VIOLATED) for status in ("incompatible-parameters", "insufficient-capacity", "rebooting")),
        *((status, VIOLATED) for status in ("restore-error", "starting", "stopping", "stopped", "storage-full")),
        *((status, UNDETERMINED) for status in ("modifying", "upgrading", "maintenance", "moving-to-vpc")),
    ],
)
def test_a_status_says_whether_it_answers(status: str, verdict: Verdict) -> None:
    """Of those that it says nothing by it is not known. Source: Amazon RDS User Guide, "Viewing DB instance status"."""
    (finding,) = [one for one in findings(status=status) if (one.address, one.subject) == (ADDRESS, "status")]
    assert verdict is finding.verdict


def test_a_database_whose_name_is_not_known_is_not_looked_for() -> None:
    """It is left open."""
    own = reference().by_address[ADDRESS]
    other = replace(own, values={**own.values, "identifier": Unknown("var.name")})
    plan = reference().replaced(resources=tuple(other if one is own else one for one in reference().resources))
    observed = Observed(NOW, {REPLICA: database(REPLICA)}, {SERVICE: TASKS})
    found = check_databases(plan, deployed(), observed, Databases())
    assert [UNDETERMINED] == [one.verdict for one in found if one.address == ADDRESS]


def test_maintenance_that_waits_to_be_asked_is_advice() -> None:
    """It is proven, and says what could be done."""
    (finding,) = [one for one in findings(maintenance=(Maintenance("system-update"),)) if one.advice]
    assert (PROVEN, "maintenance", "system-update") == (finding.verdict, finding.subject, finding.found)
    assert [] == bad(maintenance=(Maintenance("system-update", "", NOW + timedelta(days=8)),))


def test_just_enough_room_is_enough() -> None:
    """The limit belongs to what is allowed."""
    assert [] == bad(readings=replace(READINGS, free_bytes=10 * 2**30))


USED = replace(READINGS, connections=12.0)


@pytest.mark.parametrize(
    ("changes", "reach", "proven"),
    [
        ({}, "path", "path open from"),
        ({}, "use", None),
        ({}, "connect", None),
        ({"readings": USED}, "path", "in use: 12 connections"),
        ({"readings": USED}, "use", "in use: 12 connections"),
        ({"readings": USED, "side": None}, "use", "in use: 12 connections"),
        ({"readings": USED}, "connect", None),
        ({"readings": replace(READINGS, connections=0.0)}, "use", None),
        ({"connects": True}, "connect", "connected:"),
        ({"connects": True, "side": None}, "path", "connected:"),
    ],
)
def test_the_rung_that_was_reached_is_said(changes: dict[str, Any], reach: Any, proven: str | None) -> None:
    """Less than the contract asks for is not known to be enough."""
    found = findings(settings=Databases(reach=reach), **changes)
    (finding,) = [one for one in found if (one.address, one.subject) == (ADDRESS, "reachability")]
    assert (PROVEN if proven else UNDETERMINED) is finding.verdict
    assert (proven or "") in finding.reason


@pytest.mark.parametrize("names", [(), (MAIN, REPLICA)])
def test_a_replica_of_another_region_is_left_out(names: tuple[str, ...]) -> None:
    """It is neither missing nor the one that has its name here; that it was left out is said."""
    observed = Observed(NOW, {name: database(name) for name in names}, {SERVICE: TASKS})
    source = moved("module.rds.aws_db_instance.replica[0]", region="us-east-1")
    found = check_databases(source, deployed(), observed, Databases())
    assert {ADDRESS} == {one.address for one in found if not one.advice}
    assert "aws_db_instance in us-east-1 (1)" in {one.found for one in found}


@pytest.mark.parametrize("names", [(), (MAIN, REPLICA)])
def test_a_database_that_may_be_elsewhere_is_undetermined(names: tuple[str, ...]) -> None:
    """Nothing else is said of it."""
    observed = Observed(NOW, {name: database(name) for name in names}, {SERVICE: TASKS})
    found = check_databases(moved(ADDRESS, region=Unknown("var.dr")), deployed(), observed, Databases())
    assert [(UNDETERMINED, "")] == [(one.verdict, one.subject) for one in found if one.address == ADDRESS]
