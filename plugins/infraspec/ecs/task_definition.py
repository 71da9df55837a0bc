"""Task definitions: from `aws_ecs_task_definition`, and from JSON as registered or described.

Source: Amazon ECS Developer Guide, "Amazon ECS task definition parameters".

`${VAR}` (envsubst, GitHub Actions), `{{ must_env `VAR` }}` and `{{ tfstate `address` }}` (ecspresso, Go and Jinja
templates), `<IMAGE>` (CodePipeline), `%VAR%`, `__VAR__`, and bare ACCOUNT_ID and REGION in an ARN or image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from msgspec import Struct

from infraspec.core.errors import TaskDefinitionError
from infraspec.core.finding import Location
from infraspec.core.json_text import decode_json, double_key, lines_by_path
from infraspec.core.unknown import Placeholder, Text, Unknown, Value, concatenate, render
from infraspec.ecs.container import CONTAINER_KEYS, CONTAINERS, Container, check_case, check_text, containers, malformed
from infraspec.terraform.plan import Plan, Resource

_PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}"
    r"|\$\{[^}]*\}"
    r"|<[A-Za-z_][\w .-]*>"
    r"|%[A-Za-z_]\w*%"
    r"|__[A-Za-z][A-Za-z0-9_]*?__"
    r"|(?<![\w-])(?:AWS_)?(?:ACCOUNT_ID|REGION)(?![\w-])"
)
_QUOTED = re.compile(r"[`\"]([^`\"]*)[`\"]")
_STATE = re.compile(r"^\{\{\s*\w*tfstate\s+[`\"](?P<address>[^`\"]+)[`\"]\s*\}\}$")


def with_placeholders(tree: Value) -> Value:
    """Return a JSON tree in which every placeholder in a string is an Unknown."""
    if isinstance(tree, dict):
        return {key: with_placeholders(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [with_placeholders(item) for item in tree]
    return _text(tree) if isinstance(tree, str) else tree


def first_placeholder(text: str) -> str:
    """Return the first placeholder in a text, or nothing."""
    found = _PLACEHOLDER.search(text)
    return found[0] if found else ""


def _text(text: str) -> Value:
    parts: list[str | Unknown] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        parts += [text[position : found.start()], _unknown(found[0])]
        position = found.end()
    if not position:
        return text
    parts = [part for part in (*parts, text[position:]) if part != ""]
    return parts[0] if len(parts) == 1 else concatenate(parts)


def _unknown(placeholder: str) -> Unknown:
    state = _STATE.match(placeholder)
    if state:  # ecspresso looks the attribute up in Terraform's state
        return Unknown(state["address"].replace("'", '"'))
    quoted = _QUOTED.search(placeholder)
    name = quoted[1] if quoted else placeholder.strip("{}$<>%_ ")
    return Unknown(f"placeholder {name}", Placeholder(name))


_TEXT_KEYS = ("family", "executionRoleArn", "taskRoleArn", "networkMode")
_FILE_KEYS = (CONTAINERS, *_TEXT_KEYS, "requiresCompatibilities")
_LONGEST_EXCERPT = 160
"""A line of more characters is generated, and nobody finds a caret below it."""


class TaskDefinition(Struct, frozen=True, eq=False):
    """A task definition as ECS gets it.

    `address` is a Terraform address or a file. `unknown_containers` is set where the container definitions as a whole
    are not known. `locate` finds the line of a path such as `containerDefinitions.0.secrets.1.valueFrom`.
    """

    address: str
    family: Value
    containers: tuple[Container, ...]
    execution_role: Value = None
    task_role: Value = None
    requires_compatibilities: Value = ()
    network_mode: Value = None
    volumes: Value = ()
    unknown_containers: Unknown | None = None
    resource: Resource | None = None
    locate: Callable[[str], Location | None] = lambda _path: None

    @classmethod
    def from_resource(cls, resource: Resource) -> TaskDefinition:
        """Read an aws_ecs_task_definition. Raises TaskDefinitionError if its containers are not what ECS defines."""
        place = f"{resource.location or resource.address}"
        tree = _decode(resource.attribute("container_definitions"), place)
        unknown = tree if isinstance(tree, Unknown) else None
        return cls(
            resource.address,
            resource.stated("family"),
            () if unknown else tuple(containers(_folded(tree), f"{place}: container_definitions")),
            resource.stated("execution_role_arn"),
            resource.stated("task_role_arn"),
            resource.stated("requires_compatibilities") or (),
            resource.stated("network_mode"),
            resource.stated("volume") or (),
            unknown,
            resource,
            lambda path: resource.location_of(path.replace(CONTAINERS, "container_definitions", 1)),
        )

    @classmethod
    def from_json(cls, text: str, name: str) -> TaskDefinition:
        """Read task definition JSON, or its list of container definitions; `name` is the file, for messages.

        Placeholders inside strings become unknown. Raises TaskDefinitionError.
        """
        text = text.removeprefix("\ufeff")
        tree = _parse(text, name)
        prefix = ""
        if isinstance(tree, dict) and isinstance(tree.get("taskDefinition"), dict):
            tree, prefix = tree["taskDefinition"], "taskDefinition."
        bare = isinstance(tree, list)
        if bare:
            tree = {CONTAINERS: tree}
        if not isinstance(tree, dict) or CONTAINERS not in tree:
            raise malformed("the file is not a task definition", name, f"an object with {CONTAINERS}", render(tree))
        check_case(tree, _FILE_KEYS, name)
        check_text(tree, _TEXT_KEYS, name)
        lines = lines_by_path(text)

        def locate(path: str) -> Location:
            path = path.removeprefix(CONTAINERS).removeprefix(".") if bare else prefix + path
            while path and path not in lines:
                path = path.rpartition(".")[0]
            return Location(name, lines.get(path, 1))

        definitions = tree[CONTAINERS]
        unknown = definitions if isinstance(definitions, Unknown) else None
        return cls(
            name,
            tree.get("family"),
            () if unknown else tuple(containers(definitions, name)),
            tree.get("executionRoleArn") or None,
            tree.get("taskRoleArn") or None,
            tree.get("requiresCompatibilities") or (),
            tree.get("networkMode"),
            tree.get("volumes") or (),
            unknown,
            None,
            locate,
        )

    def runs_on(self, compatibility: str) -> bool | None:
        """Tell whether the task definition asks for FARGATE, EC2 or EXTERNAL; None if that is not known."""
        if not isinstance(self.requires_compatibilities, list | tuple):
            return None
        if compatibility in self.requires_compatibilities:
            return True
        return None if any(isinstance(item, Unknown | Text) for item in self.requires_compatibilities) else False


def task_definitions(plan: Plan) -> list[TaskDefinition]:
    """Read every task definition of a plan."""
    return [TaskDefinition.from_resource(resource) for resource in plan.managed("aws_ecs_task_definition")]


def _decode(value: Value, place: str) -> Value:
    if not isinstance(value, str | Text):
        return value
    try:
        return decode_json(value)
    except json.JSONDecodeError as error:
        raise TaskDefinitionError(
            "container_definitions is not JSON",
            place=place,
            expected="a JSON list of container definitions",
            found=f"{error.msg} at line {error.lineno}, column {error.colno}",
            remedy="write it with jsonencode, which cannot be malformed",
        ) from None


def _parse(text: str, name: str) -> Value:
    try:
        tree = with_placeholders(json.loads(text))
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1].removesuffix("\r")
        placeholder = first_placeholder(line)
        raise TaskDefinitionError(
            "the task definition is not JSON",
            place=f"{name}:{error.lineno}:{error.colno}",
            expected="JSON; placeholders only inside strings",
            found=f"the placeholder {placeholder} outside a string" if placeholder else error.msg,
            remedy="render the template first and name the result, or put the placeholder between quotes",
            excerpt=f"{line}\n{' ' * (error.colno - 1)}^" if 0 < len(line) <= _LONGEST_EXCERPT else "",
        ) from None
    except RecursionError:
        raise malformed("the JSON is nested too deeply", name, "what the ECS API defines", "deeper levels") from None
    double = double_key(text)
    if double is not None:
        key, first, second = double
        raise TaskDefinitionError(
            f"an object has the key {key!r} twice",
            place=f"{name}:{second}",
            expected="each key once: which of two counts depends on who reads it",
            found=f"the first on line {first}",
            remedy="remove one of them",
        )
    return tree


def _folded(tree: Value) -> Value:
    """Give keys their lower camel case: the Terraform provider reads them without regard to letter case."""
    known = {key.lower(): key for key in (*CONTAINER_KEYS, "valueFrom", "logDriver", "options", "secretOptions")}
    known |= {"credentialsparameter": "credentialsParameter", "value": "value", "type": "type"}
    known |= {"sourcevolume": "sourceVolume", "readonly": "readOnly"}
    if isinstance(tree, dict):
        return {known.get(str(key).lower(), key): _unfolded_options(key, item) for key, item in tree.items()}
    return [_folded(item) for item in tree] if isinstance(tree, list | tuple) else tree


def _unfolded_options(key: str, item: Value) -> Value:
    """Leave the keys of log driver options as they are: they are data."""
    return item if str(key).lower() in {"options", "environment", "dockerlabels"} else _folded(item)
