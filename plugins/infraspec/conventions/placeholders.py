"""What a `{placeholder}` of a naming pattern or a tag value stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import groupby

from msgspec import Struct

from infraspec.contract.models import Contract
from infraspec.conventions.automaton import ANY_TEXT, Expression, literal, one_of, parse_expression
from infraspec.core.errors import ContractError, UnknownEnvironmentError
from infraspec.core.unknown import Value

APPLICATION, ENVIRONMENT, REGION, ACCOUNT_ID = "application", "environment", "region", "account_id"

SHAPES: Mapping[str, str] = {
    APPLICATION: "[a-z0-9]+(-[a-z0-9]+)*",
    ENVIRONMENT: "[a-z0-9]+(-[a-z0-9]+)*",
    REGION: "[a-z]+(-[a-z]+)+-[0-9]+",
    ACCOUNT_ID: "[0-9]{12}",
}
"""The facts, and what one looks like whose value is not known."""

_GENERIC_ENDINGS = ("tool", "app", "application", "service")
_WORD = re.compile(r"[A-Za-z0-9]+")


def facts_of(contract: Contract, environment: str, *, region: Value, account: Value) -> dict[str, str]:
    """Return the facts of an environment; a region or account that is not known is left out.

    `region` and `account` are those of the plan and win over the contract's. Raises UnknownEnvironmentError.
    """
    if environment not in contract.environments:
        raise UnknownEnvironmentError(
            f"there is no environment {environment!r}",
            place=str(contract.path),
            expected=f"one of {', '.join(sorted(contract.environments))}",
            remedy=f"add [environments.{environment}] or select one that exists",
        )
    configured = contract.environments[environment]
    facts = {APPLICATION: contract.project.application, ENVIRONMENT: environment}
    for name, planned, written in (
        (REGION, region, configured.region),
        (ACCOUNT_ID, account, configured.account_id),
    ):
        value = planned if isinstance(planned, str) else written
        if value:
            facts[name] = value
    return facts


def filled(pattern: str, facts: Mapping[str, str]) -> str:
    """Fill the placeholders of a pattern that the contract knows: {application}, {environment}, {region}."""
    for name, value in facts.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern


def spellings(name: str, value: str) -> tuple[str, ...]:
    """Return how the value of a fact is written for {Name}, with a capital.

    Every word capitalised, joined (`DailyReportTool`); for the application also without a last word that says
    nothing, such as "tool" (`DailyReport`); for the environment also as Terraform's `title` writes it (`Pre-Prod`).
    """
    words = _WORD.findall(value)
    found = [pascal_case(words)]
    if name == APPLICATION and len(words) > 1 and words[-1].lower() in _GENERIC_ENDINGS:
        found.append(pascal_case(words[:-1]))
    if name == ENVIRONMENT:
        found.append(_WORD.sub(lambda match: pascal_case([match[0]]), value))
    return tuple(dict.fromkeys(found))


def pascal_case(words: list[str]) -> str:
    """Join words, each with a capital first letter."""
    return "".join(word[0].upper() + word[1:] for word in words)


_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SHORT_FORMS = {"app": APPLICATION, "env": ENVIRONMENT, "account": ACCOUNT_ID, "account-id": ACCOUNT_ID}

ENGINES = (
    *("aurora-mysql", "aurora-postgresql", "mariadb", "mysql", "postgres", "db2-ae", "db2-se"),
    *("oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb"),
    *("custom-oracle-ee", "custom-oracle-ee-cdb", "custom-oracle-se2", "custom-oracle-se2-cdb"),
    *("sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web"),
    *("custom-sqlserver-ee", "custom-sqlserver-se", "custom-sqlserver-web", "custom-sqlserver-dev"),
)
"""The values of Engine in the Amazon RDS API Reference, CreateDBInstance."""

_WORDS = ("[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by hyphens")
_CAPITALISED = ("[A-Z][A-Za-z0-9]*", "words joined, each with a capital")
_DEFAULTS = {
    "engine": ("|".join(ENGINES), "an RDS engine such as postgres or mysql"),
    "version": ("v[0-9]+", "v and a number, such as v1"),
}


class Element(Struct, frozen=True):
    """A piece of a pattern: literal text or a placeholder.

    `source` is how it stands in the pattern, `shown` what it comes to as far as that is one thing, `meaning` what a
    placeholder stands for, in words. `texts` are all the texts that fit, if they can be listed. `unsettled` names the
    fact whose value is not known, so that `expression` is only what it looks like.
    """

    source: str
    expression: Expression
    shown: str
    meaning: str = ""
    texts: tuple[str, ...] = ()
    unsettled: str = ""

    @classmethod
    def plain(cls, text: str) -> Element:
        """Return literal text."""
        return cls(text, literal(text), text, texts=(text,))

    @property
    def choice(self) -> bool:
        """Whether more than one text fits."""
        return len(self.texts) != 1


def parse_template(
    text: str, placeholders: Mapping[str, str], facts: Mapping[str, str], *, key: str, closed: bool = False
) -> tuple[Element, ...]:
    """Split text with {placeholders} into elements; `{{` and `}}` stand for braces.

    A placeholder is looked up in `placeholders` (regular expressions), then in `facts`, then among the defaults;
    with `closed` there are no defaults. Raises ContractError, naming `key`.
    """
    return tuple(_merged(_elements(text, placeholders, facts, key, closed=closed)))


def _elements(
    text: str, placeholders: Mapping[str, str], facts: Mapping[str, str], key: str, *, closed: bool
) -> Iterator[Element]:
    for piece in _PIECE.finditer(text):
        if piece[0] in ("{", "}"):
            raise _bad_brace(text, piece.start(), key)
        if piece[1] is None:
            plain = piece[0][0] if piece[0] in ("{{", "}}") else piece[0]
            yield Element.plain(plain)
            continue
        if not _NAME.fullmatch(piece[1]):
            raise ContractError(
                f"the placeholder {piece[0]} has no name" if not piece[1] else f"{piece[0]} is no placeholder",
                place=key,
                expected="a letter, then letters, digits, - and _ between the braces",
                found=text,
                remedy="name the placeholder, or write {{ and }} for braces that belong to the text",
            )
        yield _element(piece[1], placeholders, facts, key, closed=closed)


def _merged(elements: Iterator[Element]) -> Iterator[Element]:
    """Join neighbours that are literal text (an escaped brace parts them)."""
    for is_text, group in groupby(elements, lambda one: not one.source.startswith("{") or one.source == "{"):
        if is_text:
            yield Element.plain("".join(one.source for one in group))
        else:
            yield from group


def _bad_brace(text: str, at: int, key: str) -> ContractError:
    return ContractError(
        f"a brace of the pattern is not {'closed' if text[at] == '{' else 'opened'}",
        place=key,
        expected="{placeholder}, or {{ and }} for braces that belong to the text",
        found=text,
        remedy="close the brace, or double it",
        excerpt=f"{text}\n{' ' * at}^",
    )


def _element(
    name: str, placeholders: Mapping[str, str], facts: Mapping[str, str], key: str, *, closed: bool
) -> Element:
    source = f"{{{name}}}"
    if name in placeholders:
        regex = placeholders[name]
        shown = f"({regex})" if "|" in regex else regex
        return Element(source, parse_expression(regex, key=f"names.placeholders.{name}"), shown)
    fact = name[0].lower() + name[1:]
    if fact in SHAPES and (name == fact or fact != ACCOUNT_ID):
        return _fact(source, fact, facts, capital=name != fact)
    _refuse_misspelt(name, key, closed=closed)
    regex, meaning = _CAPITALISED if name[0].isupper() else _DEFAULTS.get(name, _WORDS)
    shown = regex if name == "version" else source
    return Element(source, parse_expression(regex, key=key), shown, meaning)


def _fact(source: str, fact: str, facts: Mapping[str, str], *, capital: bool) -> Element:
    value = facts.get(fact)
    if value is None:
        shape = ANY_TEXT if capital else parse_expression(SHAPES[fact], key=source)
        return Element(source, shape, source, f"the {fact}, which is unknown", unsettled=fact)
    texts = spellings(fact, value) if capital else (value,)
    shown = texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"
    return Element(source, one_of(texts), shown, f"the {fact}", texts)


def _refuse_misspelt(name: str, key: str, *, closed: bool) -> None:
    """Raise if a placeholder looks like a fact but is none: with the default it would let everything pass."""
    lower = name.lower()
    near = get_close_matches(lower, SHAPES, n=1, cutoff=0.85)
    meant = _SHORT_FORMS.get(lower) or (near[0] if near else "")
    if not meant and not closed:
        return
    written = f"{{{meant}}}" if meant else "one of " + ", ".join(f"{{{fact}}}" for fact in SHAPES)
    own = "" if closed else f", or define names.placeholders.{name} if it is something else"
    raise ContractError(
        f"there is no placeholder {{{name}}}" + (f"; did you mean {{{meant}}}?" if meant else ""),
        place=key,
        expected=", ".join(f"{{{fact}}}" for fact in SHAPES) + ", {Application}, {Environment}, {Region}",
        found=f"{{{name}}}",
        remedy=f"write {written}{own}",
    )
