"""A migration plan as a document, in English or Japanese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from infraspec.checks.conventions.migration import Migration, MigrationPlan
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
    code,
    marked,
    raw,
)

_EN: Mapping[str, str] = {
    "title": "Migration plan",
    "environment": "Environment",
    "none": "Everything that exists keeps to the rules; there is nothing to migrate.",
    "assumed": "No state and no plan was given: every resource of the source is taken to exist.",
    "judged": "Existing resources: {count}. Names to change: {names}. Sets of tags to change: {tags}.",
    "resource": "resource",
    "what": "what",
    "old": "now",
    "new": "to be",
    "how": "change",
    "place": "place",
    "name": "name",
    "tags": "tags",
    "in place": "in place",
    "replaced": "replaced",
    "replaced, data": "replaced: data is lost",
    "not known": "terraform plan tells",
    "not known, data": "terraform plan tells: data may be lost",
    "clash": "also that of {others}",
    "steps": "Steps for what holds data",
    "keep": "Keep the old one under another address. In the configuration, rename the block to `{old}` and add",
    "or": "or, without a block:",
    "add": "Add the block of `{address}` again, with the new name, and apply:",
    "copy": "Copy the data, point everything at the new one, and check that nothing uses the old one.",
    "drop": "Take the block `{old}` out and apply. The plan destroys the old one: that needs its approval.",
    "unjudged": "Names that are not known before apply, and were not judged",
}
_JA: Mapping[str, str] = {
    "title": "移行計画",
    "environment": "環境",
    "none": "既存のリソースはすべて規則に準拠しています。移行は不要です。",
    "assumed": "state も plan も指定されていないため、ソースの全リソースが存在するものとして扱います。",
    "judged": "既存リソース {count} 件、名前の変更 {names} 件、タグの変更 {tags} 件。",
    "resource": "リソース",
    "what": "対象",
    "old": "現在",
    "new": "変更後",
    "how": "変更方法",
    "place": "場所",
    "name": "名前",
    "tags": "タグ",
    "in place": "そのまま変更",
    "replaced": "再作成",
    "replaced, data": "再作成（データが失われる）",
    "not known": "terraform plan で確認",
    "not known, data": "terraform plan で確認（データが失われる可能性あり）",
    "clash": "{others} と同じ名前",
    "steps": "データを持つリソースの手順",
    "keep": "古いリソースを別のアドレスで残します。設定のブロック名を `{old}` に変え、次を追加します",
    "or": "ブロックを使わない場合:",
    "add": "`{address}` のブロックを新しい名前で書き直し、apply します:",
    "copy": "データをコピーし、参照先をすべて新しいリソースに切り替え、古いリソースが使われていないことを確認します。",
    "drop": "ブロック `{old}` を削除して apply します。古いリソースが破棄されるため、その承認が必要です。",
    "unjudged": "apply まで名前が決まらず、判定していないリソース",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _EN, "ja": _JA}
_COLUMNS = ("resource", "what", "old", "new", "how", "place")


def migration_document(plans: Sequence[MigrationPlan], language: str = "en") -> Document:
    """Return a table for each environment; on a page the steps for what holds data, and what was not judged, too."""
    return Document(partial(_parts, plans, LANGUAGES[language]))


def _parts(plans: Sequence[MigrationPlan], words: Mapping[str, str], form: Form) -> Iterator[Part]:
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
