"""A plan as JSON holds what Terraform's planned_values would, and says what is not known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.reporting.document import as_json, as_text
from infraspec.reporting.planned_values import plan_data, plan_document
from infraspec.terraform.language.values import MapValue, SetValue
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import is_computed
from tests.terraform.sources import plan_of

U = Unknown("aws_kms_key.main.arn")
SECRET = Sensitive("var.secret", "hunter2")
MASK = "(sensitive value)"


def resource(values: dict[str, Value], *, address: str = "aws_sqs_queue.q", module: str = "") -> Resource:
    """Return a managed queue."""
    return Resource(address, "managed", "aws_sqs_queue", "q", None, module, values)


def shown(values: dict[str, Value]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return values, sensitive_values and unknown paths of a queue, as they are after JSON."""
    found = json.loads(as_json(plan_data(Plan("plan p", [resource(values)]))))
    (only,) = found["planned_values"]["root_module"]["resources"]
    assert "hunter2" not in json.dumps(found)
    return only["values"], only["sensitive_values"], found["unknown"].get("aws_sqs_queue.q", [])


@pytest.mark.parametrize(
    ("value", "known", "marks", "unknown"),
    [
        ("text", "text", None, []),
        (1e-7, 1e-7, None, []),
        (U, None, None, [""]),
        (Text(("a-", U)), None, None, [""]),
        (JsonText({"a": U}), None, None, [""]),
        (SECRET, MASK, True, []),
        (Text(("a-", SECRET)), MASK, True, []),
        (Text(("a-", SECRET, U)), None, True, [""]),
        (JsonText({"a": SECRET}), MASK, True, []),
        (["a", U, SECRET], ["a", None, MASK], [False, False, True], ["[1]"]),
        (["a", U], ["a", None], None, ["[1]"]),
        ({"a": "b", "c": U, "d": SECRET}, {"a": "b", "d": MASK}, {"d": True}, [".c"]),
        ([{"a": None, "b": [{"c": None, "d": 1}]}], [{"b": [{"d": 1}]}], None, []),
        (MapValue(a=None, b="c"), {"a": None, "b": "c"}, None, []),
        ({"a": MapValue(b=None)}, {"a": {"b": None}}, None, []),
        (SetValue.of(["b", "a"]), ["a", "b"], None, []),
        ({"a": {"b": [U]}}, {"a": {"b": [None]}}, None, [".a.b[0]"]),
    ],
)
def test_value(value: Value, known: Any, marks: Any, unknown: list[str]) -> None:
    """The known part is shown, what is sensitive masked and marked, what is unknown left out and listed."""
    values, sensitive, paths = shown({"x": value})

    assert values.get("x") == known
    assert sensitive == ({} if marks is None else {"x": marks})
    assert paths == [f"x{path}" for path in unknown]


def test_null_leaves_an_attribute_to_the_provider() -> None:
    """A null attribute is unknown if the provider computes it, null if not, and left out if it may have a default."""
    values, _, unknown = shown({"name": None, "fifo_queue": None, "arn": None, "kms_master_key_id": None})

    assert unknown == ["arn", "name"]
    assert values == {"kms_master_key_id": None}


def test_outputs(tmp_path: Path) -> None:
    """Outputs are sensitive if they are declared so or hold something sensitive; an unknown one has no value."""
    found = plan_data(
        plan_of(
            tmp_path,
            """
            variable "unset" {}
            output "plain" { value = { a = [1] } }
            output "declared" {
              value     = { a = "hunter2" }
              sensitive = true
            }
            output "holds" { value = [sensitive("hunter2")] }
            output "unknown" { value = var.unset }
            output "declared_unknown" {
              value     = var.unset
              sensitive = true
            }
            """,
        )
    )

    assert found["planned_values"]["outputs"] == {
        "plain": {"sensitive": False, "value": {"a": [1]}},
        "declared": {"sensitive": True, "value": {"a": MASK}},
        "holds": {"sensitive": True, "value": [MASK]},
        "unknown": {"sensitive": False},
        "declared_unknown": {"sensitive": True},
    }


