"""The requests of an API, as API Gateway names them in aws:SourceArn behind the ARN of the API: STAGE/METHOD/PATH.

Sources: Amazon API Gateway Developer Guide, "Control access for invoking an API" and "Create AWS Lambda proxy
integrations for HTTP APIs in API Gateway". What stands for a parameter of a path AWS does not document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from infraspec.core.unknown import AtRunTime, Unknown, Value, concatenate, parts_of, render, unknowns
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_PARAMETER = re.compile(r"(\{[^{}]*\})")
_STAGES = {
    "rest_api_id": (("aws_api_gateway_stage", "stage_name"), ("aws_api_gateway_deployment", "stage_name")),
    "api_id": (("aws_apigatewayv2_stage", "name"),),
}


def _stages(aws: AwsAttributes, caller: Resource, api: str) -> list[Value]:
    """Return the names of the stages that the plan gives an API; one that is not known if there is none."""
    wanted = aws.narrow(caller.attribute(api))
    stages = [
        aws.narrow(stage.stated(name))
        for type_, name in _STAGES[api]
        for stage in aws.plan.managed(type_)
        if stage.stated(name) and aws.narrow(stage.attribute(api)) == wanted
    ]
    return list(dict.fromkeys(stages)) or [Unknown("the stage of a request", AtRunTime("the stage"))]


def _with_parameters(path: Value) -> Value:
    """Return a path in which the parameters are not known."""
    pieces: list[str | Unknown] = []
    for part in parts_of(path):
        for piece in _PARAMETER.split(part) if isinstance(part, str) else [part]:
            named = isinstance(piece, str) and piece.startswith("{")
            pieces.append(Unknown(f"the parameter {piece}", AtRunTime(f"the parameter {piece}")) if named else piece)
    return concatenate(pieces)


def _method(name: Value) -> Value:
    return Unknown("the method of a request", AtRunTime("the method")) if name in {"ANY", None} else name


def _methods(aws: AwsAttributes, caller: Resource) -> Iterator[Value]:
    """Yield what the method of a REST API that an integration belongs to is called by, of each stage."""
    reference = caller.attribute("resource_id")
    found = aws.plan.find(reference) if isinstance(reference, Unknown) else None
    path: Value = aws.narrow(found[0].reference("path")) if found else reference
    if found is not None and found[1] == "root_resource_id":
        path = "/"
    method = _method(aws.narrow(caller.stated("http_method")))
    for stage in _stages(aws, caller, "rest_api_id"):
        yield aws.join(stage, "/", method, _with_parameters(path))


def _routes(aws: AwsAttributes, caller: Resource) -> Iterator[Value]:
    """Yield what each route to an integration of an HTTP or WebSocket API is called by, of each stage."""
    keys = [
        aws.narrow(route.stated("route_key"))
        for route in aws.plan.managed("aws_apigatewayv2_route")
        if any(unknown == caller.reference("id") for unknown in unknowns(route.stated("target")))
    ]
    unknown = Unknown(f"the route to {caller.address}", AtRunTime("the route"))
    for stage in _stages(aws, caller, "api_id"):
        for key in dict.fromkeys(keys) or (unknown,):
            method, blank, path = render(key).partition(" ")
            called: Value = key
            if isinstance(key, str) and blank:
                called = aws.join(_method(method), _with_parameters(path))
            yield aws.join(stage, "/", called)


REQUESTS: Mapping[str, Callable[[AwsAttributes, Resource], Iterator[Value]]] = {"methods": _methods, "routes": _routes}
"""By the name that a row of wirings.json has for it."""
