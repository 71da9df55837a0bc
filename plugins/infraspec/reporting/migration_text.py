"""A migration plan as a table for the terminal and as Markdown, in English or Japanese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from infraspec.checks.migration import Migration, MigrationPlan

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


def as_text(plans: Sequence[MigrationPlan], language: str = "en") -> str:
    """Return a table for each environment, its columns aligned."""
    words = LANGUAGES[language]
    return "\n\n".join("\n".join(_text(plan, words)) for plan in plans)


def as_markdown(plans: Sequence[MigrationPlan], language: str = "en") -> str:
    """Return a document: a table for each environment, and the steps for what holds data."""
    words = LANGUAGES[language]
    lines = [f"# {words['title']}"]
    for plan in plans:
        lines += ["", f"## {words['environment']}: {plan.environment}", "", *_markdown(plan, words)]
    return "\n".join(lines)


def _text(plan: MigrationPlan, words: Mapping[str, str]) -> list[str]:
    lines = [f"{words['environment']}: {plan.environment}", *_notes(plan, words)]
    if not plan.migrations:
        return lines
    rows = [[words[column] for column in _COLUMNS], *(_row(entry, words) for entry in plan.migrations)]
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return [
        *lines,
        *(
            "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
    ]


def _markdown(plan: MigrationPlan, words: Mapping[str, str]) -> list[str]:
    lines = _notes(plan, words)
    if plan.migrations:
        lines += ["", _cells(words[column] for column in _COLUMNS), "|---" * len(_COLUMNS) + "|"]
        lines += [_cells(map(_escaped, _row(entry, words))) for entry in plan.migrations]
    with_data = [entry for entry in plan.migrations if entry.keeps_data]
    if with_data:
        lines += ["", f"### {words['steps']}"]
    for entry in with_data:
        lines += ["", *_steps(entry, words)]
    if plan.unjudged:
        lines += ["", f"### {words['unjudged']}", "", *(f"- `{address}`" for address in plan.unjudged)]
    return lines


def _notes(plan: MigrationPlan, words: Mapping[str, str]) -> list[str]:
    names = sum(1 for entry in plan.migrations if entry.kind == "name")
    counts = words["judged"].format(count=plan.judged, names=names, tags=len(plan.migrations) - names)
    notes = [counts] if plan.migrations else [words["none"]]
    return notes if plan.certain else [*notes, "", words["assumed"]]


def _row(entry: Migration, words: Mapping[str, str]) -> list[str]:
    how = f"{entry.how.value}, data" if entry.keeps_data else entry.how.value
    new = f"{entry.new} ({words['clash'].format(others=', '.join(entry.clashes))})" if entry.clashes else entry.new
    return [entry.address, words[entry.kind], entry.old, new, words[how], str(entry.location or "")]


def _steps(entry: Migration, words: Mapping[str, str]) -> list[str]:
    old = entry.command.rsplit("'", 2)[1] if entry.command else ""
    return [
        f"#### `{entry.address}`",
        "",
        f"1. {words['keep'].format(old=old)}",
        *_block("hcl", entry.moved),
        f"   {words['or']} `{entry.command}`",
        f"2. {words['add'].format(address=entry.address)}",
        *_block("hcl", entry.line),
        f"3. {words['copy']}",
        f"4. {words['drop'].format(old=old)}",
    ]


def _block(language: str, text: str) -> list[str]:
    return ["", f"   ```{language}", *(f"   {line}" for line in text.splitlines()), "   ```", ""]


def _cells(cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"  # type: ignore[call-overload]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
