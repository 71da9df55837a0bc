"""`terraform apply` of a rehearsal: the working tree, put over whatever was changed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infraspec import contract as contracts
from infraspec.core.errors import SandboxError
from infraspec.sandbox.applying import AppliedPlan, NotApplied
from infraspec.sandbox.background_server import Kept
from infraspec.sandbox.server_process import Account
from infraspec.terraform.environments import Environments

_AS_BY_HAND = frozenset({"aws_lambda_function", "aws_scheduler_schedule"})
"""Types whose live values an apply compares: what somebody changed by hand is changed back."""


def apply_again(infra: Path, environment: str) -> tuple[NotApplied, ...]:
    """Apply the source of an environment to the sandbox that is noted, and return what could not be applied."""
    kept = Kept.read()
    if kept is None:
        raise SandboxError("no sandbox is running", remedy="infraspec rehearse starts one")
    deployment = kept.deployment()
    for address, type_ in deployment.types.items():
        if type_ in _AS_BY_HAND:
            deployment.values[address] = {}
    _forget_gone(deployment)
    left = deployment.apply(Environments(contracts.load(infra, environments=[environment])).plan(environment))
    kept.remember(deployment)
    return left


def _forget_gone(deployment: AppliedPlan) -> None:
    """Forget what somebody took away, as Terraform's refresh does: it is made again."""
    for address, type_ in list(deployment.types.items()):
        look = _LOOKS.get(type_)
        if look is not None and not look(deployment.account, deployment.attributes[address]):
            for kept in (deployment.values, deployment.attributes, deployment.types):
                kept.pop(address)


def _has_rule(account: Account, attributes: Mapping[str, Any]) -> bool:
    shown = account.client("ec2").get_paginator("describe_security_group_rules").paginate()
    return any(rule["SecurityGroupRuleId"] == attributes["id"] for page in shown for rule in page["SecurityGroupRules"])


def _has_permission(account: Account, attributes: Mapping[str, Any]) -> bool:
    functions = account.client("lambda")
    try:
        policy = json.loads(functions.get_policy(FunctionName=attributes["function_name"])["Policy"])
    except functions.exceptions.ResourceNotFoundException:
        return False
    return any(one.get("Sid") == attributes["statement_id"] for one in policy["Statement"])


_LOOKS: Mapping[str, Callable[[Account, Mapping[str, Any]], bool]] = {
    "aws_lambda_permission": _has_permission,
    "aws_vpc_security_group_egress_rule": _has_rule,
    "aws_vpc_security_group_ingress_rule": _has_rule,
}
"""Whether a resource that may be taken away by hand is there."""
