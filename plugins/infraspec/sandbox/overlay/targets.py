"""What a request is about: the ARN that policies name, the policy and tags of the resource.

Where an operation lists, or names nothing that is known here, the resource is `*`, or the type's ARN that ends so.
Source: Service Authorization Reference, "Resource types defined by …" of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from moto.elbv2 import models
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from msgspec import Struct, field

from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.sandbox.overlay.decisions import compiled


def install() -> None:
    """Accept every certificate that has an ARN of ACM or IAM."""
    models.register_certificate = lambda *_, **__: None
    models.ELBv2Backend._certificate_exists = lambda _, certificate_arn: (
        ":acm:" in certificate_arn or ":iam:" in certificate_arn
    )


PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "elb": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "stepfunctions": "states",
}
"""The prefix of a service's actions, where it is not boto3's name of the service."""


class RegisteredTarget(Struct, frozen=True):
    """One resource of a request."""

    arn: str
    policies: tuple[IdentityPolicy, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arn: str, policy: str | None, tags: Any = ()) -> RegisteredTarget:
        """Return a resource with the policy and the tags that it has."""
        policies = (compiled(arn, policy, with_principals=True),) if policy else ()
        return cls(arn, policies, {tag["Key"]: tag["Value"] for tag in tags or ()})


class Place(Struct, frozen=True):
    """Where a request is made."""

    account: str
    region: str
    partition: str

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Return an ARN of the account."""
        return f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.account}:{resource}"


Parameters: TypeAlias = Mapping[str, Any]
_Find: TypeAlias = Callable[[Parameters, Place], list[RegisteredTarget]]


def parameters_of(response: Any) -> dict[str, Any]:
    """Return the parameters of a request under the names of the API; nothing if it cannot be read."""
    if response.automated_parameter_parsing:
        return dict(response.params)
    kept = response.__dict__.get("params")
    try:
        response.parse_parameters(response.normalized_request)  # which parser a request takes is moto's affair
        return dict(response.params)
    except Exception:  # noqa: BLE001 - moto raises what it likes, and a request without parameters is about *
        return {}
    finally:
        response.params = kept


