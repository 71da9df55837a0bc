"""The results of a run as one Markdown comment of a pull request, or the summary of a workflow's step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape as escape_html

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.errors import listing
from infraspec.core.finding import Verdict
from infraspec.core.rules import PLAN_REVIEW, rule_of
from infraspec.reporting.document import code_span, escape, fence, fold, table
from infraspec.reporting.language import Language, listed, say, say_filled, say_number, speaking
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import Count, Entry, Results, by_rule, find, function_of, unseen
from infraspec.reporting.run.results_builder import Cause, causes, fixed_since

COMMENT_LIMIT = 65_536
"""Characters of a comment. Source: GitHub's API refuses more: "body is too long (maximum is 65536 characters)"."""

SUMMARY_LIMIT = 349_000
"""Characters of a step's summary, of at most three bytes. Source: GitHub Docs, "Workflow commands": at most 1 MiB."""

_LONGEST = 4_000


class Section(Struct, frozen=True):
    """A part of a report. Sections of a high `rank` lose items first, the longest of them its last; with 0 none.

    `noun` says what the items are, in the plural. With `folded` it is shown on a click on its title.
    """

    title: str
    items: tuple[str, ...]
    rank: int = 0
    noun: str = ""
    folded: bool = False

    def __str__(self) -> str:
        is_list = all(item.startswith("- ") for item in self.items)
        content = ("\n" if is_list else "\n\n").join(self.items)
        if not self.title:
            return content
        return fold(self.title, content) if self.folded else f"#### {self.title}\n\n{content}"


def fitted(sections: Sequence[Section], limit: int) -> str:
    """Return the sections as text of at most `limit` characters, and say at the end what was left out."""
    kept = [section for section in sections if section.items]
    left: dict[str, int] = {}
    size = sum(_size(str(section)) + 2 for section in kept) + 1
    while size + _size(_note(left)) > limit and (
        losers := [at for at, one in enumerate(kept) if one.rank and one.items]
    ):
        at = max(losers, key=lambda index: (kept[index].rank, len(kept[index].items), index))
        section = kept[at]
        left[section.noun] = left.get(section.noun, 0) + 1
        size -= _size(section.items[-1]) + 2
        kept[at] = replace(section, items=section.items[:-1])
    texts = [str(section) for section in kept if section.items]
    return "\n\n".join([*texts, *filter(None, [_note(left)])]) + "\n"


def shortened(text: str) -> str:
    """Return a text that is not too long to be read."""
    return (
        text
        if len(text) <= _LONGEST
        else text[:_LONGEST] + say("\n… ({number} more characters)", number=len(text) - _LONGEST)
    )


def _note(left: dict[str, int]) -> str:
    if not left:
        return ""
    what = listed(f"{number} {say(noun)}" for noun, number in left.items())
    return say("_Omitted to stay within the size limit: {what}. The results file has everything._", what=what)


def _size(text: str) -> int:
    """Count as GitHub may: characters outside of the basic plane twice."""
    return len(text.encode("utf-16-le")) // 2


MARKER = "<!-- infraspec-report -->"
"""The first line of a comment, by which the comment of the run before is found and replaced."""

_SOON = timedelta(days=30)


def comment(results: Results, base: Results | None, links: Links, limit: int, language: Language | None = None) -> str:
    """Return the comment, at most `limit` characters long; the same for the same results."""
    with speaking(language or results.run.language):
        return fitted(_sections(results, base, links), limit)


def _sections(results: Results, base: Results | None, links: Links) -> list[Section]:
    found = causes(find(results.findings, "failing", "warning"), base)
    commit = f", commit {escape(results.run.commit[:12])}" if results.run.commit else ""
    return [
        Section("", (MARKER, _title(results))),
        *_problem_sections(results),
        *plan_sections(results, links),
        *_finding_sections(found, links, compared=base is not None),
        Section("", (_numbers(results, found, base),)),
        *_table_sections(results),
        *_waiver_sections(results, links),
        *_baseline_sections(results, links),
        _advice_section(results, links),
        *([_fixed_section(fixed_since(results, base))] if base else []),
        _skipped_section(results),
        _flaky_section(results),
        Section("", (f"<sub>infraspec {escape_html(results.run.infraspec)}{commit}</sub>",)),
    ]


