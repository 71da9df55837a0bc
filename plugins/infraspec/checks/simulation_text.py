"""What IAM's simulator says beside our own decision, and what neither of them can see.

Source: IAM User Guide, "Testing IAM policies with the IAM policy simulator": policies of resources are not simulated
for roles. Service control policies are, ours does not see them.
"""

from __future__ import annotations

from msgspec import Struct

from infraspec.aws.simulate import ALLOWED, EXPLICIT_DENY, Simulated
from infraspec.checks.secret_links import Judged
from infraspec.iam.answer import Answer


class Comparison(Struct, frozen=True):
    """A line for the finding, if the simulator differs. With `opens` the difference leaves it open who is right."""

    allows: bool = False
    text: str = ""
    opens: bool = False
    found: str = ""


def comparison(one: Judged, simulated: Simulated | None) -> Comparison:
    """Compare the simulator's decision on a permission with ours."""
    if simulated is None:
        return Comparison()
    action = one.requirement.action
    allowed = simulated.decision == ALLOWED
    if simulated.is_open:
        return Comparison(text=f"IAM's simulator leaves {action} open: it was not told {', '.join(simulated.missing)}")
    ours = one.judgement.answer
    if simulated.organization is False and ours is not Answer.NO:
        text = f"IAM's simulator: the service control policies of the organization do not allow {action}; ours cannot"
        return Comparison(
            text=f"{text} see them", opens=True, found=f"an organization's policy may deny {action}, by the simulator"
        )
    if allowed == (ours is Answer.YES) or (ours is Answer.MAYBE and allowed):
        return Comparison(allows=allowed)
    explained = _explained(one, simulated)
    said = f"IAM's simulator says {simulated.decision} of {action}, our decision {_WORDS[ours]}"
    if explained:
        return Comparison(allowed, f"{said}: {explained}")
    if ours is Answer.MAYBE:
        return Comparison(allowed, said)
    sources = f" by {', '.join(simulated.by)}" if simulated.by else ""
    return Comparison(allowed, f"{said}, and nothing explains it", opens=True, found=f"{said}{sources}")


_WORDS = {Answer.YES: "allowed", Answer.NO: "denied", Answer.MAYBE: "undetermined"}


def _explained(one: Judged, simulated: Simulated) -> str:
    """Say what the simulator cannot see, where that makes the difference."""
    layers = one.judgement.decision.layers
    if layers is None or simulated.decision == EXPLICIT_DENY:
        return ""
    not_simulated = "policies of secrets and keys are not simulated for roles"
    by_key = one.requirement.action.startswith("kms:")
    if one.judgement.answer is Answer.YES and (by_key or one.judgement.reason or layers.own.allowed is not Answer.YES):
        return f"the resource lets it in, and {not_simulated} (nor are grants of keys)"
    by_resource = layers.shared.denied is Answer.YES or "resource policy" in one.judgement.decision.blocked_by
    if one.judgement.answer is Answer.NO and by_resource:
        return f"the policy of the resource decides, and {not_simulated}"
    return ""
