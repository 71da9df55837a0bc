"""Rule `plan-review`: what a plan changes, and which of it is a risk that somebody has to approve.

A risk that the contract calls critical is VIOLATED until a waiver or a label of the pull request approves it; the
others are reported. What depends on something that is not known is UNDETERMINED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from infraspec.checks.access.secret_access import placed
from infraspec.checks.plan_review.data_loss import data_losses, summary
from infraspec.checks.plan_review.exposure import exposures, openings
from infraspec.checks.plan_review.owners import owners_approve
from infraspec.checks.plan_review.permissions import permissions
from infraspec.checks.plan_review.risk import WORDS, Review, RiskFound
from infraspec.contract.models import Contract
from infraspec.contract.static import PlanReview
from infraspec.core.errors import ErrorCollector
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.process.checklist import PullRequest
from infraspec.process.reviews import PullRequestReview
from infraspec.terraform.plan import Change, ChangeKind, Plan

RULE = RULES["plan-review"]

_SILENT = frozenset({ChangeKind.NO_OP, ChangeKind.READ})
_LOOKS = (data_losses, exposures, openings, permissions)


def check_plan_review(
    plan: Plan,
    contract: Contract,
    environment: str,
    reviews: Sequence[PullRequestReview] | None = None,
    pull_request: PullRequest | None = None,
) -> list[Finding]:
    """Judge each change of a plan: one finding per risk, or one that says there is none.

    Where the contract asks for it, `reviews` have to have an approval of the owners of the files with critical risks.
    Raises PolicyError, or InputErrorGroup with several, if a policy that is compared is malformed.
    """
    rules = contract.plan_review or PlanReview()
    review = Review(placed(plan, contract, environment), rules)
    errors = ErrorCollector()
    findings: list[Finding] = []
    for change in reviewed(plan):
        with errors.collect():
            findings += _judge(review, change)
    errors.finalize()
    if rules.approved_by_owners:
        risks = [one for one in findings if one.verdict is not Verdict.PROVEN]
        findings += owners_approve(contract, environment, risks, reviews, pull_request)
    return findings or [RULE.about(plan.origin).proven("no resource changes")]


def reviewed(plan: Plan) -> list[Change]:
    """Return the changes that do something, without drift and without what is merely read."""
    return [
        change
        for change in plan.changes
        if not change.drift and (change.kind not in _SILENT or change.previous_address or change.importing)
    ]


def table(plan: Plan, findings: Sequence[Finding]) -> str:
    """Return the changes as lines of text, risks below each, and how many there are of each kind."""
    changes = reviewed(plan)
    risks: dict[str, list[str]] = {}
    for finding in findings:
        if finding.subject:
            mark = "" if finding.verdict is Verdict.PROVEN else f" ({finding.verdict.value})"
            risks.setdefault(finding.address, []).append(
                f"    {finding.subject}{mark}: {finding.found.splitlines()[0]}"
            )
    lines = []
    for change in changes:
        lines += [f"{change.address}: {summary(change)}", *risks.pop(change.address, ())]
    counts = Counter(change.kind.value for change in changes)
    return "\n".join([*lines, ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "no changes"])


def _judge(review: Review, change: Change) -> list[Finding]:
    looks = () if change.kind in {*_SILENT, ChangeKind.FORGET} else _LOOKS
    risks = [risk for look in looks for risk in look(review, change)]
    if not risks:
        subject = RULE.about(change.address, location=_location(review, change, ""))
        return [subject.proven("no risk", found=summary(change))]
    return [_judge_risk(review, change, risk) for risk in risks]


def _judge_risk(review: Review, change: Change, risk: RiskFound) -> Finding:
    subject = RULE.about(change.address, risk.risk, _location(review, change, risk.path))
    expected = WORDS.expected[risk.risk]
    if risk.risk not in review.rules.critical:
        return subject.proven(risk.reason, expected=expected, found=risk.found, remedy=risk.remedy)
    return (subject.violated if risk.answer is Truth.YES else subject.undetermined)(
        expected=expected, found=risk.found, reason=risk.reason, remedy=_remedy(review.rules, change, risk)
    )


def _location(review: Review, change: Change, path: str) -> Location | None:
    """Return where the change is written: the attribute, the resource, or the block that removes or moves it."""
    resource = review.resource(change)
    if resource is not None:
        return resource.location_of(path) if path else resource.location
    blocks = (block.location for block in review.plan.refactorings if change.address in (block.source, block.target))
    return next((location for location in blocks if location is not None), None)


def _remedy(rules: PlanReview, change: Change, risk: RiskFound) -> str:
    """Say how to avoid the risk, and how to approve it."""
    labels = [label for label, risks in rules.approvals.items() if risk.risk in risks]
    approval = "or approve it:"
    if labels:
        approval = f"or approve it, with the label {' or '.join(labels)} on the pull request, or in the contract:"
    return "\n".join(
        (
            *risk.remedy.splitlines(),
            approval,
            "[[waivers]]",
            f'rule = "{RULE.id}"',
            f"address = '{change.address} {risk.risk}'",
            'reason = "…"',
            'owner = "…"',
            "expires = YYYY-MM-DD",
        )
    )


def without_plan_file(plan: Plan) -> str:
    """Return why the changes of a plan are not judged; empty if it is of a plan file."""
    return "" if plan.from_plan_file else "no plan file is given: --infraspec-plan FILE"


skip = without_plan_file
exhibit = table
