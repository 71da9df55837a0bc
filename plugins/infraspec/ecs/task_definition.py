"""Task definitions: from `aws_ecs_task_definition`, and from JSON as registered or described.

Source: Amazon ECS Developer Guide, "Amazon ECS task definition parameters".

`${VAR}` (envsubst, GitHub Actions), `{{ must_env `VAR` }}` and `{{ tfstate `address` }}` (ecspresso, Go and Jinja
templates), `<IMAGE>` (CodePipeline), `%VAR%`, `__VAR__`, and bare ACCOUNT_ID and REGION in an ARN or image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.errors import InfraspecError, TaskDefinitionError
from infraspec.core.finding import Location
from infraspec.core.json_text import decode_json, double_key, lines_by_path
from infraspec.core.unknown import AFTER_APPLY, Erroneous, Placeholder, Text, Unknown, Value, concatenate, render
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


EXPRESS, _DAEMON = "aws_ecs_express_gateway_service", "aws_ecs_daemon_task_definition"
_JSON = "container_definitions"
_ROOTS = {"aws_ecs_task_definition": _JSON, EXPRESS: "primary_container", _DAEMON: "container_definition"}
"""What ECS makes task definitions of, and where each has its containers."""
_ATTRIBUTES = (
    "family", "execution_role_arn", "task_role_arn", "requires_compatibilities", "network_mode", "volume",
)  # fmt: skip
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
    error: InfraspecError | None = None
    """What is wrong with it, so that its containers are not known."""

    @classmethod
    def from_resource(cls, resource: Resource) -> TaskDefinition:
        """Read a task definition, that of a daemon, or the one that ECS makes of an Express Mode service.

        If its containers are not what ECS defines, they are not known, and `error` says why. Source: Amazon ECS API
        Reference, "ExpressGatewayContainer" and "DaemonContainerDefinition".
        """
        place, root = f"{resource.location or resource.address}", _ROOTS[resource.type]
        tree = as_json({name: resource.stated(name) for name in _ATTRIBUTES})

        def locate(path: str) -> Location | None:
            return resource.location_of(_path(path, root))

        try:
            return cls._of(tree | cls._containers(resource, place), resource.address, place, resource, locate)
        except TaskDefinitionError as error:
            tree[CONTAINERS] = Unknown(f"{resource.address}.{root}", Erroneous(f"{error.place}: {error.message}"))
            return replace(cls._of(tree, resource.address, place, resource, locate), error=error)

    @classmethod
    def unread(cls, name: str, error: InfraspecError) -> TaskDefinition:
        """Return what is known of the task definition of a file that cannot be read: nothing."""
        unknown = Unknown(name, Erroneous(f"{error.place}: {error.message}"))
        return cls(name, unknown, (), unknown, unknown, unknown_containers=unknown, error=error)

    @staticmethod
    def _containers(resource: Resource, place: str) -> dict[str, Value]:
        """Return the containers of a resource as ECS's JSON has them. Raises TaskDefinitionError."""
        root, tree = _ROOTS[resource.type], dict[str, Value]()
        if root == _JSON:
            tree[CONTAINERS] = _folded(_decode(resource.attribute(root), place))
        else:
            tree[CONTAINERS] = as_json({"containers": resource.stated(root) or ()}).get("containers", [])
            tree["requiresCompatibilities"] = ["MANAGED_INSTANCES"]
        if resource.type == EXPRESS:
            tree |= _express(tree[CONTAINERS], resource)
        return tree

    @classmethod
    def _of(
        cls,
        tree: Mapping[str, Value],
        address: str,
        place: str,
        resource: Resource | None,
        locate: Callable[[str], Location | None],
    ) -> TaskDefinition:
        definitions = tree.get(CONTAINERS)
        unknown = definitions if isinstance(definitions, Unknown) else None
        return cls(
            address,
            tree.get("family"),
            () if unknown else tuple(containers(definitions, place)),
            tree.get("executionRoleArn") or None,
            tree.get("taskRoleArn") or None,
            tree.get("requiresCompatibilities") or (),
            tree.get("networkMode"),
            tree.get("volumes") or (),
            unknown,
            resource,
            locate,
        )

    @classmethod
    def of_other(cls, tree: Mapping[str, Value], resource: Resource, attribute: str) -> TaskDefinition:
        """Return the task definition that AWS makes of a resource whose `attribute` has the containers."""
        place, address = resource.location_of(attribute), resource.address

        def locate(_path: str) -> Location | None:
            return place

        try:
            return cls._of(tree, address, f"{place}", resource, locate)
        except TaskDefinitionError as error:
            unknown = Unknown(f"{address}.{attribute}", Erroneous(f"{error.place}: {error.message}"))
            return cls._of({**tree, CONTAINERS: unknown}, address, f"{place}", resource, locate)

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

        return cls._of(tree, name, name, None, locate)

    @property
    def location(self) -> Location | None:
        """Where it begins."""
        return self.resource.location if self.resource else self.locate("")

    def runs_on(self, compatibility: str) -> bool | None:
        """Tell whether the task definition asks for FARGATE, EC2 or EXTERNAL; None if that is not known."""
        if not isinstance(self.requires_compatibilities, (list, tuple)):
            return None
        if compatibility in self.requires_compatibilities:
            return True
        return None if any(isinstance(item, (Unknown, Text)) for item in self.requires_compatibilities) else False


