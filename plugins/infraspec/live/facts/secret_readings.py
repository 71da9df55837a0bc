"""What the rule `secret-chain` asks of AWS: the state of secrets, parameters and keys, grants, running tasks.

No value is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from msgspec import Struct

from infraspec.aws.calls import Calls
from infraspec.aws.simulate import simulate
from infraspec.checks.access.secret_chain import ChainEvidence, questions
from infraspec.checks.access.secret_links import ChainLink, ChainLinks
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.contract.models import Contract
from infraspec.core.arn import Arn
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import render
from infraspec.ecs.references import ValueStore
from infraspec.ecs.start import (
    TASKS,
    ChainFacts,
    KeyGrant,
    ReadValue,
    Refusal,
    StartedTask,
    StoredSecret,
    noting,
    unless_refused,
)
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.live.facts.services import running_tasks
from infraspec.terraform.plan import Plan

_NO_SECRET = ("ResourceNotFoundException",)
_NO_KEY = ("NotFoundException",)


class Shape(Protocol):
    """What a look at a value showed; never the value."""

    @property
    def is_readable(self) -> bool:
        """Whether it could be read."""

    @property
    def keys(self) -> Collection[str]:
        """The keys of the JSON object that it is; empty if it is none."""


class Shapes(Protocol):
    """Who may look at the values of secrets: at those that the contract allows."""

    def shape(self, arn: str, *, stage: str = "", version: str = "") -> Shape | None:
        """Return what a value is like, None if the contract does not allow a look."""


def chain_evidence(
    calls: Calls,
    live_plan: Plan,
    definitions: Iterable[TaskDefinition],
    contract: Contract,
    environment: str,
    *,
    shapes: Shapes | None = None,
) -> ChainEvidence:
    """Ask for all that the rule needs beside the live Plan, IAM's simulator included.

    Values are looked at by `shapes` alone, and only those that a JSON key is asked of.
    """
    definitions = list(definitions)
    links = list(ChainLinks(live_plan, contract, environment).of(definitions))
    simulated = simulate(calls, questions(live_plan, definitions, contract, environment))
    keys = dict.fromkeys(
        render(one.requirement.resource)
        for link in links
        for one in link.judged
        if one.requirement.action == "kms:Decrypt" and f":{calls.account}:key/" in render(one.requirement.resource)
    )
    looks = {key: _look_at(calls, key) for key in keys}
    refused = {key: found.refusal for key, found in looks.items() if found.refusal}
    return ChainEvidence(
        ChainFacts(
            dict(_stored(calls, links, live_plan, refused)),
            {key: found.state for key, found in looks.items() if found.state},
            tuple(grant for found in looks.values() for grant in found.grants),
            tuple(_tasks(calls, live_plan, refused)),
            dict(_values(links, shapes)) if shapes is not None else {},
            refused,
        ),
        simulated,
    )


def _stored(
    calls: Calls, links: Iterable[ChainLink], live_plan: Plan, refused: dict[str, Refusal]
) -> Iterator[tuple[str, StoredSecret | None]]:
    """Yield what is known of each secret and parameter; what keeps the runner out is noted as refused."""
    unlisted = live_plan.unlisted("aws_ssm_parameter")
    hidden = Refusal(unlisted.address, how_to_know(unlisted)) if unlisted else None
    parameters = {parameter.stated("arn"): parameter for parameter in live_plan.managed("aws_ssm_parameter")}
    for link in links:
        fields = link.arn.split(":")
        if link.value.problem or not link.arn.startswith("arn:") or calls.account not in fields[4:5]:
            continue
        if link.value.store is ValueStore.SECRETS_MANAGER:
            try:
                yield link.arn, _secret(calls, link.arn)
            except RunnerPermissionError as error:
                refused[link.arn] = Refusal(error.found, error.remedy)
        elif hidden is not None:
            refused[link.arn] = hidden
        elif fields[3] == calls.region:
            yield link.arn, StoredSecret(link.arn) if link.arn in parameters else None


def _secret(calls: Calls, arn: str) -> StoredSecret | None:
    where = Arn.parse(arn).region
    found = calls.ask("secretsmanager", "describe_secret", region=where, absent=_NO_SECRET, SecretId=arn)
    if found is None:
        return None
    stages = {version: tuple(names) for version, names in (found.get("VersionIdsToStages") or {}).items()}
    return StoredSecret(found["ARN"], found.get("DeletedDate"), found.get("LastChangedDate"), stages)


def _values(links: Iterable[ChainLink], shapes: Shapes) -> Iterator[tuple[tuple[str, str], ReadValue]]:
    for link in links:
        key, stage, version = link.value.suffix
        shape = shapes.shape(link.arn, stage=stage, version=version) if key else None
        if shape is not None and shape.is_readable:
            problem = "" if shape.keys else "the value is no JSON object, or an empty one"
            yield (link.arn, key), ReadValue(key in shape.keys, problem)


class _Key(Struct):
    """What was seen of a key: its state, its grants; `refusal` if its own policy hides something."""

    state: str = ""
    grants: tuple[KeyGrant, ...] = ()
    refusal: Refusal | None = None

    @contextmanager
    def noting(self, *, of_grants: bool = False) -> Iterator[None]:
        """Note that the policy of the key keeps the runner out, the first time."""
        try:
            yield
        except RunnerPermissionError as error:
            self.refusal = self.refusal or Refusal(error.found, error.remedy, of_grants=of_grants)


def _look_at(calls: Calls, key: str) -> _Key:
    seen, region, key_id = _Key(), Arn.parse(key).region, key.rpartition("/")[2]
    with seen.noting():
        found = calls.ask("kms", "describe_key", region=region, KeyId=key_id, absent=_NO_KEY)
        seen.state = str(found["KeyMetadata"]["KeyState"]) if found else "missing"
    with seen.noting():  # the live Plan has asked this
        calls.ask("kms", "get_key_policy", region=region, KeyId=key_id, PolicyName="default", absent=_NO_KEY)
    with seen.noting(of_grants=True):
        seen.grants = tuple(_grants(calls, key))
    return seen


def _grants(calls: Calls, key: str) -> Iterator[KeyGrant]:
    for grant in calls.pages("kms", "list_grants", "Grants", region=Arn.parse(key).region, KeyId=key, absent=_NO_KEY):
        constraints: Mapping[str, Any] = grant.get("Constraints") or {}
        yield KeyGrant(
            key,
            grant.get("GranteePrincipal", ""),
            tuple(grant.get("Operations") or ()),
            constraints.get("EncryptionContextSubset") or {},
            constraints.get("EncryptionContextEquals"),
        )


def _tasks(calls: Calls, live_plan: Plan, refused: dict[str, Refusal]) -> Iterator[StartedTask]:
    """Yield the tasks that run; where they may not be seen, none, which is noted: they prove more than policies do."""
    for cluster in dict.fromkeys(service.stated("cluster") for service in live_plan.managed("aws_ecs_service")):
        with noting(refused, TASKS):
            unless_refused(cluster)
            for task in running_tasks(calls, cluster):
                if task.get("startedAt"):
                    yield StartedTask(task["taskArn"], task["taskDefinitionArn"], task["startedAt"])
