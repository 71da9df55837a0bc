"""The naming and tagging rules of a contract, and the way to them, as documents in English or Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from infraspec.checks.conventions.migration import Migration, MigrationPlan
from infraspec.contract.models import Contract
from infraspec.contract.static import TagRule, TagValue
from infraspec.conventions.naming import REGEX, NamePattern, NamingRule, renaming
from infraspec.conventions.placeholders import Element, facts_of
from infraspec.core.rules import NAMES, TAG_POLICY, TAGS
from infraspec.reporting.document import (
    Code,
    Document,
    Form,
    Items,
    Paragraph,
    Part,
    Table,
    TextSpan,
    Title,
    Words,
    code,
    joined,
    languages,
    marked,
    raw,
)
from infraspec.resource_types import resource_type

_CONVENTIONS, _MIGRATION = languages("conventions"), languages("migration")
_WORD = re.compile(r"[A-Za-z0-9-]+")
_RULES = (NAMES.id, TAGS.id, TAG_POLICY.id)


def conventions_document(contract: Contract, language: str = "en") -> Document:
    """Return the document. Raises ContractError, once it is written, if a pattern is wrong."""
    return Document(lambda _form: _parts(contract, _CONVENTIONS[language]))


def _parts(contract: Contract, words: Mapping[str, str]) -> Iterator[Part]:
    yield Title(marked(words["title"], application=contract.project.application))
    yield Paragraph(marked(words["generated"]))
    for part in (_names, _placeholders, _tags, _waivers):
        yield from part(contract, words)
    yield Title(words["checked"], level=2)
    yield Paragraph(marked(words["checked_text"]))


def _names(contract: Contract, words: Mapping[str, str]) -> Iterator[Part]:
    if not contract.names.patterns:
        return
    environment = list(contract.environments)[-1]
    yield Title(words["names"], level=2)
    yield Paragraph(marked(words["names_intro"], environment=environment))
    rows: list[tuple[Words, ...]] = []
    for type_, rule in _rules(contract):
        attribute = contract.names.attributes.get(type_) or resource_type(type_).name or "name"
        first = code(type_), code(attribute), words[renaming(type_, attribute).value]
        for position, pattern in enumerate(rule.patterns):
            shown, name, how = first if position == 0 else ("", "", "")
            rows.append((shown, name, code(pattern.text), code(_example(pattern)), how))
    yield _table(words, ("type", "attribute", "pattern", "example", "rename"), rows)


def _example(pattern: NamePattern) -> str:
    """Return a name: of a choice of words the first, and a placeholder as it is where it is no choice."""
    if pattern.text.startswith(REGEX):
        return "…"
    return "".join(map(_sample, pattern.elements))


def _sample(element: Element) -> str:
    if element.texts:
        return element.texts[-1] if element.source[1:2].isupper() else element.texts[0]
    first, *others = element.shown.strip("()").split("|")
    return first if others and _WORD.fullmatch(first) else element.source


def _placeholders(contract: Contract, words: Mapping[str, str]) -> Iterator[Part]:
    if not contract.names.patterns:
        return
    elements = [element for _, rule in _rules(contract) for pattern in rule.patterns for element in pattern.elements]
    before, _, after = words["environment"].partition("{value}")
    rows: list[tuple[Words, ...]] = [
        (code("{application}"), marked(words["application"], value=contract.project.application)),
        (code("{environment}"), (before, *joined(", ", map(code, contract.environments)), after)),
        *((code(f"{{{name}}}"), code(text)) for name, text in sorted(contract.names.placeholders.items())),
        *(
            (code(source), words.get(text, text))
            for source, text in sorted(dict(_defaults(elements, contract)).items())
        ),
    ]
    yield Title(words["placeholders"], level=3)
    yield _table(words, ("placeholder", "stands"), rows)
    yield Paragraph(marked(words["capital"]))


def _rules(contract: Contract) -> Iterator[tuple[str, NamingRule]]:
    """Yield the types with their rules, for the last environment, which is the one that counts most."""
    facts = facts_of(contract, list(contract.environments)[-1], region=None, account=None)
    for type_, patterns in sorted(contract.names.patterns.items()):
        yield type_, NamingRule.parse(patterns, contract.names.placeholders, facts, key=f"names.patterns.{type_}")


def _defaults(elements: Iterable[Element], contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield the placeholders that nobody defines and that are no facts, with what they stand for."""
    for element in elements:
        name = element.source.strip("{}")
        is_placeholder = element.source.startswith("{") and not element.texts and not element.unsettled
        if is_placeholder and element.meaning and name not in contract.names.placeholders:
            yield element.source, element.meaning


