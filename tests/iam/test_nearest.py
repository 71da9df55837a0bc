"""What is looked up among many statements and resources is what comparing each of them gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infraspec.checks.policies.reader_index import READ
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value
from infraspec.iam.evaluation.explanation import nearest
from infraspec.iam.policy.context import Context, Request
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.pattern import Pattern
from infraspec.iam.policy.statements import Clause, IdentityPolicy
from tests.checks.test_reader_index import ENTRIES, SECRETS, STATEMENTS, policy

CONTEXT = Context.of({"aws:PrincipalTag/team": "a"})
OTHERS = st.sampled_from(["logs:*", "secretsmanager:Put*", "secretsmanager:ListSecrets"]).flatmap(
    lambda action: ENTRIES.map(lambda entry: {"Effect": "Allow", "Action": action, "Resource": entry})
)
POLICIES = st.lists(st.lists(st.one_of(STATEMENTS, OTHERS), min_size=1, max_size=3), max_size=3).map(
    lambda several: [policy(f"p{number}", statements) for number, statements in enumerate(several)]
)


def closeness(clause: Clause, request: Request) -> tuple[int, int]:
    """Return how close a statement is to a request: by its action, then by what its resources have in common."""
    if clause.statement.effect != "Allow":
        return 0, 0
    covered = clause.covers_action(request.action)
    kin = any(pattern.prefix.startswith("secretsmanager:") for pattern in clause.actions)
    rank = int(kin) if covered is Truth.NO else 2 * covered.value
    patterns = [entry if isinstance(entry, Pattern) else entry.filled(CONTEXT)[0] for entry in clause.resources.entries]
    return rank, max(in_common(pattern, request.subject) for pattern in patterns) if rank else 0


def in_common(pattern: Pattern, subject: PartialArn) -> int:
    """Count the tokens that are the same at the beginning; one more than all if the pattern may match."""
    if match(pattern, subject) is not Truth.NO:
        return len(subject.tokens) + 1
    pairs = list(zip(pattern.tokens, subject.tokens, strict=False))
    return next((place for place, (one, other) in enumerate(pairs) if one != other), len(pairs))


@given(POLICIES, SECRETS)
def test_the_nearest_statement(policies: list[IdentityPolicy], secret: PartialArn) -> None:
    """The statement that an explanation names is the first of those that have the most in common with the request."""
    request = Request(READ, secret, CONTEXT)
    clauses = [clause for one in policies for clause in one.clauses]
    scores = [closeness(clause, request) for clause in clauses]
    best = max(scores, default=(0, 0))
    expected = clauses[scores.index(best)] if best > (0, 0) else None
    found = nearest(policies, request)

    assert expected == (found.hit.clause if found else None)


@given(st.lists(ENTRIES, min_size=9, max_size=12), SECRETS, st.sampled_from([Truth.NO, Truth.MAYBE]))
def test_many_resources(entries: list[Value], secret: PartialArn, without_value: Truth) -> None:
    """Whether one of many resources is listed is what the answers of each of them come to."""
    each = [{"Effect": "Allow", "Action": "*", "Resource": listed} for listed in (entries, *([one] for one in entries))]
    answers = [
        clause.resources.include(secret, CONTEXT, without_value=without_value) for clause in policy("p", each).clauses
    ]

    assert max(answers[1:]) == answers[0]
