"""A policy that is ready to be asked: statements with compiled patterns and what they are attached to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from infraspec.finding import Location
from infraspec.iam import conditions
from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.document import PolicyDocument, Statement
from infraspec.iam.matching import match, match_action
from infraspec.iam.pattern import Pattern, Subject, as_it_is
from infraspec.unknown import Unknown, Value


def _nowhere(_path: str) -> Location | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One statement, compiled. `bound` says whether it is attached to the principal (and names it, if it has to)."""

    statement: Statement
    actions: tuple[Pattern, ...]
    resources: tuple[Pattern, ...]
    condition: Answer
    bound: Answer = Answer.YES
    _actions_asked: dict[str, Answer] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, statement: Statement, resolve: Callable[[Value], Value], *, variables: bool, bound: Answer) -> Clause:
        """Compile a statement; `resolve` narrows the unknown parts of its resources."""
        actions = statement.actions if statement.actions is not None else statement.not_actions or ()
        resources = statement.resources if statement.resources is not None else statement.not_resources or ()
        return cls(
            statement,
            tuple(Pattern.action(action) for action in actions),
            tuple(Pattern.arn(resource, resolve, variables=variables) for resource in resources),
            conditions.holds(statement.condition),
            bound,
        )

    def covers_action(self, action: str) -> Answer:
        """Tell whether the statement is about the action."""
        answer = self._actions_asked.get(action)
        if answer is None:
            answer = either(match_action(pattern, action) for pattern in self.actions)
            answer = answer if self.statement.not_actions is None else negate(answer)
            self._actions_asked[action] = answer
        return answer

    def covers_resource(self, subject: Subject) -> Answer:
        """Tell whether the statement is about the resource. A statement of a trust policy is about any."""
        if self.statement.resources is None and self.statement.not_resources is None:
            return Answer.YES
        answer = either(match(pattern, subject) for pattern in self.resources)
        return answer if self.statement.not_resources is None else negate(answer)

    def applies(self, action: str, subject: Subject) -> Answer:
        """Tell whether the statement, whatever its effect, applies to the request."""
        covered = self.covers_action(action)
        if covered is Answer.NO or self.condition is Answer.NO or self.bound is Answer.NO:
            return Answer.NO
        return both(covered, self.condition, self.bound, self.covers_resource(subject))

    @property
    def effects(self) -> tuple[str, ...]:
        """What the statement may do: one effect, or both if its effect is not known."""
        effect = self.statement.effect
        return (effect,) if isinstance(effect, str) else ("Allow", "Deny")


@dataclass(frozen=True, slots=True, eq=False)
class IdentityPolicy:
    """A policy as one principal has it. `name` is a Terraform address or an ARN, `locate` finds a statement's line."""

    name: str
    clauses: tuple[Clause, ...]
    locate: Callable[[str], Location | None] = _nowhere

    @classmethod
    def of(
        cls,
        name: str,
        document: PolicyDocument,
        *,
        resolve: Callable[[Value], Value] = as_it_is,
        locate: Callable[[str], Location | None] = _nowhere,
        bound: Callable[[Statement], Answer] = lambda _statement: Answer.YES,
    ) -> IdentityPolicy:
        """Compile a document. `bound` tells of each statement whether it concerns the principal."""
        clauses = tuple(
            Clause.of(statement, resolve, variables=document.variables, bound=bound(statement))
            for statement in document.statements
        )
        return cls(name, clauses, locate)

    @classmethod
    def opaque(cls, name: str, unknown: Unknown, *, effect: str | None = None) -> IdentityPolicy:
        """Make a policy of which nothing is known, or that it has statements of one effect only."""
        return cls.of(name, PolicyDocument((Statement.unknown("Statement", unknown, effect=effect),)))

    def perhaps(self) -> IdentityPolicy:
        """Return the same policy where it is not certain that the principal has it."""
        clauses = tuple(replace(clause, bound=both(clause.bound, Answer.MAYBE)) for clause in self.clauses)
        return replace(self, clauses=clauses)
