"""The naming and tagging rules of a contract as a document for people, in English or Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from infraspec.contract.models import Contract
from infraspec.contract.static import TagRule, TagValue
from infraspec.conventions.naming import REGEX, NamePattern, NamingRule, renaming
from infraspec.conventions.placeholders import Element, facts_of
from infraspec.core.rules import NAMES, TAG_POLICY, TAGS
from infraspec.reporting.document import Document, Paragraph, Part, Table, Title, Words, code, joined, marked, raw
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


def conventions_document(contract: Contract, language: str = "en") -> Document:
    """Return the document. Raises ContractError, once it is written, if a pattern is wrong."""
    return Document(lambda _form: _parts(contract, LANGUAGES[language]))


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