def task_definitions(plan: Plan) -> list[TaskDefinition]:
    """Read every task definition of a plan."""
    return [TaskDefinition.from_resource(resource) for resource in plan.managed(*_ROOTS)]


_LISTS = {
    "secret": "secrets", "secret_option": "secretOptions", "environment_file": "environmentFiles",
    "mount_point": "mountPoints", "environment": "environment", "volume": "volumes", "containers": "containers",
}  # fmt: skip
"""The blocks that ECS takes a list of, by their names; of another it takes one object."""


def as_json(block: Mapping[str, Value]) -> dict[str, Value]:
    """Return a block of Terraform as ECS's JSON has it."""
    tree: dict[str, Value] = {}
    for name, value in block.items():
        found: Value = value
        key = _LISTS.get(name) or re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        if isinstance(value, (list, tuple)):
            found = [as_json(entry) if isinstance(entry, Mapping) else entry for entry in value]
            if key not in _LISTS.values() and found and isinstance(found[0], dict):
                found = found[0]
        if found not in (None, []):
            tree[key] = found
    return tree


def _express(definitions: Value, resource: Resource) -> dict[str, Value]:
    """Complete an Express Mode service: ECS names its container, and sends what that writes to CloudWatch Logs."""
    made = Unknown(f"the log group that ECS makes for {resource.address}", AFTER_APPLY)
    for tree in definitions if isinstance(definitions, list) else ():
        if isinstance(tree, dict):
            given = tree.pop("awsLogsConfiguration", made)
            log = given if isinstance(given, dict) else {}
            group = log.get("logGroup") or (given if isinstance(given, Unknown) else made)
            options = {"awslogs-group": group, "awslogs-stream-prefix": log.get("logStreamPrefix") or "ecs"}
            tree |= {"name": "Main", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    family = resource.stated("service_name")
    return {"family": family, "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}


_SINGLE = ("_configuration", "_config", "_credentials")


def _path(path: str, root: str) -> str:
    """Return the path of an attribute of Terraform; what is one object for ECS is a list of blocks there."""
    if path.startswith(CONTAINERS) and root == _JSON:
        return path.replace(CONTAINERS, root, 1)
    names = {listed: name for name, listed in _LISTS.items()} | {CONTAINERS: root}
    parts = [names.get(part) or re.sub(r"(?=[A-Z])", "_", part).lower() for part in path.split(".")]
    return ".".join(f"{part}.0" if part.endswith(_SINGLE) else part for part in parts)


def _decode(value: Value, place: str) -> Value:
    if not isinstance(value, (str, Text)):
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


_INNER_KEYS = ("valueFrom", "logDriver", "options", "secretOptions", "credentialsParameter", "value", "type")
_VOLUME_KEYS = ("sourceVolume", "readOnly")
_KEYS = {key.lower(): key for key in (*CONTAINER_KEYS, *_INNER_KEYS, *_VOLUME_KEYS)}


def _folded(tree: Value) -> Value:
    """Give keys their lower camel case: the Terraform provider reads them without regard to letter case."""
    if isinstance(tree, dict):
        return {_KEYS.get(str(key).lower(), key): _unfolded_options(key, item) for key, item in tree.items()}
    return [_folded(item) for item in tree] if isinstance(tree, (list, tuple)) else tree


def _unfolded_options(key: str, item: Value) -> Value:
    """Leave the keys of log driver options as they are: they are data."""
    return item if str(key).lower() in {"options", "environment", "dockerlabels"} else _folded(item)
