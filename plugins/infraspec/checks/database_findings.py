"""What is said of one database instance, and of the way to it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from infraspec.contract.databases import Databases
from infraspec.core.rules import DATABASES as RULE
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.rds.database import Database
from infraspec.rds.network import Side, Step, path
from infraspec.terraform.plan import Resource

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
    if ways and all(step.answer is Answer.NO for step in ways.values()):
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


def _rung(database: Database, ways: Mapping[str, Step]) -> tuple[int, str]:
    """Return the highest rung, -1 for none, and the words for it."""
    connections = database.readings.connections
    if database.connects:
        return 2, "connected: a TCP connection was made from here"
    if connections:
        return 1, f"in use: {connections:g} connections in the last quarter of an hour"
    able = [address for address, step in ways.items() if step.answer is Answer.YES]
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
