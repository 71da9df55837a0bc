"""What is peculiar to functions, and to what calls and starts workloads, as an account has them.

The policy of a function is one text. Terraform has a resource for each of its statements, and so has the model, whoever
has put it there. Sources: AWS Lambda API Reference, GetPolicy and ListEventSourceMappings; AWS Batch API Reference,
DescribeJobDefinitions; Amazon EventBridge Scheduler API Reference, AwsVpcConfiguration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Sensitive, Unknown, Value
from infraspec.live.resources.api_to_terraform import attributes_of
from infraspec.live.resources.reading import Entry, Peculiarity, Values, hidden, unknown_of, values_of
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.terraform.plan import Resource
from infraspec.workloads.access_table import workload_roles
from infraspec.workloads.named_roles import values_at

FUNCTION, PERMISSION = "aws_lambda_function", "aws_lambda_permission"
QUEUE, QUEUE_POLICY, SCHEDULE = "aws_sqs_queue", "aws_sqs_queue_policy", "aws_scheduler_schedule"
SECRET, ROTATION = "aws_secretsmanager_secret", "aws_secretsmanager_secret_rotation"
_GONE = ("ResourceNotFoundException",)


def named_roles(scope: LiveScope) -> Iterator[str]:
    """Yield the ARNs of the roles that the workloads name which the source has."""
    rows = [one.trust.named_by.partition(".") for roles in workload_roles().values() for one in roles]
    for type_, _, path in rows:
        for resource in scope.managed(type_) if not set(path) & set("@>") else ():
            for named in values_at((resource.values,), path):
                if isinstance(named.value, str):
                    yield named.value


def permissions(scope: LiveScope) -> Iterator[Resource]:
    """Yield the statements of the policies of the functions, and of the versions and aliases that the source names."""
    places = {
        (str(name), ""): None for one in scope.managed(FUNCTION) if isinstance(name := one.stated("function_name"), str)
    }
    for source in scope.sources.plan.managed(PERMISSION):
        name, qualifier = _place(scope, source)
        if isinstance(name, str) and isinstance(qualifier, str):
            places[name, qualifier] = None
    for name, qualifier in places:
        yield from _policy(scope, name, qualifier)


def _place(scope: LiveScope, source: Resource) -> tuple[Value, Value]:
    """Return the name and the qualifier of what a permission of the source is for."""
    narrow = scope.sources.attributes.narrow
    function, qualifier = narrow(source.attribute("function_name")), narrow(source.stated("qualifier") or "")
    if not isinstance(function, str):
        return function, qualifier
    name, _, own = (
        function.partition(":function:")[2].partition(":") if ":function:" in function else (function, "", "")
    )
    return name, qualifier or own


def _policy(scope: LiveScope, name: str, qualifier: str) -> Iterator[Resource]:
    what = f"{name}:{qualifier}" if qualifier else name
    place: Values = {"function_name": name, "qualifier": qualifier or None}
    asked = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    try:
        answer = scope.calls.ask("lambda", "get_policy", absent=_GONE, **asked)
    except RunnerPermissionError as error:
        scope.refused.setdefault(PERMISSION, error)
        hidden = {one: refused(f"{one} of the policy of {what}", error) for one in ("action", "principal")}
        yield scope.resource(PERMISSION, {**place, **hidden, "statement_id": "*"}, address=f"the policy of {what}")
        return
    for statement in json.loads(answer["Policy"])["Statement"] if answer else ():
        values = {**place, **_permission(statement)}
        source = _source(scope, name, qualifier, values)
        address = f"statement {values['statement_id']} of the policy of {what}"
        yield scope.resource(PERMISSION, values, address=address, source=source)


def _source(scope: LiveScope, name: str, qualifier: str, values: Values) -> Resource | None:
    """Return the permission of the source with the id of a statement, or the one without an id that says the same."""
    narrow = scope.sources.attributes.narrow
    there = (one for one in scope.sources.plan.managed(PERMISSION) if scope.sources.is_here(one))
    own = [one for one in there if _place(scope, one) == (name, qualifier)]
    found = [one for one in own if narrow(one.attribute("statement_id")) == values["statement_id"]]
    generated = [one for one in own if not isinstance(narrow(one.attribute("statement_id")), str)]
    alike = [
        one for one in generated if all(narrow(one.stated(key)) == values.get(key) for key in ("action", "principal"))
    ]
    certain = found or (alike if len(alike) == 1 else [])
    return certain[0] if certain else None


_STATEMENT = {"statement_id": "Sid", "action": "Action"}
_KEYS = {
    "aws:sourcearn": "source_arn",
    "aws:sourceaccount": "source_account",
    "lambda:eventsourcetoken": "event_source_token",
    "lambda:functionurlauthtype": "function_url_auth_type",
    "aws:principalorgid": "principal_org_id",
    "lambda:invokedviafunctionurl": "invoked_via_function_url",
}
"""The arguments of AddPermission by the condition keys that Lambda makes of them."""


def _permission(statement: Mapping[str, Any]) -> Values:
    """Return a statement as the arguments that it was added with."""
    principal = statement.get("Principal")
    named = next(iter(principal.values()), None) if isinstance(principal, Mapping) else principal
    conditions = (entry for block in (statement.get("Condition") or {}).values() for entry in block.items())
    told = {_KEYS[key.lower()]: value for key, value in conditions if key.lower() in _KEYS}
    return {**attributes_of(statement, _STATEMENT), "principal": named, **told}


def rotations(scope: LiveScope) -> Iterator[Resource]:
    """Yield the rotations of the source that are on: what one was when it was switched off is kept by AWS."""
    for source in filter(scope.sources.is_here, scope.sources.plan.managed(ROTATION)):
        named = scope.sources.named(SECRET, source.stated("secret_id"))
        secrets = (
            one.stated("arn") for one in scope.managed(SECRET) if named is not None and one.address == named.address
        )
        secret = next(secrets, None) if named else scope.sources.attributes.narrow(source.attribute("secret_id"))
        if isinstance(secret, Unknown):
            yield hidden(source, lambda name, source=source, secret=secret: unknown_of(source, name, secret))  # type: ignore[misc]
        elif secret is not None:
            yield from _rotation(scope, source, secret)


_WINDOW = timedelta(days=1)
"""How long after its day a secret may be rotated, where its rules name no window: by the end of that day."""


def _rotation(scope: LiveScope, source: Resource, secret: Value) -> Iterator[Resource]:
    try:
        answer = scope.calls.ask("secretsmanager", "describe_secret", SecretId=secret, absent=_GONE)
    except RunnerPermissionError as error:
        scope.refused.setdefault(ROTATION, error)
        return
    if answer and answer.get("RotationEnabled"):
        due = answer.get("NextRotationDate")
        overdue = due is not None and due < scope.calls.taken - _WINDOW
        values = {"secret_id": secret, **values_of(scope, ROTATION, answer), "overdue": "yes" if overdue else "no"}
        yield scope.resource(ROTATION, values, source=source)


READERS = {PERMISSION: permissions, ROTATION: rotations}


def _function(_scope: LiveScope, entry: Entry, values: Values) -> Values:
    """Leave out the network of a function that has none; of the environment the names are kept, and no value shown."""
    variables = (entry.get("Environment") or {}).get("Variables") or {}
    hidden: Value = {
        name: Sensitive(f"the variable {name} of {values['arn']}", text) for name, text in variables.items()
    }
    network = (entry.get("VpcConfig") or {}).get("SubnetIds")
    kept = {name: value for name, value in values.items() if name != "vpc_config" or network}
    return {**kept, **({"environment": [{"variables": hidden}]} if variables else {})}


_OFF = frozenset({"Disabled", "Disabling"})


def _mapping(_scope: LiveScope, entry: Entry, values: Values) -> Values:
    return {**values, "enabled": entry.get("State") not in _OFF}


def _started(_scope: LiveScope, _entry: Entry, values: Values) -> Values:
    """Say whether the task of a schedule or a target has a public address, as Terraform does."""
    tasks = [one for target in _blocks(values, "target") for one in _blocks(target, "ecs_parameters")]
    for task in (*tasks, *_blocks(values, "ecs_target")):
        for network in _blocks(task, "network_configuration"):
            network["assign_public_ip"] = network.get("assign_public_ip") == "ENABLED"
    return values


def _blocks(values: Any, name: str) -> list[Any]:
    found = values.get(name)
    return found if isinstance(found, list) else []


_PROPERTIES = {
    "container_properties": "containerProperties",
    "node_properties": "nodeProperties",
    "ecs_properties": "ecsProperties",
}


def _job(_scope: LiveScope, entry: Entry, values: Values) -> Values:
    """Add what a job runs as JSON text, as Terraform has it."""
    found = {name: json.dumps(entry[api]) for name, api in _PROPERTIES.items() if entry.get(api)}
    return {**values, **found}


def _queue(scope: LiveScope, _entry: Entry, values: Values) -> Values:
    """Keep the policy of a queue to which the source gives it as an argument, and attaches none."""
    source = scope.sources.find(QUEUE, (str(values["name"]),))
    kept = source is not None and source.sets("policy")
    return {name: value for name, value in values.items() if name != "policy" or kept}


def _attached_policy(scope: LiveScope, _entry: Entry, values: Values) -> Values | None:
    """Leave out a policy that the queue has as an argument."""
    queue = next(one for one in scope.managed(QUEUE) if one.stated("url") == values["queue_url"])
    return None if "policy" in queue.values else values


def _of_queue(scope: LiveScope, _values: Values, queue: Resource) -> Resource | None:
    """Return the policy of the source that is for a queue: AWS names it by one URL, the source by any."""
    own = (one for one in scope.sources.plan.managed(QUEUE_POLICY) if scope.sources.is_here(one))
    named = ((one, scope.sources.named(QUEUE, one.stated("queue_url"))) for one in own)
    return next((one for one, found in named if found is not None and found.address == queue.address), None)


PECULIARITIES = {
    FUNCTION: Peculiarity(_function),
    "aws_batch_job_definition": Peculiarity(_job),
    "aws_lambda_event_source_mapping": Peculiarity(_mapping),
    QUEUE: Peculiarity(_queue),
    QUEUE_POLICY: Peculiarity(_attached_policy, source=_of_queue),
    SCHEDULE: Peculiarity(_started),
    "aws_cloudwatch_event_target": Peculiarity(_started),
}