def _title(results: Results) -> str:
    violated, undetermined = results.total("violated"), results.total("undetermined")
    bad = [_stated(number, name) for name, number in (("violated", violated), ("undetermined", undetermined)) if number]
    kinds = [problem.kind for problem in results.problems]
    bad += [_stated(kinds.count(kind), kind) for kind in ("failed", "broken") if kind in kinds]
    if bad:
        warned = not results.problems and not find(results.findings, "failing")
        return f"### {'⚠️' if warned else '❌'} infraspec: {listed(bad)}"
    if not results.counts:
        return f"### ⚠️ infraspec: {say('nothing was checked')}"
    return f"### ✅ infraspec: {say('everything is {states}', states=_good(results))}"


def _stated(number: int, state: str) -> str:
    return say("{number} {state}", number=f"{number:,}", state=say(state))


def _good(results: Results) -> str:
    """Say what everything is: "proven, waived or known"."""
    kinds = [say("proven"), *(say(name) for name in ("waived", "known") if results.total(name))]
    return say(" or ").join([listed(kinds[:-1]), kinds[-1]] if kinds[1:] else kinds)


def _numbers(results: Results, found: Sequence[Cause], base: Results | None) -> str:
    numbers = [_stated(results.total(name), name) for name in ("proven", "violated", "undetermined", "waived")]
    numbers += [_stated(results.total("known"), "known")] if results.baseline else []
    environments = escape(listing(results.run.environments, 10))
    about = {"application": escape(results.run.application), "environments": environments}
    lines = [say("{application} ({environments}): {numbers}.", **about, numbers=listed(numbers))]
    if told := unseen(entry.finding for entry in results.findings):
        lines.append(say("Not covered by PROVEN: {what}.", what=escape("; ".join(map(say_filled, told)))))
    if found:
        lines.append(say("{causes} in all.", causes=say_number(len(found), "cause")))
    if base:
        new = sum(len(cause.entries) for cause in found if cause.is_new)
        commit = f" ({code_span(base.run.commit[:12])})" if base.run.commit else ""
        gone = len(fixed_since(results, base))
        lines.append(say("Compared with the base{commit}: {new} new, {gone} fixed.", commit=commit, new=new, gone=gone))
    if not results.run.complete:
        lines.append(say("**Only part of the suite was run.**"))
    return " ".join(lines)


def _table_sections(results: Results) -> list[Section]:
    """Return the table of the rules that somebody has to look at, and in a fold that of those that are proven."""
    bad = {count.rule for count in results.counts if count.violated or count.undetermined}
    rules = sorted({count.rule for count in results.counts}, key=lambda rule: by_rule("", rule, ()))
    open_, green = ([rule for rule in rules if (rule in bad) is is_bad] for is_bad in (True, False))
    title = say("{rules} proven", rules=say_number(len(green), "rule"))
    return [
        Section("", (_table(results, open_),) if open_ else (), rank=1, noun="tables"),
        Section(title, (_table(results, green),) if green else (), rank=6, noun="tables", folded=True),
    ]


def _table(results: Results, rules: Sequence[str]) -> str:
    names = list(dict.fromkeys(count.environment for count in results.counts if count.rule in rules))
    cells = {(count.environment, count.rule): _cell(count) for count in results.counts}
    rows = [[code_span(rule), *(cells.get((name, rule), "") for name in names)] for rule in rules]
    heads = [say(name) if name == REPOSITORY else escape(name) for name in names]
    return table([say("rule"), *heads], rows)


def _cell(count: Count) -> str:
    bad = [f"{mark} {number}" for mark, number in (("❌", count.violated), ("⚠️", count.undetermined)) if number]
    total = count.proven + count.violated + count.undetermined
    text = say("{bad} of {total}", bad=listed(bad), total=total) if bad else str(total or "-")
    aside = [_stated(number, name) for name, number in (("waived", count.waived), ("known", count.known)) if number]
    return f"{text} ({listed(aside)})" if aside else text


