"""Who is woken by a critical alarm reads in it which playbook to open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct, field

from infraspec.checks.alarm_routes import Routes
from infraspec.conventions.hcl_lines import attribute_line
from infraspec.finding import Finding, Verdict
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Resource
from infraspec.unknown import Text, Value, is_known, render

LEVEL = "critical"
_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_PAGE = re.compile(r"[^\s<>()\[\]{}\"'`,;、。「」（）]+\.md(?![A-Za-z0-9])")
_ANY = "ID"


class AlarmPlaybooks(Struct):
    """The playbooks that the descriptions of the critical alarms name; None where the contract asks for none.

    An alarm is critical if it tells of a critical item of the catalogue, or goes to a topic of that level alone.
    Paths of pages start at `directory`, that of the contract.
    """

    rule: str
    routes: Routes
    playbooks: Sequence[Playbook] | None
    directory: Path
    _critical: dict[str, Resource] = field(default_factory=dict)

    def use(self, level: str, alarm: Resource) -> None:
        """Note the alarm of an item of the catalogue."""
        if level == LEVEL:
            self._critical.update((one.address, one) for one in self.routes.delivery.telling(alarm))

    def suggestion(self, level: str, name: str) -> str:
        """Return what the description of an alarm has to end with: ` Playbook: ID.`, or nothing."""
        return f" Playbook: {self._about(name)}." if level == LEVEL and self.playbooks else ""

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each critical alarm."""
        if self.playbooks is None:
            return
        for alarm in self.routes.delivery.attributes.plan.managed(*_ALARMS):
            if alarm.address in self._critical or self._goes_to_critical(alarm):
                yield self._judge(alarm, self.playbooks)

    def _goes_to_critical(self, alarm: Resource) -> bool:
        topics = self.routes.delivery.own(alarm).topics
        levels = self.routes.alarms.levels
        return any([level for level in levels if topic in self.routes.topics_of(level)] == [LEVEL] for topic in topics)

    def _judge(self, alarm: Resource, playbooks: Sequence[Playbook]) -> Finding:
        description = alarm.get("alarm_description")
        named = next((book for book in playbooks if self._is_named(book, description)), None)
        location = alarm.location_of("alarm_description")
        if named is not None:
            return Finding(
                self.rule, Verdict.PROVEN, alarm.address, "playbook", location, reason=f"it names {named.page.file}"
            )
        shown = ", ".join(sorted({book.id for book in playbooks}))
        known = is_known(description)
        return Finding(
            self.rule,
            Verdict.VIOLATED if known else Verdict.UNDETERMINED,
            alarm.address,
            "playbook",
            location,
            expected=f"an alarm_description with the id or the path of a playbook: {shown or 'there is none'}",
            found=render(description) if description else "no alarm_description",
            reason="who is woken by it has to search for what to do" if known else "a part of it is not known",
            remedy=self._remedy(alarm, description),
        )

    def _remedy(self, alarm: Resource, description: Value) -> str:
        head = description.strip() if isinstance(description, str) else "…" if description else ""
        name = self._about(render(self.routes.delivery.attributes.name(alarm, "alarm_name")))
        line = attribute_line("alarm_description", f"{head} Playbook: {name}.".strip())
        return f"{line} # {_ANY}: that of the playbook that fits" if name == _ANY else line

    def _about(self, name: str) -> str:
        """Return the id of the playbook whose id, failure class or alarm the name of an alarm holds."""
        topics = {topic: book.id for book in self.playbooks or () for topic in (book.id, *book.covers)}
        return next((topics[topic] for topic in sorted(topics, key=len, reverse=True) if topic in name), _ANY)

    def _is_named(self, playbook: Playbook, description: Value) -> bool:
        """Tell whether the known text of a description names a playbook, by its path, a web address of it, or its id.

        An id counts as a whole word, one without a hyphen only after a colon: `escalation` is a word of the language.
        """
        page = playbook.page
        path = Path(os.path.relpath(page.path, self.directory)).as_posix() if page.path else page.file
        before = r"(?<![A-Za-z0-9_-])" if "-" in playbook.id else r"[:：]\s*"
        word = re.compile(rf"{before}{re.escape(playbook.id)}(?![A-Za-z0-9_-])")
        parts = description.parts if isinstance(description, Text) else (description,)
        return any(
            word.search(_PAGE.sub(" ", text)) or any(f"/{one}".endswith(f"/{path}") for one in _PAGE.findall(text))
            for text in parts
            if isinstance(text, str)
        )
