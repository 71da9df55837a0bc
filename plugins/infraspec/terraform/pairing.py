"""What tells that a plan, a state or a snapshot is of another environment than the one that it is given for.

A verdict on such a pair would be about no environment at all, so it is an error of the input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from infraspec.contract.models import Contract
from infraspec.core.errors import PlanError, SnapshotError
from infraspec.terraform.plan import IamSnapshot, Plan

_TELLING = ("environment", "env", "environment_name", "env_name", "stage")
"""Variables by which configurations call their environment."""
_PART = re.compile(r"[^A-Za-z0-9]+")


def demand_environment(planned: Plan, contract: Contract, name: str, place: str) -> None:
    """Raise PlanError if a plan or state file is certainly of another environment than `name`.

    Account and region are those that the file shows of its default provider, where all that it shows agrees. Of its
    variables, one that calls its environment by the name of another one tells, unless the contract states that value.
    """
    environment = contract.environments[name]
    pairs = (("account_id", environment.account_id, planned.account), ("region", environment.region, planned.region))
    for key, expected, found in pairs:
        if expected is not None and isinstance(found, str) and found != expected:
            others = [other for other, one in contract.environments.items() if getattr(one, key) == found]
            raise _of_another(place, name, f"{key} {expected}", f"{key} {found}", others)
    for variable in _TELLING:
        told = planned.given.get(variable)
        is_stated = environment.variables.get(variable) == told
        if told in contract.environments and told != name and not is_stated and told not in _PART.split(name):
            raise _of_another(place, name, f"a plan of {name}", f'its variable {variable} is "{told}"', [str(told)])


def _of_another(place: str, name: str, expected: str, found: str, others: Sequence[str]) -> PlanError:
    given = f"it looks like one of {', '.join(others)}: " if others else ""
    return PlanError(
        f"this is not of the environment `{name}`",
        place=place,
        expected=f"{expected}, as the contract says",
        found=found,
        remedy=f"{given}give the file of {name}, choose its environment with --env, or correct [environments.{name}]",
    )


def demand_account(snapshots: Sequence[IamSnapshot], contract: Contract, name: str) -> None:
    """Raise SnapshotError if no snapshot is of the account of an environment and one is of another environment's.

    A snapshot of a further account is all right: roles may be elsewhere.
    """
    expected = contract.environments[name].account_id
    accounts = [snapshot.account for snapshot in snapshots]
    if expected is None or expected in accounts:
        return
    for snapshot in snapshots:
        others = [other for other, one in contract.environments.items() if one.account_id == snapshot.account]
        if others:
            raise SnapshotError(
                f"this snapshot is not of the environment `{name}`",
                place=snapshot.origin.rpartition(" ")[2],
                expected=f"IAM of the account {expected}, as the contract says",
                found=f"that of {snapshot.account}, the account of {', '.join(others)}",
                remedy=f"take one in the account of {name}: aws iam get-account-authorization-details > FILE",
            )
