"""Decide what a role needs, once for each role, action and resource, and what else has a say in it.

Beside the policies of the role and of the resource that is: whether the permission is needed at all, the file system
that has no policy, and the second form that the resource's ARN may have.
"""

from __future__ import annotations

from msgspec import Struct, field

from infraspec.checks.owners import Owners
from infraspec.checks.request_context import request_context
from infraspec.checks.roles import Role
from infraspec.ecs.requirement import Doubt, Requirement
from infraspec.iam.answer import Answer
from infraspec.iam.context import Context
from infraspec.iam.decision import Decision, Outcome, decide
from infraspec.iam.pattern import Subject
from infraspec.iam.principal import Principal
from infraspec.unknown import Unknown, Value, render

_OF_EFS = "elasticfilesystem:"
_OF_FILE_SYSTEMS = (_OF_EFS, "s3files:")


class Judgement(Struct, frozen=True):
    """The answer, what `iam` decided, why it is not that (`doubt`), and what shows a YES if not a statement."""

    answer: Answer
    decision: Decision
    doubt: Doubt | None = None
    reason: str = ""


class AccessDecisions(Struct):
    """The decisions over one plan."""

    owners: Owners
    _decisions: dict[tuple[str, str, Value, Value], Decision] = field(default_factory=dict)
    _principals: dict[str, Principal] = field(default_factory=dict)

    def judge(self, role: Role, requirement: Requirement) -> Judgement:
        """Judge one requirement of a role."""
        decision = self._decide(role, requirement, requirement.resource)
        if requirement.undecidable:
            return Judgement(Answer.MAYBE, decision, requirement.doubt)
        if decision.allowed is Answer.YES:
            return Judgement(Answer.YES, decision)
        if requirement.action.startswith(_OF_FILE_SYSTEMS) and decision.outcome is not Outcome.EXPLICITLY_DENIED:
            return self._of_file_system(requirement, decision)
        if decision.allowed is Answer.MAYBE:
            return Judgement(Answer.MAYBE, decision, requirement.doubt)
        return self._denied(role, requirement, decision)

    def _denied(self, role: Role, requirement: Requirement, decision: Decision) -> Judgement:
        if requirement.alternative is not None:
            other = self._decide(role, requirement, requirement.alternative)
            if other.allowed is not Answer.NO:
                shown = render(requirement.alternative)
                doubt = Doubt(f"it is allowed on {shown}, which AWS does not document for policies")
                return Judgement(Answer.MAYBE, decision, doubt)
        return Judgement(Answer.MAYBE if requirement.doubt else Answer.NO, decision, requirement.doubt)

    def _of_file_system(self, requirement: Requirement, decision: Decision) -> Judgement:
        """Judge what the role's policies leave open: of EFS, a file system without a policy lets every client in.

        That of an S3 file system is empty by default: Amazon S3 User Guide, "Creating file system policies".
        """
        has_policy, is_open = self.owners.has_policy(requirement.resource), requirement.action.startswith(_OF_EFS)
        if has_policy is False and is_open:
            reason = f"{render(requirement.resource)} has no policy, and the default one lets every client in"
            return Judgement(Answer.YES, decision, reason=reason)
        doubt = requirement.doubt
        if has_policy is None:
            absent = self.owners.doubt_of_policy(requirement.resource)
            doubt = Doubt(
                f"{absent or f'the policy of {render(requirement.resource)} is not in this plan'}: it may allow it"
                + (", and where there is none, every client is let in" if is_open else ""),
                absent.value if absent else None,
                remedy=f"allow {requirement.action} to the role, or bring the file system and its policy into the plan",
            )
        undecided = doubt is not None or decision.allowed is Answer.MAYBE
        return Judgement(Answer.MAYBE if undecided else Answer.NO, decision, doubt)

    def _decide(self, role: Role, requirement: Requirement, resource: Value) -> Decision:
        key = (role.address, requirement.action, resource, requirement.via)
        if key not in self._decisions:
            principal = self._principal(role)
            self._decisions[key] = decide(
                role.policies,
                requirement.action,
                self._subject(requirement, resource),
                boundary=role.boundary,
                resource_policies=self.owners.policies(resource, principal.account, requirement.action),
                principal=principal,
                context=_context(principal, requirement, resource),
            )
        return self._decisions[key]

    def _principal(self, role: Role) -> Principal:
        if role.address not in self._principals:
            self._principals[role.address] = Principal.role(self.owners.attributes.narrow(role.arn))
        return self._principals[role.address]

    def _subject(self, requirement: Requirement, resource: Value) -> Subject:
        """Name the attribute a resource comes from, if it is one: messages do, and two resources differ by it."""
        named, narrow = requirement.need.named, self.owners.attributes.narrow
        whole = type(named) is Unknown and narrow(named) == resource
        return Subject.of(named, narrow) if whole else Subject.of(resource)


def _context(principal: Principal, requirement: Requirement, resource: Value) -> Context:
    known = request_context(principal.value, resource, requirement.via)
    return known.updated(requirement.keys) if requirement.keys else known
