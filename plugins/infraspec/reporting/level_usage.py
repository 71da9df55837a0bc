"""How often each level of alerts rang, by environment: a level that rings too often is not heeded any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from infraspec.process.history import Alert
from infraspec.reporting.document import Paragraph, Part, Table, Title, markdown
from infraspec.reporting.language import say


def level_usage_text(
    alerts: Sequence[Alert], alarms: Mapping[str, Mapping[str, str]], levels: Sequence[str], period: object
) -> str:
    """Return a table of the alerts of a period; `alarms` gives the level of each alarm's name by environment."""
    places = {name: (environment, level) for environment, named in alarms.items() for name, level in named.items()}
    rang = Counter(places[alert.alarm] for alert in alerts if alert.alarm in places)
    strangers = Counter(alert.alarm for alert in alerts if alert.alarm not in places)
    columns = say("environment"), *levels, say("no level")
    rows = [(name, *(str(rang[name, level]) for level in (*levels, ""))) for name in alarms]
    parts: list[Part] = [
        Title(say("How often each level rang"), level=2),
        Paragraph(str(period)),
        Table.of(columns, rows),
    ]
    if strangers:
        text = say(
            "{number} alerts are left out: the source of these environments has no such alarm: {names}",
            number=strangers.total(),
            names=", ".join(sorted(strangers)),
        )
        parts.append(Paragraph(text))
    return markdown(parts) + "\n"
