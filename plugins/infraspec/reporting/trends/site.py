"""Trends as one HTML page.

The same runs give the same bytes: days are counted to the newest run, not to the day the page is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from html import escape
from urllib.parse import quote

from infraspec.core.finding import Finding, Location
from infraspec.reporting.language import listed, say, say_number, speaking
from infraspec.reporting.page import cell, framed, head
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import Count, Results
from infraspec.reporting.trends.history import Level, Open, Trend, TrendColumn, level_of, moment, trends

COLUMNS = 60
"""How many runs a heat map shows, if nobody asks for another number."""

_MOST = 100
_SOON = timedelta(days=30)
_LEGEND: dict[Level, tuple[str, str]] = {
    "violated": ("2", "violated findings"),
    "undetermined": ("?2", "undetermined findings"),
    "accepted": ("(2)", "waived or known ones, the rest proven"),
    "proven": ("✓", "proven"),
    "empty": ("-", "nothing to look at"),
}


def site(runs: Sequence[Results], columns: int = COLUMNS, repository: str = "") -> str:
    """Return the page of runs, oldest first; at least one.

    `repository` is the address that places link to, such as https://github.com/shop/infra, or empty.
    """
    with speaking(runs[-1].run.language):
        return _site(runs, columns, repository)


def _site(runs: Sequence[Results], columns: int, repository: str) -> str:
    found = trends(runs, columns)
    application = next((run.run.application for run in reversed(runs) if run.run.application), "infraspec")
    title = say("{application}: infrastructure over time", application=application)
    sections = (line for trend in found for line in _section(trend, repository))
    return framed(title, _header(title, runs, found), sections)


def _header(title: str, runs: Sequence[Results], found: Sequence[Trend]) -> Iterable[str]:
    first, last = (_day(moment(run)) for run in (runs[0], runs[-1]))
    yield f"<header>\n<h1>{escape(title)}</h1>"
    told = say(
        "{runs}, {first} to {last}; times are in UTC.", runs=say_number(len(runs), "run", ","), first=first, last=last
    )
    yield f"<p class=quiet>{told}</p>"
    yield f'<nav aria-label="{say("Environments")}">\n<ul class=plain>'
    for trend in found:
        level, text = _state(trend)
        link = f'<a href="#{_anchor(trend)}">{escape(_name(trend))}</a>'
        yield f'<li>{link} <span class="pill {level}">{text}</span></li>'
    yield "</ul>\n</nav>"
    yield f'<ul class="plain quiet" aria-label="{say("Legend")}">'
    for level, (sign, meaning) in _LEGEND.items():
        yield f'<li><span class="pill {level}">{sign}</span> {say(meaning)}</li>'
    yield f"<li>{say('no colour: not looked at')}</li>\n<li>{say('* a part of the suite')}</li>\n</ul>\n</header>"


def _state(trend: Trend) -> tuple[Level, str]:
    """Return what an environment comes to now, in a word or two."""
    if trend.last.broken:
        return "violated", say("no verdict")
    states = Counter(one.entry.finding.verdict.value for one in _pressing(trend))
    if states["violated"]:
        return "violated", say("{number} {state}", number=states["violated"], state=say("violated"))
    if states["undetermined"]:
        return "undetermined", say("{number} {state}", number=states["undetermined"], state=say("undetermined"))
    return ("accepted", say("waived or known")) if trend.open else ("proven", say("proven"))


def _pressing(trend: Trend) -> list[Open]:
    return [one for one in trend.open if one.entry.state in {"failing", "warning"}]


def _section(trend: Trend, repository: str) -> Iterable[str]:
    anchor, name = _anchor(trend), escape(_name(trend))
    yield f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{name} <small>{_suite(trend)}</small></h2>'
    yield f"<p>{_sentence(trend)}</p>"
    if trend.rows or any(column.broken for column in trend.columns):
        yield from _map(trend)
    if trend.open:
        yield from _findings(trend, repository)
    yield from _waivers(trend)
    yield "</section>"


def _sentence(trend: Trend) -> str:
    accepted = len(trend.open) - len(_pressing(trend))
    parts = [say_number(len(_pressing(trend)), "open finding", ",")]
    if accepted:
        parts.append(say("{number} waived or known", number=accepted))
    changes = [
        *([say("{number} new", number=trend.opened)] if trend.opened else ()),
        *([say("{number} {state}", number=trend.fixed, state=say("fixed"))] if trend.fixed else ()),
    ]
    if changes and len(trend.columns) > 1:
        parts.append(say("{changes} since the run before", changes=f" {say('and')} ".join(changes)))
    commit = f" <code>{escape(trend.last.commit[:12])}</code>" if trend.last.commit else ""
    of = say(" of{commit}", commit=commit) if commit else ""
    return say("{parts}. Last run{of}: {time}.", parts=listed(parts), of=of, time=_minute(trend.last.time))


def _map(trend: Trend) -> Iterable[str]:
    label = escape(say("Rules of {name} by run, the newest at the right", name=_name(trend)))
    yield f'<div class=scroll role=region tabindex=0 aria-label="{label}">\n<table class=map>'
    yield f"<thead><tr><th scope=col>{say('rule')}</th>{''.join(map(_column, trend.columns))}</tr></thead>\n<tbody>"
    if any(column.broken for column in trend.columns):
        cells = "".join(_broken(column) for column in trend.columns)
        yield f"<tr><th scope=row>{say('no verdict')}</th>{cells}</tr>"
    for rule, cells_of in trend.rows.items():
        pairs = zip(trend.columns, cells_of, strict=True)
        yield f"<tr><th scope=row>{escape(rule)}</th>{''.join(_cell(rule, *pair) for pair in pairs)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _column(column: TrendColumn) -> str:
    part = "" if column.complete else "*"
    commit = f", {column.commit[:12]}" if column.commit else ""
    title, moment_of_run = escape(f"{_minute(column.time)}{commit}"), column.time.isoformat()
    return f'<th scope=col title="{title}"><time datetime="{moment_of_run}">{column.time:%m-%d}{part}</time></th>'


def _broken(column: TrendColumn) -> str:
    if not column.broken:
        return "<td></td>"
    title = f"{_minute(column.time)}: {say_number(column.broken, 'test without a verdict', ',')}"
    return f'<td class=violated title="{title}">!{column.broken}</td>'


def _cell(rule: str, column: TrendColumn, count: Count | None) -> str:
    if count is None:
        return "<td></td>"
    level = level_of(count)
    numbers = {name: getattr(count, name) for name in ("violated", "undetermined", "waived", "known", "proven")}
    said = listed(say("{number} {state}", number=number, state=say(name)) for name, number in numbers.items() if number)
    said = said or say("nothing to look at")
    signs = {
        "violated": str(count.violated),
        "undetermined": f"?{count.undetermined}",
        "accepted": f"({count.waived + count.known})",
    }
    title = escape(f"{rule}, {_minute(column.time)}: {said}")
    return f'<td class={level} title="{title}">{signs.get(level, _LEGEND[level][0])}</td>'


def _findings(trend: Trend, repository: str) -> Iterable[str]:
    rows = (_finding(trend, one, repository) for one in trend.open[:_MOST])
    yield from _list(
        say("Open findings, the oldest first"), (say("finding"), say("state"), say("open"), say("since")), rows
    )
    if len(trend.open) > _MOST:
        yield f"<p class=quiet>{say('And {number} more.', number=len(trend.open) - _MOST)}</p>"


def _finding(trend: Trend, one: Open, repository: str) -> str:
    finding, entry = one.entry.finding, one.entry
    times = f" <small>{say('{number} times', number=one.times)}</small>" if one.times > 1 else ""
    rows = [(say("expected"), finding.expected), (say("found"), finding.found), (say("reason"), finding.reason)]
    said = [f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text]
    if finding.location:
        said.insert(0, f"<dt>{say('place')}</dt><dd>{_place(finding.location, one.commit, repository)}</dd>")
    if finding.remedy:
        said.append(f"<dt>{say('fix')}</dt><dd><pre>{escape(finding.remedy)}</pre></dd>")
    stale = (
        f" <small>{say('not looked at since {day}', day=_day(one.looked))}</small>"
        if one.looked != trend.last.time
        else ""
    )
    state = finding.verdict.value if entry.state in {"failing", "warning"} else entry.state
    level = state if state in {"violated", "undetermined"} else "accepted"
    return (
        f"<tr><td class=about><details><summary>{_about(finding)}{times}</summary>"
        f"<dl>{''.join(said)}</dl></details>{stale}</td>"
        + cell(say("state"), f'<span class="pill {level}">{say(state)}</span>')
        + cell(say("open"), _age(one), "when")
        + cell(say("since"), _day(one.since), "when")
        + "</tr>"
    )


def _age(one: Open) -> str:
    days = say_number(one.days, "day", ",")
    return say("at least {days}", days=days) if one.is_oldest else days


def _suite(trend: Trend) -> str:
    return say("live suite") if trend.suite == "live" else say("static suite")


def _place(location: Location, commit: str, repository: str) -> str:
    shown = f"<code>{escape(str(location))}</code>"
    address = Links(f"{repository}/blob/{commit}/" if repository and commit else "").address(location)
    return f'<a href="{escape(address)}">{shown}</a>' if address else shown


def _waivers(trend: Trend) -> Iterable[str]:
    today = trend.last.time.date()
    entries = (one.entry for one in trend.open)
    waived = [(date.fromisoformat(one.waiver.expires), one.waiver, one.finding) for one in entries if one.waiver]
    rows = [
        f"<tr><td class=about>{_about(finding)}</td>"
        + cell(say("last day"), f"{day} ({_left(day, today)})", "when")
        + cell(say("who and why"), f"{escape(waiver.by)}: {escape(waiver.reason)}")
        + "</tr>"
        for day, waiver, finding in sorted(waived, key=lambda row: row[0])
        if day - today <= _SOON
    ]
    if rows:
        yield from _list(
            say("Waivers that lapse within 30 days, or have"),
            (say("finding"), say("last day"), say("who and why")),
            rows,
        )


def _about(finding: Finding) -> str:
    return f"<code>{escape(finding.rule)}</code> <code>{escape(finding.key)}</code>"


def _list(title: str, columns: Iterable[str], rows: Iterable[str]) -> Iterable[str]:
    yield f"<h3>{title}</h3>\n<table class=list>\n{head(columns)}\n<tbody>"
    yield from rows
    yield "</tbody>\n</table>"


def _left(day: date, today: date) -> str:
    return say("{days} left", days=say_number((day - today).days, "day", ",")) if day >= today else say("lapsed")


def _name(trend: Trend) -> str:
    return say("the repository") if trend.environment == REPOSITORY else trend.environment


def _anchor(trend: Trend) -> str:
    return escape(f"{trend.suite}-{quote(trend.environment)}")


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
