"""IAM's policy simulator, answered by our evaluator in the shape of AWS.

Source: AWS Identity and Access Management API Reference, SimulatePrincipalPolicy, EvaluationResult and
ResourceSpecificResult. A resource policy takes part only if given, and cannot be for a role; that of a KMS key takes
none. A context key that a policy asks for and the caller does not give is in MissingContextValues and counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import InvalidInput, NoSuchEntity
from moto.iam.responses import IamResponse

from infraspec.core.truth import Truth
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.sandbox.overlay.decisions import SandboxIdentity, compiled, of_entity
from infraspec.sandbox.overlay.trail import page

_DECISIONS = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICITLY_DENIED: "explicitDeny",
    Outcome.IMPLICITLY_DENIED: "implicitDeny",
    Outcome.UNDETERMINED: "implicitDeny",
}
_WORST = ("explicitDeny", "implicitDeny", "allowed")
_FILLED_IN = ("aws:currenttime", "aws:epochtime", "aws:principalarn", "aws:principalaccount")
_EVERYWHERE = "*"


def install() -> None:
    """Answer the simulator's operations, which moto does not."""
    IamResponse.simulate_principal_policy = _principal
    IamResponse.simulate_custom_policy = _custom
    IamResponse.get_context_keys_for_principal_policy = lambda response: _all_keys(
        (*_identity(response).policies, *_inputs(response, "PolicyInputList"))
    )
    IamResponse.get_context_keys_for_custom_policy = lambda response: _all_keys(_inputs(response, "PolicyInputList"))


def _identity(response: Any) -> SandboxIdentity:
    arn = response._get_param("PolicySourceArn")
    found = of_entity(response.current_account, response.partition, arn)
    if found is None:
        raise NoSuchEntity(f"The entity with the name {arn.rpartition('/')[2]} cannot be found.")
    if response._get_param("ResourcePolicy") and found.role:
        raise InvalidInput("Simulation of resource-based policies isn't supported for IAM roles")
    return found


def _principal(response: Any) -> Any:
    identity = _identity(response)
    more = _inputs(response, "PolicyInputList")
    boundary = _inputs(response, "PermissionsBoundaryPolicyInputList") or identity.boundary
    return _results(response, (*identity.policies, *more), boundary, identity.role or identity.arn)


def _custom(response: Any) -> Any:
    boundary = _inputs(response, "PermissionsBoundaryPolicyInputList") or None
    caller = (
        response._get_param("CallerArn") or f"arn:{response.partition}:iam::{response.current_account}:user/simulated"
    )
    return _results(response, _inputs(response, "PolicyInputList"), boundary, caller)


def _inputs(response: Any, name: str) -> tuple[IdentityPolicy, ...]:
    texts = response._get_param(name, []) or []
    return tuple(compiled(f"{name}.{index + 1}", text) for index, text in enumerate(texts))


def _results(
    response: Any,
    policies: tuple[IdentityPolicy, ...],
    boundary: tuple[IdentityPolicy, ...] | None,
    principal: str,
) -> Any:
    given = {entry["ContextKeyName"]: _value(entry) for entry in response._get_param("ContextEntries", []) or []}
    now = datetime.now(UTC)
    own = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:PrincipalArn": principal,
        "aws:PrincipalAccount": response.current_account,
    }
    context = Context.of(own | given, complete=True)
    resources = response._get_param("ResourceArns", []) or [_EVERYWHERE]
    text = response._get_param("ResourcePolicy")
    shared = (compiled("ResourcePolicy", text, with_principals=True),) if text else ()
    results = []
    for action in response._get_param("ActionNames", []):
        specific = [
            _specific(
                resource,
                decide(
                    policies,
                    action,
                    resource,
                    boundary=boundary,
                    resource_policies=shared,
                    principal=Principal.of(principal) if shared else None,  # the policy of a key takes no part
                    resource_account=response.current_account,
                    context=context,
                ),
                _missing((*policies, *(boundary or ())), action, given),
                bounded=boundary is not None,
            )
            for resource in resources
        ]
        results.append(_result(action, specific, listed=resources != [_EVERYWHERE]))
    return _page(response, results)


def _value(entry: Mapping[str, Any]) -> Any:
    values = entry.get("ContextKeyValues") or []
    return values if entry.get("ContextKeyType", "").endswith("List") else (values or [""])[0]


def _specific(resource: str, decision: Decision, missing: list[str], *, bounded: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "EvalResourceName": resource,
        "EvalResourceDecision": _DECISIONS[decision.outcome],
        "MatchedStatements": [_statement(decision)] if decision.deciding else [],
        "MissingContextValues": missing,
    }
    if bounded and decision.layers is not None and decision.layers.boundary is not None:
        within = decision.layers.boundary.allowed is Truth.YES
        made["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    return made


def _statement(decision: Decision) -> dict[str, Any]:
    hit = decision.deciding
    assert hit is not None  # noqa: S101 - the caller has looked
    name = hit.policy.name
    kind = "aws-managed" if ":aws:policy/" in name else "user-managed" if name.startswith("arn:") else "role"
    return {"SourcePolicyId": name.rpartition("/")[2] or name, "SourcePolicyType": kind}


def _result(action: str, specific: list[dict[str, Any]], *, listed: bool) -> dict[str, Any]:
    decisions = {one["EvalResourceDecision"] for one in specific}
    made = {
        "EvalActionName": action,
        "EvalResourceName": specific[0]["EvalResourceName"] if len(specific) == 1 else _EVERYWHERE,
        "EvalDecision": next(one for one in _WORST if one in decisions),
        "MatchedStatements": [statement for one in specific for statement in one["MatchedStatements"]],
        "MissingContextValues": [] if listed else specific[0]["MissingContextValues"],
    }
    if listed:
        made["ResourceSpecificResults"] = specific
    return made


def _missing(policies: Iterable[IdentityPolicy], action: str, given: Mapping[str, Any]) -> list[str]:
    known = {*(key.lower() for key in given), *_FILLED_IN}
    found = {
        key: None
        for policy in policies
        for clause, _ in policy.about(action)
        for key in _condition_keys(clause.statement.condition)
        if key.lower() not in known
    }
    return list(found)


def _condition_keys(condition: Any) -> Iterator[str]:
    if isinstance(condition, Mapping):
        for block in condition.values():
            yield from map(str, block if isinstance(block, Mapping) else ())


def _all_keys(policies: Iterable[IdentityPolicy]) -> Any:
    keys = {
        key: None
        for policy in policies
        for clause in policy.clauses
        for key in _condition_keys(clause.statement.condition)
    }
    return ActionResult({"ContextKeyNames": list(keys)})


def _page(response: Any, results: list[dict[str, Any]]) -> Any:
    size, begin = response._get_param("MaxItems") or 100, response._get_param("Marker")
    found = page("EvaluationResults", results, size, begin, "Marker")
    return ActionResult({**found, "IsTruncated": "Marker" in found})
