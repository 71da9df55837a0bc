"""The permissions that the volumes of a task definition ask for: EFS with IAM authorization, S3 Files, FSx for Windows.

Sources: Amazon ECS API Reference, "EFSVolumeConfiguration", "S3FilesVolumeConfiguration" and
"FSxWindowsFileServerVolumeConfiguration". The ECS agent describes the file system of FSx and reads its credentials with
the execution role; EFS and S3 Files are mounted as the task role, S3 Files always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from infraspec.ecs import access_table as table
from infraspec.ecs.requirement import AccessContext, Doubt, Need, Requirement
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.ecs.value_access import value_access
from infraspec.unknown import Text, Unknown, Value, render, unknowns

_NAMES: Mapping[str, tuple[str, str]] = {
    "efs": ("efsVolumeConfiguration", "efs_volume_configuration"),
    "s3 files": ("s3filesVolumeConfiguration", "s3files_volume_configuration"),
    "file system arn": ("fileSystemArn", "file_system_arn"),
    "access point arn": ("accessPointArn", "access_point_arn"),
    "fsx": ("fsxWindowsFileServerVolumeConfiguration", "fsx_windows_file_server_volume_configuration"),
    "authorization": ("authorizationConfig", "authorization_config"),
    "file system": ("fileSystemId", "file_system_id"),
    "access point": ("accessPointId", "access_point_id"),
    "credentials": ("credentialsParameter", "credentials_parameter"),
    "iam": ("iam", "iam"),
}
"""What a part is called by ECS and by Terraform, where a block is a list of one object."""


class _Block(Struct, frozen=True):
    """A part of a volume, read from ECS's JSON or from Terraform's blocks; `path` is its place."""

    value: Value
    path: str

    def part(self, name: str) -> _Block:
        tree = self.value if isinstance(self.value, Mapping) else {}
        key = next((key for key in _NAMES[name] if tree.get(key) not in (None, [], ())), _NAMES[name][0])
        value, path = tree.get(key), f"{self.path}.{key}"
        if isinstance(value, list | tuple):
            value, path = value[0] if value else None, f"{path}.0"
        return _Block(value, path)


def volume_access(task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
    """List what the volumes need."""
    for name, volume in _volumes(task_definition):
        yield from _fsx(f'volume "{name}"', volume.part("fsx"), context)
        yield from _efs(name, volume.part("efs"), task_definition, context)
        yield from _s3_files(name, volume.part("s3 files"), task_definition, context)


def unknown_volumes(task_definition: TaskDefinition) -> Iterator[tuple[str, Unknown]]:
    """Yield the places of the parts of volumes that are not known at all."""
    if isinstance(task_definition.volumes, Unknown):
        yield _root(task_definition), task_definition.volumes
    for _, volume in _volumes(task_definition):
        systems = [volume.part("efs"), volume.part("fsx"), volume.part("s3 files")]
        for block in (volume, *systems, *(system.part("authorization") for system in systems)):
            if isinstance(block.value, Unknown):
                yield block.path, block.value


def _root(task_definition: TaskDefinition) -> str:
    return "volume" if task_definition.resource else "volumes"


def _volumes(task_definition: TaskDefinition) -> Iterator[tuple[str, _Block]]:
    volumes = task_definition.volumes
    for index, tree in enumerate(volumes if isinstance(volumes, list | tuple) else ()):
        name = render(tree.get("name")) if isinstance(tree, Mapping) else f"#{index}"
        yield name, _Block(tree, f"{_root(task_definition)}.{index}")


def _fsx(owner: str, block: _Block, context: AccessContext) -> Iterator[Requirement]:
    if not isinstance(block.value, Mapping):
        return
    system = block.part("file system")
    need = Need(owner, "FSx for Windows file system", system.path, system.value)
    yield Requirement(need, table.FSX, table.FSX.actions[0], "*")
    credentials = block.part("authorization").part("credentials")
    if credentials.value is not None:
        need = Need(owner, "credentials of the file system", credentials.path, credentials.value)
        yield from value_access(need, context, table.FSX_SECRET, table.FSX_PARAMETER)


def _efs(name: str, block: _Block, task_definition: TaskDefinition, context: AccessContext) -> Iterator[Requirement]:
    authorization = block.part("authorization")
    enabled = authorization.part("iam").value
    doubt = Doubt.of(next(unknowns(enabled), None))
    if doubt is None and enabled != "ENABLED":
        return
    system, point = block.part("file system"), authorization.part("access point").value
    arn = _arn(system.value, "file-system/", context)
    keys: dict[str, Value] = {}
    if point is not None:
        keys["elasticfilesystem:AccessPointArn"] = context.narrow(_arn(point, "access-point/", context))
    need, target = Need(f'volume "{name}"', "EFS file system", system.path, arn), context.narrow(arn)
    yield Requirement(need, table.MOUNT, table.MOUNT.actions[0], target, doubt, keys=keys)
    if not _is_read_only(task_definition, name):
        yield Requirement(need, table.WRITE, table.WRITE.actions[0], target, _written(table.WRITE), keys=keys)


def _s3_files(
    name: str, block: _Block, task_definition: TaskDefinition, context: AccessContext
) -> Iterator[Requirement]:
    if not isinstance(block.value, Mapping):
        return
    system, point = block.part("file system arn"), block.part("access point arn").value
    keys = {} if point is None else {"s3files:AccessPointArn": context.narrow(point)}
    need, target = Need(f'volume "{name}"', "S3 file system", system.path, system.value), context.narrow(system.value)
    mount, write = table.S3_FILES_MOUNT, table.S3_FILES_WRITE
    yield Requirement(need, mount, mount.actions[0], target, keys=keys)
    if not _is_read_only(task_definition, name):
        yield Requirement(need, write, write.actions[0], target, _written(write), keys=keys)


def _written(row: table.Access) -> Doubt:
    return Doubt(f"it is {row.note}", remedy="set readOnly = true at its mount points, or allow it")


def _arn(id_: Value, kind: str, context: AccessContext) -> Value:
    """Return the ARN of what an id names: the attribute, where the id is one of a resource of the plan."""
    found = context.attributes.plan.find(id_) if isinstance(id_, Unknown) else None
    if found is not None and found[0].type.startswith("aws_efs_"):
        return found[0].reference("arn")
    return context.arn("elasticfilesystem", kind, context.narrow(id_))


def _is_read_only(task_definition: TaskDefinition, volume: str) -> bool:
    """Tell whether every container that mounts a volume for certain mounts it read-only."""
    return not any(
        _may_write(point, volume) for container in task_definition.containers for point in container.mount_points
    )


def _may_write(point: Value, volume: str) -> bool:
    if not isinstance(point, Mapping):
        return True
    mounted = point.get("sourceVolume")
    return (isinstance(mounted, Unknown | Text) or mounted == volume) and point.get("readOnly") is not True
