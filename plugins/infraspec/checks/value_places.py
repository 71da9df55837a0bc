"""Whether ECS can read a value from where its ARN says it is: in another region, in another account.

ECS reads parameters and secrets of other regions by their ARN, and secrets of other accounts whose policies let the
role in. Sources: Amazon ECS API Reference, "Secret"; AWS Secrets Manager User Guide, "Access AWS Secrets Manager
secrets from a different account"; AWS Systems Manager User Guide, "Working with shared parameters in Parameter Store".
What belongs to another environment of the contract is taken for a mistake.
"""

from __future__ import annotations

from msgspec import Struct

from infraspec.contract.models import Contract, partition_of
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.value_from import Store, ValueFrom
from infraspec.finding import Verdict
from infraspec.unknown import Value


class Place(Struct, frozen=True):
    """What is to be said of where a value is; `expected` and `remedy` are empty if nothing is wrong with it."""

    verdict: Verdict
    reason: str
    expected: str = ""
    remedy: str = ""


def place_of_value(parsed: ValueFrom, context: AccessContext, contract: Contract, environment: str) -> Place:
    """Compare region and account of an ARN with those of the task, and with those of the other environments."""
    compared = {"account": (parsed.account, context.account), "region": (parsed.region, context.region)}
    differing = {what: pair for what, pair in compared.items() if _differ(*pair)}
    if not differing:
        return Place(Verdict.PROVEN, parsed.store.value)
    there = " and ".join(f"{what} {given}" for what, (given, _) in differing.items())
    here = " and ".join(f"{what} {own}" for what, (_, own) in differing.items())
    given, own = (partition_of(str(region)) for region in differing.get("region", ("", "")))
    if given != own:
        reason = f"{there} is of the partition {given}, where no role of the partition {own} is valid"
        return Place(Verdict.VIOLATED, reason, f"an ARN of {here}, where the task runs", f"name the one of {here}")
    other = _environment_at(parsed, context.account, contract, environment)
    if other:
        return Place(
            Verdict.VIOLATED,
            f"{there} is that of the environment {other}",
            f"an ARN of {here}, where {environment} runs",
            f"name the one of {environment}, or waive the finding if that of {other} is meant",
        )
    if "account" in differing and parsed.store is Store.PARAMETER_STORE:
        return Place(
            Verdict.UNDETERMINED,
            "a parameter of another account can be read only if AWS Resource Access Manager shares it; "
            "AWS does not document that ECS reads shared parameters",
            f"a parameter of {here}, where the task runs",
            f"keep the parameter in {here}, or waive the finding once a task has started with it",
        )
    return Place(Verdict.PROVEN, f"{parsed.store.value}, of {there}; the task runs in {here}")


def _environment_at(parsed: ValueFrom, own_account: Value, contract: Contract, environment: str) -> str:
    """Return the other environment of the contract that an ARN belongs to, if there is one."""
    for name, other in contract.environments.items():
        is_theirs = parsed.account != own_account or other.region == parsed.region
        if name != environment and other.account_id is not None and other.account_id == parsed.account and is_theirs:
            return name
    return ""


def _differ(given: Value, own: Value) -> bool:
    return isinstance(given, str) and isinstance(own, str) and given not in ("", own)
