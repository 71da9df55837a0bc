"""The results of a run as one Markdown comment of a pull request, or the summary of a workflow's step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape as escape_html

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.errors import counted, listing
from infraspec.core.finding import Verdict
from infraspec.core.rules import PLAN_REVIEW
from infraspec.reporting.document import code_span, escape, fence, fold, table
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import Count, Entry, Results, by_rule, find, function_of, unseen
from infraspec.reporting.run.results_builder import Cause, causes, mended

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
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… ({len(text) - _LONGEST} more characters)"


def _note(left: dict[str, int]) -> str:
    if not left:
        return ""
    what = ", ".join(f"{number} {noun}" for noun, number in left.items())
    return f"_Left out, as this would be too long: {what}. All of it is in the results file._"


def _size(text: str) -> int:
    """Count as GitHub may: characters outside of the basic plane twice."""
    return len(text.encode("utf-16-le")) // 2


MARKER = "<!-- infraspec-report -->"
"""The first line of a comment, by which the comment of the run before is found and replaced."""

_SOON = timedelta(days=30)


def comment(results: Results, base: Results | None, links: Links, limit: int) -> str:
    """Return the comment, at most `limit` characters long; the same for the same results."""
    found = causes(find(results.findings, "failing", "warning"), base)
    commit = f", commit {results.run.commit[:12]}" if results.run.commit else ""
    sections = [
        Section("", tuple(filter(None, [MARKER, _title(results), _numbers(results, found, base)]))),
        Section("", () if results.passed else (_table(results),), rank=1, noun="tables"),
        *_problem_sections(results),
        *plan_sections(results, links),
        *_finding_sections(found, links, compared=base is not None),
        *_waiver_sections(results, links),
        *_baseline_sections(results, links),
        _advice_section(results, links),
        *([_mended_section(mended(results, base))] if base else []),
        Section("All rules", (_table(results),) if results.passed else (), rank=6, noun="tables", folded=True),
        _skipped_section(results),
        Section("", (f"<sub>infraspec {escape_html(results.run.infraspec)}{commit}</sub>",)),
    ]
    return fitted(sections, limit)


def _title(results: Results) -> str:
    violated, undetermined = results.total("violated"), results.total("undetermined")
    bad = [f"{number} {name}" for name, number in (("violated", violated), ("undetermined", undetermined)) if number]
    kinds = [problem.kind for problem in results.problems]
    bad += [f"{kinds.count(kind)} {kind}" for kind in ("failed", "broken") if kind in kinds]
    if bad:
        warned = not results.problems and not find(results.findings, "failing")
        return f"### {'⚠️' if warned else '❌'} infraspec: {', '.join(bad)}"
    if not results.counts:
        return "### ⚠️ infraspec: nothing was checked"
    return f"### ✅ infraspec: everything is {_good(results)}"


def _good(results: Results) -> str:
    """Say what everything is: "proven, waived or known"."""
    kinds = ["proven", *(name for name in ("waived", "known") if results.total(name))]
    return " or ".join([", ".join(kinds[:-1]), kinds[-1]] if kinds[1:] else kinds)


def _numbers(results: Results, found: Sequence[Cause], base: Results | None) -> str:
    numbers = [f"{results.total(name):,} {name}" for name in ("proven", "violated", "undetermined", "waived")]
    numbers += [f"{results.total('known'):,} known"] if results.baseline else []
    lines = [f"{escape(results.run.application)} ({listing(results.run.environments, 10)}): {', '.join(numbers)}."]
    if told := unseen(entry.finding for entry in results.findings):
        lines.append(f"PROVEN does not look at {escape('; '.join(told))}.")
    if found:
        lines.append(f"{counted(len(found), 'cause')} in all.")
    if base:
        new = sum(len(cause.entries) for cause in found if cause.is_new)
        commit = f" ({code_span(base.run.commit[:12])})" if base.run.commit else ""
        lines.append(f"Compared with the base{commit}: {new} new, {len(mended(results, base))} mended.")
    if not results.run.complete:
        lines.append("**Not the whole suite was run.**")
    return " ".join(lines)


def _table(results: Results) -> str:
    names = list(dict.fromkeys(count.environment for count in results.counts))
    rules = sorted({count.rule for count in results.counts}, key=lambda rule: by_rule("", rule, ()))
    cells = {(count.environment, count.rule): _cell(count) for count in results.counts}
    rows = [[code_span(rule), *(cells.get((name, rule), "") for name in names)] for rule in rules]
    return table(["rule", *map(escape, names)], rows) if rows else ""


def _cell(count: Count) -> str:
    bad = [f"{mark} {number}" for mark, number in (("❌", count.violated), ("⚠️", count.undetermined)) if number]
    total = count.proven + count.violated + count.undetermined
    text = f"{', '.join(bad)} of {total}" if bad else str(total or "-")
    aside = [f"{number} {name}" for name, number in (("waived", count.waived), ("known", count.known)) if number]
    return f"{text} ({', '.join(aside)})" if aside else text


def _finding_sections(found: Sequence[Cause], links: Links, *, compared: bool) -> list[Section]:
    """Return violations before what is undetermined, what is new before what is not, and a section for each rule."""
    sections = []
    for verdict, rank in ((Verdict.VIOLATED, 2), (Verdict.UNDETERMINED, 3)):
        chosen = [cause for cause in found if cause.finding.verdict is verdict]
        for is_new in (True, False):
            age = ("New: " if is_new else "As in the base: ") if compared else ""
            title = f"{age}{verdict.value}" if age else verdict.value.capitalize()
            rules: dict[str, list[str]] = {}
            for cause in (cause for cause in chosen if cause.is_new is is_new):
                rules.setdefault(cause.finding.rule, []).append(finding_text(cause, links))
            for at, (rule, texts) in enumerate(rules.items()):
                noun = f"causes of {rule} ({title.lower()})"
                sections.append(Section("" if at else title, tuple(texts), rank if is_new else rank + 2, noun))
    return sections


def _problem_sections(results: Results) -> list[Section]:
    """Return the tests that have no verdict, with the error of the input or the assertion that failed."""
    titles = (("broken", "Broken: no verdict"), ("failed", "Failed rules of this repository"))
    sections = []
    for kind, title in titles:
        texts = []
        for problem in (problem for problem in results.problems if problem.kind == kind):
            message = shortened(problem.message) or "see the log of the run: the message is not infraspec's own"
            about = f"{code_span(problem.test)}: " if problem.test else ""
            texts.append(f"{about}{code_span(problem.error)}\n\n{fence(message, 'text')}")
        sections.append(Section(title, tuple(texts), rank=2, noun=f"{kind} tests"))
    return sections


def _waiver_sections(results: Results, links: Links) -> list[Section]:
    waived = find(results.findings, "waived")
    soon = [entry for entry in waived if entry.waiver and _days_left(results, entry.waiver.expires) <= _SOON]
    lapsed = [entry for entry in find(results.findings, "failing", "warning") if entry.waiver]
    lines = [f"- lapsed: {_waiver(entry, links)}" for entry in lapsed]
    lines += [f"- lapses soon: {_waiver(entry, links)}" for entry in soon if not _is_for_this_run(entry, results)]
    lines += [f"- of no use: {escape(text)}" for text in results.unused_waivers]
    return [
        Section("Waivers to look at", tuple(lines), rank=4, noun="waivers to look at"),
        Section(
            f"{len(waived)} waived", tuple(f"- {_waiver(entry, links)}" for entry in waived), 7, "waived", folded=True
        ),
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
    until = f"{file} {'lapses soon: it holds' if soon else 'holds'} until {baseline.expires}."
    shrink = f"{len(fixed)} of {file} are fixed: `infraspec report baseline --shrink {baseline.file}` takes them out."
    groups = tuple(finding_text(cause, links) for cause in causes(known))
    return [
        Section("", ((shrink,) if fixed else ()) + ((until,) if soon else ()), 4, "notes about the baseline"),
        Section(f"{len(fixed)} fixed", fixed, 7, "fixed", folded=True),
        Section(f"{len(known)} known: {len(groups)} causes, until {baseline.expires}", groups, 8, "known", folded=True),
    ]


def _days_left(results: Results, day: str) -> timedelta:
    return date.fromisoformat(day) - date.fromisoformat(results.run.time[:10])


def _is_for_this_run(entry: Entry, results: Results) -> bool:
    """Tell whether a waiver is the label of a pull request, which holds for one run."""
    waiver = entry.waiver
    return waiver is not None and waiver.owner == "the pull request" and waiver.expires == results.run.time[:10]


def _waiver(entry: Entry, links: Links) -> str:
    waiver = entry.waiver
    until = f": until {waiver.expires} by {escape(waiver.by)}, {escape(waiver.reason)}" if waiver else ""
    return f"{_named(entry)}{links.behind(entry.finding.location)}{until}"


def _named(entry: Entry) -> str:
    return f"{code_span(entry.finding.rule)} {code_span(entry.finding.key)} ({escape(entry.environment)})"


def _advice_section(results: Results, links: Links) -> Section:
    """Return what holds and could be better, with the change that makes it so."""
    advice = find(results.findings, "advice")
    items = tuple(finding_text(cause, links) for cause in causes(advice))
    return Section(f"Advice: {len(items)}", items, 7, "pieces of advice", folded=True)


def _mended_section(entries: Sequence[Entry]) -> Section:
    lines = tuple(f"- {_named(entry)}" for entry in entries)
    return Section(f"{len(entries)} mended since the base", lines, 7, "mended", folded=True)


def _skipped_section(results: Results) -> Section:
    reasons: dict[tuple[str, str], list[str]] = {}
    for skipped in results.skipped:
        told = function_of(skipped.test), skipped.reason.replace(skipped.environment, "…")
        reasons.setdefault(told, []).append(skipped.environment)
    lines = tuple(
        f"- {code_span(name)} ({escape(', '.join(names))}): {escape(reason)}"
        for (name, reason), names in reasons.items()
    )
    return Section(f"Not looked at: {len(lines)}", lines, 9, "tests that were skipped", folded=True)


_CODE = re.compile(r'\s*(#|\[|\{|[\w."-]+\s*=[^=]|[\w-]+(\s+"[^"]*")*\s*\{)')
_SHOWN = 10


def finding_text(cause: Cause, links: Links) -> str:
    """Return a cause as Markdown: the first finding in full, the others by name."""
    finding = cause.finding
    (_, first), *others = cause.subjects.items()
    lines = [f"**{code_span(finding.rule)}** {code_span(finding.key)}  ", _where(first, links), ""]
    lines += [f"- and {code_span(key)} {_where(entries, links)}" for key, entries in others[: _SHOWN - 1]]
    if len(others) >= _SHOWN:
        lines.append(f"- and {len(others) - _SHOWN + 1} more of the same cause")
    lines += _evidence(cause, links)
    if remedy := shortened(finding.remedy):
        lines += ["", _fix(remedy, "the fix" if finding.verdict is Verdict.VIOLATED else "how to know")]
    return "\n".join(lines)


def _where(entries: Sequence[Entry], links: Links) -> str:
    location = entries[0].finding.location
    names = ", ".join(dict.fromkeys(entry.environment for entry in entries))
    return f"{links.place(location)} · {names}" if location else names


def _evidence(cause: Cause, links: Links) -> Iterator[str]:
    finding = cause.finding
    for label in ("expected", "found", "reason"):
        text = shortened(getattr(finding, label))
        for at, line in enumerate(filter(None, text.splitlines())):
            yield f"- **{label}:** {escape(line)}" if at == 0 else f"  <br>{escape(line)}"
    for other in finding.related:
        yield f"- **{escape(other.role)}:** {code_span(other.address)}{links.behind(other.location)}"
    if len(cause.environments) > 1:
        yield f"- alike, but for names and accounts, in {listing(cause.environments[1:], 5)}"


def _fix(remedy: str, title: str) -> str:
    """Return a remedy: one line of prose as it is, code in a fold, prose before code above the code."""
    first, _, rest = remedy.partition("\n")
    if _CODE.match(first):
        return fold(title, fence(remedy, "hcl"))
    if not rest:
        return f"- **{title}:** {escape(first)}"
    return fold(title, f"{escape(first)}\n\n{fence(rest, 'hcl')}")


_MARKS = {"failing": "❌", "warning": "⚠️", "waived": "☑️", "proven": "👀"}
_SILENT = "no resource changes"


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
    plan = next((code_span(plan.file) for plan in results.run.plans if plan.environment == name), "the plan")
    title = f"What {plan} changes in {name}: {_kinds(changes) or _SILENT}"
    told = tuple(_line(entry, links) for entry in (*risky, *notable)) or ("Nothing of it is a risk.",)
    rest, noun = tuple(_line(entry, links) for entry in quiet), "changes without a risk"
    return [
        Section(title, told, rank=1, noun="risks of plans"),
        Section(f"{len(quiet)} {noun} in {name}", rest, rank=8, noun=noun, folded=True),
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
    return ", ".join([*([f"{risks} to look at"] if risks else []), *counts])


def _line(entry: Entry, links: Links) -> str:
    finding, waiver = entry.finding, entry.waiver
    mark = f"{_MARKS[entry.state]} **{escape(finding.subject)}** " if finding.subject else ""
    approved = (
        f" — approved by {escape(waiver.by)}: {escape(waiver.reason)}" if waiver and entry.state == "waived" else ""
    )
    first = finding.found.splitlines()[0]
    return f"- {mark}{code_span(finding.address)}: {escape(first)}{links.behind(finding.location)}{approved}"