def test_modules_are_nested() -> None:
    """Resources are sorted, and stand in the module of their address, whatever the keys of the instances hold."""
    modules = ["", 'module.a["x.y"]', 'module.a["x.y"].module.b[0]', "module.c"]
    addresses = [f"{module}.aws_sqs_queue.q" if module else "aws_sqs_queue.q" for module in modules]
    pairs = zip(modules, addresses, strict=True)
    plan = Plan("plan p", [resource({}, address=address, module=module) for module, address in reversed([*pairs])])
    root = plan_data(plan)["planned_values"]["root_module"]

    def tree(module: dict[str, Any]) -> Any:
        own = [found["address"] for found in module.get("resources", [])]
        return module.get("address", ""), own, [*map(tree, module.get("child_modules", []))]

    assert tree(root) == (
        modules[0],
        [addresses[0]],
        [
            (modules[1], [addresses[1]], [(modules[2], [addresses[2]], [])]),
            (modules[3], [addresses[3]], []),
        ],
    )


def test_data_sources_that_are_read_during_planning_are_left_out(tmp_path: Path) -> None:
    """A data source stands in the plan only if something it is asked with is not known; a secret is known."""
    plan = plan_of(
        tmp_path,
        """
        variable "unset" {}
        variable "secret" {
          sensitive = true
          default   = "hunter2"
        }
        data "aws_vpc" "known" { id = "vpc-1" }
        data "aws_vpc" "secret" { id = var.secret }
        data "aws_vpc" "unknown" { id = var.unset }
        """,
    )

    (only,) = plan_data(plan)["planned_values"]["root_module"]["resources"]
    assert (only["address"], only["mode"]) == ("data.aws_vpc.unknown", "data")
    assert "data.aws_vpc.known" not in as_text(plan_document(plan))


def test_numbers_in_text() -> None:
    """Text shows a small number without exponent."""
    assert "x = 0.0000001" in as_text(plan_document(Plan("plan p", [resource({"x": 1e-7})])))


ROOT = Path(__file__).parents[2]
PLANS = sorted([*(ROOT / "fixtures/plans").glob("*.json"), *(ROOT / "tests/terraform/data/plans").glob("*.json")])


def configured(module: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the address of each resource of a plan's configuration, with the arguments that are set."""
    for one in module.get("resources", ()):
        yield prefix + one["address"], set(one.get("expressions", ()))
    for name, call in module.get("module_calls", {}).items():
        yield from configured(call.get("module", {}), f"{prefix}module.{name}.")


def created(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], set[str]]]:
    """Yield type, values, what is not known, and what is configured, of each resource that a plan creates."""
    plan = json.loads(path.read_bytes().decode("utf-8-sig" if path.read_bytes()[:2] != b"\xff\xfe" else "utf-16"))
    set_ = dict(configured(plan.get("configuration", {}).get("root_module", {})))
    for one in plan.get("resource_changes", ()):
        names = set_.get(re.sub(r'\[(?:\d+|"[^"]*")\]', "", one["address"]))
        if one["mode"] == "managed" and one["change"]["actions"] == ["create"] and names is not None:
            yield one["type"], one["change"].get("after") or {}, one["change"].get("after_unknown") or {}, names


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_what_the_provider_plans_is_there(path: Path) -> None:
    """Of what is not set, a plan of Terraform has no unknown value that is absent, and no known one that is another."""
    absent, wrong = [], []
    for type_, after, unknown, names in created(path):
        values = {name: after[name] for name in names & after.keys() if after[name] is not None}
        made = Resource("a.b", "managed", type_, "b", None, "", values, locate=lambda _: None)
        found = plan_data(Plan("source", [made]))
        (only,) = found["planned_values"]["root_module"]["resources"]
        listed = {*found["unknown"].get("a.b", ())}
        absent += [(type_, name) for name, is_ in unknown.items() if is_ is True and name not in {*listed, *names}]
        shown = {name: value for name, value in only["values"].items() if name not in names and name in after}
        wrong += [(type_, name, value) for name, value in shown.items() if after[name] != value]

    assert [one for one in absent if is_computed(*one) and one[1] != "region"] == []
    assert wrong == []
