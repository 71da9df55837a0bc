"""Container definitions: the parts of them that ask for access or say where logs go.

Source: Amazon ECS API Reference, "ContainerDefinition", "Secret" and "LogConfiguration".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from infraspec.core.errors import TaskDefinitionError
from infraspec.core.unknown import Text, Unknown, Value, is_known, render, unknowns

CONTAINERS = "containerDefinitions"
CONTAINER_KEYS = (
    "name", "image", "secrets", "logConfiguration", "repositoryCredentials", "environmentFiles", "essential",
    "firelensConfiguration", "credentialSpecs", "dockerSecurityOptions", "mountPoints",
)  # fmt: skip
_KINDS: Mapping[type, str] = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}


class SecretReference(Struct, frozen=True):
    """One entry of `secrets` or `secretOptions`. `path` is its place: `containerDefinitions.0.secrets.1`."""

    name: str
    value_from: Value
    path: str
    kind: str = "secret"
    """"secret" or "log option", for messages."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container definition. Unknown parts that hide what it needs are in `unknown_parts`, by path."""

    name: str
    path: str
    image: Value = None
    secrets: tuple[SecretReference, ...] = ()
    log_driver: Value = None
    log_options: Mapping[str, Value] = field(default_factory=dict)
    repository_credentials: Value = None
    environment_files: tuple[Value, ...] = ()
    essential: Value = True
    firelens_options: Mapping[str, Value] = field(default_factory=dict)
    credential_specifications: tuple[tuple[str, Value], ...] = ()
    """The entries of `credentialSpecs` and `dockerSecurityOptions`, by path."""
    mount_points: tuple[Value, ...] = ()
    """The mount points; one Unknown if they are not known."""
    unknown_parts: tuple[tuple[str, Unknown], ...] = ()
    definition: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """The whole container definition, under the names of ECS; empty if it is not known."""

    @property
    def environment(self) -> dict[str, Value]:
        """The plain environment variables by name, as far as they are known."""
        entries = self.definition.get("environment")
        items = entries if isinstance(entries, (list, tuple)) else ()
        return {render(item["name"]): item.get("value") for item in items if isinstance(item, dict) and "name" in item}


def containers(tree: Value, place: str) -> Iterator[Container]:
    """Read the container definitions. Raises TaskDefinitionError if they are not what ECS defines."""
    if not isinstance(tree, (list, tuple)):
        raise malformed("the container definitions are not a list", place, "a list of container definitions", tree)
    for index, item in enumerate(tree):
        yield _container(item, f"{CONTAINERS}.{index}", place)


def _container(tree: Value, path: str, place: str) -> Container:
    if isinstance(tree, Unknown):
        return Container(f"#{path.rpartition('.')[2]}", path, unknown_parts=((path, tree),))
    where = f"{place}: {path}"
    if not isinstance(tree, dict):
        raise malformed("a container definition is a JSON object", where, "an object with name and image", tree)
    check_case(tree, CONTAINER_KEYS, where)
    check_text(tree, ("name", "image"), where)
    reader = _Reader(where)
    for key, value in tree.items():
        if key.startswith("${"):  # members that are there or not
            reader.note(value, path)
    log = reader.mapping(tree, "logConfiguration", path)
    options = reader.mapping(log, "options", f"{path}.logConfiguration")
    credentials = reader.mapping(tree, "repositoryCredentials", path)
    reader.note(log.get("logDriver"), f"{path}.logConfiguration.logDriver")
    secrets = reader.secrets(tree, "secrets", path, "secret")
    secrets += reader.secrets(log, "secretOptions", f"{path}.logConfiguration", "log option")
    files = reader.items(tree, "environmentFiles", path)
    router = reader.mapping(tree, "firelensConfiguration", path)
    specifications = [
        (f"{path}.{key}.{index}", item)
        for key in ("credentialSpecs", "dockerSecurityOptions")
        for index, item in enumerate(reader.items(tree, key, path))
    ]
    return Container(
        render(tree.get("name") or f"#{path.rpartition('.')[2]}"),
        path,
        tree.get("image"),
        tuple(secrets),
        log.get("logDriver"),
        options,
        credentials.get("credentialsParameter"),
        tuple(file.get("value") if isinstance(file, dict) else file for file in files),
        tree.get("essential", True),
        reader.mapping(router, "options", f"{path}.firelensConfiguration"),
        tuple(specifications),
        _mount_points(tree.get("mountPoints")),
        tuple(reader.unknown),
        tree,
    )


def _mount_points(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) if isinstance(value, Unknown) else ()


class _Reader:
    """Read the parts of one container, collecting those that are not known."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.unknown: list[tuple[str, Unknown]] = []

    def note(self, value: Value, path: str) -> None:
        """Note a part that is not known."""
        if not is_known(value):
            self.unknown.append((path, next(unknowns(value))))

    def _part(self, tree: Mapping[str, Value], key: str, path: str) -> Value:
        value = tree.get(key)
        if not isinstance(value, Unknown):
            return value
        self.unknown.append((f"{path}.{key}", value))
        return None

    def mapping(self, tree: Mapping[str, Value], key: str, path: str) -> dict[str, Value]:
        """Return an object; an unknown one is noted and read as empty."""
        value = self._part(tree, key, path)
        if value is not None and not isinstance(value, dict):
            raise malformed(f"{key} is not an object", self.place, "a JSON object", value)
        return value or {}

    def items(self, tree: Mapping[str, Value], key: str, path: str) -> list[Value]:
        """Return a list; an unknown one is noted and read as empty."""
        value = self._part(tree, key, path)
        if value is not None and not isinstance(value, (list, tuple)):
            raise malformed(f"{key} is not a list", self.place, "a JSON list", value)
        return list(value or ())

    def secrets(self, tree: Mapping[str, Value], key: str, path: str, kind: str) -> list[SecretReference]:
        """Return the entries of `secrets` or `secretOptions`."""
        references = []
        for index, item in enumerate(self.items(tree, key, path)):
            where = f"{path}.{key}.{index}"
            if isinstance(item, Unknown):
                self.unknown.append((where, item))
                continue
            if not isinstance(item, dict) or not {"name", "valueFrom"} <= set(item):
                raise malformed(f"an entry of {key} has name and valueFrom", f"{self.place}: {where}", "both", item)
            references.append(SecretReference(render(item["name"]), item["valueFrom"], where, kind))
        return references


def check_case(tree: Mapping[str, Value], keys: tuple[str, ...], place: str) -> None:
    """Refuse a key that differs from a parameter of ECS by letter case alone: ECS would refuse it too."""
    known = {key.lower(): key for key in keys}
    for key in tree:
        if known.get(key.lower(), key) != key:
            raise malformed(f"{key!r} is not a parameter of ECS", place, known[key.lower()], key)


def check_text(tree: Mapping[str, Value], keys: tuple[str, ...], place: str) -> None:
    """Refuse a parameter that is no text where ECS takes text only."""
    for key in keys:
        value = tree.get(key)
        if value is not None and not isinstance(value, (str, Text, Unknown)):
            raise malformed(f"{key} is not text", place, "text", value)


def malformed(message: str, place: str, expected: str, found: Value) -> TaskDefinitionError:
    """Make the error of a part that is not what ECS defines."""
    text = found if isinstance(found, str) else _KINDS.get(type(found), "a number")
    return TaskDefinitionError(
        message,
        place=place,
        expected=expected,
        found=text[:80],
        remedy="see the Amazon ECS Developer Guide, Amazon ECS task definition parameters",
    )
