"""The Plan model from a plan file."""

from __future__ import annotations

import gc
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import PlanError
from infraspec.core.unknown import Sensitive, Unknown, unknowns
from infraspec.terraform import environments
from infraspec.terraform.plan import Change, ChangeKind, Diagnostic, Plan, Refactoring
from infraspec.terraform.planfile.values import LazyValues

REPORTS = Path(__file__).parent / "data/plans/reports.json"
CLEAR = "correct-horse-battery"
TASK = "module.app.aws_ecs_task_definition.this[0]"
DOCUMENT = "module.app.data.aws_iam_policy_document.exec"


@pytest.fixture
def plan() -> Plan:
    """Return the plan of the invented application reports."""
    return environments.from_bytes(REPORTS.read_bytes(), "reports.json")


def small(address: str = "aws_s3_bucket.a", **change: Any) -> dict[str, Any]:
    """Return a plan with one resource and its change."""
    type_, name = address.split(".")
    values = change.get("after", {"bucket": "a"})
    planned = {"address": address, "mode": "managed", "type": type_, "name": name, "values": values}
    detail = {"actions": ["create"], "after": values, "after_unknown": {}, **change}
    entry = {"address": address, "mode": "managed", "type": type_, "name": name, "change": detail}
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [planned]}},
        "resource_changes": [entry],
    }


def built(content: object) -> Plan:
    """Build a plan from a JSON value."""
    return environments.from_bytes(json.dumps(content).encode(), "plan.json")


def test_instances_keep_the_order_of_the_plan(plan: Plan) -> None:
    """Planned instances come first, in order, then the data sources that were read; destroyed ones are absent."""
    assert [resource.address for resource in plan.resources] == [
        "aws_secretsmanager_secret.db",
        "aws_secretsmanager_secret_version.db",
        'aws_mq_broker.events["main"]',
        "aws_lambda_function.export",
        "aws_acm_certificate.edge",
        "aws_sqs_queue.jobs",
        "aws_sns_topic.alarms",
        TASK,
        "module.app.aws_iam_role_policy.exec",
        DOCUMENT,
        "data.aws_caller_identity.current",
        "data.aws_ssm_parameter.token",
    ]


def test_an_instance_has_its_parts(plan: Plan) -> None:
    """Module, key, actions and provider configuration are told."""
    task = plan.by_address[TASK]
    assert (
        task.mode,
        task.type,
        task.name,
        task.key,
        task.module,
        task.provider,
        task.actions,
    ) == ("managed", "aws_ecs_task_definition", "this", 0, "module.app", "aws", ("create",))
    assert plan.by_address['aws_mq_broker.events["main"]'].key == "main"
    assert plan.by_address[DOCUMENT].mode == "data"


def test_an_attribute_known_after_apply_is_unknown(plan: Plan) -> None:
    """A whole attribute that is unknown is named by address and attribute; null stays null, absent stays absent."""
    secret = plan.by_address["aws_secretsmanager_secret.db"]
    assert Unknown("aws_secretsmanager_secret.db.arn") == secret.get("arn")
    assert {key: secret.values[key] for key in ("description", "name")} == {
        "description": None,
        "name": "reports-dev-db",
    }
    assert "policy" not in secret.values
    assert plan.find(secret.get("arn")) == (secret, "arn")


def test_a_part_known_after_apply_is_unknown_in_its_place(plan: Plan) -> None:
    """An element of a list and a key of a map are unknown where they lie, and what lies beside them is known."""
    statement = plan.by_address[DOCUMENT].get("statement")[0]
    assert statement["actions"] == ["secretsmanager:GetSecretValue"]
    assert [
        "arn:aws:ssm:eu-west-1:111122223333:parameter/reports",
        Unknown(f"{DOCUMENT}.statement[0].resources[1]"),
    ] == statement["resources"]
    variables = plan.by_address["aws_lambda_function.export"].get("environment")[0]["variables"]
    assert Unknown("aws_lambda_function.export.environment[0].variables.QUEUE_URL") == variables["QUEUE_URL"]
    assert variables["MODE"] == "csv"


