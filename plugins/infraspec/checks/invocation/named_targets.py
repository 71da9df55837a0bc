"""What a caller names otherwise than by an ARN: a function by its URL, an image, or the layer of another account.

Sources: AWS Lambda Developer Guide, "Create a Lambda function using a container image" (Lambda itself adds to the
policy of a repository of the same account what it needs) and "Configuring layer permissions"; Amazon CloudFront
Developer Guide, "Restrict access to an AWS Lambda function URL origin". Layers that AWS publishes are for everybody:
"Using Parameter Store parameters in AWS Lambda functions", "Lambda Insights", "What is AWS AppConfig?", "AWS Distro for
OpenTelemetry Lambda", "Powertools for AWS Lambda" and "AWS SDK for pandas".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.core.unknown import Unknown, Value, render, sources, unknowns
from infraspec.ecs.references import EcrImage, ecr_image
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.terraform.plan import Resource

_URL, _ACCESS = "aws_lambda_function_url", "aws_cloudfront_origin_access_control"
_PUBLISHED = re.compile(
    r".*:layer:(AWS-Parameters-and-Secrets-Lambda-Extension|LambdaInsightsExtension|AWS-AppConfig-Extension"
    r"|AWSLambdaPowertools|AWSSDKPandas|aws-otel-|AWSOpenTelemetry)"
)
NamedTarget: TypeAlias = tuple[Value, Unknown | None]
"""The ARN or name of what is called, and what decides whether it is and is not known."""


def _function_of_url(owners: ArnIndex, _caller: Resource, value: Value, beside: Mapping[str, Value]) -> NamedTarget:
    """Return the function whose URL an origin names, if CloudFront signs its requests to it."""
    origins = (origin for unknown in unknowns(value) for origin in sources(unknown))
    found = (owners.plan.find(origin) for origin in origins)
    url = next((one[0] for one in found if one and one[0].type == _URL), None)
    control = beside.get("origin_access_control_id")
    if url is None or not control or url.stated("authorization_type") != "AWS_IAM":
        return None, None
    access = owners.plan.find(control) if isinstance(control, Unknown) else None
    if access and access[0].type == _ACCESS and access[0].stated("origin_access_control_origin_type") != "lambda":
        return None, None
    name, qualifier = url.attribute("function_name"), url.stated("qualifier")
    return (owners.attributes.join(name, ":", qualifier) if qualifier else name), None


def _foreign(owners: ArnIndex, caller: Resource, arn: Value, account: Value) -> NamedTarget:
    """Return an ARN of another account than the caller's; one that may be the caller's is not certain to ask."""
    own = owners.attributes.account_of(caller)
    if account == own or not isinstance(account, str):
        return None, None
    return arn, own if isinstance(own, Unknown) else None


def _repository(owners: ArnIndex, caller: Resource, value: Value, _beside: Mapping[str, Value]) -> NamedTarget:
    """Return the repository of another account that an image is in."""
    image = ecr_image(owners.attributes.narrow(value))
    if not isinstance(image, EcrImage):
        return None, None
    place = ":ecr:", image.region, ":", image.account, ":repository/", image.repository
    arn = owners.attributes.join("arn:", owners.plan.partition, *place)
    return _foreign(owners, caller, arn, image.account)


def _layer(owners: ArnIndex, caller: Resource, value: Value, _beside: Mapping[str, Value]) -> NamedTarget:
    """Return a layer of another account, unless AWS publishes it."""
    arn = owners.attributes.narrow(value)
    account = arn_fields(arn).get("account")
    if _PUBLISHED.match(render(arn)) or account is None:
        return None, None
    return _foreign(owners, caller, arn, account)


THROUGH: Mapping[str, Callable[[ArnIndex, Resource, Value, Mapping[str, Value]], NamedTarget]] = {
    "url": _function_of_url,
    "image": _repository,
    "layer": _layer,
}
"""By the name that a row of wirings.json has for it."""
