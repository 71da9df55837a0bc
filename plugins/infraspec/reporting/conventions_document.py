"""The naming and tagging rules of a contract as a document for people, in English or Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from infraspec.contract.conventions import TagRule, TagValue
from infraspec.contract.models import Contract
from infraspec.conventions.facts import facts_of
from infraspec.conventions.name_attributes import renaming
from infraspec.conventions.naming import REGEX, NamePattern, NamingRule
from infraspec.conventions.placeholders import Element
from infraspec.core.rules import NAMES, TAG_POLICY, TAGS
from infraspec.resource_types import resource_type

_EN: Mapping[str, str] = {
    "title": "Naming and tagging rules: {application}",
    "generated": "Written from `infraspec.toml` by `infraspec conventions`: edit the contract, not this document.",
    "names": "Names",
    "names_intro": "A pattern is the whole name. The example is for the environment `{environment}`.",
    "type": "resource type",
    "attribute": "attribute",
    "pattern": "pattern",
    "example": "example",
    "rename": "a new name",
    "in place": "in place",
    "replaced": "replaces it",
    "not known": "see terraform plan",
    "placeholders": "Placeholders",
    "placeholder": "placeholder",
    "stands": "stands for",
    "application": "the application: `{value}`",
    "environment": "the environment: {value}",
    "capital": "With a capital first letter (`{{Application}}`, `{{Environment}}`): the words capitalised and joined",
    "tags": "Tags",
    "common": "Every resource that takes tags carries these; the provider's `default_tags` count.",
    "further": "Further tags by resource type",
    "tag": "tag",
    "value": "value",
    "any": "any value",
    "matching": "matching `{regex}`",
    "exempt": "Exempt",
    "policy": "The tag policy of the organization applies as well: `{path}`.",
    "waivers": "Accepted until a day",
    "reason": "reason",
    "owner": "owner",
    "until": "until",
    "rule": "rule",
    "resource": "resource",
    "checked": "How it is enforced",
    "checked_text": "`pytest --pyargs infraspec.tests_static` judges every pull request by the rules `names`, `tags` "
    "and `tag-policy`. A name or tag that breaks one fails, with the line to write.",
}
_JA: Mapping[str, str] = {
    "title": "命名規則とタグ規則: {application}",
    "generated": "`infraspec conventions` が `infraspec.toml` から生成した文書です。"
    "この文書ではなく `infraspec.toml` を編集してください。",
    "names": "名前",
    "names_intro": "パターンは名前全体に一致する必要があります。例は環境 `{environment}` のものです。",
    "type": "リソースタイプ",
    "attribute": "属性",
    "pattern": "パターン",
    "example": "例",
    "rename": "名前を変えると",
    "in place": "そのまま変更",
    "replaced": "再作成",
    "not known": "terraform plan で確認",
    "placeholders": "プレースホルダー",
    "placeholder": "プレースホルダー",
    "stands": "意味",
    "application": "アプリケーション: `{value}`",
    "environment": "環境: {value}",
    "capital": "先頭が大文字のもの（`{{Application}}`、`{{Environment}}`）は、各単語の先頭を大文字にしてつなげたもの",
    "lower-case words joined by hyphens": "小文字の単語をハイフンでつなげたもの",
    "words joined, each with a capital": "各単語の先頭を大文字にしてつなげたもの",
    "an RDS engine such as postgres or mysql": "postgres や mysql などの RDS エンジン",
    "v and a number, such as v1": "v と数字（v1 など）",
    "tags": "タグ",
    "common": "タグを付けられるすべてのリソースに必須です。プロバイダーの `default_tags` も有効です。",
    "further": "リソースタイプごとの追加タグ",
    "tag": "タグ",
    "value": "値",
    "any": "任意の値",
    "matching": "`{regex}` に一致する値",
    "exempt": "対象外",
    "policy": "組織のタグポリシーも適用されます: `{path}`",
    "waivers": "期限付きの例外",
    "reason": "理由",
    "owner": "責任者",
    "until": "期限",
    "rule": "規則",
    "resource": "リソース",
    "checked": "検証方法",
    "checked_text": "プルリクエストごとに `pytest --pyargs infraspec.tests_static` が規則 `names`、`tags`、"
    "`tag-policy` を判定します。規則に反する名前やタグは失敗となり、書くべき行が示されます。",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _EN, "ja": _JA}
_WORD = re.compile(r"[A-Za-z0-9-]+")
_RULES = (NAMES.id, TAGS.id, TAG_POLICY.id)


def conventions(contract: Contract, language: str = "en") -> str:
    """Return the document as Markdown. Raises ContractError if a pattern is wrong."""
    words = LANGUAGES[language]
    lines = [f"# {words['title'].format(application=contract.project.application)}", "", words["generated"]]
    for part in (_names, _placeholders, _tags, _waivers):
        lines += part(contract, words)
    return "\n".join([*lines, "", f"## {words['checked']}", "", words["checked_text"]])


def _names(contract: Contract, words: Mapping[str, str]) -> Iterator[str]:
    if not contract.names.patterns:
        return
    environment = list(contract.environments)[-1]
    yield from ("", f"## {words['names']}", "", words["names_intro"].format(environment=environment), "")
    yield from _table(words, "type", "attribute", "pattern", "example", "rename")
    for type_, rule in _rules(contract):
        attribute = contract.names.attributes.get(type_) or resource_type(type_).name or "name"
        for position, pattern in enumerate(rule.patterns):
            shown = [f"`{type_}`", f"`{attribute}`"] if position == 0 else ["", ""]
            how = words[renaming(type_, attribute).value] if position == 0 else ""
            yield _row(*shown, f"`{pattern.text}`", f"`{_example(pattern)}`", how)


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


def _placeholders(contract: Contract, words: Mapping[str, str]) -> Iterator[str]:
    if not contract.names.patterns:
        return
    elements = [element for _, rule in _rules(contract) for pattern in rule.patterns for element in pattern.elements]
    yield from ("", f"### {words['placeholders']}", "")
    yield from _table(words, "placeholder", "stands")
    yield _row("`{application}`", words["application"].format(value=contract.project.application))
    names = ", ".join(f"`{name}`" for name in contract.environments)
    yield _row("`{environment}`", words["environment"].format(value=names))
    for name, expression in sorted(contract.names.placeholders.items()):
        yield _row(f"`{{{name}}}`", f"`{expression}`")
    for source, meaning in sorted(dict(_defaults(elements, contract)).items()):
        yield _row(f"`{source}`", words.get(meaning, meaning))
    yield from ("", words["capital"].format())


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


def _tags(contract: Contract, words: Mapping[str, str]) -> Iterator[str]:
    tags = contract.tags
    if not (tags.common or tags.resource or tags.policy):
        return
    yield from ("", f"## {words['tags']}", "")
    if tags.common:
        yield from (words["common"], "", *_table(words, "tag", "value"))
        yield from (_row(f"`{key}`", _value(value, words)) for key, value in tags.common.items())
    if tags.resource:
        yield from ("", f"### {words['further']}", "", *_table(words, "type", "tag", "value"))
        for type_, table in sorted(tags.resource.items()):
            yield from (_row(f"`{type_}`", f"`{key}`", _value(value, words)) for key, value in table.items())
    if tags.policy:
        yield from ("", words["policy"].format(path=tags.policy.as_posix()))
    if tags.exempt:
        yield from ("", f"{words['exempt']}: {', '.join(f'`{entry}`' for entry in tags.exempt)}")


def _waivers(contract: Contract, words: Mapping[str, str]) -> Iterator[str]:
    waivers = [waiver for waiver in contract.waivers if waiver.rule in _RULES]
    if not waivers:
        return
    yield from ("", f"## {words['waivers']}", "")
    yield from _table(words, "rule", "resource", "reason", "owner", "until")
    for waiver in sorted(waivers, key=lambda entry: (entry.expires, entry.address)):
        yield _row(waiver.rule, f"`{waiver.address}`", waiver.reason, waiver.owner, _day(waiver.expires))


def _day(day: date) -> str:
    return day.isoformat()


def _value(value: TagValue, words: Mapping[str, str]) -> str:
    if isinstance(value, TagRule):
        return words["any"] if value.regex is None else words["matching"].format(regex=value.regex)
    return ", ".join(f"`{text}`" for text in ([value] if isinstance(value, str) else value))


def _table(words: Mapping[str, str], *columns: str) -> tuple[str, str]:
    return _row(*(words[column] for column in columns)), "|---" * len(columns) + "|"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