def _finding_sections(found: Sequence[Cause], links: Links, *, compared: bool) -> list[Section]:
    """Return violations before what is undetermined, what is new before what is not, and a section for each rule."""
    sections = []
    for verdict, rank in ((Verdict.VIOLATED, 2), (Verdict.UNDETERMINED, 3)):
        chosen = [cause for cause in found if cause.finding.verdict is verdict]
        for is_new in (True, False):
            age = (say("New: ") if is_new else say("Already in the base: ")) if compared else ""
            title = f"{age}{say(verdict.value)}" if age else say(verdict.value).capitalize()
            rules: dict[str, list[str]] = {}
            for cause in (cause for cause in chosen if cause.is_new is is_new):
                rules.setdefault(cause.finding.rule, []).append(finding_text(cause, links))
            for at, (rule, texts) in enumerate(rules.items()):
                noun = say("causes of {rule} ({title})", rule=rule, title=title.lower())
                sections.append(Section("" if at else title, tuple(texts), rank if is_new else rank + 2, noun))
    return sections


_OF_OTHERS = "see the log of the run: the message does not come from infraspec"


def _problem_sections(results: Results) -> list[Section]:
    """Return the tests that have no verdict, with the error of the input or the assertion that failed."""
    titles = (("broken", say("Broken: no verdict")), ("failed", say("Failed rules of this repository")))
    sections = []
    for kind, title in titles:
        texts = []
        for problem in (problem for problem in results.problems if problem.kind == kind):
            message = shortened(problem.message) or say(_OF_OTHERS)
            about = f"{code_span(problem.test)}: " if problem.test else ""
            texts.append(f"{about}{code_span(problem.error)}\n\n{fence(message, 'text')}")
        sections.append(Section(title, tuple(texts), rank=2, noun=f"{kind} tests"))
    return sections


def _waiver_sections(results: Results, links: Links) -> list[Section]:
    waived = find(results.findings, "waived")
    soon = [entry for entry in waived if entry.waiver and _days_left(results, entry.waiver.expires) <= _SOON]
    lapsed = [entry for entry in find(results.findings, "failing", "warning") if entry.waiver]
    accepted = tuple(f"- {_waiver(entry, links)}" for entry in waived)
    lines = [f"- {say('expired')}: {_waiver(entry, links)}" for entry in lapsed]
    ending = [entry for entry in soon if not _is_for_this_run(entry, results)]
    lines += [f"- {say('expires soon')}: {_waiver(entry, links)}" for entry in ending]
    lines += [f"- {say('unused')}: {escape(text)}" for text in results.unused_waivers]
    return [
        Section(say("Waivers to review"), tuple(lines), rank=4, noun="waivers to review"),
        Section(_stated(len(waived), "waived"), accepted, 7, "waived", folded=True),
    ]


def _baseline_sections(results: Results, links: Links) -> list[Section]:
    """Return what the baseline hides and until when, and what can be taken out of it."""
    baseline = results.baseline
    if baseline is None:
        return []
    known = find(results.findings, "known")
    fixed = tuple(
        f"- {code_span(entry.rule)} {code_span(f'{entry.address} {entry.subject}')} ({escape(entry.environment)})"
        for entry in baseline.fixed
    )
    file, soon = code_span(baseline.file), _days_left(results, baseline.expires) <= _SOON
    until = say("{file} expires soon, on {day}.", file=file, day=baseline.expires)
    shrink = say(
        "{number} of {file} are fixed: {command} removes them.",
        number=len(fixed),
        file=file,
        command=code_span(f"infraspec report baseline --shrink {baseline.file}"),
    )
    groups = tuple(finding_text(cause, links) for cause in causes(known))
    return [
        Section("", ((shrink,) if fixed else ()) + ((until,) if soon else ()), 4, "notes about the baseline"),
        Section(_stated(len(fixed), "fixed"), fixed, 7, "fixed", folded=True),
        Section(
            say(
                "{number} known: {causes}, until {day}",
                number=len(known),
                causes=say_number(len(groups), "cause"),
                day=baseline.expires,
            ),
            groups,
            8,
            "known",
            folded=True,
        ),
    ]


