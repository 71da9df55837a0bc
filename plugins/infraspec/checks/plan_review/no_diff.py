"""Rule `no-diff`: a plan of what is deployed changes nothing, and nothing has changed outside of Terraform."""

from __future__ import annotations

from infraspec.checks.plan_review.data_loss import summary
from infraspec.checks.plan_review.plan_review import without_plan_file
from infraspec.checks.plan_review.risk import WORDS
from infraspec.contract.models import Contract
from infraspec.contract.static import Drift
from infraspec.conventions.effective_tags import Exemptions
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Change, ChangeKind, Plan

RULE = RULES["no-diff"]

_QUIET = frozenset({ChangeKind.NO_OP, ChangeKind.READ})


def check_no_diff(plan: Plan, contract: Contract) -> list[Finding]:
    """Judge each change of a plan, then each drift; what the contract ignores is proven, with what it is.

    A drift that the plan puts right is a change too, and judged there; one that it leaves is VIOLATED as well.
    """
    ignored = Exemptions.of((contract.drift or Drift()).ignore)
    pending = {change.address for change in plan.changes if not change.drift and change.kind not in _QUIET}
    findings = []
    for change in plan.changes:
        if change.kind in _QUIET and not change.previous_address and not change.importing:
            continue
        allowed = ignored.covers(change.type, change.address) or (change.drift and change.address in pending)
        findings.append(_judged(plan, change, allowed=allowed))
    count = sum(not change.drift for change in plan.changes)
    return findings or [RULE.about(plan.origin).proven(f"no changes, no drift: {count} resources as they are")]


def _judged(plan: Plan, change: Change, *, allowed: bool) -> Finding:
    resource = plan.by_address.get(change.address)
    subject = RULE.about(change.address, "drift" if change.drift else "", resource.location if resource else None)
    reason = "it was changed outside of Terraform" if change.drift else "what is deployed differs from the source"
    if change.reason in WORDS.reasons:
        reason += f"; {WORDS.reasons[change.reason]}"
    if allowed:
        return subject.proven(reason, expected="no change", found=summary(change))
    remedy = "terraform apply -refresh-only, or change the source to match" if change.drift else "terraform apply"
    return subject.violated(expected="no change", found=summary(change), reason=reason, remedy=remedy)


def skip(plan: Plan, deployed: bool) -> str:  # noqa: FBT001 - a fixture
    """Return why there is nothing to judge, if there is not."""
    if not deployed:
        return "not requested by [drift] or --infraspec-no-diff"
    return without_plan_file(plan)