def _tags(contract: Contract, words: Mapping[str, str]) -> Iterator[Part]:
    tags = contract.tags
    if not (tags.common or tags.resource or tags.policy):
        return
    yield Title(words["tags"], level=2)
    if tags.common:
        yield Paragraph(marked(words["common"]))
        yield _table(words, ("tag", "value"), ((code(key), _value(value, words)) for key, value in tags.common.items()))
    if tags.resource:
        yield Title(words["further"], level=3)
        rows = (
            (code(type_), code(key), _value(value, words))
            for type_, table in sorted(tags.resource.items())
            for key, value in table.items()
        )
        yield _table(words, ("type", "tag", "value"), rows)
    if tags.policy:
        yield Paragraph(marked(words["policy"], path=tags.policy.as_posix()))
    if tags.exempt:
        yield Paragraph((f"{words['exempt']}: ", *joined(", ", map(code, tags.exempt))))


def _waivers(contract: Contract, words: Mapping[str, str]) -> Iterator[Part]:
    waivers = [waiver for waiver in contract.waivers if waiver.rule in _RULES]
    if not waivers:
        return
    rows = (
        (waiver.rule, code(waiver.address), raw(waiver.reason), raw(waiver.owner), waiver.expires.isoformat())
        for waiver in sorted(waivers, key=lambda entry: (entry.expires, entry.address))
    )
    yield Title(words["waivers"], level=2)
    yield _table(words, ("rule", "resource", "reason", "owner", "until"), rows)


def _value(value: TagValue, words: Mapping[str, str]) -> Words:
    if isinstance(value, TagRule):
        return words["any"] if value.regex is None else marked(words["matching"], regex=value.regex)
    return joined(", ", map(code, [value] if isinstance(value, str) else value))


def _table(words: Mapping[str, str], columns: Iterable[str], rows: Iterable[Iterable[Words]]) -> Table:
    return Table.of((words[column] for column in columns), rows)


_COLUMNS = ("resource", "what", "old", "new", "how", "place")


def migration_document(plans: Sequence[MigrationPlan], language: str = "en") -> Document:
    """Return a table for each environment; on a page the steps for what holds data, and what was not judged, too."""
    return Document(partial(_of_plans, plans, _MIGRATION[language]))


def _of_plans(plans: Sequence[MigrationPlan], words: Mapping[str, str], form: Form) -> Iterator[Part]:
    if form == "markdown":
        yield Title(words["title"])
    for plan in plans:
        yield Title(f"{words['environment']}: {plan.environment}", level=2)
        yield from map(Paragraph, _notes(plan, words))
        if plan.migrations:
            yield Table.of((words[column] for column in _COLUMNS), (_row(entry, words) for entry in plan.migrations))
        if form == "markdown":
            yield from _on_a_page(plan, words)


def _on_a_page(plan: MigrationPlan, words: Mapping[str, str]) -> Iterator[Part]:
    with_data = [entry for entry in plan.migrations if entry.keeps_data]
    if with_data:
        yield Title(words["steps"], level=3)
    for entry in with_data:
        yield Title(code(entry.address), level=4)
        yield _steps(entry, words)
    if plan.unjudged:
        yield Title(words["unjudged"], level=3)
        yield Items.of(map(code, plan.unjudged))


def _notes(plan: MigrationPlan, words: Mapping[str, str]) -> list[str]:
    names = sum(1 for entry in plan.migrations if entry.kind == "name")
    counts = words["judged"].format(count=plan.judged, names=names, tags=len(plan.migrations) - names)
    notes = [counts] if plan.migrations else [words["none"]]
    return notes if plan.certain else [*notes, words["assumed"]]


def _row(entry: Migration, words: Mapping[str, str]) -> list[TextSpan]:
    how = f"{entry.how.value}, data" if entry.keeps_data else entry.how.value
    new = f"{entry.new} ({words['clash'].format(others=', '.join(entry.clashes))})" if entry.clashes else entry.new
    return list(map(raw, (entry.address, words[entry.kind], entry.old, new, words[how], str(entry.location or ""))))


def _steps(entry: Migration, words: Mapping[str, str]) -> Items:
    old = entry.command.rsplit("'", 2)[1] if entry.command else ""
    keep = Paragraph(marked(words["keep"], old=old)), Code(entry.moved, "hcl")
    otherwise = Paragraph((words["or"], " ", code(entry.command)))
    add = Paragraph(marked(words["add"], address=entry.address)), Code(entry.line, "hcl")
    last = Paragraph(words["copy"]), Paragraph(marked(words["drop"], old=old))
    return Items(((*keep, otherwise), add, *((one,) for one in last)), is_numbered=True)