def _days_left(results: Results, day: str) -> timedelta:
    return date.fromisoformat(day) - date.fromisoformat(results.run.time[:10])


def _is_for_this_run(entry: Entry, results: Results) -> bool:
    """Tell whether a waiver is the label of a pull request, which holds for one run."""
    waiver = entry.waiver
    return waiver is not None and waiver.owner == "the pull request" and waiver.expires == results.run.time[:10]


def _waiver(entry: Entry, links: Links) -> str:
    waiver = entry.waiver
    told = {"owner": escape(waiver.by), "day": waiver.expires, "reason": escape(waiver.reason)} if waiver else {}
    until = say(": until {day} by {owner}, {reason}", **told) if told else ""
    return f"{_named(entry)}{links.behind(entry.finding.location)}{until}"


def _named(entry: Entry) -> str:
    return f"{code_span(entry.finding.rule)} {code_span(entry.finding.key)} ({escape(entry.environment)})"


def _advice_section(results: Results, links: Links) -> Section:
    """Return what holds and could be better, with the change that makes it so."""
    advice = find(results.findings, "advice")
    items = tuple(finding_text(cause, links) for cause in causes(advice))
    return Section(say("Advice: {number}", number=len(items)), items, 7, "pieces of advice", folded=True)


def _fixed_section(entries: Sequence[Entry]) -> Section:
    lines = tuple(f"- {_named(entry)}" for entry in entries)
    return Section(say("{number} fixed since the base", number=len(entries)), lines, 7, "fixed", folded=True)


def _flaky_section(results: Results) -> Section:
    lines = tuple(
        f"- {code_span(function_of(one.test))} ({escape(one.environment)}): {escape(one.reason)}"
        for one in results.flaky
    )
    return Section(f"Flaky: {len(lines)}", lines, 9, "tests that passed when they were run again", folded=True)


def _skipped_section(results: Results) -> Section:
    reasons: dict[tuple[str, str], list[str]] = {}
    for skipped in results.skipped:
        told = function_of(skipped.test), skipped.reason.replace(skipped.environment, "…")
        reasons.setdefault(told, []).append(skipped.environment)
    lines = tuple(
        f"- {code_span(name)} ({escape(', '.join(names))}): {escape(reason)}"
        for (name, reason), names in reasons.items()
    )
    return Section(say("{rules} skipped", rules=say_number(len(lines), "rule")), lines, 9, "skipped rules", folded=True)


_CODE = re.compile(r'\s*(#|\[|\{|[\w."-]+\s*=[^=]|[\w-]+(\s+"[^"]*")*\s*\{)')
_SHOWN = 10


def finding_text(cause: Cause, links: Links) -> str:
    """Return a cause as Markdown: the first finding in full, the others by name."""
    finding = cause.finding
    (_, first), *others = cause.subjects.items()
    sentence = rule_of(finding.rule).sentence
    lines = [f"**{code_span(finding.rule)}** {code_span(finding.key)}  ", _where(first, links), ""]
    lines += [f"- {say(sentence)}"] if say(sentence) != sentence else []
    lines += [f"- {say('and')} {code_span(key)} {_where(entries, links)}" for key, entries in others[: _SHOWN - 1]]
    if len(others) >= _SHOWN:
        lines.append("- " + say("and {number} more like it", number=len(others) - _SHOWN + 1))
    lines += _evidence(cause, links)
    if remedy := shortened(finding.remedy):
        lines += ["", _fix(remedy, say("fix" if finding.verdict is Verdict.VIOLATED else "to know"))]
    return "\n".join(lines)