def test_shapes_that_after_lacks_are_made() -> None:
    """Where `after` has null for a list or map with an unknown part, the shape comes from `after_unknown`."""
    content = small(after={"tags": None}, after_unknown={"tags": {"A b": True}, "rule": [False, {"days": True}]})
    assert {
        "tags": {"A b": Unknown('aws_s3_bucket.a.tags["A b"]')},
        "rule": [None, {"days": Unknown("aws_s3_bucket.a.rule[1].days")}],
    } == built(content).resources[0].values


def test_secrets_are_masked(plan: Plan) -> None:
    """Marked values and those of the type table are Sensitive and hold nothing; their neighbours stay."""
    version = plan.by_address["aws_secretsmanager_secret_version.db"]
    assert isinstance(version.get("secret_string"), Sensitive)
    assert version.get("secret_string").reveal() is None
    assert version.get("secret_binary") is None
    variables = plan.by_address["aws_lambda_function.export"].get("environment")[0]["variables"]
    assert isinstance(variables["API_TOKEN"], Sensitive)
    user = plan.by_address['aws_mq_broker.events["main"]'].get("user")[0]
    assert (user["username"], repr(user["password"])) == (
        "app",
        '<aws_mq_broker.events["main"].user[0].password (sensitive)>',
    )


def test_no_secret_is_anywhere(plan: Plan) -> None:
    """Neither repr nor a pickle of any part of the plan has a secret, and neither has an error about it."""
    assert CLEAR in REPORTS.read_text()
    for resource in plan.resources:
        assert CLEAR not in repr(resource)
        assert CLEAR not in repr(dict(resource.values))
        assert CLEAR.encode() not in pickle.dumps(resource.values)
    rest = (plan.outputs, plan.changes, plan.diagnostics, plan.refactorings, plan.account, plan.regions)
    assert CLEAR not in repr(rest)


def test_outputs(plan: Plan) -> None:
    """Outputs are known, unknown or sensitive; a destroyed one is absent."""
    assert {
        "token": Sensitive("output.token"),
        "bucket": "reports-dev",
        "secret_arn": Unknown("output.secret_arn"),
    } == plan.outputs
    assert isinstance(plan.outputs["token"], Sensitive)


def test_changes(plan: Plan) -> None:
    """Every change is listed, no-op, read and destroyed ones too, and deposed objects; then the drift."""
    changes = {change.address: change for change in plan.changes if not change.drift and not change.deposed}
    assert len(changes) == 12
    gone = Change("aws_s3_bucket.scratch", ("delete",), "delete_because_no_resource_config", type="aws_s3_bucket")
    assert changes[gone.address] == gone
    moved = Change("aws_sqs_queue.jobs", ("no-op",), previous_address="aws_sqs_queue.queue", type="aws_sqs_queue")
    assert changes[moved.address] == moved
    assert changes["aws_sns_topic.alarms"].importing
    assert changes[DOCUMENT].kind is ChangeKind.READ
    assert [(c.address, c.deposed) for c in plan.changes if c.deposed] == [("aws_sqs_queue.jobs", "00c0ffee")]
    assert [(c.address, c.actions) for c in plan.changes if c.drift] == [("aws_sns_topic.alarms", ("update",))]


KINDS = {
    ("create",): ChangeKind.CREATE,
    ("update",): ChangeKind.UPDATE,
    ("delete", "create"): ChangeKind.REPLACE,
    ("create", "delete"): ChangeKind.REPLACE,
    ("create", "forget"): ChangeKind.REPLACE,
    ("delete",): ChangeKind.DELETE,
    ("forget",): ChangeKind.FORGET,
    ("no-op",): ChangeKind.NO_OP,
}