def targets(service: str, parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    """Return the resources that a request of a service is about, at least one."""
    find = _BY_SERVICE.get(service)
    found = find(parameters, place) if find else _by_name(service, parameters, place)
    return found or _named(service, parameters) or [RegisteredTarget("*")]


def _named(service: str, parameters: Parameters) -> list[RegisteredTarget]:
    """Return the ARNs of the service that stand at the top of the parameters."""
    prefix = PREFIXES.get(service, service)
    values = [value for value in parameters.values() if isinstance(value, str)]
    values += [
        item for value in parameters.values() if isinstance(value, list) for item in value if isinstance(item, str)
    ]
    return [RegisteredTarget(value) for value in values if value.startswith("arn:") and value.split(":")[2] == prefix]


def secret_of(place: Place, name: str) -> Any:
    """Return a secret by its name or ARN, also without the six characters at its end; None if there is none."""
    backend = secretsmanager_backends[place.account][place.region]
    return next((one for one in backend.secrets.values() if name in {one.arn, one.name, one.arn[:-7]}), None)


def _secret(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    name = parameters.get("SecretId")
    if "SecretIdList" in parameters:
        return [RegisteredTarget("*")]
    if not name:
        created = parameters.get("Name")
        return [RegisteredTarget(place.arn("secretsmanager", f"secret:{created}-??????"))] if created else []
    found = secret_of(place, name)
    if found is None:
        return [RegisteredTarget(name if name.startswith("arn:") else place.arn("secretsmanager", f"secret:{name}"))]
    return [RegisteredTarget.of(found.arn, getattr(found, "policy", None), found.tags)]


def _parameter(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    names = [*(parameters.get("Names") or []), *filter(None, [parameters.get("Name"), parameters.get("Path")])]
    if parameters.get("ResourceType") == "Parameter":
        names.append(parameters.get("ResourceId"))
    bare = [name.partition(":parameter")[2] if name.startswith("arn:") else name for name in names if name]
    return [RegisteredTarget(place.arn("ssm", f"parameter/{name.lstrip('/')}")) for name in bare]


def key_of(place: Place, name: str) -> Any:
    """Return a key by its id, ARN or alias, None if there is none."""
    backend = kms_backends[place.account][place.region]
    alias = backend.get_alias_name(name)
    identifier = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(name)
    return backend.keys.get(identifier)


def _key(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    name = parameters.get("KeyId") or parameters.get("TargetKeyId")
    if not name:
        return []
    key = key_of(place, name)
    if key is None:
        return [RegisteredTarget(name if name.startswith("arn:") else place.arn("kms", f"key/{name}"))]
    return [RegisteredTarget.of(key.arn, key.policy)]


def _identity(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    backend = iam_backends[place.account][place.partition]
    role, user = parameters.get("RoleName"), parameters.get("UserName")
    if role:
        known = next((one.arn for one in backend.roles.values() if one.name == role), None)
        return [RegisteredTarget(known or place.arn("iam", f"role/{role}", regional=False))]
    if user:
        return [RegisteredTarget(place.arn("iam", f"user/{user}", regional=False))]
    arn = parameters.get("PolicyArn") or parameters.get("PolicySourceArn")
    return [RegisteredTarget(arn)] if arn else []


def _assumed(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    arn = str(parameters.get("RoleArn") or "*")
    backend = iam_backends[place.account][place.partition]
    role = next((one for one in backend.roles.values() if one.arn == arn), None)
    if role is None:
        return [RegisteredTarget(arn)]
    return [RegisteredTarget(arn, (compiled(f"{arn} trust", role.assume_role_policy_document, with_principals=True),))]


def _log(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    name = parameters.get("logGroupName")
    stream = parameters.get("logStreamName")
    if name:
        return [RegisteredTarget(place.arn("logs", f"log-group:{name}:log-stream:{stream or ''}"))]
    prefix = parameters.get("logGroupNamePrefix") or ""
    return [RegisteredTarget(place.arn("logs", f"log-group:{prefix}*"))]


def _topic(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    arn = parameters.get("TopicArn") or parameters.get("ResourceArn")
    if not arn:
        return []
    topic = sns_backends[place.account][place.region].topics.get(arn)
    return [RegisteredTarget.of(arn, getattr(topic, "policy", None))]


def _queue(parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    name = parameters.get("QueueName") or str(parameters.get("QueueUrl") or "").rpartition("/")[2]
    return [RegisteredTarget(place.arn("sqs", name))] if name else []


_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ecs": (
        ("tasks", "task/{cluster}/{name}"),
        ("task", "task/{cluster}/{name}"),
        ("services", "service/{cluster}/{name}"),
        ("service", "service/{cluster}/{name}"),
        ("serviceName", "service/{cluster}/{name}"),
        ("clusters", "cluster/{name}"),
        ("cluster", "cluster/{name}"),
    ),
    "ecr": (("repositoryName", "repository/{name}"),),
    "dynamodb": (("TableName", "table/{name}"),),
    "cloudwatch": (("AlarmNames", "alarm:{name}"),),
    "rds": (("DBInstanceIdentifier", "db:{name}"),),
    "events": (("Rule", "rule/{name}"), ("Name", "rule/{name}")),
}
"""By service, the parameters that name resources, the first that is given, and what is behind the account in an ARN."""


def _by_name(service: str, parameters: Parameters, place: Place) -> list[RegisteredTarget]:
    cluster = str(parameters.get("cluster") or "default").rpartition("/")[2]
    for parameter, resource in _NAMED.get(service, ()):
        given = parameters.get(parameter)
        names = [name for name in (given if isinstance(given, list) else [given]) if name and isinstance(name, str)]
        if names:
            arns = (place.arn(service, resource.format(cluster=cluster, name=name)) for name in names)
            return [
                RegisteredTarget(name if name[:4] == "arn:" else arn) for name, arn in zip(names, arns, strict=True)
            ]
    return []


_BY_SERVICE: Mapping[str, _Find] = {
    "secretsmanager": _secret,
    "ssm": _parameter,
    "kms": _key,
    "iam": _identity,
    "sts": _assumed,
    "logs": _log,
    "sns": _topic,
    "sqs": _queue,
}