def _where(entries: Sequence[Entry], links: Links) -> str:
    location = entries[0].finding.location
    names = escape(", ".join(dict.fromkeys(entry.environment for entry in entries)))
    return f"{links.place(location)} · {names}" if location else names


def _evidence(cause: Cause, links: Links) -> Iterator[str]:
    finding = cause.finding
    for label in ("consequence", "expected", "found", "reason"):
        text = shortened(getattr(finding, label))
        text = say_filled(text) if label == "consequence" else text
        for at, line in enumerate(filter(None, text.splitlines())):
            yield f"- **{say(label)}:** {escape(line)}" if at == 0 else f"  <br>{escape(line)}"
    for other in finding.related:
        yield f"- **{escape(say_filled(other.role))}:** {code_span(other.shown)}{links.behind(other.location)}"
    if len(cause.environments) > 1:
        yield "- " + say("the same in {environments}", environments=escape(listing(cause.environments[1:], 5)))


def _fix(remedy: str, title: str) -> str:
    """Return a remedy, open to the eye: a line of prose, code below it."""
    first, _, rest = remedy.partition("\n")
    if _CODE.match(first):
        first, rest = "", remedy
    code = f"\n\n{fence(rest, 'hcl')}" if rest else ""
    return f"**{title}:** {escape(first)}".rstrip() + code


_MARKS = {"failing": "❌", "warning": "⚠️", "waived": "☑️", "proven": "👀"}


def plan_sections(results: Results, links: Links) -> list[Section]:
    """Return a section for each environment that a plan was reviewed of."""
    reviewed = [count.environment for count in results.counts if count.rule == PLAN_REVIEW.id]
    return [section for name in reviewed for section in _of_environment(name, results, links)]


def _of_environment(name: str, results: Results, links: Links) -> list[Section]:
    about = (name, PLAN_REVIEW.id)
    changes = [entry for entry in results.findings if entry.identity[:2] == about and entry.finding.found]
    risky = [entry for entry in changes if entry.state != "proven"]
    notable = [entry for entry in changes if entry.state == "proven" and entry.finding.subject]
    quiet = [entry for entry in changes if entry.state == "proven" and not entry.finding.subject]
    plan = next((code_span(plan.file) for plan in results.run.plans if plan.environment == name), say("the plan"))
    kinds = _kinds(changes) or say("no resource changes")
    shown = escape(name)
    title = say("What {plan} changes in {environment}: {kinds}", plan=plan, environment=shown, kinds=kinds)
    told = tuple(_line(entry, links) for entry in (*risky, *notable)) or (say("No risky changes."),)
    without = say("{number} changes without risk in {environment}", number=len(quiet), environment=shown)
    rest, noun = tuple(_line(entry, links) for entry in quiet), "changes without risk"
    return [
        Section(title, told, rank=1, noun="risks of plans"),
        Section(without, rest, rank=8, noun=noun, folded=True),
    ]


def _kinds(changes: Sequence[Entry]) -> str:
    """Count resources by what is done to them, as far as a line says it: "1 to look at, 2 create"."""
    done = {
        entry.finding.address: re.split(r"[:,(]", entry.finding.found, maxsplit=1)[0].strip()
        for entry in changes
        if not entry.finding.subject
    }
    risks = len({entry.finding.address for entry in changes if entry.finding.subject})
    counts = [f"{number} {escape(kind)}" for kind, number in sorted(Counter(done.values()).items())]
    return listed([*([say("{number} to review", number=risks)] if risks else []), *counts])


def _line(entry: Entry, links: Links) -> str:
    finding, waiver = entry.finding, entry.waiver
    mark = f"{_MARKS[entry.state]} **{escape(finding.subject)}** " if finding.subject else ""
    approved = ""
    if waiver and entry.state == "waived":
        approved = say(" — approved by {owner}: {reason}", owner=escape(waiver.by), reason=escape(waiver.reason))
    first = finding.found.splitlines()[0]
    return f"- {mark}{code_span(finding.address)}: {escape(first)}{links.behind(finding.location)}{approved}"
