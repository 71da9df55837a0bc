"""What the source of what exists allows already: it is to be applied, and not to be written.

An apply makes the policies of the source what they are there. What the source does not have, it leaves as it is: a
policy that denies, or that of a key or a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from infraspec.checks.access_decisions import AccessDecisions
from infraspec.checks.elsewhere import Sought
from infraspec.checks.owners import Owners
from infraspec.checks.roles import Role, RoleIndex
from infraspec.checks.trust import Trust
from infraspec.ecs.access_table import Access
from infraspec.ecs.requirement import AccessContext, Requirement
from infraspec.finding import Finding, Location, Verdict
from infraspec.iam.answer import Answer
from infraspec.iam.decision import Decision, Outcome
from infraspec.iam.policy import Hit
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from infraspec.unknown import Value


@dataclass
class Unapplied:
    """The source of a plan of what exists. `owners` are of what exists."""

    source: Plan
    owners: Owners
    _attributes: AwsAttributes = field(init=False)
    _roles: RoleIndex = field(init=False)
    _decisions: AccessDecisions = field(init=False)

    def __post_init__(self) -> None:
        self._attributes = AwsAttributes(self.source)
        self._roles = RoleIndex(self._attributes)
        self._decisions = AccessDecisions(Owners(self._attributes))

    def access(
        self, finding: Finding, role: Role, requirement: Requirement, decision: Decision, actions: Iterable[str]
    ) -> Finding:
        """Return the finding about actions that a role may not do, to be applied where that for certain mends it."""
        written = self.source.by_address.get(role.address)
        lacks_allow = decision.outcome is Outcome.IMPLICITLY_DENIED and not decision.blocked_by
        if not lacks_allow or written is None or written.mode != "managed":
            return finding
        own = self._roles.role(written.reference("arn"))
        needs = (replace(self._in_source(requirement), action=action) for action in actions)
        judged = [self._decisions.judge(own, need) for need in needs]
        hits = dict.fromkeys(judgement.decision.deciding for judgement in judged)
        if any(judgement.answer is not Answer.YES for judgement in judged) or not all(map(self._is_applied, hits)):
            return finding
        return replace(finding, remedy=_applied(hit.location for hit in hits if hit))

    def _is_applied(self, hit: Hit | None) -> bool:
        """Tell whether an apply makes the policy of a statement what the source says."""
        policy = self.source.by_address.get(hit.policy.name) if hit else None
        return policy is not None and policy.mode == "managed" and not policy.ignore_changes

    def trust(self, finding: Finding, row: Access, context: AccessContext) -> Finding:
        """Return the finding about the trust policy of a role of the source, to be applied where that mends it."""
        written = self.source.by_address.get(finding.related[0].address) if finding.related else None
        if finding.verdict is not Verdict.VIOLATED or written is None:
            return finding
        source = Trust(self._decisions.owners).judge(row, written.address, Sought(written), context)
        proven = source.verdict is Verdict.PROVEN and not written.ignore_changes
        return replace(finding, remedy=_applied([written.location_of("assume_role_policy")])) if proven else finding

    def _in_source(self, requirement: Requirement) -> Requirement:
        named = self._named(requirement.resource)
        return replace(
            requirement,
            need=replace(requirement.need, named=named),
            resource=self._attributes.narrow(named),
            via=self._attributes.narrow(self._named(requirement.via)),
        )

    def _named(self, arn: Value) -> Value:
        """Return the attribute of the source that is an ARN of what exists, if it knows the resource by a name."""
        owner = self.owners.find(arn) if isinstance(arn, str) else None
        known = owner is not None and owner.get("arn") == arn and owner.address in self.source.by_address
        return owner.reference("arn") if owner is not None and known else arn


def _applied(places: Iterable[Location | None]) -> str:
    """Return the remedy of what the source has, and AWS has not."""
    shown = ", ".join(dict.fromkeys(str(place) for place in places if place))
    return f"apply it: the source{f' at {shown}' if shown else ''} allows it"
