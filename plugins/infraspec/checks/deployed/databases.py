"""Rule `databases`: the databases of the source run, are backed up, keep up, have room, and can be reached.

Sources: Amazon RDS User Guide, "Viewing DB instance status", "Introduction to backups" (logs are uploaded every five
minutes), "Monitoring read replication" (a lag of -1 is a broken replication) and "Maintaining a DB instance".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec import Struct

from infraspec.checks.common.live_comparison import ResolvedSource, looked_at, same
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.checks.deployed.database_readings import Database, Maintenance, Observed, PathStep, Side, path
from infraspec.contract.live import Databases
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import DATABASES as RULE
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.terraform.plan import Plan, Resource

_RUNGS = ("path", "use", "connect")
_EXPECTED = {
    "path": "a path from a service of the environment",
    "use": "connections in the last quarter of an hour",
    "connect": "a connection made from here",
}


class Speaker(Struct, frozen=True):
    """The findings about one instance of a source; `arn` is empty where AWS has none."""

    source: Resource
    arn: str = ""

    def proven(self, subject: str, reason: str) -> Finding:
        """Say that something holds."""
        return self.say(Verdict.PROVEN, subject, reason=reason)

    def say(
        self,
        verdict: Verdict,
        subject: str,
        *,
        expected: str = "",
        found: str = "",
        reason: str = "",
        remedy: str = "",
        path: str = "",
        advice: bool = False,
    ) -> Finding:
        """Make a finding; `path` is the attribute that mends it."""
        location = self.source.location_of(path) if path else self.source.location
        related = (Related("database", self.arn),) if self.arn else ()
        return Finding(
            RULE.id, verdict, self.source.address, subject, location, expected, found, reason, remedy, related, advice
        )


def reachability(speaker: Speaker, database: Database, services: Mapping[str, Side], settings: Databases) -> Finding:
    """Say which rung of the ladder was reached: an open path, connections, a connection made now.

    An open path is never called more than that: it is what is configured, and shows nobody at either end.
    """
    asked, expected = settings.reach, _EXPECTED[settings.reach]
    side, port = database.side, database.port
    ways = {address: path(client, side, port) for address, client in services.items()} if side and port else {}
    if database.connects is False:
        return speaker.say(
            Verdict.VIOLATED,
            "reachability",
            expected="a connection made from here",
            found="no connection",
            reason="a TCP connection from here could not be opened within five seconds",
            remedy=f"look at the security groups and subnets of {speaker.source.address}, and of the runner",
        )
    if ways and all(step.answer is Truth.NO for step in ways.values()):
        return speaker.say(
            Verdict.VIOLATED,
            "reachability",
            expected="a path from a service of the environment",
            found="\n".join(f"{address}: {step.reason}" for address, step in ways.items()),
            reason="no service of the environment can open a connection",
            remedy=_ingress(database),
            path="vpc_security_group_ids",
        )
    rung, told = _rung(database, ways)
    if rung >= _RUNGS.index(asked):
        return speaker.proven("reachability", told)
    doubts = "\n".join(f"{address}: {step.reason}" for address, step in ways.items() if step.reason)
    return speaker.say(
        Verdict.UNDETERMINED,
        "reachability",
        expected=expected,
        found=told,
        reason=doubts or "more than this was not seen",
        remedy="say in the contract from which environments' runner it may be tried:\n[databases]\nconnect_from = […]",
    )


def _rung(database: Database, ways: Mapping[str, PathStep]) -> tuple[int, str]:
    """Return the highest rung, -1 for none, and the words for it."""
    connections = database.readings.connections
    if database.connects:
        return 2, "connected: a TCP connection was made from here"
    if connections:
        return 1, f"in use: {connections:g} connections in the last quarter of an hour"
    able = [address for address, step in ways.items() if step.answer is Truth.YES]
    if able:
        return 0, f"path open from {', '.join(able)}; that somebody connects was not seen"
    return -1, "no service whose way to it is known"


def _ingress(database: Database) -> str:
    group = database.side.groups[0].id if database.side and database.side.groups else "SECURITY_GROUP_OF_THE_DATABASE"
    return (
        "let the service in:\n"
        'resource "aws_vpc_security_group_ingress_rule" "from_tasks" {\n'
        f'  security_group_id            = "{group}"\n'
        "  referenced_security_group_id = SECURITY_GROUP_OF_THE_SERVICE\n"
        '  ip_protocol                  = "tcp"\n'
        f"  from_port                    = {database.port}\n"
        f"  to_port                      = {database.port}\n"
        "}"
    )


_RUNNING = {"available", "storage-optimization", "backing-up", "configuring-enhanced-monitoring"}
"""The states in which an instance answers."""
_DOWN = re.compile(
    r"creating|deleting|failed|inaccessible-|incompatible-|insufficient-capacity|rebooting|restore-error|start|stop"
    r"|storage-full"
)
"""How the states begin in which it does not; of the others, such as modifying, AWS does not say."""
_GIB = 2**30
_NEW = timedelta(days=1)
_PROVEN, _VIOLATED, _UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED


def database_identifiers(plan: Plan) -> list[str]:
    """Return the identifiers of the database instances of a source, so far as they are known."""
    attributes = ResolvedSource(plan, plan).attributes
    names = (attributes.name(one, "identifier") for one in plan.managed("aws_db_instance"))
    return sorted({name for name in names if isinstance(name, str)})


def check_databases(plan: Plan, live_plan: Plan, observed_databases: Observed, settings: Databases) -> list[Finding]:
    """Judge each database instance of a source by what AWS says of it."""
    bound = ResolvedSource(plan, live_plan)
    here, others = looked_at(RULE.id, plan.managed("aws_db_instance"), bound.whereabouts)
    return [
        *(finding for source in here for finding in _of_source(source, bound, observed_databases, settings)),
        *others,
    ]


def _of_source(source: Resource, bound: ResolvedSource, observed: Observed, settings: Databases) -> Iterator[Finding]:
    name = bound.value(bound.attributes.name(source, "identifier"))
    if not isinstance(name, str):
        yield Speaker(source).say(
            _UNDETERMINED,
            "",
            expected="a name to look for",
            found=render(name),
            reason="its identifier is not known before apply",
            remedy="name the state of the environment in the contract: state = …",
        )
    elif name not in observed.databases:
        absent = Speaker(source).say(
            _VIOLATED,
            "",
            expected=f"a database instance {name}",
            found="AWS has none of this name",
            reason="there is no database",
            remedy=f"terraform apply -target='{source.address}'",
        )
        yield left_open(bound.plan, absent)
    else:
        yield from _Check(source, bound, observed, settings, observed.databases[name]).findings()


@dataclass
class _Check:
    source: Resource
    bound: ResolvedSource
    observed: Observed
    settings: Databases
    database: Database
    speaker: Speaker = field(init=False)

    def __post_init__(self) -> None:
        self.speaker = Speaker(self.source, self.database.arn)

    def findings(self) -> Iterator[Finding]:
        yield self._status()
        yield self._retention()
        if self.database.retention_days:
            yield self._restorable()
        if self.database.replica_of:
            yield self._replica()
        yield self._storage()
        yield self._pending()
        yield self._maintenance()
        yield reachability(self.speaker, self.database, self.observed.services, self.settings)

    def _status(self) -> Finding:
        status = self.database.status
        if status in _RUNNING:
            return self.speaker.proven("status", status)
        is_down = _DOWN.match(status) is not None
        return self.speaker.say(
            _VIOLATED if is_down else _UNDETERMINED,
            "status",
            expected="available",
            found=status,
            reason="in this state it does not answer, or not wholly" if is_down else "whether it answers is not known",
            remedy=f"aws rds describe-events --source-type db-instance --source-identifier {self.database.identifier}",
        )

    def _retention(self) -> Finding:
        wanted, found = self.bound.value(self.source.get("backup_retention_period")), self.database.retention_days
        answer = Truth.YES if wanted is None else same(wanted, found)
        if answer is Truth.YES:
            return self.speaker.proven("backup retention", f"{found} days" if found else "no backups, by the source")
        return self.speaker.say(
            _VIOLATED if answer is Truth.NO else _UNDETERMINED,
            "backup retention",
            expected=f"backup_retention_period {render(wanted)}",
            found=f"{found} days",
            reason="AWS has it otherwise than the source" if answer is Truth.NO else "the source does not know it",
            remedy=f"terraform apply -target='{self.source.address}'",
            path="backup_retention_period",
        )

    def _restorable(self) -> Finding:
        latest, created, taken = self.database.latest_restorable, self.database.created, self.observed.taken
        if latest is not None and taken - latest <= timedelta(minutes=self.settings.restorable_minutes):
            return self.speaker.proven("restorable", f"to {latest:%Y-%m-%d %H:%M} UTC")
        new = latest is None and created is not None and taken - created < _NEW
        return self.speaker.say(
            _UNDETERMINED if new else _VIOLATED,
            "restorable",
            expected=f"a point to restore no older than {self.settings.restorable_minutes} minutes",
            found=f"{latest:%Y-%m-%d %H:%M} UTC" if latest else "none",
            reason="the instance is less than a day old, and its first backup may not be finished"
            if new
            else "what was written since then is lost if the instance is",
            remedy=f"aws rds describe-db-snapshots --db-instance-identifier {self.database.identifier}",
        )

    def _replica(self) -> Finding:
        lag, most, broken = (
            self.database.readings.lag_seconds,
            self.settings.most_lag_seconds,
            self.database.replication,
        )
        if not broken and lag is not None and 0 <= lag <= most:
            return self.speaker.proven("replica lag", f"{lag:g} seconds")
        if broken or lag is None:
            found, reason = ", ".join(broken) or "not known", "the metric ReplicaLag has no data of the last 15 minutes"
        else:
            found, reason = f"{lag:g} seconds", "what it answers is old"
        return self.speaker.say(
            _UNDETERMINED if lag is None and not broken else _VIOLATED,
            "replica lag",
            expected=f"a replica of {self.database.replica_of} no more than {most} seconds behind",
            found=found,
            reason="the replication does not run" if broken or (lag is not None and lag < 0) else reason,
            remedy=f"aws rds describe-db-instances --db-instance-identifier {self.database.identifier}",
        )

    def _storage(self) -> Finding:
        free, size, least = (
            self.database.readings.free_bytes,
            self.database.allocated_gib,
            self.settings.least_free_percent,
        )
        percent = 100 * free / (size * _GIB) if free is not None and size else None
        if percent is not None and percent >= least:
            return self.speaker.proven("storage", f"{percent:.0f} % free")
        return self.speaker.say(
            _UNDETERMINED if percent is None else _VIOLATED,
            "storage",
            expected=f"at least {least:g} % of {size} GiB free",
            found="not known" if percent is None else f"{percent:.1f} % free",
            reason="the metric FreeStorageSpace has no data of the last 15 minutes"
            if percent is None
            else "an instance whose storage is full stops",
            remedy="run this again when it has data"
            if percent is None
            else f"in {self.source.address}\nallocated_storage = {size * 2}",
            path="allocated_storage",
        )

    def _pending(self) -> Finding:
        if not self.database.pending:
            return self.speaker.proven("pending changes", "none")
        return self.speaker.say(
            _VIOLATED,
            "pending changes",
            expected="every change is in effect",
            found=", ".join(self.database.pending),
            reason="it is not what was applied until its maintenance window, and some changes then restart it",
            remedy=f"in {self.source.address}\napply_immediately = true",
            path="apply_immediately",
        )

    def _maintenance(self) -> Finding:
        soon = self.observed.taken + timedelta(days=self.settings.maintenance_days)
        forced = [one for one in self.database.maintenance if one.forced is not None and one.forced <= soon]
        shown = forced or self.database.maintenance
        if not shown:
            return self.speaker.proven("maintenance", "none is pending")
        return self.speaker.say(
            _VIOLATED if forced else _PROVEN,
            "maintenance",
            expected=f"no maintenance that AWS does by itself within {self.settings.maintenance_days} days",
            found="\n".join(map(_told, shown)),
            reason="plan it, or it comes when AWS wants it" if forced else "it may be done when it suits",
            remedy="\n".join(
                f"aws rds apply-pending-maintenance-action --resource-identifier {self.database.arn} "
                f"--apply-action {one.action} --opt-in-type next-maintenance"
                for one in shown
            ),
            advice=not forced,
        )


def _told(one: Maintenance) -> str:
    when = f", by itself on {one.forced:%Y-%m-%d}" if one.forced else ""
    return f"{one.action}{when}: {one.description}".rstrip(": ")
