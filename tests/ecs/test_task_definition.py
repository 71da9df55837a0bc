"""Task definitions from files and from Terraform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec.core.errors import TaskDefinitionError
from infraspec.core.finding import Location
from infraspec.core.json_text import lines_by_path
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, concatenate
from infraspec.ecs.container import containers
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.plan import Plan, Resource
from tests.checks.access_cases import ACCOUNT, REGION, resource
from tests.whole_results import Transcript, described

FILES = Path(__file__).parents[2] / "../shared/data/task_definitions"
MINIMAL = {"family": "app", "containerDefinitions": [{"name": "app", "image": "nginx"}]}


def from_terraform(container_definitions: Value, **values: Value) -> TaskDefinition:
    """Read a task definition resource."""
    given = {"container_definitions": container_definitions, "family": "app", **values}
    address = "aws_ecs_task_definition.app"
    return TaskDefinition.from_resource(Resource(address, "managed", "aws_ecs_task_definition", "app", None, "", given))


@pytest.mark.skipif(not FILES.exists(), reason="the files are not beside the checkout")
def test_files_of_public_repositories_load() -> None:
    """Every task definition file found in public repositories is read with its containers."""
    counts = {
        path.name: len(TaskDefinition.from_json(path.read_text(encoding="utf-8"), path.name).containers)
        for path in sorted(FILES.glob("*.json"))
    }
    assert {1} == set(counts.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx:${TAG}", Text(("nginx:", Unknown("placeholder TAG")))),
        ("nginx:{{ must_env `TAG` }}", Text(("nginx:", Unknown("placeholder TAG")))),
        ("{{must_env `A`}}/x", Text((Unknown("placeholder A"), "/x"))),
        ("{{ image }}", Unknown("placeholder image")),
        ("<IMAGE>", Unknown("placeholder IMAGE")),
        ("%IMAGE%", Unknown("placeholder IMAGE")),
        ("__IMAGE__", Unknown("placeholder IMAGE")),
        ("{{ tfstate `aws_ecr_repository.all['app'].repository_url` }}:1",
         Text((Unknown('aws_ecr_repository.all["app"].repository_url'), ":1"))),
        ("ACCOUNT_ID.dkr.ecr.REGION.amazonaws.com/a",
         Text((Unknown("placeholder ACCOUNT_ID"), ".dkr.ecr.", Unknown("placeholder REGION"), ".amazonaws.com/a"))),
        ("nginx:1", "nginx:1"),
    ],
)  # fmt: skip
def test_placeholders_become_unknown(text: str, expected: Value) -> None:
    """A placeholder inside a string is an unknown of its name."""
    document = {"containerDefinitions": [{"name": "app", "image": text}]}
    assert expected == TaskDefinition.from_json(json.dumps(document), "t.json").containers[0].image


@pytest.mark.parametrize(
    "document",
    [MINIMAL, {"taskDefinition": MINIMAL}, MINIMAL["containerDefinitions"]],
    ids=["registered", "described", "containers"],
)
def test_all_shapes_of_files(document: Value) -> None:
    """A task definition, what describe-task-definition prints, and a bare list of containers are read."""
    definition = TaskDefinition.from_json("\ufeff" + json.dumps(document, indent=1), "t.json")
    assert [container.name for container in definition.containers] == ["app"]
    place = definition.locate("containerDefinitions.0.image")
    assert place is not None
    assert '"image"' in json.dumps(document, indent=1).splitlines()[place.line - 1]


def test_everything_of_a_container_is_read() -> None:
    """Secrets of both kinds, log options, credentials and environment files are read with their places."""
    container = {
        "name": "app",
        "image": "nginx",
        "secrets": [{"name": "A", "valueFrom": "a"}],
        "logConfiguration": {
            "logDriver": "splunk",
            "options": {"splunk-url": "u"},
            "secretOptions": [{"name": "splunk-token", "valueFrom": "b"}],
        },
        "repositoryCredentials": {"credentialsParameter": "c"},
        "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::b/k"}],
    }
    (read,) = from_terraform(json.dumps([container]), requires_compatibilities=["FARGATE"]).containers
    assert [(s.name, s.value_from, s.path, s.kind) for s in read.secrets] == [
        ("A", "a", "containerDefinitions.0.secrets.0", "secret"),
        ("splunk-token", "b", "containerDefinitions.0.logConfiguration.secretOptions.0", "log option"),
    ]
    assert (read.log_driver, read.log_options, read.repository_credentials) == ("splunk", {"splunk-url": "u"}, "c")
    assert read.environment_files == ("arn:aws:s3:::b/k",)


def test_terraform_reads_keys_without_regard_to_case() -> None:
    """The provider accepts keys in any letter case; options keep theirs."""
    container = {
        "Name": "app",
        "Secrets": [{"Name": "A", "ValueFrom": "a"}],
        "logConfiguration": {"options": {"Name": 1}},
    }
    (read,) = from_terraform(json.dumps([container])).containers
    assert (read.name, read.secrets[0].name, read.log_options) == ("app", "A", {"Name": 1})


@pytest.mark.parametrize("value", [Unknown("var.x"), Sensitive("var.x", "[]")])
def test_unknown_definitions(value: Value) -> None:
    """Container definitions that are not known leave the containers open."""
    definition = from_terraform(value)
    assert (definition.containers, definition.unknown_containers and "var.x") == ((), "var.x")


def test_unknown_parts_are_kept_in_their_place() -> None:
    """Text with holes is read as JSON; an unknown container or list of secrets is noted."""
    unknown = Unknown("var.secrets")
    text = concatenate(['[{"name":"app","secrets":', unknown, "},", Unknown("var.sidecar"), "]"])
    first, second = from_terraform(text).containers
    assert (("containerDefinitions.0.secrets", unknown),) == first.unknown_parts
    assert (("containerDefinitions.1", Unknown("var.sidecar")),) == second.unknown_parts


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ('{\n  "containerDefinitions": {{ containers }}\n}', "t.json:2:28", "the placeholder {{ containers }} outside"),
        ('{"containerDefinitions": [', "t.json:1:27", "Expecting value"),
        ("", "t.json:1:1", "Expecting value"),
        ("{\n", "t.json:2:1", "Expecting property name"),
        ("[" * 100_000, "t.json", "deeper levels"),
        ('{"containerDefinitions":' + "[" * 600 + "]" * 600 + "}", "t.json", "deeper levels"),
        ('{"family": "app"}', "t.json", "family"),
        ('"text"', "t.json", "text"),
        ('{"containerDefinitions": {}}', "t.json", "an object"),
        ('{"containerDefinitions": [3]}', "t.json: containerDefinitions.0", "a number"),
        ('{"containerDefinitions": [{"Secrets": []}]}', "t.json: containerDefinitions.0", "Secrets"),
        ('{"containerDefinitions": [{"secrets": [{"name": "A"}]}]}', "containerDefinitions.0.secrets.0", "an object"),
        ('{"containerDefinitions": [{"logConfiguration": []}]}', "t.json: containerDefinitions.0", "a list"),
        ('{"containerDefinitions": [{"secrets": "A"}]}', "t.json: containerDefinitions.0", "A"),
        ('{"executionRoleArn": 5, "containerDefinitions": []}', "t.json", "a number"),
        ('{"family": ["a"], "containerDefinitions": []}', "t.json", "a list"),
        ('{"containerDefinitions": [{"image": {}}]}', "t.json: containerDefinitions.0", "an object"),
        ('{"a.b": 1, "a": {"b": 2},\n"family": "x",\n"family": "y", "containerDefinitions": []}', "t.json:3", "line 2"),
        ('{"containerDefinitions": [{"secrets": [],\n "image": "x",\n "secrets": []}]}', "t.json:3", "line 1"),
    ],
)
def test_malformed_files_say_where(text: str, place: str, found: str) -> None:
    """A file that is not a task definition is a named error with place, what was found, and a remedy."""
    with pytest.raises(TaskDefinitionError) as caught:
        TaskDefinition.from_json(text, "t.json")
    assert place in caught.value.place
    assert found in caught.value.found
    assert caught.value.expected
    assert caught.value.remedy


def test_definitions_in_terraform_that_are_not_json() -> None:
    """container_definitions that are not JSON are not known, and a named error at the resource says why."""
    found = from_terraform("[{]")
    assert "aws_ecs_task_definition.app: container_definitions is not JSON" in str(found.error)
    assert isinstance(found.unknown_containers, Unknown)


def test_lines_of_a_json_text() -> None:
    """Every value has the line it begins on, whatever its strings hold."""
    text = '{\n "a": [\n  {"b": "}\\"]"},\n  [1,\n   2]\n ],\n "c": {}, "d": []\n}'
    expected = {"": 1, "a": 2, "a.0": 3, "a.0.b": 3, "a.1": 4, "a.1.0": 4, "a.1.1": 5, "c": 7, "d": 7}
    assert expected == lines_by_path(text)


def test_a_path_without_a_line_of_its_own_is_located_above() -> None:
    """A missing part is located at what should hold it."""
    definition = TaskDefinition.from_json(json.dumps(MINIMAL, indent=1), "t.json")
    assert Location("t.json", 4) == definition.locate("containerDefinitions.0.logConfiguration")


PATHS = [
    ("aws_ecs_task_definition", "containerDefinitions.0.secrets.1", "container_definitions.0.secrets.1"),
    ("aws_ecs_task_definition", "volumes.0.efsVolumeConfiguration.fileSystemId",
     "volume.0.efs_volume_configuration.0.file_system_id"),
    ("aws_ecs_task_definition", "executionRoleArn", "execution_role_arn"),
    ("aws_ecs_daemon_task_definition", "containerDefinitions.0.secrets.1.valueFrom",
     "container_definition.0.secret.1.value_from"),
    ("aws_ecs_daemon_task_definition", "containerDefinitions.0.logConfiguration.secretOptions.0",
     "container_definition.0.log_configuration.0.secret_option.0"),
    ("aws_ecs_express_gateway_service", "containerDefinitions.0.repositoryCredentials.credentialsParameter",
     "primary_container.0.repository_credentials.0.credentials_parameter"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "path", "attribute"), PATHS)
def test_a_path_is_located_where_terraform_has_it(type_: str, path: str, attribute: str) -> None:
    """What ECS calls one object is a list of blocks in Terraform, under another name."""
    values = {"container_definitions": JsonText([])}
    found = Resource(f"{type_}.x", "managed", type_, "x", None, "", values, location=Location("main.tf", 1))
    located = replace(found, locate=lambda asked: Location(asked, 7))
    assert Location(attribute, 7) == TaskDefinition.from_resource(located).locate(path)
    assert Location("main.tf", 1) == TaskDefinition.from_resource(found).location


def test_environment_of_a_container() -> None:
    """Plain variables are there by name, and the whole definition under the names of ECS."""
    container = {"name": "app", "image": "i", "environment": [{"name": "A", "value": "1"}]}
    text = json.dumps({"family": "a", "containerDefinitions": [container]})
    [read] = TaskDefinition.from_json(text, "td.json").containers

    assert {"A": "1"} == read.environment
    assert "i" == read.definition["image"]


CONTAINER: dict[str, Value] = {
    "name": "app",
    "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1",
    "secrets": [{"name": "DB", "valueFrom": Unknown("aws_secretsmanager_secret.db.arn")}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/ecs/app", "awslogs-region": REGION},
        "secretOptions": [{"name": "TOKEN", "valueFrom": "/app/token"}],
    },
    "repositoryCredentials": {"credentialsParameter": Unknown("aws_secretsmanager_secret.hub.arn")},
    "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::files/app.env"}],
    "firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "s3", "config-file-value": "a"}},
    "mountPoints": [{"sourceVolume": "data", "readOnly": True}],
    "environment": [{"name": "MODE", "value": "web"}],
}
BLOCKS: dict[str, Value] = {
    "name": "app",
    "image": CONTAINER["image"],
    "secret": [{"name": "DB", "value_from": Unknown("aws_secretsmanager_secret.db.arn")}],
    "log_configuration": [
        {
            "log_driver": "awslogs",
            "options": {"awslogs-group": "/ecs/app", "awslogs-region": REGION},
            "secret_option": [{"name": "TOKEN", "value_from": "/app/token"}],
        }
    ],
    "repository_credentials": [{"credentials_parameter": Unknown("aws_secretsmanager_secret.hub.arn")}],
    "environment_file": [{"type": "s3", "value": "arn:aws:s3:::files/app.env"}],
    "firelens_configuration": [{"type": "fluentbit", "options": {"config-file-type": "s3", "config-file-value": "a"}}],
    "mount_point": [{"source_volume": "data", "read_only": True}],
    "environment": [{"name": "MODE", "value": "web"}],
    "health_check": [],
    "command": None,
}


def test_blocks_of_a_daemon_say_what_json_says() -> None:
    """The task definition of a daemon has the containers that the same JSON would have, by either name of a block."""
    plural = {"secret": "secrets", "environment_file": "environment_files", "mount_point": "mount_points"}
    for blocks in (BLOCKS, {plural.get(name, name): value for name, value in BLOCKS.items()}):
        assert_says_what_json_says(blocks)


def assert_says_what_json_says(blocks: dict[str, Value]) -> None:
    """Compare the blocks of a daemon with JSON."""
    values = {"family": "agent", "container_definition": [blocks], "execution_role_arn": "x", "task_role_arn": "y"}
    (found,) = task_definitions(Plan("source", (resource("aws_ecs_daemon_task_definition.agent", **values),)))
    assert (tuple(containers([CONTAINER], "x")), "agent", "x", "y") == (
        found.containers,
        found.family,
        found.execution_role,
        found.task_role,
    )
    assert found.runs_on("FARGATE") is False
    assert {"MODE": "web"} == found.containers[0].environment


def test_an_express_service_is_a_task_definition_too(transcript: Transcript) -> None:
    """Its one container is called Main, and its log goes to the group that is named, or to one that ECS makes."""
    block = {"image": "nginx:1", "secret": BLOCKS["secret"]}
    named = [{"log_group": "/web"}], [{"log_group": "/web", "log_stream_prefix": "app"}]
    for log, group in ((named[0], "/web"), (named[1], "/web"), (Unknown("x"), None), (None, None)):
        container = {**block, "aws_logs_configuration": log}
        values = {"primary_container": [container], "execution_role_arn": "x", "service_name": "web"}
        (found,) = task_definitions(Plan("source", (resource("aws_ecs_express_gateway_service.web", **values),)))
        (main,) = found.containers
        transcript([described(main.log_options), *map(str, (found.location, found.family, found.network_mode))])
        assert ("Main", "awslogs", 1) == (main.name, main.log_driver, len(main.secrets))
        assert found.runs_on("FARGATE") is True
        assert group is None or main.log_options["awslogs-group"] == group
        assert group is not None or isinstance(main.log_options["awslogs-group"], Unknown)


@pytest.mark.parametrize("name", ["aws_ecs_daemon_task_definition.x", "aws_ecs_express_gateway_service.x"])
def test_blocks_that_are_not_known_are_no_containers(name: str) -> None:
    """What hides the containers is said, of all of them or of one."""
    root = "container_definition" if "daemon" in name else "primary_container"
    (whole,) = task_definitions(Plan("source", (resource(name, **{root: Unknown("var.all")}),)))
    assert whole.unknown_containers == Unknown("var.all")
    (part,) = task_definitions(Plan("source", (resource(name, **{root: [Unknown("var.one")]}),)))
    assert [("containerDefinitions.0", Unknown("var.one"))] == list(part.containers[0].unknown_parts)
