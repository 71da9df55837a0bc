"""Who may assume a role, and so may do what the role may.

A principal of the account may if the trust policy names it, or names the account and a policy of its own lets it; one
of another account if the trust policy names it. Services and identity providers are no principals of an account: what
they do with a role is not judged here.

Sources: IAM User Guide, "How to use trust policies with IAM roles" and "Policy evaluation logic"; AWS STS API
Reference, AssumeRole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from infraspec.checks.common.documents import held_policy
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.checks.policies.let_in import CONTEXT, LetIn, SecretReader, entries_of
from infraspec.checks.policies.reader_index import ReaderCandidate
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.iam.evaluation.decision import decide, why
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

ACTION = "sts:AssumeRole"
_TRUST = "assume_role_policy"
_PRINCIPALS = frozenset({"aws_iam_role", "aws_iam_user"})


class RoleAssumers:
    """Who may assume the roles of one account, each role asked once."""

    def __init__(self, attributes: AwsAttributes, candidates: Sequence[ReaderCandidate]) -> None:
        self._attributes = attributes
        self._by_name = {one.resource.address: one for one in candidates}
        self._asking = [one for one in candidates if one.resource.type in _PRINCIPALS]
        self._let_in = LetIn(attributes, frozenset(render(one.arn) for one in candidates))
        self._found: dict[str, tuple[SecretReader, ...]] = {}

    def beside(self, readers: Sequence[SecretReader]) -> Iterator[SecretReader]:
        """Yield who reads a secret by a role of its readers, by one that may assume that, and so on."""
        seen = {reader.name for reader in readers}
        waiting = list(readers)
        while waiting:
            reader = waiting.pop()
            for one in self._of(reader.name):
                if one.name not in seen:
                    seen.add(one.name)
                    by = f"it may assume {reader.name}, which {'reads' if reader.certain else 'may read'} it"
                    told = replace(one, certain=one.certain and reader.certain, reason=f"{by}: {one.reason}")
                    waiting.append(told)
                    yield told

    def _of(self, name: str) -> tuple[SecretReader, ...]:
        """Return who may assume the role of a name; nobody where it is no role."""
        role = self._by_name.get(name)
        if role is None or role.resource.type != "aws_iam_role":
            return ()
        if name not in self._found:
            self._found[name] = tuple(self._asked(role, role.resource))
        return self._found[name]

    def _asked(self, role: ReaderCandidate, resource: Resource) -> Iterator[SecretReader]:
        value = resource.stated(_TRUST)
        if isinstance(value, Unknown):
            who, remedy = f"whoever may assume {resource.address}", how_to_know(value)
            yield SecretReader(who, (who,), certain=False, reason=f"{value.address} is unknown", remedy=remedy)
            return
        name = f"{resource.address}.{_TRUST}"
        trust = held_policy(self._attributes, resource, _TRUST, value, name=name)
        subject = PartialArn.of(role.arn)
        if not any(_names_principals(clause.statement.principal) for clause, _ in trust.about(ACTION)):
            return
        yield from self._let_in.of((trust,), ACTION, subject, "AWS")
        for candidate in self._asking:
            found = self._decided(candidate, trust, subject) if candidate is not role else None
            if found is not None:
                yield found

    def _decided(self, candidate: ReaderCandidate, trust: IdentityPolicy, role: PartialArn) -> SecretReader | None:
        """Decide whether a principal may assume a role; it has no say in it whose policies nobody knows."""
        resource, arn = candidate.resource, candidate.arn
        decision = decide(
            candidate.policies,
            ACTION,
            role,
            boundary=candidate.boundary,
            resource_policies=(trust,),
            principal=candidate.principal or Principal.of(arn),
            context=CONTEXT,
        )
        if decision.allowed is Truth.NO:
            return None
        names = (resource.address, render(self._attributes.name(resource)), render(arn))
        hit = decision.deciding
        certain = decision.allowed is Truth.YES
        return SecretReader(resource.address, names, certain, why(decision), hit.location if hit else None)


def _names_principals(principal: Value) -> bool:
    """Tell whether a statement names somebody beside services and identity providers."""
    if isinstance(principal, Mapping):
        return any(kind not in {"Service", "Federated"} for kind, _ in entries_of(principal))
    return True