@pytest.mark.parametrize("actions", KINDS)
def test_actions_are_a_kind_of_change(actions: tuple[str, ...]) -> None:
    """A pair of actions is a replacement, told apart by what comes first and by whether anything is destroyed."""
    (change,) = built(small(actions=actions)).changes
    assert change.kind is KINDS[actions]
    assert change.creates_first == (actions[0] == "create" and len(actions) > 1)
    assert change.destroys == ("delete" in actions)


def test_actions_that_are_not_known_are_an_error() -> None:
    """A later version of terraform may have other actions: they are not taken for one of ours."""
    (change,) = built(small(actions=["invoke"])).changes
    with pytest.raises(PlanError, match="actions that this release does not know"):
        _ = change.kind


def test_a_change_has_what_was_and_what_will_be() -> None:
    """Attributes before and after, secrets hidden on both sides; what differs is named, hidden values too."""
    (change,) = built(
        small(
            "aws_db_instance.a",
            actions=["delete", "create"],
            before={"password": CLEAR, "engine": "mysql", "port": 1, "arn": "arn:x", "tags": {"a": "b"}},
            after={"password": CLEAR[:-1], "engine": "mysql", "port": 2, "tags": {"a": CLEAR}},
            after_unknown={"arn": True, "tags": {}},
            before_sensitive={},
            after_sensitive={"tags": {"a": True}},
            replace_paths=[["port"], ["tags", "a"]],
        )
    ).changes
    assert (change.before["port"], change.after["port"]) == (1, 2)
    assert isinstance(change.before["password"], Sensitive)
    assert isinstance(change.after["tags"]["a"], Sensitive)
    assert Unknown("aws_db_instance.a.arn") == change.after["arn"]
    assert change.changed == ("arn", "password", "port", "tags")
    assert change.replace_paths == ("port", "tags.a")
    assert CLEAR[:-1] not in repr((change, dict(change.before), dict(change.after)))


def test_a_change_knows_what_is_configured() -> None:
    """The arguments that a resource block sets, by module; None where the plan file does not have the block."""
    content = small("aws_s3_bucket.a")
    inner = {"resources": [{"address": "aws_s3_bucket.a", "expressions": {"bucket": {}}}]}
    content["resource_changes"][0]["address"] = "module.m[0].aws_s3_bucket.a[1]"
    content["configuration"] = {"root_module": {"module_calls": {"m": {"module": inner}}}}
    (change,) = built(content).changes
    assert change.configured == frozenset({"bucket"})
    assert built(small()).changes[0].configured is None


def test_a_forgotten_resource_is_no_resource(plan: Plan) -> None:
    """What resource_changes forgets is not in the plan's resources, though planned_values still lists it."""
    assert "aws_s3_bucket.archive" in REPORTS.read_text()
    assert "aws_s3_bucket.archive" not in plan.by_address
    assert ("forget",) in {change.actions for change in plan.changes if change.address == "aws_s3_bucket.archive"}


def test_a_replaced_resource_stays() -> None:
    """Actions that destroy and create leave the resource in the plan."""
    for actions in (["delete", "create"], ["create", "delete"], ["create", "forget"]):
        assert [tuple(actions)] == [resource.actions for resource in built(small(actions=actions)).resources]


def test_refactorings(plan: Plan) -> None:
    """Moved, imported and forgotten resources are refactorings."""
    assert {
        Refactoring("moved", "aws_sqs_queue.queue", "aws_sqs_queue.jobs"),
        Refactoring("import", "arn:aws:sns:eu-west-1:111122223333:reports-dev-alarms", "aws_sns_topic.alarms"),
        Refactoring("removed", "aws_s3_bucket.archive", ""),
    } == set(plan.refactorings)


def test_diagnostics(plan: Plan) -> None:
    """An incomplete plan and every check that did not pass are told, with the severity they have for Terraform."""
    incomplete, *checks = plan.diagnostics
    assert incomplete.severity == "warning"
    assert "not complete" in incomplete.message
    assert [
        Diagnostic("warning", "check.health failed: the service does not answer"),
        Diagnostic("error", "a condition of aws_secretsmanager_secret.db could not be evaluated, because of an error"),
        Diagnostic("warning", "a condition of output.secret_arn cannot be decided before apply"),
    ] == checks


