"""Paths between two sides of a network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.checks.deployed.database_readings import AclEntry, Group, SecurityGroupRule, Side, path
from infraspec.core.truth import Truth

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
EVERYWHERE = SecurityGroupRule("-1", 0, 65535, cidrs=("0.0.0.0/0",))
TASKS = Side("vpc-1", (Group("sg-tasks", egress=(EVERYWHERE,)),), ("10.0.1.0/24", "10.0.2.0/24"))
FROM_TASKS = SecurityGroupRule("tcp", 5432, 5432, frozenset({"sg-tasks"}))
OPEN = tuple(AclEntry(100, egress=egress, allow=True, protocol="-1", cidr="0.0.0.0/0") for egress in (True, False))


def database(*rules: SecurityGroupRule, **changes: object) -> Side:
    """Return the side of a database with ingress rules."""
    return replace(Side("vpc-1", (Group("sg-database", ingress=rules),), ("10.0.9.0/24",)), **changes)


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        (FROM_TASKS, YES),
        (SecurityGroupRule("6", 5000, 6000, frozenset({"sg-tasks"})), YES),
        (SecurityGroupRule("-1", 0, 65535, frozenset({"sg-tasks"})), YES),
        (SecurityGroupRule("tcp", 5432, 5432, cidrs=("10.0.0.0/16",)), YES),
        (SecurityGroupRule("tcp", 5432, 5432, cidrs=("10.0.1.0/24", "10.0.2.0/24")), YES),
        (SecurityGroupRule("tcp", 5432, 5432, cidrs=("10.0.1.0/24",)), MAYBE),
        (SecurityGroupRule("tcp", 5432, 5432, lists=frozenset({"pl-1"})), MAYBE),
        (SecurityGroupRule("tcp", 5433, 5433, frozenset({"sg-tasks"})), NO),
        (SecurityGroupRule("udp", 5432, 5432, frozenset({"sg-tasks"})), NO),
        (SecurityGroupRule("tcp", 5432, 5432, frozenset({"sg-other"})), NO),
        (SecurityGroupRule("tcp", 5432, 5432, cidrs=("10.1.0.0/16", "::/0")), NO),
    ],
)
def test_an_ingress_rule_lets_a_service_in(rule: SecurityGroupRule, answer: Truth) -> None:
    """By its group, or if all of its addresses are let in."""
    assert answer is path(TASKS, database(rule), 5432).answer


def test_without_a_rule_nothing_gets_in_or_out() -> None:
    """Security groups let through what a rule says and nothing else."""
    assert NO is path(TASKS, database(), 5432).answer
    closed = replace(TASKS, groups=(Group("sg-tasks"),))
    step = path(closed, database(FROM_TASKS), 5432)
    assert (NO, "no egress rule of sg-tasks certainly allows port 5432") == (step.answer, step.reason)
    assert NO is path(replace(TASKS, groups=()), database(FROM_TASKS), 5432).answer


def test_another_network_is_not_looked_at() -> None:
    """There may be a peering connection."""
    assert MAYBE is path(TASKS, database(FROM_TASKS, vpc="vpc-2"), 5432).answer


def entry(number: int, protocol: str, cidr: str, *ports: int, egress: bool = False, allow: bool = True) -> AclEntry:
    """Return an entry of an ACL."""
    return AclEntry(number, egress, allow, protocol, cidr, *ports)


@pytest.mark.parametrize(
    ("entries", "answer"),
    [
        (OPEN, YES),
        ((), NO),
        ((entry(1, "6", "10.0.0.0/16", 5432, 5432), OPEN[0]), YES),
        ((entry(1, "6", "10.0.0.0/16", 5432, 5432, allow=False), *OPEN), NO),
        ((*OPEN, entry(1, "6", "10.0.0.0/16", 5432, 5432, allow=False)), NO),
        ((*OPEN, entry(200, "6", "10.0.0.0/16", 5432, 5432, allow=False)), YES),
        ((entry(1, "6", "10.0.1.128/25", 5432, 5432, allow=False), *OPEN), MAYBE),
        ((entry(1, "17", "0.0.0.0/0", 0, 65535, allow=False), *OPEN), YES),
        ((entry(1, "6", "0.0.0.0/0", 80, 443, allow=False), *OPEN), YES),
        ((OPEN[1], entry(1, "6", "0.0.0.0/0", 5432, 5432, egress=True)), NO),
        ((OPEN[1], entry(1, "6", "0.0.0.0/0", 1024, 65535, egress=True)), YES),
        ((OPEN[1], entry(1, "6", "0.0.0.0/0", 32768, 65535, egress=True)), YES),
        ((OPEN[1], entry(1, "6", "0.0.0.0/0", 49152, 65535, egress=True)), MAYBE),
    ],
)
def test_an_acl_is_read_by_its_numbers_and_both_ways(entries: tuple[AclEntry, ...], answer: Truth) -> None:
    """The answer of the database comes to a high port, and an ACL remembers nothing."""
    assert answer is path(TASKS, database(FROM_TASKS, entries=(entries,)), 5432).answer
    if entries in {OPEN, ()}:
        assert answer is path(replace(TASKS, entries=(entries,)), database(FROM_TASKS), 5432).answer


@given(st.integers(1, 65535), st.integers(1, 65535), st.integers(1, 65535))
def test_a_port_is_let_in_exactly_within_the_rule(port: int, first: int, last: int) -> None:
    """The bounds belong to it."""
    rule = SecurityGroupRule("tcp", first, last, frozenset({"sg-tasks"}))
    assert (first <= port <= last) is (path(TASKS, database(rule), port).answer is YES)
