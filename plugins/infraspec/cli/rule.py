"""`infraspec rule`: what a rule asks for and why, with an example of what it finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent

import click
import msgspec
from click.shell_completion import CompletionItem
from msgspec import Struct

from infraspec.cli.common import TEXT_OR_JSON, echo, reported
from infraspec.core.errors import RequestError, did_you_mean, listing
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES


class RuleExample(Struct, frozen=True, forbid_unknown_fields=True):
    """Terraform that breaks a rule, what of the contract asks for it, and the finding."""

    contract: str
    terraform: str
    finding: str


def _examples() -> Mapping[str, RuleExample]:
    """Return the examples, by the id of the rule; `make reference` runs and writes them."""
    file = Path(__file__).with_name("rule_examples.json")
    return msgspec.json.decode(file.read_bytes(), type=dict[str, RuleExample])


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=rule.sentence) for name, rule in RULES.items() if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete)
@TEXT_OR_JSON
@reported
def rule(name: str | None, form: str) -> None:
    """Explain what a rule asks for and why, with an example. Without a name, list all rules.

    \b
    infraspec rule
    infraspec rule secret-access

    \b
    exit code  0  printed
               2  there is no such rule
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if name is not None and name not in RULES:
        raise RequestError(
            f"there is no rule `{name}`",
            expected=f"one of {listing(RULES, limit=len(RULES))}",
            found=name or "an empty name",
            remedy=did_you_mean(name, RULES) or "list them: infraspec rule",
        )
    if form == "json":
        given = [_data(one) for one in RULES.values()] if name is None else _data(RULES[name])
        click.echo(msgspec.json.format(msgspec.json.encode(given), indent=2))
        return
    echo("\n".join(_list() if name is None else _told(RULES[name])))


def _data(one: Rule) -> Mapping[str, object]:
    fields = ("id", "sentence", "why", "suites", "severity", "domain", "tables", "checks", "page")
    return {**{field: getattr(one, field) for field in fields}, "example": _examples().get(one.id)}


def _list() -> Iterator[str]:
    width = max(map(len, RULES))
    return (f"{one.id:{width}}  {one.severity:8}  {'+'.join(one.suites):11}  {one.sentence}" for one in RULES.values())


def _told(one: Rule) -> Iterator[str]:
    yield f"{one.id}: {one.sentence}"
    yield f"\n{one.why}\n"
    yield f"suites:    {', '.join(one.suites)}"
    yield f"severity:  {one.severity}"
    if one.tables:
        yield f"contract:  judged where it has {' or '.join(f'[{table}]' for table in one.tables)}"
    names = ", ".join(f'"{one.id}.{check}"' for check in one.checks)
    yield f'switches:  [rules] {one.id} = "advice" or "off"' + (f"; also {names}" if names else "")
    yield f"page:      docs/{one.page}.md"
    if example := _examples().get(one.id):
        for title, text in (("the contract", example.contract), ("Terraform", example.terraform)):
            if text:
                yield f"\n{title}:\n\n{indent(text, '    ')}"
        yield f"\nwhat it says of that:\n\n{indent(example.finding, '    ')}"
