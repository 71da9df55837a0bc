"""The Plan model from state files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import PlanError
from infraspec.core.unknown import Sensitive, Unknown
from infraspec.terraform import environments
from infraspec.terraform.plan import Diagnostic, Plan
from infraspec.terraform.planfile.state import provider_of

DATA = Path(__file__).parent / "data/plans"
CLEAR = "correct-horse-battery"


def raw(**parts: Any) -> Plan:
    """Build a Plan from a raw state with the given parts."""
    content = {"version": 4, "serial": 1, "lineage": "x", "resources": [], **parts}
    return environments.from_bytes(json.dumps(content).encode(), "terraform.tfstate")


def one(**instance: Any) -> list[dict[str, Any]]:
    """Return the resources of a raw state with one instance."""
    provider = 'provider["registry.terraform.io/hashicorp/aws"]'
    return [{"mode": "managed", "type": "aws_x", "name": "y", "provider": provider, "instances": [instance]}]


@pytest.mark.parametrize("name", ["state_shown.json", "state_raw.tfstate"])
def test_both_kinds_are_recognized(name: str) -> None:
    """A state is recognized as such, of either kind, and shows none of its secrets."""
    plan = environments.load(DATA / name, name=name)
    assert plan.origin == f"state {name}"
    assert CLEAR in (DATA / name).read_text()
    assert CLEAR not in repr(([dict(r.values) for r in plan.resources], plan.outputs))
    assert {"token": Sensitive("output.token"), "queue": "reports-dev-jobs"} == plan.outputs


def test_a_shown_state() -> None:
    """Resources of all modules are there, deposed objects are not, values are known and secrets masked."""
    plan = environments.load(DATA / "state_shown.json")
    database = 'module.app["blue"].aws_db_instance.this[0]'
    assert ["aws_sqs_queue.jobs", database] == [r.address for r in plan.resources]
    resource = plan.by_address[database]
    assert (resource.module, resource.key, resource.provider, resource.actions) == ('module.app["blue"]', 0, "aws", ())
    assert resource.get("identifier") == "reports-dev"
    assert isinstance(resource.get("password"), Sensitive)
    assert (plan.account, plan.region) == ("111122223333", "eu-west-1")


def test_a_raw_state() -> None:
    """Addresses are put together from module, type, name and key; deposed objects are left out."""
    plan = environments.load(DATA / "state_raw.tfstate")
    assert {r.address: r.provider for r in plan.resources} == {
        "data.aws_caller_identity.current": "aws",
        'aws_sqs_queue.jobs["fast"]': "aws",
        'aws_sqs_queue.jobs["slow"]': "aws",
        "module.app[0].aws_lambda_function.export": "aws.virginia",
        "aws_db_instance.db": "module.data:aws",
    }
    assert len(plan.resources) == len(plan.by_address)
    assert plan.by_address['aws_sqs_queue.jobs["slow"]'].get("name") == "reports-dev-slow"
    assert isinstance(plan.by_address["aws_db_instance.db"].get("password"), Sensitive)


def test_sensitive_paths_of_a_raw_state() -> None:
    """A sensitive path masks the value it leads to, in maps and lists, and nothing beside it."""
    function = environments.load(DATA / "state_raw.tfstate").by_address["module.app[0].aws_lambda_function.export"]
    environment = function.get("environment")[0]["variables"]
    assert environment["MODE"] == "csv"
    assert isinstance(environment["API_TOKEN"], Sensitive)
    first, second = function.get("layers")
    assert (isinstance(first, Sensitive), second) == (True, "b")


@pytest.mark.parametrize(
    "path",
    [
        [],
        [{"type": "get_attr", "value": "a"}, {"type": "index", "value": {"value": {"x": "y"}, "type": ["object", {}]}}],
        [{"type": "get_attr", "value": "a"}, {"type": "get_attr", "value": "none"}],
        [{"type": "splat"}],
    ],
    ids=["empty", "set element", "wrong shape", "unknown step"],
)
def test_a_sensitive_path_that_cannot_be_followed_masks_more(path: list[dict[str, Any]]) -> None:
    """A path that cannot be read or does not fit masks what it starts at, never less."""
    plan = raw(resources=one(attributes={"a": [CLEAR]}, sensitive_attributes=[path]))
    assert CLEAR not in repr(plan.resources[0].values)


def test_regions_of_a_raw_state() -> None:
    """Each provider configuration has the region its ARNs show; what shows none is unknown."""
    plan = environments.load(DATA / "state_raw.tfstate")
    assert (plan.account, plan.region) == ("111122223333", "eu-west-1")
    assert {
        "aws": "eu-west-1",
        "aws.virginia": "us-east-1",
        "module.data:aws": Unknown("provider.module.data:aws.region"),
    } == plan.regions


def test_a_shown_state_with_two_regions_has_no_region() -> None:
    """A shown state does not say which resource is of which provider, so disagreement means unknown."""
    resources = [
        {"address": f"aws_sqs_queue.q{n}", "type": "aws_sqs_queue", "name": f"q{n}", "values": {"arn": arn}}
        for n, arn in enumerate(
            ["arn:aws:sqs:eu-west-1:111122223333:a"] * 300 + ["arn:aws:sqs:us-east-1:111122223333:b"]
        )
    ]
    content = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
    plan = environments.from_bytes(json.dumps(content).encode(), "s")
    assert plan.account == "111122223333"
    assert isinstance(plan.region, Unknown)


def test_a_shown_state_whose_region_is_contradicted_has_no_region() -> None:
    """What data.aws_region returned may be of another provider configuration, so the ARNs have to agree with it."""
    queue = {"address": "aws_sqs_queue.q", "type": "aws_sqs_queue", "name": "q"}
    region = {"address": "data.aws_region.r", "mode": "data", "type": "aws_region", "name": "r"}
    for name, expected in (("eu-west-1", "eu-west-1"), ("us-east-1", Unknown("aws_region.region"))):
        resources = [
            {**queue, "values": {"arn": "arn:aws:sqs:eu-west-1:111122223333:q"}},
            {**region, "values": {"name": name}},
        ]
        content = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
        assert expected == environments.from_bytes(json.dumps(content).encode(), "s").region


def test_failed_checks_of_a_raw_state() -> None:
    """The checks that failed are diagnostics."""
    plan = environments.load(DATA / "state_raw.tfstate")
    assert plan.diagnostics == (Diagnostic("warning", "check.health failed: the service does not answer"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('provider["registry.terraform.io/hashicorp/aws"]', "aws"),
        ('provider["registry.terraform.io/hashicorp/aws"].virginia', "aws.virginia"),
        ('module.a["x.y"].provider["registry.opentofu.org/hashicorp/aws"].b', 'module.a["x.y"]:aws.b'),
        ("provider.aws", "aws"),
        ("module.a.provider.aws.virginia", "module.a:aws.virginia"),
        ("strange", "strange"),
    ],
)
def test_provider_text(text: str, expected: str) -> None:
    """The provider configuration of a raw state is named as in a plan."""
    assert expected == provider_of(text)


def test_values_of_terraform_0_11_are_refused() -> None:
    """An instance with flat attributes is an error that names it and says how to fix the state."""
    with pytest.raises(PlanError, match=r"aws_x\.y has values in the form of terraform 0\.11") as caught:
        raw(resources=one(attributes_flat={"tags.%": "0"}))
    assert "refresh-only" in caught.value.remedy


def test_a_state_of_wrong_types_is_refused() -> None:
    """A raw state whose fields have other types is an error with the path."""
    with pytest.raises(PlanError, match="expected `str`, got `int`") as caught:
        raw(resources=[*one(attributes={}), {"type": 5, "name": "x"}])
    assert caught.value.place == "terraform.tfstate: $[1].type"


def test_empty_states() -> None:
    """A state without resources is a Plan without resources."""
    assert raw().resources == ()
    assert environments.from_bytes(b'{"format_version":"1.0"}', "s").resources == ()
    assert environments.from_bytes(b'{"format_version":"1.0","values":{}}', "s").origin == "state s"
