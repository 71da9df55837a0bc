"""The parameters of Systems Manager that exist; never their values.

Source: AWS Systems Manager API Reference, DescribeParameters and ParameterStringFilter (50 values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from infraspec.live.references import parameter_names
from infraspec.live.scope import Scope
from infraspec.terraform.plan import Resource

_PARAMETER = "aws_ssm_parameter"
_MOST = 50


def parameter_resources(scope: Scope, managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the parameters that the source names, that are tagged for the environment, or that containers read."""
    names = {identity[0] for identity in scope.sources.names(_PARAMETER)}
    names |= parameter_names(managed("aws_ecs_task_definition"))
    names |= {
        arn.partition(":parameter")[2]
        for arn, tags in scope.tagged.items()
        if ":ssm:" in arn and ":parameter/" in arn and scope.membership.by_tags(tags)
    }
    wanted = sorted(names | {name.removeprefix("/") for name in names if name.count("/") == 1 and name[0] == "/"})
    for start in range(0, len(wanted), _MOST):
        filters = [{"Key": "Name", "Option": "Equals", "Values": wanted[start : start + _MOST]}]
        for parameter in scope.calls.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=filters):
            name = parameter["Name"]
            arn = parameter.get("ARN") or scope.arn("ssm", f"parameter{'' if name[0] == '/' else '/'}{name}")
            values = {
                "name": name,
                "arn": arn,
                "id": name,
                "type": parameter.get("Type"),
                "key_id": parameter.get("KeyId"),
                "tier": parameter.get("Tier"),
            }
            yield scope.resource(_PARAMETER, name, address=arn, values=values, tags=scope.tags_of(arn))
