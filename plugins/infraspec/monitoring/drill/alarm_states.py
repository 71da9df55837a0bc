"""The states of the alarms of a plan, minute by minute, and which of them act.

A metric filter with a default value publishes it for lines that it does not match, and how many come cannot be decided.
So a state is a set, of all that an alarm may be in. What is certain here is so for any number of lines.

Sources: Amazon CloudWatch User Guide, "Create a composite alarm" and "Suppressing composite alarm actions".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from msgspec import Struct

from infraspec.core.unknown import Value
from infraspec.monitoring.boolean_expressions import AlarmRule, Condition, UnreadableError
from infraspec.monitoring.evaluation import ANY_STATE, FOREVER, Defaults, States, Watch, World
from infraspec.monitoring.sample_events import Answer, Specimens

ALARM, _OK, _NEW = frozenset({"ALARM"}), frozenset({"OK"}), frozenset({"INSUFFICIENT_DATA"})
_CALM = ANY_STATE - ALARM
_PERHAPS = ALARM | _OK
_SUPPRESSOR = ("wait_period", "extension_period")


class Suppressor(Struct, frozen=True):
    """What keeps the actions of a composite alarm back: an alarm, none if it is not of the plan, and for how long.

    `wait` is how long it is waited for, `extension` how long it lasts; both are in minutes.
    """

    address: str
    wait: int
    extension: int

    @property
    def shown(self) -> str:
        """The address, for a message."""
        return self.address or "(none of the plan)"


class Composite(Struct, frozen=True):
    """The rule of a composite alarm; `names` gives the address of each alarm that it names."""

    condition: Condition
    names: Mapping[str, str]
    suppressor: Suppressor | None = None

    @classmethod
    def of(cls, rule: Value, suppressor: Value, names: Mapping[str, str], specimens: Specimens) -> Composite | str:
        """Return the rule read, or why it is not evaluated; `names` has the addresses of alarms by name and ARN."""
        try:
            parser = AlarmRule(specimens.text(rule))
            condition = parser.parse()
        except UnreadableError:
            return "its rule cannot be read"
        strangers = [name for name in parser.names if name not in names]
        if strangers:
            return f"its rule names {', '.join(strangers)}, which the plan does not have"
        kept_back = _suppressor(suppressor, names, specimens) if suppressor else None
        return cls(condition, {name: names[name] for name in parser.names}, kept_back)

    @property
    def involved(self) -> set[str]:
        """The alarms that decide whether it acts."""
        return {*self.names.values(), *([self.suppressor.address] if self.suppressor else ())}

    def states(self, states: Mapping[str, States]) -> States:
        """Return the states it may be in while other alarms are in these."""
        answer = self.condition({name: states.get(address, _CALM) for name, address in self.names.items()})
        return _PERHAPS if answer is None else ALARM if answer else _OK


def _suppressor(value: Value, names: Mapping[str, str], specimens: Specimens) -> Suppressor:
    """Return the suppressor of a block. A time that is not known is FOREVER."""
    block: Any = value[0] if isinstance(value, list | tuple) and value else {}
    block = block if isinstance(block, Mapping) else {}
    wait, extension = (_minutes(block.get(name)) for name in _SUPPRESSOR)
    return Suppressor(names.get(specimens.text(block.get("alarm")), ""), wait, extension)


def _minutes(seconds: Value) -> int:
    try:
        return math.ceil(Fraction(str(seconds)) / 60)
    except (ValueError, ZeroDivisionError):
        return FOREVER


@dataclass
class RingingAlarms:
    """The states of alarms at a minute, of which `watches` and the composite ones above them go on.

    `open_alarms` may be in any state once they go on.
    """

    watches: Mapping[str, Watch | str]
    composites: Mapping[str, Composite | str]
    defaults: Defaults
    now: dict[str, States] = field(default_factory=dict)
    open_alarms: Collection[str] = ()
    _told: dict[str, bool] = field(default_factory=dict)
    """What each has done since it was last certainly not in ALARM: acted certainly, or perhaps."""
    _doubtful: set[str] = field(default_factory=set)
    """Those that may have been in ALARM before: whether they act is open until they certainly are not."""
    _since: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Since when each may be in ALARM, and since when it certainly is."""
    _left: dict[str, int] = field(default_factory=dict)
    """When each may have been in ALARM last."""

    @classmethod
    def settled(
        cls,
        watches: Mapping[str, Watch | str],
        composites: Mapping[str, Composite | str],
        defaults: Defaults,
        world: World,
    ) -> RingingAlarms:
        """Return the states at minute 0, after a long time in which all was as it is."""
        made = cls(watches, composites, defaults)
        for address, watch in watches.items():
            if not isinstance(watch, str):
                made.now[address] = _settled(watch, world, defaults)
        made._move_composites()
        for address, states in made.now.items():
            if "ALARM" in states:
                made._since[address] = (-FOREVER, -FOREVER if states == ALARM else FOREVER)
                made._left[address] = 0
                made._doubtful |= {address} if states != ALARM else set()
        made._told = {address: True for address, states in made.now.items() if states == ALARM}
        return made

    def copy(self, watches: Mapping[str, Watch | str], open_alarms: Collection[str] = ()) -> RingingAlarms:
        """Return the same states, from which some alarms alone go on; others stay as they are."""
        own = (self._told.copy(), self._doubtful.copy(), self._since.copy(), self._left.copy())
        return RingingAlarms(watches, self.composites, self.defaults, self.now.copy(), open_alarms, *own)

    def step(self, world: World, minute: int, due: Mapping[str, Watch | str] | None = None) -> list[tuple[str, Answer]]:
        """Go on to a minute, all alarms or those that are due; return those that act, or perhaps do: None."""
        for address, watch in (self.watches if due is None else due).items():
            if not isinstance(watch, str):
                self.now[address] = watch.states(world, minute, self.now.get(address, _NEW), self.defaults)
        self.now |= dict.fromkeys(self.open_alarms, ANY_STATE)
        self._move_composites()
        for address, states in self.now.items():
            self._note(address, states, minute)
        return list(self._acting(minute))

    def why_open(self, address: str) -> str:
        """Say why it is open whether an alarm acts."""
        open_alarms = self._open_below(address)
        unknown = [name for name in open_alarms if name in self.open_alarms]
        if unknown:
            return f"whether {', '.join(unknown)} is in ALARM is unknown"
        suppressor = self._suppressor(address)
        if suppressor and not open_alarms and address not in self._doubtful:
            return f"whether its suppressor {suppressor.shown} suppresses its actions cannot be decided"
        source = ", ".join(name for name in open_alarms if name != address)
        lines = "how many lines come that a metric filter with a default_value does not match"
        return f"whether {source or 'it'} goes to ALARM depends on {lines}"

    def kept_back(self) -> dict[str, str]:
        """Return the alarms that came to ALARM and do not act, with the suppressor of each."""
        return {
            address: own.shown
            for address, (since, _) in self._since.items()
            if since > 0 and address not in self._told and (own := self._suppressor(address))
        }

    def _suppressor(self, address: str) -> Suppressor | None:
        composite = self.composites.get(address)
        return composite.suppressor if isinstance(composite, Composite) else None

    def _open_below(self, address: str, passed: frozenset[str] = frozenset()) -> list[str]:
        """Return the alarms that may and may not be in ALARM, of which one is this or is named by its rule."""
        if self.now.get(address, _CALM) == ALARM or "ALARM" not in self.now.get(address, _CALM):
            return []
        composite = self.composites.get(address)
        if not isinstance(composite, Composite):
            return [address]
        below = [name for name in composite.names.values() if name not in {*passed, address}]
        return sorted({name for one in below for name in self._open_below(one, passed | {address})})

    @cached_property
    def _going_on(self) -> set[str]:
        """The alarms that go on: the composite ones that name one of them, or an open one, are among them."""
        found, before = {*self.watches, *self.open_alarms}, 0
        while len(found) > before:
            before = len(found)
            for address, composite in self.composites.items():
                if isinstance(composite, Composite) and not found.isdisjoint(composite.involved):
                    found.add(address)
        return found

    def _move_composites(self) -> None:
        """Bring composite alarms to what their rules say, those of others last."""
        for _ in self.composites:
            found = {
                address: composite.states(self.now)
                for address, composite in self.composites.items()
                if not isinstance(composite, str)
            }
            if all(self.now.get(address) == states for address, states in found.items()):
                break
            self.now |= found

    def _note(self, address: str, states: States, minute: int) -> None:
        """Note since when an alarm may be in ALARM, and certainly is."""
        if "ALARM" not in states:
            self._since.pop(address, None)
            self._told.pop(address, None)
            self._doubtful.discard(address)
            return
        perhaps, certainly = self._since.get(address, (minute, FOREVER))
        self._since[address] = perhaps, min(certainly, minute) if states == ALARM else FOREVER
        self._left[address] = minute

    def _acting(self, minute: int) -> Iterator[tuple[str, Answer]]:
        for address in [one for one in self._since if one in self._going_on and one not in self.open_alarms]:
            answer = self._acts(address, minute)
            if answer is False or (address in self._told and (answer is None or self._told[address])):
                continue
            self._told[address] = bool(answer)
            yield address, answer

    def _acts(self, address: str, minute: int) -> Answer:
        """Tell whether an alarm that may be in ALARM sends by now: not while it waits for its suppressor."""
        perhaps, certainly = self._since[address]
        certain = certainly <= minute and address not in self._doubtful
        own = self._suppressor(address)
        if own is None:
            return True if certain else None
        waits = own.wait < FOREVER and minute - perhaps < own.wait
        if waits or self.now.get(own.address, ANY_STATE) == ALARM:
            return False
        calm = minute - self._left.get(own.address, -FOREVER) > max(own.wait, own.extension)
        waited = minute - certainly >= own.wait
        return True if certain and waited and calm and own.address in self.now else None


def _settled(watch: Watch, world: World, defaults: Defaults) -> States:
    """Return the states that an alarm may come to, however long all is as it is."""
    found = watch.states(world, 0, _NEW, defaults)
    while not found >= (more := watch.states(world, 0, found, defaults)):
        found |= more
    return found
