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
        yield RULE.about(source).say("unnamed", name=render(name))
    elif name not in observed.databases:
        absent = RULE.about(source).say("absent", name=name)
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
            yield self._unseen("replica lag", "readings") or self._replica()
        yield self._unseen("storage", "readings") or self._storage()
        yield self._pending()
        yield self._unseen("maintenance", "maintenance") or self._maintenance()
        yield self._unseen("reachability", "network", "readings") or self._reachability()

    def _unseen(self, name: str, *parts: str) -> Finding | None:
        """Return that a judgement rests on what the runner may not look at, if it does."""
        refusals = (self.observed.refused[part] for part in parts if part in self.observed.refused)
        return next((self._about(name).unseen(one.found, one.remedy) for one in refusals), None)

    def _about(self, name: str, path: str = "") -> Subject:
        """Return a subject about the instance; `path` is the attribute that fixes it."""
        place, arn = self.source.location_of(path) if path else None, self.database.arn
        return RULE.about(self.source, name, place, [Related("database", arn)] if arn else ())

    def _status(self) -> Finding:
        subject, status = self._about("status"), self.database.status
        if status in _RUNNING:
            return subject.proven(status)
        wording = "down" if _DOWN.match(status) else "status-not-known"
        return subject.say(wording, status=status, identifier=self.database.identifier)

    def _retention(self) -> Finding:
        wanted, found = self.bound.value(self.source.stated("backup_retention_period")), self.database.retention_days
        answer = Truth.YES if wanted is None else same(wanted, found)
        if answer is Truth.YES:
            return self._about("backup retention").proven(f"{found} days" if found else "no backups, by the source")
        wording = "other-retention" if answer is Truth.NO else "retention-not-known"
        return self._about("backup retention", "backup_retention_period").say(
            wording, wanted=render(wanted), days=found
        )

    def _restorable(self) -> Finding:
        latest, created, taken = self.database.latest_restorable, self.database.created, self.observed.taken
        subject, most = self._about("restorable"), self.settings.restorable_minutes
        if latest is not None and taken - latest <= timedelta(minutes=most):
            return subject.proven(f"to {latest:%Y-%m-%d %H:%M} UTC")
        wording = "new" if latest is None and created is not None and taken - created < _NEW else "not-restorable"
        found = f"{latest:%Y-%m-%d %H:%M} UTC" if latest else "none"
        return subject.say(wording, minutes=most, found=found, identifier=self.database.identifier)

    def _replica(self) -> Finding:
        lag, most, database = self.database.readings.lag_seconds, self.settings.most_lag_seconds, self.database
        broken, subject = bool(database.replication) or (lag is not None and lag < 0), self._about("replica lag")
        if not broken and lag is not None and lag <= most:
            return subject.proven(f"{lag:g} seconds")
        wording = "broken" if broken else "lag-not-known" if lag is None else "behind"
        found = ", ".join(database.replication) or f"{lag or 0:g} seconds"
        return subject.say(wording, of=database.replica_of, seconds=most, found=found, identifier=database.identifier)

    def _storage(self) -> Finding:
        free, size = self.database.readings.free_bytes, self.database.allocated_gib
        least, subject = self.settings.least_free_percent, self._about("storage", "allocated_storage")
        if free is None or not size:
            return subject.say("storage-not-known", least=f"{least:g}", size=size)
        percent = 100 * free / (size * _GIB)
        if percent >= least:
            return self._about("storage").proven(f"{percent:.0f} % free")
        return subject.say("full", least=f"{least:g}", size=size, percent=f"{percent:.1f}", double=size * 2)

    def _pending(self) -> Finding:
        if not self.database.pending:
            return self._about("pending changes").proven("none")
        return self._about("pending changes", "apply_immediately").say(
            "pending", settings=", ".join(self.database.pending)
        )

    def _maintenance(self) -> Finding:
        subject, soon = self._about("maintenance"), self.observed.taken + timedelta(days=self.settings.maintenance_days)
        forced = [one for one in self.database.maintenance if one.forced is not None and one.forced <= soon]
        shown = forced or self.database.maintenance
        if not shown:
            return subject.proven("none is pending")
        commands = (
            f"aws rds apply-pending-maintenance-action --resource-identifier {self.database.arn} "
            f"--apply-action {one.action} --opt-in-type next-maintenance"
            for one in shown
        )
        said = {"found": "\n".join(map(_told, shown)), "commands": "\n".join(commands)}
        return subject.say("forced" if forced else "planned", days=self.settings.maintenance_days, **said)

    def _reachability(self) -> Finding:
        """Say which rung of the ladder was reached: an open path, connections, a connection made now.

        An open path is never called more than that: it is what is configured, and shows nobody at either end.
        """
        database, services, subject = self.database, self.observed.services, self._about("reachability")
        side, port = database.side, database.port
        ways = {address: path(client, side, port) for address, client in services.items()} if side and port else {}
        if database.connects is False:
            return subject.say("not-connected")
        if ways and all(step.answer is Truth.NO for step in ways.values()):
            group = side.groups[0].id if side and side.groups else "SECURITY_GROUP_OF_THE_DATABASE"
            closed = "\n".join(f"{address}: {step.reason}" for address, step in ways.items())
            return self._about("reachability", "vpc_security_group_ids").say(
                "closed", ways=closed, group=group, port=port
            )
        rung, told = _rung(database, ways)
        if rung >= list(_EXPECTED).index(self.settings.reach):
            return subject.proven(told)
        doubts = "\n".join(f"{address}: {step.reason}" for address, step in ways.items() if step.reason)
        expected, reason = _EXPECTED[self.settings.reach], doubts or "nothing more could be checked"
        return subject.say("not-reached", expected=expected, told=told, reason=reason)


def _told(one: Maintenance) -> str:
    when = f", by itself on {one.forced:%Y-%m-%d}" if one.forced else ""
    return f"{one.action}{when}: {one.description}".rstrip(": ")