def test_an_errored_plan_is_told() -> None:
    """A plan that terraform could not finish has a diagnostic of severity error."""
    assert [d.severity for d in built({**small(), "errored": True, "complete": False}).diagnostics] == ["error"]
    assert built({**small(), "errored": False, "complete": True}).diagnostics == ()


def test_account_and_regions(plan: Plan) -> None:
    """The account comes from the caller identity, regions from constants and variables; the rest is unknown."""
    assert (plan.account, plan.region, plan.partition) == ("111122223333", "eu-west-1", "aws")
    assert {
        "aws": "eu-west-1",
        "aws.virginia": "us-east-1",
        "aws.other": Unknown("provider.aws.other.region"),
    } == plan.regions
    assert plan.region_of(plan.by_address["aws_acm_certificate.edge"]) == "us-east-1"
    assert isinstance(plan.region_of(plan.by_address['aws_mq_broker.events["main"]']), Unknown)


def test_account_from_arns() -> None:
    """Without data sources, ARNs of managed resources tell account, region and partition if they agree."""
    arn = "arn:aws-cn:sqs:cn-north-1:{}:jobs"
    plan = built(small(after={"arn": arn.format("123456789012")}))
    assert (plan.account, plan.region, plan.partition) == ("123456789012", "cn-north-1", "aws-cn")
    content = small(after={"arn": arn.format("123456789012")})
    other = small("aws_sqs_queue.b", after={"arn": arn.format("111122223333")})
    content["resource_changes"] += other["resource_changes"]
    assert isinstance(built(content).account, Unknown)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-iso-east-1", "aws-iso"), ("eusc-de-east-1", "aws-eusc")],
)
def test_a_region_has_its_partition(region: str, partition: str) -> None:
    """Where nothing else tells the partition, the region of the provider does."""
    content = small()
    expressions = {"region": {"constant_value": region}}
    content["configuration"] = {"provider_config": {"aws": {"name": "aws", "expressions": expressions}}}

    assert (region, partition) == (built(content).region, built(content).partition)


def test_a_variable_that_is_no_region_is_not_taken_for_one() -> None:
    """A region expression over a variable whose value is no region leaves the region unknown."""
    content = small()
    content["variables"] = {"environment": {"value": "dev"}}
    expressions = {"region": {"references": ["var.environment"]}}
    content["configuration"] = {"provider_config": {"aws": {"name": "aws", "expressions": expressions}}}
    plan = built(content)
    assert isinstance(plan.region, Unknown)
    assert plan.regions == {}


@pytest.mark.parametrize(
    ("providers", "key", "expected"),
    [
        ({"aws": {}}, "app:aws", "aws"),
        ({"aws": {}, "module.app:aws": {"expressions": {"region": {}}}}, "app:aws", "module.app:aws"),
        ({"aws": {}, "aws.east": {"alias": "east"}}, "aws.east", "aws.east"),
        ({"aws": {}, "aws.east": {"alias": "east"}}, "app:aws", "aws"),
        ({"aws.east": {"alias": "east"}}, "app:aws", "module.app:aws"),
        ({"aws": {}}, "app:aws.east", "module.app:aws.east"),
        ({"aws": {}, "module.app:aws": {"expressions": {"region": {}}}}, "aws", "aws"),
    ],
    ids=["inherited", "own block", "alias", "inherited default", "only aliases", "alias of a module", "passed"],
)
def test_provider_of_a_module_resource(providers: dict[str, Any], key: str, expected: str) -> None:
    """A resource of a module is of the provider that its configuration key resolves to."""
    content = small()
    for entry in (content["planned_values"]["root_module"].pop("resources")[0], content["resource_changes"][0]):
        entry["address"] = "module.app.aws_s3_bucket.a"
        content["planned_values"]["root_module"].setdefault("child_modules", [{"address": "module.app"}])
        content["planned_values"]["root_module"]["child_modules"][0]["resources"] = [entry]
    blocks = {
        name: {"name": "aws", **({"module_address": "module.app"} if ":" in name else {}), **block}
        for name, block in providers.items()
    }
    module = {"resources": [{"address": "aws_s3_bucket.a", "provider_config_key": key}]}
    content["configuration"] = {
        "provider_config": blocks,
        "root_module": {"module_calls": {"app": {"module": module}}},
    }
    plan = built(content)
    assert expected == plan.resources[0].provider
    assert isinstance(plan.region_of(plan.resources[0]), Unknown)


