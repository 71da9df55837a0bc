"""Jobs of AWS Batch as the task definitions that Batch makes of them: the same roles, secrets, images and logs.

Sources: AWS Batch API Reference, "ContainerProperties"; AWS Batch User Guide, "AWS Batch IAM execution role" (ECS
starts a job with it, as the service ecs-tasks.amazonaws.com) and "Specify sensitive data".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.core.json_text import decode_json
from infraspec.core.unknown import Text, Unknown, Value, computed_from
from infraspec.ecs.container import CONTAINERS
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.plan import Plan, Resource

JOB_DEFINITION = "aws_batch_job_definition"
_PROPERTIES = ("container_properties", "node_properties", "ecs_properties")


def job_definitions(plan: Plan) -> list[TaskDefinition]:
    """Return what each job runs as: of a job of several nodes, each group of them; those on EKS have no such role."""
    return [task for job in plan.managed(JOB_DEFINITION) for task in _of(job)]


def _of(job: Resource) -> Iterator[TaskDefinition]:
    for attribute in _PROPERTIES:
        value = job.stated(attribute)
        for properties in _parts(_decoded(value)) if value is not None else ():
            yield TaskDefinition.of_other(_tree(job, properties), job, attribute)


def _parts(properties: Value) -> Iterator[Value]:
    """Yield what of the properties of a job has containers and roles of its own, or what hides it."""
    if not isinstance(properties, Mapping):
        yield properties
        return
    inner = properties.get("taskProperties", properties.get("nodeRangeProperties", [properties]))
    for part in inner if isinstance(inner, list | tuple) else (inner,):
        yield part.get("container", part) if isinstance(part, Mapping) else part


def _tree(job: Resource, properties: Value) -> dict[str, Value]:
    """Return a job as ECS's JSON has it."""
    tree: dict[str, Value] = {
        "family": job.stated("name"),
        CONTAINERS: properties,
        "requiresCompatibilities": job.stated("platform_capabilities") or ["EC2"],
    }
    if isinstance(properties, Mapping):
        tree[CONTAINERS] = properties.get("containers", [{**properties, "name": "default"}])
        tree["executionRoleArn"] = properties.get("executionRoleArn")
        tree["taskRoleArn"] = properties.get("jobRoleArn") or properties.get("taskRoleArn")
        tree["volumes"] = properties.get("volumes")
    return tree


def _decoded(properties: Value) -> Value:
    if not isinstance(properties, str | Text):
        return properties
    try:
        return decode_json(properties)
    except ValueError:
        return Unknown("container properties that are not JSON", computed_from(properties))
