"""How IAM decided a request: every layer of policies, the statements about the action, and what of each did not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from infraspec.iam.answer import Answer
from infraspec.iam.decision import Decision
from infraspec.iam.layers import Layer
from infraspec.iam.policy import Hit
from infraspec.iam.request import Request
from infraspec.unknown import render

_ANSWERS = {Answer.YES: "yes", Answer.MAYBE: "not known", Answer.NO: "no"}
_MOST = 50


def traces(decisions: Mapping[str, Decision], keys: Iterable[str]) -> str:
    """Return the traces of the findings with these keys, each decision once, at most 50; empty if there is none."""
    wanted = dict.fromkeys(key for key in keys if key in decisions)
    groups: dict[int, list[str]] = {}
    for key in wanted:
        groups.setdefault(id(decisions[key]), []).append(key)
    texts = ["\n".join([*keys, *_lines(decisions[keys[0]])]) for keys in list(groups.values())[:_MOST]]
    more = [f"… and {len(groups) - _MOST} more decisions"] if len(groups) > _MOST else []
    return "\n\n".join([*texts, *more])


def _lines(decision: Decision) -> Iterator[str]:
    request = decision.request
    named, written = str(request.subject), render(request.subject.value)
    yield f"  action    {request.action}"
    yield f"  resource  {named}" + (f" ({written})" if written != named else "")
    yield f"  decision  {decision.outcome.value}"
    if decision.deciding:
        yield f"  decided by {decision.deciding}{_at(decision.deciding)}"
    if nearest := decision.nearest:
        yield f"  closest   {nearest.hit}{_at(nearest.hit)}: {nearest.reason}"
    for doubt in decision.doubts:
        yield f"  doubt     {doubt}"
    if decision.layers:
        for layer in decision.layers.all():
            yield from _layer(layer, request)


def _layer(layer: Layer, request: Request) -> Iterator[str]:
    count = len(layer.policies)
    if not count:
        yield f"  {layer.name}: none"
        return
    yield f"  {layer.name}: allows {_ANSWERS[layer.allowed]}, denies {_ANSWERS[layer.denied]}"
    for policy in layer.policies:
        about = [clause for clause in policy.clauses if clause.covers_action(request.action) is not Answer.NO]
        others = len(policy.clauses) - len(about)
        yield f"    {policy.name}" + (f" ({others} statements about other actions)" if others else "")
        for clause in about:
            hit = Hit(policy, clause)
            answers = {
                "action": clause.covers_action(request.action),
                "resource": clause.covers_resource(request),
                **({"condition": clause.condition(request.context)} if clause.statement.condition is not None else {}),
            }
            fits = ", ".join(f"{part} {_ANSWERS[answer]}" for part, answer in answers.items())
            yield f"      {render(clause.statement.effect)} {clause.statement}{_at(hit)}: {fits}"


def _at(hit: Hit) -> str:
    return f" ({hit.location})" if hit.location else ""
