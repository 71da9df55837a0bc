"""Rule `databases`: the databases of the source run, are backed up, keep up, have room, and can be reached.

Sources: Amazon RDS User Guide, "Viewing DB instance status", "Introduction to backups" (logs are uploaded every five
minutes), "Monitoring read replication" (a lag of -1 is a broken replication) and "Maintaining a DB instance".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from msgspec import Struct

from infraspec.checks.common.live_comparison import ResolvedSource, looked_at, same
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.checks.deployed.database_readings import Database, Maintenance, Observed, PathStep, path
from infraspec.contract.live import Databases
from infraspec.core.finding import Finding, Related
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import render
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["databases"]

_EXPECTED = {
    "path": "a path from a service of the environment",
    "use": "connections in the last quarter of an hour",
    "connect": "a connection made from here",
}
"""What is expected by the rung of the ladder that the contract asks for, the lowest first."""


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


def database_identifiers(plan: Plan) -> list[str]:
    """Return the identifiers of the database instances of a source, so far as they are known."""
    attributes = ResolvedSource(plan, plan).attributes
    names = (attributes.name(one, "identifier") for one in plan.managed("aws_db_instance"))
    return sorted({name for name in names if isinstance(name, str)})


def check_databases(plan: Plan, live_plan: Plan, observed_databases: Observed, settings: Databases) -> list[Finding]:
    """Judge each database instance of a source by what AWS says of it."""
    bound = ResolvedSource(plan, live_plan)
    here, others = looked_at(RULE, plan.managed("aws_db_instance"), bound.whereabouts)
    return [
        *(finding for source in here for finding in _of_source(source, bound, observed_databases, settings)),
        *others,
    ]


def _of_source(source: Resource, bound: ResolvedSource, observed: Observed, settings: Databases) -> Iterator[Finding]:
    name = bound.value(bound.attributes.name(source, "identifier"))
    if not isinstance(name, str):
        yield RULE.about(source).undetermined(
            expected="a name to look for",
            found=render(name),
            reason="its identifier is not known before apply",
            remedy="name the state of the environment in the contract: state = …",
        )
    elif name not in observed.databases:
        absent = RULE.about(source).violated(
            expected=f"a database instance {name}",
            found="AWS has none of this name",
            reason="there is no database",
            remedy=f"terraform apply -target='{source.address}'",
        )
        yield left_open(bound.plan, absent)
    else:
        yield from _Check(source, bound, observed, settings, observed.databases[name]).findings()


class _Check(Struct, frozen=True):
    """One instance of a source, with what AWS says of it and what is asked of it."""

    source: Resource
    bound: ResolvedSource
    observed: Observed
    settings: Databases
    database: Database

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
        yield self._reachability()

    def _about(self, name: str, path: str = "") -> Subject:
        """Return a subject about the instance; `path` is the attribute that mends it."""
        place, arn = self.source.location_of(path) if path else None, self.database.arn
        return RULE.about(self.source, name, place, [Related("database", arn)] if arn else ())

    def _status(self) -> Finding:
        subject, status = self._about("status"), self.database.status
        if status in _RUNNING:
            return subject.proven(status)
        is_down = _DOWN.match(status) is not None
        say = subject.violated if is_down else subject.undetermined
        return say(
            expected="available",
            found=status,
            reason="in this state it does not answer, or not wholly" if is_down else "whether it answers is not known",
            remedy=f"aws rds describe-events --source-type db-instance --source-identifier {self.database.identifier}",
        )

    def _retention(self) -> Finding:
        wanted, found = self.bound.value(self.source.stated("backup_retention_period")), self.database.retention_days
        answer = Truth.YES if wanted is None else same(wanted, found)
        if answer is Truth.YES:
            return self._about("backup retention").proven(f"{found} days" if found else "no backups, by the source")
        subject = self._about("backup retention", "backup_retention_period")
        say = subject.violated if answer is Truth.NO else subject.undetermined
        return say(
            expected=f"backup_retention_period {render(wanted)}",
            found=f"{found} days",
            reason="AWS has it otherwise than the source" if answer is Truth.NO else "the source does not know it",
            remedy=f"terraform apply -target='{self.source.address}'",
        )

    def _restorable(self) -> Finding:
        latest, created, taken = self.database.latest_restorable, self.database.created, self.observed.taken
        subject = self._about("restorable")
        if latest is not None and taken - latest <= timedelta(minutes=self.settings.restorable_minutes):
            return subject.proven(f"to {latest:%Y-%m-%d %H:%M} UTC")
        is_new = latest is None and created is not None and taken - created < _NEW
        say = subject.undetermined if is_new else subject.violated
        return say(
            expected=f"a point to restore no older than {self.settings.restorable_minutes} minutes",
            found=f"{latest:%Y-%m-%d %H:%M} UTC" if latest else "none",
            reason="the instance is less than a day old, and its first backup may not be finished"
            if is_new
            else "what was written since then is lost if the instance is",
            remedy=f"aws rds describe-db-snapshots --db-instance-identifier {self.database.identifier}",
        )

    def _replica(self) -> Finding:
        lag, most = self.database.readings.lag_seconds, self.settings.most_lag_seconds
        broken, subject = self.database.replication, self._about("replica lag")
        if not broken and lag is not None and 0 <= lag <= most:
            return subject.proven(f"{lag:g} seconds")
        if broken:
            found, reason = ", ".join(broken), "the replication does not run"
        elif lag is None:
            found, reason = "not known", "the metric ReplicaLag has no data of the last 15 minutes"
        else:
            found, reason = f"{lag:g} seconds", "the replication does not run" if lag < 0 else "what it answers is old"
        say = subject.undetermined if lag is None and not broken else subject.violated
        return say(
            expected=f"a replica of {self.database.replica_of} no more than {most} seconds behind",
            found=found,
            reason=reason,
            remedy=f"aws rds describe-db-instances --db-instance-identifier {self.database.identifier}",
        )

    def _storage(self) -> Finding:
        free, size = self.database.readings.free_bytes, self.database.allocated_gib
        least, subject = self.settings.least_free_percent, self._about("storage", "allocated_storage")
        expected = f"at least {least:g} % of {size} GiB free"
        if free is None or not size:
            return subject.undetermined(
                expected=expected,
                found="not known",
                reason="the metric FreeStorageSpace has no data of the last 15 minutes",
                remedy="run this again when it has data",
            )
        percent = 100 * free / (size * _GIB)
        if percent >= least:
            return self._about("storage").proven(f"{percent:.0f} % free")
        return subject.violated(
            expected=expected,
            found=f"{percent:.1f} % free",
            reason="an instance whose storage is full stops",
            remedy=f"in {self.source.address}\nallocated_storage = {size * 2}",
        )

    def _pending(self) -> Finding:
        if not self.database.pending:
            return self._about("pending changes").proven("none")
        return self._about("pending changes", "apply_immediately").violated(
            expected="every change is in effect",
            found=", ".join(self.database.pending),
            reason="it is not what was applied until its maintenance window, and some changes then restart it",
            remedy=f"in {self.source.address}\napply_immediately = true",
        )

    def _maintenance(self) -> Finding:
        subject, soon = self._about("maintenance"), self.observed.taken + timedelta(days=self.settings.maintenance_days)
        forced = [one for one in self.database.maintenance if one.forced is not None and one.forced <= soon]
        shown = forced or self.database.maintenance
        if not shown:
            return subject.proven("none is pending")
        say = subject.violated if forced else subject.advice
        return say(
            expected=f"no maintenance that AWS does by itself within {self.settings.maintenance_days} days",
            found="\n".join(map(_told, shown)),
            reason="plan it, or it comes when AWS wants it" if forced else "it may be done when it suits",
            remedy="\n".join(
                f"aws rds apply-pending-maintenance-action --resource-identifier {self.database.arn} "
                f"--apply-action {one.action} --opt-in-type next-maintenance"
                for one in shown
            ),
        )

    def _reachability(self) -> Finding:
        """Say which rung of the ladder was reached: an open path, connections, a connection made now.

        An open path is never called more than that: it is what is configured, and shows nobody at either end.
        """
        database, services, subject = self.database, self.observed.services, self._about("reachability")
        side, port = database.side, database.port
        ways = {address: path(client, side, port) for address, client in services.items()} if side and port else {}
        if database.connects is False:
            return subject.violated(
                expected=_EXPECTED["connect"],
                found="no connection",
                reason="a TCP connection from here could not be opened within five seconds",
                remedy=f"look at the security groups and subnets of {self.source.address}, and of the runner",
            )
        if ways and all(step.answer is Truth.NO for step in ways.values()):
            return self._about("reachability", "vpc_security_group_ids").violated(
                expected=_EXPECTED["path"],
                found="\n".join(f"{address}: {step.reason}" for address, step in ways.items()),
                reason="no service of the environment can open a connection",
                remedy=_ingress(database),
            )
        rung, told = _rung(database, ways)
        if rung >= list(_EXPECTED).index(self.settings.reach):
            return subject.proven(told)
        doubts = "\n".join(f"{address}: {step.reason}" for address, step in ways.items() if step.reason)
        return subject.undetermined(
            expected=_EXPECTED[self.settings.reach],
            found=told,
            reason=doubts or "more than this was not seen",
            remedy="say in the contract from which environments' runner it may be tried:\n"
            "[databases]\nconnect_from = […]",
        )


def _told(one: Maintenance) -> str:
    when = f", by itself on {one.forced:%Y-%m-%d}" if one.forced else ""
    return f"{one.action}{when}: {one.description}".rstrip(": ")
