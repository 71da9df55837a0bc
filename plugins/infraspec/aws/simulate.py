"""What IAM's policy simulator says of a role: the policies of its own, its boundary, and those of the organization.

Sources: IAM API Reference, "SimulatePrincipalPolicy" and "EvaluationResult"; IAM User Guide, "Testing IAM policies with
the IAM policy simulator": policies of resources are not simulated for roles. The decision on a resource is in
ResourceSpecificResults; a context key that a statement asks for and nobody gave leaves the decision open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from infraspec.aws.calls import Calls

ALLOWED, EXPLICIT_DENY = "allowed", "explicitDeny"
_MOST_RESOURCES = 50
_NO_ROLE = ("NoSuchEntity", "NoSuchEntityException")
Context = tuple[tuple[str, str], ...]


class SimulationQuestion(Struct, frozen=True, order=True):
    """Whether a role may do an action on a resource; `context` are condition keys of the request with their values."""

    role: str
    action: str
    resource: str
    context: Context = ()


class Simulated(Struct, frozen=True):
    """The simulator's decision: allowed, explicitDeny or implicitDeny, by the policies `by`.

    `missing` are the context keys that it would have to know. `organization` is False where the service control
    policies of the organization do not allow it, None where there are none to see.
    """

    decision: str
    missing: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    organization: bool | None = None

    @property
    def is_open(self) -> bool:
        """Whether the decision depends on what the simulator was not told."""
        return bool(self.missing)


def simulate(calls: Calls, questions: Iterable[SimulationQuestion]) -> dict[SimulationQuestion, Simulated]:
    """Ask the simulator, once for each role and context: it takes many actions and resources at a time.

    Questions about a role that does not exist have no answer.
    """
    found: dict[SimulationQuestion, Simulated] = {}
    ordered = sorted(set(questions), key=lambda one: (one.role, one.context, one.action, one.resource))
    for (role, context), group in groupby(ordered, key=lambda one: (one.role, one.context)):
        asked = list(group)
        resources = sorted({one.resource for one in asked})
        for start in range(0, len(resources), _MOST_RESOURCES):
            chosen = resources[start : start + _MOST_RESOURCES]
            actions = sorted({one.action for one in asked if one.resource in chosen})
            found |= {
                question: simulated
                for question, simulated in _ask(calls, role, context, actions, chosen)
                if question in asked
            }
    return found


def _ask(
    calls: Calls, role: str, context: Context, actions: Sequence[str], resources: Sequence[str]
) -> Iterator[tuple[SimulationQuestion, Simulated]]:
    results = calls.pages(
        "iam",
        "simulate_principal_policy",
        "EvaluationResults",
        absent=_NO_ROLE,
        PolicySourceArn=role,
        ActionNames=list(actions),
        ResourceArns=list(resources),
        ContextEntries=[
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in context
        ],
    )
    for result in results:
        organization = (result.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations")
        for specific in result.get("ResourceSpecificResults") or [_whole(result, resources)]:
            question = SimulationQuestion(role, result["EvalActionName"], specific["EvalResourceName"], context)
            yield (
                question,
                Simulated(
                    specific["EvalResourceDecision"],
                    tuple(specific.get("MissingContextValues") or ()),
                    tuple(one["SourcePolicyId"] for one in specific.get("MatchedStatements") or ()),
                    organization,
                ),
            )


def _whole(result: Mapping[str, Any], resources: Sequence[str]) -> Mapping[str, Any]:
    """Return a result without resources of its own as that of the only resource asked for."""
    name = resources[0] if len(resources) == 1 else result.get("EvalResourceName", "*")
    return {**result, "EvalResourceName": name, "EvalResourceDecision": result["EvalDecision"]}
