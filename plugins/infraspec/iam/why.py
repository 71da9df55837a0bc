"""Say in one sentence why a request is allowed, denied, or neither for certain."""

from __future__ import annotations

from infraspec.iam.answer import Answer
from infraspec.iam.decision import Decision, Outcome

_FEW = 3


def why(decision: Decision) -> str:
    """Return the reason of a decision: the statement that decides, or what is missing, or on what it depends."""
    if decision.layers is None:
        return f"{decision.request.action} needs no permission, and no policy denies it"
    match decision.outcome:
        case Outcome.ALLOWED:
            return f"allowed by {decision.deciding}" if decision.deciding else "the root user may do all in its account"
        case Outcome.EXPLICITLY_DENIED:
            return f"denied by {decision.deciding}: an explicit deny wins over every allow"
        case Outcome.IMPLICITLY_DENIED:
            return _missing(decision)
        case _:
            doubts = [str(doubt) for doubt in decision.doubts]
            if not doubts and decision.allowed is Answer.MAYBE:
                return f"the policies tell `*` from a resource, and AWS lists none for {decision.request.action}"
            return "; ".join(doubts[:_FEW]) or "denied, but it is not certain whether by a statement"


def _missing(decision: Decision) -> str:
    """Say what does not allow an implicitly denied request."""
    if decision.blocked_by:
        *most, last = decision.blocked_by
        verb = "do" if last.endswith("policies") or most else "does"
        return f"{', '.join(most)}{' and ' if most else ''}{last} {verb} not allow what the identity policies allow"
    nearest = decision.nearest
    return (
        f"no statement allows it; the closest is {nearest.hit}: {nearest.reason}"
        if nearest
        else "no statement allows it"
    )
