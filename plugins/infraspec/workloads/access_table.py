"""Which roles workloads beside a service on ECS name, and what each needs: the data is access_table.json.

A need that several ask for alike, such as a dead-letter queue, stands there once, in a group; `{$}` in it is the path
that whoever uses the group gives, `{%}` that of the cluster. docs/workloads.md shows the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict

from infraspec.ecs.access_table import Access, RoleRows, Source


class _Need(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A row about what a role needs; role and document are those of the role, where it does not say its own."""

    feature: str
    actions: tuple[str, ...]
    target: str
    source: str = ""
    where: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    each: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    certain: bool = True
    note: str = ""
    is_one_statement: bool = False
    reads: bool = False
    declared: bool = False
    unless: str = ""
    intended: str = ""
    subnets: str = ""


class _Group(Struct, frozen=True, forbid_unknown_fields=True):
    """The use of a group: by its name, at a path, for a feature."""

    group: str
    path: str = ""
    feature: str = ""
    cluster: str = ""
    source: str = ""
    each: str = ""
    when: Mapping[str, str] = field(default_factory=dict)


class _Role(Struct, frozen=True, forbid_unknown_fields=True):
    """A role: the rule that judges it, and its row of trust, which has no principal if another resource has it."""

    rule: str
    feature: str
    role: str
    named_by: str
    source: str
    needs: tuple[Mapping[str, object], ...]
    principal: str = ""
    beside: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    covers: Mapping[str, str] = field(default_factory=dict)


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    sources: Mapping[str, str]
    groups: Mapping[str, tuple[_Need, ...]]
    roles: tuple[_Role, ...]

    def rows(self, role: _Role) -> RoleRows:
        trust = Access(
            role.feature,
            role.role,
            ("sts:AssumeRole",) if role.principal else (),
            f"trust policy, Service `{role.principal}`" if role.principal else "",
            self._source(role.source),
            principal=role.principal,
            named_by=role.named_by,
            beside=role.beside,
            when=role.when,
        )
        return RoleRows(trust, tuple(self._access(need, role) for need in self._needs(role)), role.covers)

    def _needs(self, role: _Role) -> Iterator[_Need]:
        for raw in role.needs:
            if "group" not in raw:
                yield msgspec.convert(raw, _Need)
                continue
            use = msgspec.convert(raw, _Group)
            for need in self.groups[use.group]:
                yield _used(need, use)

    def _access(self, need: _Need, role: _Role) -> Access:
        given = {**asdict(need), "source": self._source(need.source or role.source)}
        shown = "`*`" if need.target == "*" else f"`{need.target}`"
        purpose = need.feature.replace("`", "") if need.target == "*" else ""
        return Access(role=role.role, resource=shown, purpose=purpose, **given)

    def _source(self, title: str) -> Source:
        return Source(title, self.sources[title])


def _used(need: _Need, use: _Group) -> _Need:
    """Return a need of a group as it is at a path."""

    def filled(text: str) -> str:
        return text.replace("{$", f"{{{use.path}").replace("{%}", f"{{{use.cluster}}}")

    feature = f"{use.feature}: {need.feature}" if use.feature else need.feature
    return msgspec.structs.replace(
        need,
        feature=feature,
        target=filled(need.target),
        keys={key: filled(value) for key, value in need.keys.items()},
        source=need.source or use.source,
        each=use.each or need.each,
        when={**need.when, **use.when},
    )


class _NamedBy(Struct, frozen=True):
    rule: str
    named_by: str


class _Index(Struct, frozen=True):
    """Which rule is about which types of resources, read alone: most plans have none of them."""

    roles: tuple[_NamedBy, ...]


_FILE = Path(__file__).with_name("access_table.json")


@cache
def workload_roles() -> Mapping[str, tuple[RoleRows, ...]]:
    """Return the roles by the rule that judges them."""
    table = msgspec.json.decode(_FILE.read_bytes(), type=_Table)
    rules = dict.fromkeys(role.rule for role in table.roles)
    return {rule: tuple(table.rows(role) for role in table.roles if role.rule == rule) for rule in rules}


@cache
def asks_for(rule: str) -> frozenset[str]:
    """Return the types of resources that name a role which a rule judges."""
    index = msgspec.json.decode(_FILE.read_bytes(), type=_Index)
    return frozenset(role.named_by.partition(".")[0] for role in index.roles if role.rule == rule)
