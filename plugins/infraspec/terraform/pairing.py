"""What tells that an input is of another environment than the one that it is given for.

A verdict on such a pair would be about no environment at all, so it is an error of the input.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress

from infraspec.contract import place_of
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError, PairingError, PlanError, SnapshotError
from infraspec.terraform.configuration.module import ModuleInstance
from infraspec.terraform.plan import IamSnapshot, Plan

_TELLING = ("environment", "env", "environment_name", "env_name", "stage")
"""Variables by which configurations call their environment."""
_PREFIXES = ("name_prefix", "prefix", "resource_prefix")
_ACCOUNTS = ("account_id", "aws_account_id")
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


def demand_source(source: Plan, contract: Contract, name: str) -> None:
    """Raise PairingError if the source of an environment is certainly evaluated as that of another one.

    Its workspace is called like another environment, a variable that is given to it calls it by another one's name or
    has another one's account, or its provider may not work in its account. What the contract states as a variable is
    meant. Source: Terraform Registry, AWS Provider, "Argument Reference" (allowed_account_ids, forbidden_account_ids).
    """
    environment, root = contract.environments[name], source.modules.get("")
    table = ("environments", name)
    others = [other for other in contract.environments if other != name and other not in _PART.split(name)]
    if environment.workspace in others:
        raise _mispaired(contract, (*table, "workspace"), name, f'the workspace "{environment.workspace}"')
    if not isinstance(root, ModuleInstance):
        return
    given = _given(root, environment.variables)
    for variable in (*_TELLING, *_PREFIXES):
        parts = _PART.split(given.get(variable, ""))
        if name not in parts and not {parts[0], parts[-1]}.isdisjoint(others):
            raise _mispaired(contract, (*table, "var_files"), name, f'var.{variable} is "{given[variable]}"')
    accounts = {contract.environments[other].account_id for other in others} - {None, environment.account_id}
    for variable in _ACCOUNTS:
        if environment.account_id and given.get(variable) in accounts:
            raise _mispaired(contract, (*table, "account_id"), name, f"var.{variable} is {given[variable]}")
    allowed, forbidden = root.provider("aws").permitted_accounts
    account = environment.account_id
    if account and ((allowed and account not in allowed) or account in forbidden):
        told = f"allowed_account_ids {', '.join(allowed)}" if allowed else f"forbidden_account_ids {account}"
        raise _mispaired(contract, (*table, "account_id"), name, f"the provider aws has {told}")


def _given(root: ModuleInstance, stated: Collection[str]) -> dict[str, str]:
    """Return the texts that are given to the variables which tell of an environment, but for those that are stated."""
    values: dict[str, str] = {}
    for variable in {*_TELLING, *_PREFIXES, *_ACCOUNTS} & root.given - set(stated):
        with suppress(InfraspecError):
            if type(value := root.variable(variable)) is str:
                values[variable] = value
    return values


def _mispaired(contract: Contract, key: tuple[str, ...], name: str, found: str) -> PairingError:
    environment = contract.environments[name]
    what = f"account {environment.account_id}" if key[-1] == "account_id" else f"what belongs to {name}"
    return PairingError(
        f"the environment `{name}` is given what belongs to another one",
        place=place_of(contract, *key),
        expected=what,
        found=found,
        remedy=f"correct {key[-1]} of [environments.{name}], or what it names",
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
