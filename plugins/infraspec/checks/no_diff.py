"""Rule `no-diff`: a plan of what is deployed changes nothing, and nothing has changed outside of Terraform."""

from __future__ import annotations

from infraspec.checks.review.data_loss import REASONS, summary
from infraspec.contract.models import Contract
from infraspec.contract.structure import Drift
from infraspec.conventions.exemption import Exemptions
from infraspec.finding import Finding, Verdict
from infraspec.terraform.plan import Change, ChangeKind, Plan

RULE = "no-diff"
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
        if ignored.covers(change.type, change.address) or (change.drift and change.address in pending):
            findings.append(_told(plan, change, Verdict.PROVEN))
        else:
            findings.append(_told(plan, change, Verdict.VIOLATED))
    return findings or [Finding(RULE, Verdict.PROVEN, plan.origin, reason=f"no changes, no drift: {_count(plan)}")]


def _told(plan: Plan, change: Change, verdict: Verdict) -> Finding:
    resource = plan.by_address.get(change.address)
    reason = "it was changed outside of Terraform" if change.drift else "what is deployed is not what the source says"
    if change.reason in REASONS:
        reason += f"; {REASONS[change.reason]}"
    remedy = "terraform apply -refresh-only, or write it into the source" if change.drift else "terraform apply"
    return Finding(
        RULE,
        verdict,
        change.address,
        "drift" if change.drift else "",
        resource.location if resource else None,
        "no change",
        summary(change),
        reason,
        remedy if verdict is Verdict.VIOLATED else "",
    )


def _count(plan: Plan) -> str:
    return f"{sum(1 for change in plan.changes if not change.drift)} resources as they are"
