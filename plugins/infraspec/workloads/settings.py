"""What AWS asks of the settings of a workload, beside permissions: the data is settings.json.

A row looks at one path of a block, in the words of access_table.json (`path>attribute`, `path@kind`), where what stands
at the paths of `when` fits. A group is a list of rows that several blocks share; `names` say where each has what they
look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Text, Unknown, Value, render, unknowns
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.service_access import family_of
from infraspec.terraform.plan import Resource
from infraspec.workloads.named_roles import ANYTHING, NamedRoles, values_at
from infraspec.workloads.state_machine import states

_STATES = "definition"
_HEAD = re.compile(r"^[\w.]+")


class WorkloadSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """A row: what is at a `path` of the blocks `at` of a type is `good`, `bad`, or else not known to be either.

    Nothing there is the empty text. A pattern of `when` that begins with ! says what may not be there. A row that holds
    `where_known` is not asked where `when` is not known. One that `is_made` is about a task definition that is named.
    What `is_list` is not empty where it is not known: nobody writes an empty one, and AWS refuses it at once.
    """

    feature: str = ""
    path: str = ""
    expected: str = ""
    reason: str = ""
    fix: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    where_known: bool = False
    good: str = ""
    bad: str = ""
    is_made: bool = False
    is_list: bool = False
    rule: str = ""
    type: str = ""
    at: str = ""
    source: str = ""
    group: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


class _Settings(Struct, frozen=True, forbid_unknown_fields=True):
    sources: Mapping[str, str]
    groups: Mapping[str, tuple[WorkloadSetting, ...]]
    settings: tuple[WorkloadSetting, ...]


@cache
def settings(rule: str) -> tuple[WorkloadSetting, ...]:
    """Return the rows of a rule, those of groups as each block has them."""
    table = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=_Settings)
    own = [row for row in table.settings if row.rule == rule]
    return tuple(one for row in own for one in (_of_group(row, table.groups[row.group]) if row.group else [row]))


def _of_group(use: WorkloadSetting, rows: tuple[WorkloadSetting, ...]) -> Iterator[WorkloadSetting]:
    def at(path: str) -> str:
        return _HEAD.sub(lambda found: use.names.get(found[0], found[0]), path)

    for row in rows:
        when = {**use.when, **{at(path): pattern for path, pattern in row.when.items()}}
        yield replace(row, rule=use.rule, type=use.type, at=use.at, source=use.source, when=when, path=at(row.path))


class SettingAnswer(Struct, frozen=True):
    """Whether a setting `fits`, and what decides that and is not known; `place` is its path, `name` what it is of."""

    setting: WorkloadSetting
    resource: Resource
    name: str
    place: str
    fits: Truth
    values: tuple[Value, ...]
    unknown: Unknown | None = None


class WorkloadSettings:
    """The settings of the workloads of a plan; `named` looks up what stands at a path."""

    def __init__(self, named: NamedRoles) -> None:
        self.named, self.plan, self.narrow = named, named.attributes.plan, named.attributes.narrow

    def answers(self, rule: str) -> Iterator[SettingAnswer]:
        """Yield an answer for each setting that a rule asks for."""
        exists = self.plan.source is not None  # of what exists, AWS has the answer
        for row in settings(rule):
            if row.is_made and exists:
                continue
            for resource in self.plan.managed(row.type):
                context = self.named.context(resource)
                for block in _blocks(row, resource):
                    asked, doubt = self._asked(row, block.around, context)
                    if asked is Truth.YES or (asked is Truth.MAYBE and not row.where_known):
                        yield from self._answer(row, resource, block, context, doubt)

    def _answer(
        self, row: WorkloadSetting, resource: Resource, block: _Block, context: AccessContext, doubt: Unknown | None
    ) -> Iterator[SettingAnswer]:
        values = tuple(self.named.looked_up(row.path, block.around, context))
        if row.is_made:  # of one that is not known, its roles are another finding's
            values = tuple(one for one in values if self._resource(one) or not isinstance(self.narrow(one), Unknown))
            if not values:
                return
        fits, unknown = (all_of(*map(self._made, values)), None) if row.is_made else self._fits(row, values)
        if doubt is not None and fits is Truth.YES:
            return
        if doubt is not None:
            fits, unknown = Truth.MAYBE, doubt
        head = _HEAD.match(row.path)
        place = ".".join(filter(None, (block.place, head[0] if head and row.at != _STATES else "")))
        yield SettingAnswer(row, resource, block.name, place, fits, values, unknown)

    def _asked(
        self, row: WorkloadSetting, blocks: tuple[Mapping[str, Value], ...], context: AccessContext
    ) -> tuple[Truth, Unknown | None]:
        """Tell whether a row is asked for, and what decides that is not known."""
        answer, unknown = Truth.YES, None
        for path, pattern in row.when.items():
            values = tuple(self.named.looked_up(path, blocks, context))
            fits = self._one_fits(pattern.removeprefix("!"), values)
            fits = not_(fits) if pattern.startswith("!") else fits
            if fits is Truth.MAYBE:
                unknown = next(unknowns(list(map(self.narrow, values))), None)
            answer = all_of(answer, fits)
        return answer, unknown if answer is Truth.MAYBE else None

    def _fits(self, row: WorkloadSetting, values: tuple[Value, ...]) -> tuple[Truth, Unknown | None]:
        good = all_of(*(self._value_fits(row.good, value) for value in values or ("",)))
        if good is Truth.YES or (row.bad and self._one_fits(row.bad, values) is Truth.YES):
            return good if good is Truth.YES else Truth.NO, None
        if row.is_list and values and all(isinstance(self.narrow(value), Unknown) for value in values):
            return Truth.YES, None
        unknown = next(unknowns(list(map(self.narrow, values))), None)
        return (Truth.MAYBE, unknown) if good is Truth.MAYBE and unknown else (Truth.NO, None)

    def _one_fits(self, pattern: str, values: tuple[Value, ...]) -> Truth:
        return any_of(self._value_fits(pattern, value) for value in values or ("",))

    def _value_fits(self, pattern: str, value: Value) -> Truth:
        """Tell whether a value fits a pattern, which may name the attribute that an unknown is."""
        narrowed = self.narrow(value)
        shown = "" if narrowed is None else render(narrowed)
        if isinstance(narrowed, Unknown) and pattern in {"", ANYTHING}:
            there = self.named.attributes.is_filled(narrowed)
            return (Truth.YES if pattern else Truth.NO) if there else Truth.MAYBE
        if re.fullmatch(pattern, shown, re.DOTALL):
            return Truth.YES
        return Truth.MAYBE if pattern and isinstance(narrowed, Unknown | Text) else Truth.NO

    def _made(self, value: Value) -> Truth:
        """Tell whether the plan makes or reads the task definition that a value names."""
        found = self._resource(value)
        if found is not None:
            return Truth.YES if found.type == _DEFINITION else Truth.NO
        known = self.named.task_definition(value) or family_of(self.narrow(value)) in self._read
        return Truth.YES if known else Truth.NO

    def _resource(self, value: Value) -> Resource | None:
        found = self.plan.find(value) if isinstance(value, Unknown) else None
        return found[0] if found else None

    @cached_property
    def _read(self) -> frozenset[str]:
        """The families of the task definitions that data sources read."""
        return frozenset(family_of(self.narrow(one.stated("task_definition"))) for one in self.plan.data(_DEFINITION))


_DEFINITION = "aws_ecs_task_definition"


_ONLY = re.compile(r"\.0(?=\.|$)")
"""The index of a block that is the first, and mostly the only one."""


class _Block(Struct, frozen=True):
    name: str
    place: str
    around: tuple[Mapping[str, Value], ...]


def _blocks(row: WorkloadSetting, resource: Resource) -> Iterator[_Block]:
    """Yield the blocks of a resource that a row is asked of, the states of a definition among them."""
    if not row.at:
        yield _Block("", "", (resource.values,))
    elif row.at == _STATES:
        for state in states(resource.stated(_STATES)):
            if isinstance(state, Mapping):
                yield _Block(str(state.get("Name", "")), _STATES, (state, resource.values))
    else:
        for named in values_at((resource.values,), f"{row.at}.?"):
            if not named.hides:
                place = named.path.removesuffix(".?")
                yield _Block(_ONLY.sub("", place), place, named.blocks)