def test_a_plan_of_planned_values_alone_loads() -> None:
    """Without resource_changes, planned_values stand for themselves; old ones lack module and index in addresses."""
    resource = {
        "address": "aws_s3_bucket.a",
        "type": "aws_s3_bucket",
        "name": "a",
        "index": 0,
        "values": {"bucket": "x"},
    }
    module = {"address": "module.m", "resources": [resource]}
    plan = built({"format_version": "0.1", "planned_values": {"root_module": {"child_modules": [module]}}})
    assert {r.address: dict(r.values) for r in plan.resources} == {"module.m.aws_s3_bucket.a[0]": {"bucket": "x"}}


def test_numbers_are_integers_where_they_are_integral() -> None:
    """Terraform knows one kind of number: 30.0 and 3e1 are 30, 0.5 is a float, large integers are exact."""
    text = json.dumps(small()).replace('{"bucket": "a"}', '{"n": [30.0, 3e1, 0.5, 123456789012345678901234567890]}')
    numbers = environments.from_bytes(text.encode(), "p").resources[0].get("n")
    assert [(30, int), (30, int), (0.5, float), (123456789012345678901234567890, int)] == [
        (n, type(n)) for n in numbers
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("indent", [None, 2])
def test_encodings(encoding: str, indent: int | None) -> None:
    """UTF-8 and UTF-16 load, with byte order mark or without, on one line or many."""
    text = json.dumps(small(after={"bucket": "büro"}), ensure_ascii=False, indent=indent) + "\r\n"
    assert environments.from_bytes(text.encode(encoding), "p").resources[0].get("bucket") == "büro"


def test_values_are_decoded_on_first_access(plan: Plan) -> None:
    """Loading decodes no values of managed resources; asking for one attribute decodes those of that resource."""
    managed = {r.address: r.values for r in plan.managed()}
    assert not any(isinstance(values, LazyValues) and values.built for values in managed.values())
    first = managed[TASK]
    assert isinstance(first, LazyValues)
    assert first["family"] == "reports-dev"
    assert first.built
    assert sum(isinstance(values, LazyValues) and values.built for values in managed.values()) == 1


def test_values_are_decoded_once() -> None:
    """The same value is returned again, and the text it came from is let go."""
    values = built(small(after={"tags": {"a": "b"}})).resources[0].values
    assert isinstance(values, LazyValues)
    assert values["tags"] is values["tags"]
    assert values._build is None
    assert (len(values), list(values), "tags" in values, "x" in values) == (1, ["tags"], True, False)


def test_a_value_that_is_no_json_is_an_error_when_asked_for() -> None:
    """Text that only looked like JSON while it was skipped raises PlanError, naming the resource."""
    data = json.dumps(small()).encode().replace(b'"after": {"bucket": "a"}', b'"after": {"bucket": "\xff"}')
    resource = environments.from_bytes(data, "p").resources[0]
    for _ in range(2):
        with pytest.raises(PlanError, match=r"aws_s3_bucket\.a: a value is not valid JSON"):
            resource.get("bucket")


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("data", [json.dumps(small()).encode(), b"{"], ids=["good", "broken"])
def test_the_garbage_collector_is_as_before(*, enabled: bool, data: bytes) -> None:
    """Loading restores the garbage collector's state, after an error too."""
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        try:
            environments.from_bytes(data, "p")
        except PlanError:
            assert data == b"{"
        assert enabled == gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()


def test_every_unknown_leads_back(plan: Plan) -> None:
    """The address of each unknown part finds its resource."""
    for resource in plan.resources:
        for attribute, value in resource.values.items():
            for unknown in unknowns(value):
                found = plan.find(unknown)
                assert found is not None
                assert found[0] is resource
                assert found[1].startswith(attribute)


def test_documents_tells_a_plan(plan: Plan) -> None:
    """The loader for any document recognizes a plan."""
    loaded = environments.load(REPORTS)
    assert loaded.origin == f"plan {REPORTS}"
    assert [r.address for r in plan.resources] == [r.address for r in loaded.resources]


def roles(
    references: list[str],
    *,
    calls: dict[str, Any] | None = None,
    others: dict[str, str] | None = None,
    key: str | None = None,
) -> Plan:
    """Return a plan of a task definition in module.app, whose execution role is not known but for what it refers to.

    `others` are the addresses of further roles by that of their module; the root has the role `execution`.
    """
    index = "" if key is None else f'["{key}"]'
    task = {
        "address": f"module.app.aws_ecs_task_definition.this{index}",
        "mode": "managed",
        "type": "aws_ecs_task_definition",
        "name": "this",
        "values": {"family": "app"},
    } | ({} if key is None else {"index": key})
    change = {"actions": ["create"], "after": task["values"], "after_unknown": {"execution_role_arn": True}}
    changed = {**task, "module_address": "module.app", "change": change}
    made = {"aws_iam_role.execution": "", **(others or {})}
    planned = {
        "resources": [_role(address) for address, module in made.items() if not module],
        "child_modules": [
            {"address": "module.app", "resources": [task, *(_role(a) for a, m in made.items() if m == "module.app")]},
            *({"address": m, "resources": [_role(a)]} for a, m in made.items() if m not in ("", "module.app")),
        ],
    }
    inner = {
        "resources": [
            {
                "address": "aws_ecs_task_definition.this",
                "expressions": {"execution_role_arn": {"references": references}},
            }
        ]
    }
    given = {"role": {"references": ["aws_iam_role.execution.arn", "aws_iam_role.execution"]}, "name": {}}
    outer = {"module_calls": {"app": {"module": inner, "expressions": given}, **(calls or {})}}
    return built(
        {
            "format_version": "1.2",
            "planned_values": {"root_module": planned},
            "resource_changes": [changed],
            "configuration": {"root_module": outer},
        }
    )


def _role(address: str) -> dict[str, Any]:
    name, _, key = address.rpartition(".")[2].partition("[")
    index = {"index": int(key[0]) if key[0].isdigit() else key.strip('"]')} if key else {}
    return {
        "address": address,
        "mode": "managed",
        "type": "aws_iam_role",
        "name": name.rpartition(".")[2],
        "values": {"name": name},
        **index,
    }


IAM = {
    "iam": {
        "module": {
            "outputs": {"arn": {"expression": {"references": ["aws_iam_role.own.arn", "aws_iam_role.own"]}}},
            "resources": [{"address": "aws_iam_role.own", "expressions": {}}],
        }
    }
}
BOUND: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "a variable of the module": (["var.role"], {}, "aws_iam_role.execution.arn"),
    "a conditional with a constant": (["var.name", "var.role"], {}, "aws_iam_role.execution.arn"),
    "a role beside it": (
        ["aws_iam_role.own.arn", "aws_iam_role.own"],
        {"others": {"module.app.aws_iam_role.own": "module.app"}},
        "module.app.aws_iam_role.own.arn",
    ),
    "an older format": (
        ["aws_iam_role.own"],
        {"others": {"module.app.aws_iam_role.own": "module.app"}},
        "module.app.aws_iam_role.own.arn",
    ),
    "one of several by its index": (
        ["aws_iam_role.own[1].arn", "aws_iam_role.own[1]", "aws_iam_role.own"],
        {"others": {f"module.app.aws_iam_role.own[{number}]": "module.app" for number in range(2)}},
        "module.app.aws_iam_role.own[1].arn",
    ),
    "one of several by the key of the instance": (
        ["aws_iam_role.own", "each.key"],
        {"others": {f'module.app.aws_iam_role.own["{key}"]': "module.app" for key in "ab"}, "key": "b"},
        'module.app.aws_iam_role.own["b"].arn',
    ),
}
OPEN: dict[str, tuple[list[str], dict[str, Any]]] = {
    "two roles": (["var.role", "aws_iam_role.own.arn"], {"others": {"module.app.aws_iam_role.own": "module.app"}}),
    "a role or what a data source has": (["var.role", "data.aws_iam_role.other.arn"], {}),
    "a local value": (["local.role"], {}),
    "another resource": (["aws_ssm_parameter.role.value", "aws_ssm_parameter.role"], {}),
    "several of which none is said": (
        ["aws_iam_role.own"],
        {"others": {f'module.app.aws_iam_role.own["{key}"]': "module.app" for key in "ab"}},
    ),
    "nothing": ([], {}),
}


