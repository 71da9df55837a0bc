"""The states of a state machine that call something: which integration each uses, and what it is given.

Sources: Amazon States Language, "States"; AWS Step Functions Developer Guide, "Integrating services with Step
Functions", "Passing parameters to a service API in Step Functions" and "Transforming data with JSONata in Step
Functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from infraspec.core.json_text import decode_json
from infraspec.core.unknown import AtRunTime, Text, Unknown, Value, computed_from

_SDK = re.compile(r"arn:[^:]+:(?:states|scheduler):::aws-sdk:(?P<service>[a-z0-9]+):(?P<action>[a-zA-Z0-9]+)(?:\..*)?")
_PREFIXES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "states",
    "costexplorer": "ce",
    "sesv2": "ses",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "cognitoidentityprovider": "cognito-idp",
    "efs": "elasticfilesystem",
    "emrserverless": "emr-serverless",
}
"""The services whose actions IAM calls by another name than the SDK does."""


def states(definition: Value) -> Iterator[Mapping[str, Value] | Unknown]:
    """Yield the Task states of a definition, those inside of others too, and what hides some.

    Of each: its `Name`, `Resource` and `Input`, what it is given, where what is known at run time is unknown. A map
    that starts executions of its own has the Resource `DISTRIBUTED`.
    """
    tree = _decoded(definition)
    if isinstance(tree, Unknown):
        yield tree
    elif isinstance(tree, Mapping):
        yield from _of(tree)


def sdk_action(arn: str) -> str | None:
    """Return what IAM calls the action of the SDK that an ARN names; None if it names none."""
    sdk = _SDK.fullmatch(arn)
    return sdk and f"{_PREFIXES.get(sdk['service'], sdk['service'])}:{sdk['action'][:1].upper()}{sdk['action'][1:]}"


def _decoded(definition: Value) -> Value:
    if not isinstance(definition, str | Text):
        return definition
    try:
        return decode_json(definition)
    except ValueError:
        return Unknown("a definition that is not JSON", computed_from(definition))


def _of(tree: Mapping[str, Value]) -> Iterator[Mapping[str, Value] | Unknown]:
    inside = tree.get("States")
    if isinstance(inside, Unknown):
        yield inside
    for name, state in inside.items() if isinstance(inside, Mapping) else ():
        if isinstance(state, Unknown):
            yield state
        elif isinstance(state, Mapping):
            yield from _state(str(name), state)


def _state(name: str, state: Mapping[str, Value]) -> Iterator[Mapping[str, Value] | Unknown]:
    resource = state.get("Resource")
    if state.get("Type") == "Task" and resource:
        told = [state[key] for key in ("Parameters", "Arguments") if state.get(key) is not None]
        given: Value = {key: one for part in told for key, one in _given(part).items()}
        hidden = next((one for one in told if not isinstance(one, Mapping)), None)
        if hidden is not None:
            cause = computed_from(hidden) if isinstance(hidden, Unknown) else AtRunTime("the input")
            given = Unknown(f"the input of the state {name}", cause)
        yield {"Name": name, "Resource": resource, "Input": given}
    branches = state.get("Branches")
    several = branches if isinstance(branches, list | tuple) else ()
    for inner in (*several, state.get("Iterator"), state.get("ItemProcessor")):
        if isinstance(inner, Unknown):
            yield inner
        elif isinstance(inner, Mapping):
            yield from _of(inner)
            configured = inner.get("ProcessorConfig")
            if isinstance(configured, Mapping) and configured.get("Mode") == "DISTRIBUTED":
                yield {"Resource": "DISTRIBUTED", "Input": {}}


def _given(value: Value) -> dict[str, Value]:
    """Return what a state is given; what an expression computes is not known before it runs."""
    given: dict[str, Value] = {}
    for key, item in value.items() if isinstance(value, Mapping) else ():
        name = str(key).removesuffix(".$")
        if name != key or (isinstance(item, str) and item.startswith("{%")):
            given[name] = Unknown(f"the {name} of the input", AtRunTime(f"the {name}"))
        elif isinstance(item, Mapping):
            given[name] = _given(item)
        elif isinstance(item, list | tuple):
            given[name] = [_given(one) if isinstance(one, Mapping) else one for one in item]
        else:
            given[name] = item
    return given
