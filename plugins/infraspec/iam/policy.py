"""A policy that is ready to be asked: statements with compiled patterns and what they are attached to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from infraspec.finding import Location
from infraspec.iam.actions import TRUSTED
from infraspec.iam.answer import Answer, both, either, negate
from infraspec.iam.conditions import Hidden, Test, compiled
from infraspec.iam.context import Context
from infraspec.iam.document import PolicyDocument, Statement
from infraspec.iam.matching import match_action
from infraspec.iam.pattern import Form, Pattern, as_it_is
from infraspec.iam.request import Request
from infraspec.iam.resources import Resources
from infraspec.iam.variables import Template, template
from infraspec.unknown import Unknown, Value

_COLONS = 5
_OF_FILE_SYSTEMS = ("elasticfilesystem:", "s3files:")


def _nowhere(_path: str) -> Location | None:
    return None


class Clause(Struct, frozen=True, eq=False):
    """One statement, compiled. `bound` says whether it is attached to the principal (and names it, if it has to).

    Where that is not certain, `doubt` is why, and what is not known.
    """

    statement: Statement
    actions: tuple[Pattern, ...]
    resources: Resources
    conditions: tuple[Test | Hidden, ...] = ()
    bound: Answer = Answer.YES
    resolve: Callable[[Value], Value] = as_it_is
    doubt: tuple[str, Unknown] | None = None

    @classmethod
    def of(cls, statement: Statement, resolve: Callable[[Value], Value], *, variables: bool, bound: Answer) -> Clause:
        """Compile a statement; `resolve` narrows the unknown parts of its resources and conditions."""
        actions = statement.actions if statement.actions is not None else statement.not_actions or ()
        resources = statement.resources if statement.resources is not None else statement.not_resources or ()
        return cls(
            statement,
            tuple(map(Pattern.action, actions)),
            Resources(tuple(_resource(entry, resolve, statement, variables=variables) for entry in resources)),
            compiled(statement.condition, resolve, variables=variables) if statement.condition else (),
            bound,
            resolve,
        )

    def covers_action(self, action: str) -> Answer:
        """Tell whether the statement is about the action."""
        answer = either(match_action(pattern, action) for pattern in self.actions)
        return answer if self.statement.not_actions is None else negate(answer)

    def covers_resource(self, request: Request) -> Answer:
        """Tell whether the statement is about the resource.

        Without a Resource, a statement of a trust policy is about its role, and one of an ECR repository about the
        repository; any other has no effect, if the service takes it at all. Sources: AWS KMS API Reference,
        PutKeyPolicy; Amazon ECR User Guide, "Private repository policy examples", none of which has a Resource. Of a
        file system it may be about that: the console of Amazon EFS writes such statements, no document explains them.
        """
        _, subject, context = request
        if self.statement.not_resources is not None:
            return negate(self.resources.include(subject, context, without_value=Answer.MAYBE))
        if self.statement.resources is None:
            action = request.action.lower()
            otherwise = Answer.MAYBE if action.startswith(_OF_FILE_SYSTEMS) else Answer.NO
            return Answer.YES if action in TRUSTED or action.startswith("ecr:") else otherwise
        return self.resources.include(subject, context, without_value=Answer.NO)

    def condition(self, context: Context) -> Answer:
        """Tell whether the statement's Condition holds; so does none."""
        answer = Answer.YES
        for test in self.conditions:
            answer = min(answer, test.holds(context))
            if answer is Answer.NO:
                break
        return answer

    def applies(self, request: Request) -> Answer:
        """Tell whether the statement, whatever its effect, applies to a request about an action that it covers."""
        if self.bound is Answer.NO:
            return Answer.NO
        covered = self.covers_resource(request)
        if covered is Answer.NO:
            return covered
        return min(covered, self.bound, self.condition(request.context) if self.conditions else Answer.YES)

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
    _actions_asked: dict[str, tuple[tuple[Clause, Answer], ...]] = field(default_factory=dict, repr=False)

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

    def about(self, action: str) -> tuple[tuple[Clause, Answer], ...]:
        """Return the statements that are about an action, or may be, with the answer."""
        found = self._actions_asked.get(action)
        if found is None:
            asked = ((clause, clause.covers_action(action)) for clause in self.clauses)
            found = self._actions_asked[action] = tuple(pair for pair in asked if pair[1] is not Answer.NO)
        return found

    def perhaps(self, doubt: tuple[str, Unknown] | None = None) -> IdentityPolicy:
        """Return the same policy where it is not certain that the principal has it; `doubt` says why not."""
        clauses = tuple(
            replace(clause, bound=both(clause.bound, Answer.MAYBE), doubt=clause.doubt or doubt)
            for clause in self.clauses
        )
        return IdentityPolicy(self.name, clauses, self.locate)


class Hit(NamedTuple):
    """A statement of a policy."""

    policy: IdentityPolicy
    clause: Clause

    @property
    def location(self) -> Location | None:
        """Where the statement is written."""
        return self.policy.locate(self.clause.statement.path)

    def __str__(self) -> str:
        return f"{self.policy.name} {self.clause.statement}"


def _resource(
    value: Value, resolve: Callable[[Value], Value], statement: Statement, *, variables: bool
) -> Pattern | Template:
    """Make a pattern of a Resource.

    In an identity-based policy AWS completes an ARN that has too few fields with wildcards. Source: IAM User Guide,
    "IAM identifiers", Limitations on wildcard usage within ARNs.
    """
    entry = template(value, Form.RESOURCE, resolve) if variables else Pattern.arn(value, resolve)
    if not isinstance(entry, Pattern) or not entry.incomplete:
        return entry
    if statement.principal is not None or statement.not_principal is not None:
        return entry
    missing = _COLONS - (entry.known or "").count(":")
    return Pattern(value, (f"{entry.known}{':*' * missing}",), Form.RESOURCE)