@pytest.mark.parametrize("case", BOUND.values(), ids=BOUND)
def test_an_unknown_role_is_the_one_that_is_referred_to(case: tuple[list[str], dict[str, Any], str]) -> None:
    """The configuration of a plan tells what an unknown role refers to, through variables too."""
    references, options, expected = case

    (task,) = roles(references, **options).managed("aws_ecs_task_definition")

    assert Unknown(expected) == task.values["execution_role_arn"]


@pytest.mark.parametrize("case", OPEN.values(), ids=OPEN)
def test_an_unknown_role_that_may_be_another_stays_unknown(case: tuple[list[str], dict[str, Any]]) -> None:
    """Where the configuration leaves a choice, or does not tell, a role stays what it was."""
    references, options = case

    (task,) = roles(references, **options).managed("aws_ecs_task_definition")

    assert Unknown(f"{task.address}.execution_role_arn") == task.values["execution_role_arn"]


def test_an_unknown_role_is_found_behind_an_output() -> None:
    """A variable that is given an output of another module leads to the role in it."""
    plan = roles(
        ["var.role"],
        calls={
            **IAM,
            "app": {
                "expressions": {"role": {"references": ["module.iam.arn", "module.iam"]}},
                "module": {
                    "resources": [
                        {
                            "address": "aws_ecs_task_definition.this",
                            "expressions": {"execution_role_arn": {"references": ["var.role"]}},
                        }
                    ]
                },
            },
        },
        others={"module.iam.aws_iam_role.own": "module.iam"},
    )

    (task,) = plan.managed("aws_ecs_task_definition")

    assert Unknown("module.iam.aws_iam_role.own.arn") == task.values["execution_role_arn"]


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ({"assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::111122223333:role/x"}}]}, "111122223333"),
        ({"assume_role": [{"role_arn": {"references": ["var.role"]}}]}, "123456789012"),
        ({"allowed_account_ids": {"constant_value": ["111122223333"]}}, "111122223333"),
        ({"allowed_account_ids": {"constant_value": ["111122223333", "123456789012"]}}, None),
        ({"assume_role": [{"role_arn": {"references": ["local.role"]}}]}, None),
        ({}, None),
    ],
)
def test_the_account_of_a_provider_alias(expressions: dict[str, Any], expected: str | None) -> None:
    """A plan file tells the account of an alias by the role that it assumes, or by the only account it allows."""
    content = small()
    content["variables"] = {"role": {"value": "arn:aws:iam::123456789012:role/x"}}
    content["configuration"] = {
        "provider_config": {"aws": {"name": "aws"}, "aws.other": {"name": "aws", "alias": "other", **_set(expressions)}}
    }

    assert expected == built(content).accounts.get("aws.other")


def _set(expressions: dict[str, Any]) -> dict[str, Any]:
    return {"expressions": expressions}
